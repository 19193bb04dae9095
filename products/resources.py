"""What can be made, and how fast at best, as spreadsheets."""

from core.resources import MasterDataResource
from products.models import IdealRate, Product


class ProductResource(MasterDataResource):
    """Products by code."""

    examples = {"code": "COLA-05", "name": "Cola 0.5 l", "unit": "bottle", "planned_scrap": "0.01", "is_active": "yes"}

    class Meta(MasterDataResource.Meta):
        model = Product
        fields = (
            *("code", "name", "unit", "micro_stop_below", "slow_cycle_above", "planned_scrap"),
            *("material_type", "stock_policy", "lot_controlled", "shelf_life_days", "gtin", "is_active"),
        )
        import_id_fields = ("code",)


class IdealRateResource(MasterDataResource):
    """Ideal rates by product, machine and first moment."""

    examples = {
        "product": "COLA-05",
        "machine": "L1-FILLER",
        "value": "0.15",
        "unit": "s/pc",
        "valid_from": "2026-01-01T00:00:00+01:00",
    }

    class Meta(MasterDataResource.Meta):
        model = IdealRate
        fields = ("product", "machine", "value", "unit", "valid_from", "valid_until")
        import_id_fields = ("product", "machine", "valid_from")
