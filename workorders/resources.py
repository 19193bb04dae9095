"""What shall be made and when, as spreadsheets."""

from typing import Any

from django.db import models
from django.utils import timezone
from import_export.fields import Field

from core.resources import MasterDataResource, refuse_without_right
from workorders import services
from workorders.customers import CustomerWidget
from workorders.models import ChangeoverTarget, Customer, Demand, LotSizing, OrderReason, Run, Schedule, WorkOrder


class CustomerResource(MasterDataResource):
    """Customers by code."""

    examples = {"code": "C-4711", "name": "Northern Stores", "external_id": "0000104711", "is_active": "yes"}

    class Meta(MasterDataResource.Meta):
        model = Customer
        fields = ("code", "name", "external_id", "is_active")
        import_id_fields = ("code",)


def _customer() -> Field:
    return Field(attribute="customer", column_name="customer", widget=CustomerWidget(WorkOrder.customer.field))


class WorkOrderResource(MasterDataResource):
    """Work orders by number."""

    customer = _customer()

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
            *("unit", "routing_code", "priority", "due_at", "customer", "sales_order", "external_id", "lot_number"),
            *("parent", "parent_kind", "over_tolerance", "under_tolerance"),
        )
        import_id_fields = ("order_number",)

    def write(self, instance: Any) -> None:
        refuse_without_right(self.actor, instance)
        services.save_order(work_order=instance, at=timezone.now())


class ScheduleResource(MasterDataResource):
    """Schedules by line and planned start; what is cancelled is in no file."""

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

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().exclude(status=Schedule.Status.CANCELLED)


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


class OrderReasonResource(MasterDataResource):
    """Reasons of orders by code."""

    examples = {"code": "waits-for-lab", "name": "Waits for the laboratory", "kind": "quality", "is_active": "yes"}

    class Meta(MasterDataResource.Meta):
        model = OrderReason
        fields = ("code", "name", "kind", "for_hold", "for_cancel", "for_short", "is_active")
        import_id_fields = ("code",)


class DemandResource(MasterDataResource):
    """Demand by what the ERP calls it."""

    customer = _customer()

    examples = {
        "external_id": "SO-4711/10",
        "site": "WAW",
        "product": "COLA-05",
        "quantity": "12000",
        "due_at": "2026-01-31T12:00:00+01:00",
        "customer": "Northern Stores",
    }

    class Meta(MasterDataResource.Meta):
        model = Demand
        fields = (
            *("external_id", "site", "product", "quantity", "unit", "due_at", "customer", "sales_order"),
            *("line", "is_active"),
        )
        import_id_fields = ("external_id",)


class LotSizingResource(MasterDataResource):
    """Lot sizing by site and product."""

    examples = {"site": "WAW", "product": "COLA-05", "line": "L1", "rule": "fixed_lot", "lot_size": "5000"}

    class Meta(MasterDataResource.Meta):
        model = LotSizing
        fields = (
            *("site", "product", "line", "rule", "lot_size", "minimum", "multiple"),
            *("reorder_point", "stock_level", "lead_time_hours"),
        )
        import_id_fields = ("site", "product")
