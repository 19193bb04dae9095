"""What is counted and how, as spreadsheets."""

from core.resources import MasterDataResource
from counts.models import CountTag, CountType


class CountTypeResource(MasterDataResource):
    """Count types by code."""

    examples = {"code": "GOOD", "name": "Good bottles", "role": "good", "is_active": "yes"}

    class Meta(MasterDataResource.Meta):
        model = CountType
        fields = ("code", "name", "role", "is_active")
        import_id_fields = ("code",)


class CountTagResource(MasterDataResource):
    """Count tags by path."""

    examples = {
        "tag_path": "L1/FILLER/good",
        "machine": "L1-FILLER",
        "count_type": "GOOD",
        "mode": "running",
        "scale": "1",
        "cavities": "1",
        "offset": "0",
        "modulus": "65536",
        "reset_policy": "from_zero",
        "fastest_rate": "",
        "is_active": "yes",
    }

    class Meta(MasterDataResource.Meta):
        model = CountTag
        fields = (
            *("tag_path", "machine", "count_type", "mode", "scale", "cavities", "offset"),
            *("modulus", "reset_policy", "fastest_rate", "is_active"),
        )
        import_id_fields = ("tag_path",)
