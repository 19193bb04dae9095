"""State reasons, where they are offered and the rules that give them, as spreadsheets."""

from core.resources import MasterDataResource
from downtime.models import ReasonPlace, ReasonRule, StateReason


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
        "is_failure": "yes",
        "waits_for": "",
        "maintenance": "corrective",
        "explains": "yes",
        "icon": "build",
        "is_active": "yes",
    }

    class Meta(MasterDataResource.Meta):
        model = StateReason
        fields = (
            *("code", "name", "parent", "category", "position", "colour", "operator_selectable", "roles"),
            *("is_failure", "waits_for", "maintenance", "explains", "icon", "is_active"),
        )
        import_id_fields = ("code",)


class ReasonPlaceResource(MasterDataResource):
    """Where reasons are offered, by reason and place."""

    examples = {"reason": "FILLER-JAM", "machine": "L1-FILLER"}

    class Meta(MasterDataResource.Meta):
        model = ReasonPlace
        fields = ("reason", "site", "line", "machine")
        import_id_fields = ("reason", "site", "line", "machine")


class ReasonRuleResource(MasterDataResource):
    """Rules for reasons, by place and name."""

    examples = {
        "line": "L1",
        "name": "Guard door",
        "position": "10",
        "sent_reason": "STOPPED",
        "detail_match": "contains",
        "detail_text": "E-117",
        "weekdays": "1 2 3 4 5",
        "reason": "GUARD-OPEN",
        "is_active": "yes",
    }

    class Meta(MasterDataResource.Meta):
        model = ReasonRule
        fields = (
            *("site", "line", "machine", "name", "position", "sent_reason", "detail_match", "detail_text"),
            *("weekdays", "start_time", "end_time", "reason", "valid_from", "is_active"),
        )
        import_id_fields = ("site", "line", "machine", "name")
