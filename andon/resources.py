"""Types of calls, as a spreadsheet."""

from andon.models import CallType
from core.resources import MasterDataResource


class CallTypeResource(MasterDataResource):
    """Types of calls by code."""

    examples = {
        "code": "MAINTENANCE",
        "name": "Maintenance",
        "icon": "tools",
        "tone": "unplanned",
        "position": "10",
        "is_active": "yes",
    }

    class Meta(MasterDataResource.Meta):
        model = CallType
        fields = ("code", "name", "icon", "tone", "position", "is_active")
        import_id_fields = ("code",)
