"""What shall be made and when, as spreadsheets."""

from core.resources import MasterDataResource
from workorders.models import ChangeoverTarget, Run, Schedule, WorkOrder


class WorkOrderResource(MasterDataResource):
    """Work orders by number."""

    examples = {
        "order_number": "WO-2026-0001",
        "description": "Cola for the north",
        "line": "L1",
        "product": "COLA-05",
        "target_quantity": "12000",
        "planned_start_at": "2026-01-31T06:00:00+01:00",
        "planned_end_at": "2026-01-31T12:00:00+01:00",
        "status": "released",
    }

    class Meta(MasterDataResource.Meta):
        model = WorkOrder
        fields = (
            *("order_number", "description", "line", "product", "target_quantity"),
            *("planned_start_at", "planned_end_at", "status"),
        )
        import_id_fields = ("order_number",)


class ScheduleResource(MasterDataResource):
    """Schedules by line and planned start."""

    examples = {
        "line": "L1",
        "planned_start_at": "2026-01-31T06:00:00+01:00",
        "planned_end_at": "2026-01-31T12:00:00+01:00",
        "kind": "production",
        "work_order": "WO-2026-0001",
    }

    class Meta(MasterDataResource.Meta):
        model = Schedule
        fields = ("line", "planned_start_at", "planned_end_at", "kind", "work_order", "note")
        import_id_fields = ("line", "planned_start_at")


class RunResource(MasterDataResource):
    """Runs by line and start, for export."""

    class Meta(MasterDataResource.Meta):
        model = Run
        fields = ("line", "work_order", "started_at", "ended_at")
        import_id_fields = ("line", "started_at")


class ChangeoverTargetResource(MasterDataResource):
    """Targets of changeovers by line and products; their tasks are set up on their page."""

    examples = {"line": "L1", "from_product": "COLA-05", "to_product": "LEMON-05", "target_minutes": "20"}

    class Meta(MasterDataResource.Meta):
        model = ChangeoverTarget
        fields = ("line", "from_product", "to_product", "target_minutes")
        import_id_fields = ("line", "from_product", "to_product")
