"""REST of custom fields."""

from core.api import MasterDataViewSet
from core.models import CustomField
from core.routers import Router
from core.serializers import MasterDataSerializer


class CustomFieldSerializer(MasterDataSerializer):
    """A field that the plant added to a kind of thing (`model`, such as `products.product`)."""

    class Meta:
        model = CustomField
        fields = ("id", "model", "code", "label", "type", "choices", "required", "help", "position", "is_active")
        validators: list[object] = []


class CustomFieldViewSet(MasterDataViewSet):
    """Custom fields; values are read and written as `custom` of the things, and lists filtered by `custom.<code>`."""

    queryset = CustomField.objects.all()
    serializer_class = CustomFieldSerializer
    filterset_fields = {"model": ["exact"], "code": ["exact"], "type": ["exact"], "is_active": ["exact"]}
    search_fields = ("code", "label")
    ordering_fields = ("id", "model", "code", "position")


router = Router()
router.register("custom-field", CustomFieldViewSet)
urlpatterns = router.urls
