"""Partners as a spreadsheet."""

from core.resources import MasterDataResource
from erp.models import Partner


class PartnerResource(MasterDataResource):
    """Partners by code. Their secrets are in no file."""

    examples = {
        "code": "SAP",
        "name": "SAP, plant 1000",
        "user": "sap",
        "types": "order.confirmed material.*",
        "is_active": "yes",
    }

    class Meta(MasterDataResource.Meta):
        model = Partner
        fields = ("code", "name", "user", "types", "target_url", "is_active")
        import_id_fields = ("code",)
