"""Plans and tools, as spreadsheets."""

from core.resources import MasterDataResource
from maintenance.models import MaintenancePlan, Tool


class MaintenancePlanResource(MasterDataResource):
    """Maintenance plans by code."""

    examples = {
        "code": "FILLER-GREASE",
        "name": "Grease the bearings",
        "machine": "FILLER",
        "basis": "run_hours",
        "every": "500",
        "counted_from": "2026-03-02T06:00:00Z",
        "warn_percent": "90",
        "planned_minutes": "30",
        "stops_machine": "yes",
        "instructions": "",
        "is_active": "yes",
    }

    class Meta(MasterDataResource.Meta):
        model = MaintenancePlan
        fields = (
            *("code", "name", "machine", "basis", "every", "counted_from", "warn_percent", "planned_minutes"),
            *("stops_machine", "instructions", "is_active"),
        )
        import_id_fields = ("code",)


class ToolResource(MasterDataResource):
    """Tools by code."""

    examples = {
        "code": "DIE-7",
        "name": "Die 7",
        "site": "WAW",
        "basis": "cycles",
        "life": "100000",
        "warn_percent": "90",
        "is_active": "yes",
    }

    class Meta(MasterDataResource.Meta):
        model = Tool
        fields = ("code", "name", "site", "basis", "life", "warn_percent", "is_active")
        import_id_fields = ("code",)
