"""Containers and their steps, as they travel."""

from typing import Any, cast

from rest_framework import serializers

from core.serializers import AwareDateTimeField, MasterDataSerializer, Plain, ReferenceField
from labels.models import LabelLayout
from materials.container_models import Container, ContainerContent, ContainerPolicy, ContainerStep
from materials.models import Location, MaterialLot
from materials.serializers import QuantityField
from products.models import Product

KEY = r"^[A-Za-z0-9._:-]{1,64}\Z"


class ContainerPolicySerializer(MasterDataSerializer):
    """By which company prefix a site's SSCCs are made."""

    class Meta:
        model = ContainerPolicy
        fields = ("id", "site", "gs1_company_prefix", "extension_digit")


class ContentSerializer(serializers.ModelSerializer):
    """So much of a lot in a container itself."""

    product_code = serializers.CharField(source="product.code", read_only=True)
    lot_number = serializers.CharField(source="lot.number", read_only=True, default=None)
    unit = serializers.CharField(source="product.unit_id", read_only=True)

    class Meta:
        model = ContainerContent
        fields = ("product", "product_code", "lot", "lot_number", "quantity", "unit")


class ContainerSerializer(serializers.ModelSerializer):
    """A container. `contents` is what is in it itself; what lies in it is listed with `parent=`."""

    location_code = serializers.CharField(source="location.code", read_only=True, default=None)
    parent_code = serializers.CharField(source="parent.code", read_only=True, default=None)
    contents = ContentSerializer(many=True, read_only=True)

    class Meta:
        model = Container
        fields = (
            *("id", "site", "code", "sscc", "kind", "product", "capacity", "most_containers", "status"),
            *("location", "location_code", "parent", "parent_code", "contents"),
        )


class ContainerStepSerializer(serializers.ModelSerializer):
    """Something happened to a container."""

    container_code = serializers.CharField(source="container.code", read_only=True)
    other_code = serializers.CharField(source="other.code", read_only=True, default=None)
    lot_number = serializers.CharField(source="lot.number", read_only=True, default=None)
    performed_by = serializers.CharField(source="performed_by.username", read_only=True)

    class Meta:
        model = ContainerStep
        fields = (
            *("id", "container", "container_code", "kind", "product", "lot", "lot_number", "quantity", "unit"),
            *("other", "other_code", "from_location", "to_location", "recipient", "reason", "caused_by"),
            *("occurred_at", "recorded_at", "performed_by", "idempotency_key"),
        )


class ToldSerializer(Plain):
    """What every step says besides what was done."""

    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)
    occurred_at = AwareDateTimeField(required=False, help_text="Now when left out.")
    idempotency_key = serializers.RegexField(
        KEY, required=False, help_text="Whoever repeats a request with it gets the first answer."
    )


class OpenContainerSerializer(ToldSerializer):
    """A new container."""

    location = ReferenceField(queryset=Location.objects.select_related("site"))
    kind = serializers.ChoiceField(choices=Container.Kind.choices, default=Container.Kind.CARTON)
    code = serializers.CharField(max_length=64, required=False, allow_blank=True, help_text="Its SSCC when left out.")
    sscc = serializers.CharField(
        max_length=30, required=False, source="sscc_code", help_text="18 digits that are on it already."
    )
    new_sscc = serializers.BooleanField(required=False, help_text="Make one with the site's company prefix.")
    product = ReferenceField(queryset=Product.objects.all(), required=False, allow_null=True)
    capacity = QuantityField(required=False, allow_null=True)
    most_containers = serializers.IntegerField(min_value=1, max_value=1000, required=False, allow_null=True)


class PackSerializer(ToldSerializer):
    """So much of a lot."""

    product = ReferenceField(queryset=Product.objects.all(), required=False, help_text="The lot's when left out.")
    lot = ReferenceField(queryset=MaterialLot.objects.select_related("product"), required=False, allow_null=True)
    lot_number = serializers.CharField(max_length=64, required=False, help_text="Instead of `lot`: the number.")
    quantity = QuantityField()
    unit = serializers.CharField(max_length=20, required=False, help_text="Left out = the product's own.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        number = attrs.pop("lot_number", None)
        if number is not None:
            if attrs.get("lot") is not None:
                raise serializers.ValidationError({"lot_number": "Name the lot by its id or its number, not by both."})
            lots = cast(ReferenceField, self.fields["lot"]).get_queryset().filter(number=number)
            found = list(lots.filter(product=attrs["product"]) if "product" in attrs else lots[:2])
            if len(found) != 1:
                words = f"There is no lot '{number}'." if not found else "Several products have one; name the product."
                raise serializers.ValidationError({"lot_number": words})
            (attrs["lot"],) = found
        if "product" not in attrs:
            if attrs.get("lot") is None:
                raise serializers.ValidationError({"product": "Name the product, or a lot of it."})
            attrs["product"] = attrs["lot"].product
        return attrs


class PutIntoSerializer(ToldSerializer):
    """Which container it is put into."""

    into = serializers.PrimaryKeyRelatedField(queryset=Container.objects.none())

    def __init__(self, *args: Any, containers: Any = None, **options: Any) -> None:
        super().__init__(*args, **options)
        if containers is not None:
            cast(Any, self.fields["into"]).queryset = containers


class MoveContainerSerializer(ToldSerializer):
    """Where it is brought."""

    to_location = ReferenceField(queryset=Location.objects.select_related("site"))


class ShipContainerSerializer(ToldSerializer):
    """Who it is sent to."""

    recipient = serializers.CharField(max_length=200, required=False, allow_blank=True)


class BringBackSerializer(ToldSerializer):
    """Why it did not leave."""

    reason = serializers.CharField(max_length=500)


class EmptyContainerSerializer(ToldSerializer):
    """Where a bin that came back stands now."""

    to_location = ReferenceField(queryset=Location.objects.select_related("site"), required=False)


class ContentsQuerySerializer(Plain):
    """At which moment."""

    at = AwareDateTimeField(required=False)


class ContentsSerializer(serializers.Serializer):
    """What was in a container, and what lay in it, at a moment."""

    at = AwareDateTimeField()
    contents = ContentSerializer(many=True)
    containers = serializers.ListField(child=serializers.CharField(), help_text="Codes of what lay directly in it.")


class PrintLabelSerializer(Plain):
    """On which layout."""

    layout = ReferenceField(queryset=LabelLayout.objects.all())
    idempotency_key = serializers.RegexField(KEY, required=False)


class PrintedSerializer(serializers.Serializer):
    """The batch of labels; its files are at /labels/batch/<id>/pdf and zpl."""

    batch = serializers.IntegerField()
