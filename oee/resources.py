"""How sites count OEE, as spreadsheets."""

from core.resources import MasterDataResource
from oee.models import OeePolicy


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
