"""Products, their units, revisions, bills, routings and ideal rates, as they travel."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from core.serializers import AwareDateTimeField, CodedSerializer, CodeField, MasterDataSerializer
from core.uploads import read_document
from products.models import (
    BillOfMaterialLine,
    IdealRate,
    MachineRate,
    OperationDocument,
    OperationParameter,
    Product,
    ProductCost,
    ProductRevision,
    ProductUnit,
    Routing,
    RoutingOperation,
    UnitOfMeasure,
)


class UnitOfMeasureSerializer(MasterDataSerializer):
    """A unit of measure: numerator / denominator of its dimension's base unit."""

    class Meta:
        model = UnitOfMeasure
        fields = ("id", "code", "name", "dimension", "numerator", "denominator", "is_active")


class ProductSerializer(CodedSerializer):
    """A product. Its unit is the code of a unit of measure."""

    class Meta:
        model = Product
        fields = (
            *("id", "code", "name", "unit", "is_active"),
            *("micro_stop_below", "slow_cycle_above", "planned_scrap", "balance_tolerance"),
            *("over_tolerance", "under_tolerance"),
            *("material_type", "stock_policy", "lot_controlled", "shelf_life_days", "gtin"),
        )


class ProductUnitSerializer(MasterDataSerializer):
    """Another unit of a product: `quantity` of it is `base_quantity` of the product's own unit."""

    class Meta:
        model = ProductUnit
        fields = ("id", "product", "quantity", "unit", "base_quantity")
        validators: list[object] = []


class ProductRevisionSerializer(MasterDataSerializer):
    """A revision of a product. It is released by POST to `release`, and not edited any more then."""

    class Meta:
        model = ProductRevision
        fields = ("id", "product", "code", "name", "status", "valid_from", "valid_until", "base_quantity")
        read_only_fields = ("status", "valid_from")
        validators: list[object] = []


class BillOfMaterialLineSerializer(MasterDataSerializer):
    """What goes into a product, or comes out beside it, per base quantity of its revision."""

    class Meta:
        model = BillOfMaterialLine
        fields = (
            *("id", "revision", "position", "component", "kind", "quantity", "unit"),
            *("scrap_factor", "operation_code", "is_phantom"),
        )
        validators: list[object] = []


class RoutingSerializer(MasterDataSerializer):
    """A way to make a revision of a product."""

    class Meta:
        model = Routing
        fields = ("id", "revision", "code", "name", "is_default")
        validators: list[object] = []


class RoutingOperationSerializer(MasterDataSerializer):
    """A step of a routing, at a line, a machine or any machine of a class. Times are seconds."""

    class Meta:
        model = RoutingOperation
        fields = ("id", "routing", *RoutingOperation.COPIED)
        validators: list[object] = []


class OperationParameterSerializer(MasterDataSerializer):
    """A set-point of a step, with its bounds."""

    class Meta:
        model = OperationParameter
        fields = ("id", "operation", *OperationParameter.COPIED)
        validators: list[object] = []


class OperationDocumentSerializer(MasterDataSerializer):
    """A picture or PDF of a step; POST it as a form (`multipart/form-data`) with `file`."""

    file = serializers.FileField(write_only=True, help_text="JPEG, PNG, WebP or PDF, at most 8 MB.")

    class Meta:
        model = OperationDocument
        fields = ("id", "operation", "position", "caption", "content_type", "size", "file")
        read_only_fields = ("content_type", "size")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        upload = attrs.pop("file", None)
        if upload is not None:
            kept = read_document(upload.read())
            attrs |= {"content": kept.content, "content_type": kept.content_type, "size": len(kept.content)}
        return super().validate(attrs)


class IdealRateSerializer(MasterDataSerializer):
    """How fast a machine makes a product at best, and from when to when that holds."""

    class Meta:
        model = IdealRate
        fields = ("id", "product", "machine", "value", "unit", "valid_from", "valid_until")
        validators: list[object] = []


class ProductCostSerializer(MasterDataSerializer):
    """What a unit of a product costs at a site, and from when to when that holds."""

    class Meta:
        model = ProductCost
        fields = ("id", "product", "site", "cost", "valid_from", "valid_until")
        validators: list[object] = []


class MachineRateSerializer(MasterDataSerializer):
    """What an hour of a line or machine costs, and from when to when that holds."""

    class Meta:
        model = MachineRate
        fields = ("id", "line", "machine", "overhead_per_hour", "labour_per_hour", "valid_from", "valid_until")
        validators: list[object] = []


# --- questions and answers ---


class MomentSerializer(serializers.Serializer):
    """A moment; now when it is left out."""

    at = AwareDateTimeField(required=False)

    def moment(self, now: datetime) -> datetime:
        """Return the moment asked about."""
        self.is_valid(raise_exception=True)
        at: datetime = self.validated_data.get("at", now)
        return at


class ReleaseSerializer(serializers.Serializer):
    """From when on a revision is valid; from now on when it is left out."""

    valid_from = AwareDateTimeField(required=False)


class CopySerializer(serializers.Serializer):
    """What the copy of a revision is called."""

    code = serializers.CharField(max_length=32)
    name = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class ExplodeSerializer(MomentSerializer):
    """How much of a product, and in its revisions of when."""

    quantity = serializers.DecimalField(max_digits=18, decimal_places=6, min_value=0, default=Decimal(1))


class ConvertSerializer(serializers.Serializer):
    """A quantity of a product in one unit, asked for in another."""

    quantity = serializers.DecimalField(max_digits=18, decimal_places=6)
    from_unit = CodeField(slug_field="code", queryset=UnitOfMeasure.objects.all())
    to_unit = CodeField(slug_field="code", queryset=UnitOfMeasure.objects.all())


class RequirementSerializer(serializers.Serializer):
    """A row of an exploded bill; negative quantities come out."""

    level = serializers.IntegerField()
    path = serializers.ListField(child=serializers.CharField())
    component = serializers.IntegerField()
    component_code = serializers.CharField()
    kind = serializers.CharField()
    revision = serializers.IntegerField(allow_null=True)
    quantity = serializers.CharField(help_text="In the component's own unit, to nine decimals.")
    exact = serializers.CharField(help_text="The same as a fraction.")
    unit = serializers.CharField()
    operation_code = serializers.CharField()
    is_phantom = serializers.BooleanField()


class UseSerializer(serializers.Serializer):
    """A bill that a product is in."""

    level = serializers.IntegerField()
    path = serializers.ListField(child=serializers.CharField())
    line = serializers.IntegerField()
    product = serializers.IntegerField()
    revision = serializers.IntegerField()
    revision_code = serializers.CharField()
    status = serializers.CharField()
    kind = serializers.CharField()
    quantity = serializers.CharField()
    unit = serializers.CharField()


class ConversionSerializer(serializers.Serializer):
    """A converted quantity."""

    quantity = serializers.CharField(help_text="To nine decimals.")
    exact = serializers.CharField(help_text="The same as a fraction.")
    unit = serializers.CharField()
