"""How sites count OEE, as spreadsheets."""

from core.resources import MasterDataResource
from oee.models import OeePolicy


class OeePolicyResource(MasterDataResource):
    """OEE policies by site."""

    examples = {"site": "WAW", "target_oee": "0.85", "changeover": "availability_loss", "overtime": "count"}

    class Meta(MasterDataResource.Meta):
        model = OeePolicy
        fields = ("site", "target_oee", "changeover", "overtime")
        import_id_fields = ("site",)
