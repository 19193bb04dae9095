"""How sites count OEE, as spreadsheets."""

from core.resources import MasterDataResource
from oee.models import CustomKpi, OeePolicy


class OeePolicyResource(MasterDataResource):
    """OEE policies by site."""

    examples = {"site": "WAW", "target_oee": "0.85", "changeover": "availability_loss", "overtime": "count"}

    class Meta(MasterDataResource.Meta):
        model = OeePolicy
        fields = ("site", "target_oee", "changeover", "overtime")
        import_id_fields = ("site",)


class CustomKpiResource(MasterDataResource):
    """Custom KPIs by code."""

    examples = {
        "code": "running_share",
        "name": "Running, of all time",
        "formula": "APT / CT",
        "unit": "ratio",
        "better": "higher",
        "target": "0.6",
        "meaning": "How much of all time the machine ran.",
        "site": "",
        "is_active": "yes",
    }

    class Meta(MasterDataResource.Meta):
        model = CustomKpi
        fields = ("code", "name", "formula", "unit", "better", "target", "meaning", "site", "is_active")
        import_id_fields = ("code",)
