"""How sites count OEE, as spreadsheets."""

from core.resources import MasterDataResource
from oee.models import ClosingRule, CustomKpi, OeePolicy


class OeePolicyResource(MasterDataResource):
    """OEE policies by site."""

    examples = {
        "site": "WAW",
        "valid_from": "2026-01-01",
        "target_oee": "0.85",
        "changeover": "availability_loss",
        "overtime": "count",
        "breaks": "planned",
        "micro_stops": "performance",
        "no_data": "exclude",
        "startup_rejects": "quality_loss",
        "startup_minutes": "15",
    }

    class Meta(MasterDataResource.Meta):
        model = OeePolicy
        fields = (
            *("site", "valid_from", "target_oee", "changeover", "overtime", "breaks"),
            *("micro_stops", "no_data", "startup_rejects", "startup_minutes"),
        )
        import_id_fields = ("site", "valid_from")


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


class ClosingRuleResource(MasterDataResource):
    """Closing rules by site."""

    examples = {
        "site": "WAW",
        "close_after_hours": "12",
        "first_date": "2026-03-01",
        "unexplained_minutes": "5",
        "needs_review": "1",
        "needs_hour_comments": "0",
    }

    class Meta(MasterDataResource.Meta):
        model = ClosingRule
        fields = (
            *("site", "close_after_hours", "first_date", "unexplained_minutes"),
            *("needs_review", "needs_hour_comments"),
        )
        import_id_fields = ("site",)
