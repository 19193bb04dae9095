"""Products and their ideal rates, as they travel."""

from core.serializers import CodedSerializer, MasterDataSerializer
from products.models import IdealRate, Product


class ProductSerializer(CodedSerializer):
    """A product."""

    class Meta:
        model = Product
        fields = (
            *("id", "code", "name", "unit", "is_active"),
            *("micro_stop_below", "slow_cycle_above", "planned_scrap"),
            *("material_type", "stock_policy", "lot_controlled", "shelf_life_days", "gtin"),
        )


class IdealRateSerializer(MasterDataSerializer):
    """How fast a machine makes a product at best, and from when to when that holds."""

    class Meta:
        model = IdealRate
        fields = ("id", "product", "machine", "value", "unit", "valid_from", "valid_until")
        validators: list[object] = []
