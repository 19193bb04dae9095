"""State reasons, as spreadsheets."""

from core.resources import MasterDataResource
from downtime.models import StateReason


class StateReasonResource(MasterDataResource):
    """State reasons by code; a parent stands above its children."""

    examples = {
        "code": "FILLER-JAM",
        "name": "Filler jammed",
        "parent": "TECHNICAL",
        "category": "unplanned",
        "position": "1",
        "colour": "#c0392b",
        "operator_selectable": "yes",
        "roles": "operator supervisor",
        "is_active": "yes",
    }

    class Meta(MasterDataResource.Meta):
        model = StateReason
        fields = (
            *("code", "name", "parent", "category", "position", "colour", "operator_selectable", "roles"),
            "is_active",
        )
        import_id_fields = ("code",)
