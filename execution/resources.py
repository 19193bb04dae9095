"""Scrap reasons, as a spreadsheet."""

from core.resources import MasterDataResource
from execution.models import ScrapReason


class ScrapReasonResource(MasterDataResource):
    """Scrap reasons by code."""

    examples = {"code": "CRACK", "name": "Cracked", "is_active": "yes"}

    class Meta(MasterDataResource.Meta):
        model = ScrapReason
        fields = ("code", "name", "is_active")
        import_id_fields = ("code",)
