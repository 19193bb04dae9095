"""REST of products and ideal rates."""

from core.api import MasterDataViewSet
from products.models import IdealRate, Product
from products.serializers import IdealRateSerializer, ProductSerializer


class ProductViewSet(MasterDataViewSet):
    """Products."""

    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    filterset_fields = {
        "code": ["exact"],
        "name": ["exact", "icontains"],
        "unit": ["exact"],
        "material_type": ["exact", "in"],
        "lot_controlled": ["exact"],
        "gtin": ["exact"],
        "is_active": ["exact"],
    }
    search_fields = ("code", "name")


class IdealRateViewSet(MasterDataViewSet):
    """Ideal rates of products on machines, effective-dated."""

    queryset = IdealRate.objects.all()
    serializer_class = IdealRateSerializer
    filterset_fields = {
        "product": ["exact"],
        "machine": ["exact"],
        "unit": ["exact"],
        "valid_from": ["exact", "lte", "gte"],
        "valid_until": ["exact", "lte", "gte", "isnull"],
    }
    search_fields = ("product__code", "product__name", "machine__code")
