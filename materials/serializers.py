"""Lots, movements and what follows from them, as they travel."""

from decimal import Decimal
from typing import Any, cast

from django.utils import timezone
from rest_framework import serializers

from core.serializers import AwareDateTimeField, CodedSerializer, MasterDataSerializer, Plain, ReferenceField
from enterprise.models import Machine
from materials.backflush import OnShortage
from materials.lots import NewLot
from materials.models import (
    EXPIRED,
    BackflushPolicy,
    Container,
    Kind,
    Location,
    LotStatus,
    LotStatusChange,
    MaterialLot,
    MaterialTransaction,
    PickingPolicy,
    Stock,
)
from products.models import Product
from workorders.models import Operation, WorkOrder

STATUSES_NOW = [*LotStatus.choices, (EXPIRED, "Expired")]


class QuantityField(serializers.DecimalField):
    """An exact quantity with up to six decimals; it travels as text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_digits": 18, "decimal_places": 6, **options})


class LocationSerializer(CodedSerializer):
    """Where material lies."""

    class Meta:
        model = Location
        fields = ("id", "code", "name", "site", "parent", "kind", "line", "is_active")


class PickingPolicySerializer(MasterDataSerializer):
    """Whether a lot may be taken while another expires first."""

    class Meta:
        model = PickingPolicy
        fields = ("id", "site", "product", "rule")
        validators: list[object] = []


class BackflushPolicySerializer(MasterDataSerializer):
    """When what an order needs is booked by itself."""

    class Meta:
        model = BackflushPolicy
        fields = ("id", "site", "product", "mode", "location")
        validators: list[object] = []


class LotSerializer(MasterDataSerializer):
    """A lot. `status` is what was decided, `status_now` what it is by the clock: `expired` after its expiry date."""

    status_now = serializers.SerializerMethodField()
    product_code = serializers.CharField(source="product.code", read_only=True)
    unit = serializers.CharField(source="product.unit_id", read_only=True)

    class Meta:
        model = MaterialLot
        fields = (
            *("id", "product", "product_code", "unit", "number", "site", "parent", "status", "status_now", "batch"),
            *("serial", "supplier", "supplier_lot", "made_date", "expiry_date", "retest_date", "certificate"),
            *("work_order", "notes", "recorded_at"),
        )
        read_only_fields = ("product", "number", "site", "parent", "status", "work_order", "recorded_at")
        validators: list[object] = []

    def get_status_now(self, lot: MaterialLot) -> str:
        """Return the status by the clock."""
        return lot.status_at(timezone.now())


class LotStatusChangeSerializer(serializers.ModelSerializer):
    """Somebody decided about a lot."""

    changed_by = serializers.CharField(source="changed_by.username", read_only=True)

    class Meta:
        model = LotStatusChange
        fields = ("id", "lot", "from_status", "to_status", "reason", "changed_by", "changed_at")


class DecideSerializer(Plain):
    """A decision about a lot."""

    status = serializers.ChoiceField(choices=LotStatus.choices)
    reason = serializers.CharField(max_length=500)


class TransactionSerializer(serializers.ModelSerializer):
    """A line of the ledger."""

    lot_number = serializers.CharField(source="lot.number", read_only=True, default=None)
    to_lot_number = serializers.CharField(source="to_lot.number", read_only=True, default=None)
    performed_by = serializers.CharField(source="performed_by.username", read_only=True)
    total_cost = serializers.DecimalField(max_digits=36, decimal_places=12, read_only=True, allow_null=True)

    class Meta:
        model = MaterialTransaction
        fields = (
            *("id", "kind", "product", "lot", "lot_number", "to_lot", "to_lot_number", "quantity", "unit"),
            *("given_quantity", "given_unit"),
            *("from_location", "to_location", "work_order", "operation_code", "unit_cost", "total_cost", "reason"),
            *("occurred_at", "recorded_at", "performed_by", "idempotency_key", "reverses"),
        )


class InputSerializer(Plain):
    """A lot that is in what was made, and how much of it."""

    lot = ReferenceField(queryset=MaterialLot.objects.select_related("product"))
    quantity = QuantityField()


class NewTransactionSerializer(Plain):
    """A movement to record. Which places, lots and orders it names depends on its kind."""

    kind = serializers.ChoiceField(choices=Kind.choices)
    product = ReferenceField(queryset=Product.objects.all(), required=False, help_text="The lot's when left out.")
    lot = ReferenceField(
        queryset=MaterialLot.objects.select_related("product", "site"), required=False, allow_null=True
    )
    lot_number = serializers.CharField(
        max_length=64,
        required=False,
        help_text="Instead of `lot`: the number. A receipt or production makes the lot when there is none; a split names the new one.",
    )
    quantity = QuantityField(
        required=False, help_text="Greater than zero; where it comes from and goes to say the rest."
    )
    unit = serializers.CharField(
        max_length=20,
        required=False,
        help_text="What the quantity is in: any unit that the product converts from. Left out = its own.",
    )
    from_location = ReferenceField(queryset=Location.objects.select_related("site"), required=False, allow_null=True)
    to_location = ReferenceField(queryset=Location.objects.select_related("site"), required=False, allow_null=True)
    work_order = ReferenceField(
        queryset=WorkOrder.objects.select_related("line__area"), required=False, allow_null=True
    )
    operation_code = serializers.CharField(max_length=64, required=False, allow_blank=True)
    unit_cost = QuantityField(required=False, allow_null=True, min_value=Decimal(0))
    occurred_at = AwareDateTimeField(required=False, help_text="Now when left out.")
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)
    idempotency_key = serializers.RegexField(
        r"^[A-Za-z0-9._:-]{1,64}\Z",
        required=False,
        help_text="Whoever repeats a request with it gets the first answer.",
    )
    reverses = ReferenceField(queryset=MaterialTransaction.objects.all(), required=False)
    inputs = InputSerializer(many=True, required=False, max_length=200)  # type: ignore[call-arg]
    lot_status = serializers.ChoiceField(choices=["quarantine", "released"], required=False, help_text="Of a new lot.")
    batch = serializers.CharField(max_length=64, required=False, allow_blank=True)
    serial = serializers.CharField(max_length=64, required=False, allow_blank=True)
    supplier = serializers.CharField(max_length=200, required=False, allow_blank=True)
    supplier_lot = serializers.CharField(max_length=64, required=False, allow_blank=True)
    made_date = serializers.DateField(required=False, allow_null=True)
    expiry_date = serializers.DateField(required=False, allow_null=True)
    retest_date = serializers.DateField(required=False, allow_null=True)
    certificate = serializers.CharField(max_length=200, required=False, allow_blank=True)
    notes = serializers.CharField(max_length=4000, required=False, allow_blank=True)

    _NEW_LOT = (
        *("batch", "serial", "supplier", "supplier_lot", "made_date", "expiry_date", "retest_date", "certificate"),
        "notes",
    )
    # What each kind takes besides what all take, and what of that it needs.
    _TAKES: dict[str, tuple[set[str], set[str]]] = {
        Kind.RECEIVE: ({"to_location"}, {"to_location"}),
        Kind.ISSUE: ({"from_location", "to_location", "work_order"}, {"from_location"}),
        Kind.CONSUME: ({"from_location", "work_order"}, {"from_location", "work_order"}),
        Kind.PRODUCE: ({"to_location", "work_order", "inputs"}, {"to_location", "work_order"}),
        Kind.RETURN: ({"from_location", "to_location", "work_order"}, {"to_location"}),
        Kind.SCRAP: ({"from_location", "work_order"}, set()),
        Kind.ADJUST: ({"from_location", "to_location"}, set()),
        Kind.SHIP: ({"from_location"}, {"from_location"}),
        Kind.MOVE: ({"from_location", "to_location"}, {"from_location", "to_location"}),
        Kind.SPLIT: ({"from_location", "to_location"}, {"from_location", "lot", "lot_number"}),
        Kind.REVERSAL: ({"reverses"}, {"reverses", "reason"}),
        Kind.MAINTAIN: ({"from_location"}, {"from_location"}),
    }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kind = attrs["kind"]
        takes, needs = self._TAKES[kind]
        if kind != Kind.REVERSAL:
            needs = needs | {"quantity"}
        places = {"from_location", "to_location", "work_order", "inputs", "reverses"}
        errors = {name: "This kind of movement needs it." for name in needs if attrs.get(name) in (None, "")}
        errors |= {name: f"It is not part of a {kind}." for name in places - takes if attrs.get(name)}
        if kind == Kind.ADJUST and bool(attrs.get("from_location")) == bool(attrs.get("to_location")):
            errors["to_location"] = "Name one place: `to_location` for more, `from_location` for less."
        new = [name for name in (*self._NEW_LOT, "lot_status") if attrs.get(name)]
        if new and (kind not in (Kind.RECEIVE, Kind.PRODUCE) or not attrs.get("lot_number")):
            errors[new[0]] = "It is said of a new lot, with `lot_number`, when it is received or made."
        if errors:
            raise serializers.ValidationError(errors)
        if kind != Kind.REVERSAL:
            self._find_lot(attrs, kind)
        return attrs

    def _find_lot(self, attrs: dict[str, Any], kind: str) -> None:
        """Put the lot that is meant, or the new one, into `lot`, and its product into `product`."""
        lot, number = attrs.get("lot"), attrs.get("lot_number")
        if "product" not in attrs:
            if lot is None:
                raise serializers.ValidationError({"product": "Name the product, or a lot of it."})
            attrs["product"] = lot.product
        if number is None or kind == Kind.SPLIT:
            return
        if lot is not None:
            raise serializers.ValidationError({"lot_number": "Name the lot by its id or by its number, not by both."})
        product: Product = attrs["product"]
        if kind in (Kind.RECEIVE, Kind.PRODUCE):
            said = {name: attrs[name] for name in self._NEW_LOT if attrs.get(name)}
            attrs["lot"] = NewLot(number=number, status=attrs.get("lot_status", ""), **said)
            return
        queryset = cast(ReferenceField, self.fields["lot"]).get_queryset()
        attrs["lot"] = queryset.filter(product=product, number=number).first()
        if attrs["lot"] is None:
            raise serializers.ValidationError({"lot_number": f"There is no lot '{number}' of {product}."})


class StockSerializer(serializers.ModelSerializer):
    """How much of a lot, or of a product without lots, lies at a place."""

    product_code = serializers.CharField(source="product.code", read_only=True)
    unit = serializers.CharField(source="product.unit_id", read_only=True)
    lot_number = serializers.CharField(source="lot.number", read_only=True, default=None)
    location_code = serializers.CharField(source="location.code", read_only=True)
    status_now = serializers.SerializerMethodField()

    class Meta:
        model = Stock
        fields = (
            *("id", "product", "product_code", "lot", "lot_number", "status_now"),
            *("location", "location_code", "quantity", "unit"),
        )

    def get_status_now(self, stock: Stock) -> str | None:
        """Return the lot's status by the clock; null without a lot."""
        return stock.lot.status_at(timezone.now()) if stock.lot else None


class NodeSerializer(serializers.Serializer):
    """A lot in a trace."""

    id = serializers.IntegerField()
    number = serializers.CharField()
    product = serializers.CharField(help_text="Its code.")
    product_name = serializers.CharField()
    status_now = serializers.ChoiceField(choices=STATUSES_NOW)
    depth = serializers.IntegerField(help_text="Steps from the lot that is traced.")


class EdgeSerializer(serializers.Serializer):
    """So much of one lot is in another."""

    input_lot = serializers.IntegerField()
    output_lot = serializers.IntegerField()
    work_order = serializers.IntegerField(allow_null=True)
    order_number = serializers.CharField(allow_null=True)
    quantity = QuantityField()


class TraceSerializer(serializers.Serializer):
    """What a lot went into, or was made of."""

    lot = serializers.IntegerField()
    direction = serializers.ChoiceField(choices=["forward", "backward"])
    nodes = NodeSerializer(many=True)
    edges = EdgeSerializer(many=True)
    is_complete = serializers.BooleanField(help_text="False when there is more than one answer shows.")
    hidden_lots = serializers.IntegerField(help_text="Lots of sites that the caller sees nothing of.")


class PlaceAndQuantitySerializer(serializers.Serializer):
    """How much is where."""

    location = serializers.CharField(help_text="Its code.")
    site = serializers.CharField(help_text="Its code.")
    quantity = QuantityField()


class WhereaboutsSerializer(serializers.Serializer):
    """So much of a lot in a container."""

    container = serializers.IntegerField(source="container.pk")
    code = serializers.CharField(source="container.code")
    path = serializers.CharField(help_text="carton C-1 on pallet P-7")
    quantity = QuantityField()
    location = serializers.SerializerMethodField()
    shipped_at = AwareDateTimeField(allow_null=True)
    recipient = serializers.CharField()

    def get_location(self, there: Any) -> str | None:
        """Return the code of the place; null = it was shipped."""
        return None if there.shipped_at else there.container.location.code


class FoundContainerSerializer(serializers.ModelSerializer):
    """A container that a scanned code means."""

    class Meta:
        model = Container
        fields = ("id", "site", "code", "sscc", "kind", "status")


class AffectedLotSerializer(NodeSerializer):
    """A lot that a recall concerns."""

    made_by = serializers.CharField(help_text="The order's number.")
    customers = serializers.ListField(child=serializers.CharField())
    used_by = serializers.ListField(child=serializers.CharField())
    brought_in = QuantityField()
    still_in_house = QuantityField()
    consumed = QuantityField(help_text="Used by orders, less what came back.")
    shipped = QuantityField()
    scrapped = QuantityField(help_text="Thrown away from stock.")
    gone = QuantityField(help_text="Brought in and no longer in stock, adjustments included.")
    unit = serializers.CharField()
    where = PlaceAndQuantitySerializer(many=True)
    containers = WhereaboutsSerializer(many=True)


class RecallSerializer(serializers.Serializer):
    """What a lot concerns, itself included."""

    lot = serializers.IntegerField()
    lots = AffectedLotSerializer(many=True)
    orders = serializers.ListField(child=serializers.CharField())
    customers = serializers.ListField(child=serializers.CharField())
    is_complete = serializers.BooleanField(help_text="False when there is more; the CSV has all.")
    hidden_lots = serializers.IntegerField()


class ElementSerializer(serializers.Serializer):
    """An element of a GS1 code."""

    ai = serializers.CharField()
    title = serializers.CharField()
    raw = serializers.CharField()
    value = serializers.CharField(help_text="Dates as ISO, measures as decimals.")
    unit = serializers.CharField()


class ScanQuerySerializer(Plain):
    """A code as it was scanned; FNC1 is the character 0x1D."""

    code = serializers.CharField(max_length=500, trim_whitespace=False)


class LoadSerializer(Plain):
    """Material that is loaded at a machine by its scanned code."""

    code = serializers.CharField(max_length=500, trim_whitespace=False)
    operation = ReferenceField(queryset=Operation.objects.select_related("work_order__line__area"))
    machine = ReferenceField(queryset=Machine.objects.select_related("line__area__site"))
    quantity = QuantityField(required=False, allow_null=True, help_text="Left out = all that lies there.")
    from_location = ReferenceField(
        queryset=Location.objects.all(),
        required=False,
        allow_null=True,
        help_text="Left out = beside the machine's line, else where there is most.",
    )
    occurred_at = AwareDateTimeField(required=False, help_text="Now when left out.")
    idempotency_key = serializers.RegexField(r"^[A-Za-z0-9._:-]{1,64}\Z", required=False)


class ScanSerializer(serializers.Serializer):
    """What a code means, and what it is here."""

    is_gs1 = serializers.BooleanField()
    problem = serializers.CharField(help_text="Why it is no GS1 code.")
    elements = ElementSerializer(many=True)
    product = serializers.CharField(allow_null=True, help_text="Its code.")
    lots = LotSerializer(many=True)
    containers = FoundContainerSerializer(many=True, help_text="By SSCC (00), or by a plain code.")
    location = serializers.CharField(allow_null=True, help_text="Its code.")
    work_order = serializers.CharField(allow_null=True, help_text="Its number.")


class PickQuerySerializer(Plain):
    """How much of what is needed where."""

    product = ReferenceField(queryset=Product.objects.all())
    location = ReferenceField(queryset=Location.objects.all())
    quantity = QuantityField(min_value=Decimal("0.000001"))
    at = AwareDateTimeField(required=False)


class TakeSerializer(serializers.Serializer):
    """So much to take of a lot."""

    lot = serializers.IntegerField(allow_null=True)
    lot_number = serializers.CharField(allow_null=True)
    expiry_date = serializers.DateField(allow_null=True)
    quantity = QuantityField()


class PickSerializer(serializers.Serializer):
    """Which lots to take, first expired first."""

    takes = TakeSerializer(many=True)
    shortage = QuantityField()
    rule = serializers.ChoiceField(choices=PickingPolicy.Rule.choices)


class BalanceQuerySerializer(Plain):
    """Of which order; the tolerance is a part of what went in."""

    work_order = ReferenceField(queryset=WorkOrder.objects.all())
    tolerance = serializers.DecimalField(
        max_digits=7,
        decimal_places=6,
        min_value=Decimal(0),
        max_value=Decimal(1),
        default=None,
        help_text="The product's when left out.",
    )


class BalanceSerializer(serializers.Serializer):
    """What went into an order and came out of it, in one unit."""

    unit = serializers.CharField()
    used = QuantityField()
    returned = QuantityField()
    produced = QuantityField()
    scrapped = QuantityField()
    went_in = QuantityField()
    came_out = QuantityField()
    difference = QuantityField(allow_null=True, help_text="Null where one side is missing.")
    within = serializers.BooleanField(allow_null=True, help_text="Whether the difference is within the tolerance.")
    material_yield = QuantityField(allow_null=True)
    tolerance = QuantityField()
    converted_from = serializers.ListField(
        child=serializers.CharField(), help_text="Units of which something is in it."
    )


class BackflushRequirementSerializer(Plain):
    """What one produced unit needs."""

    product = ReferenceField(queryset=Product.objects.all())
    quantity_per_unit = QuantityField(min_value=Decimal("0.000001"))
    operation_code = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")


class NewBackflushSerializer(Plain):
    """What was made, and what a unit of it needs."""

    work_order = ReferenceField(queryset=WorkOrder.objects.select_related("line__area"))
    produced_quantity = QuantityField(min_value=Decimal("0.000001"))
    unit = serializers.CharField(max_length=20, required=False, help_text="The product's own when left out.")
    requirements = BackflushRequirementSerializer(  # type: ignore[call-arg]
        many=True,
        max_length=500,
        required=False,
        help_text="Left out = what the order keeps of its bill, by its policy.",
    )
    operation_code = serializers.CharField(
        max_length=64,
        required=False,
        allow_blank=True,
        help_text="Which of the order's operations made it. Left out = the order as a whole.",
    )
    location = ReferenceField(queryset=Location.objects.select_related("site"))
    on_shortage = serializers.ChoiceField(choices=[choice.value for choice in OnShortage], default="refuse")
    occurred_at = AwareDateTimeField(required=False)
    idempotency_key = serializers.RegexField(r"^[A-Za-z0-9._:-]{1,64}\Z", required=False)


class ShortageSerializer(serializers.Serializer):
    """A product of which less was there than is needed."""

    product = serializers.CharField(source="product.code")
    required = QuantityField()  # type: ignore[assignment]
    taken = QuantityField()
    missing = QuantityField()


class BackflushSerializer(serializers.Serializer):
    """What was booked, and what was missing."""

    transactions = TransactionSerializer(many=True)
    shortages = ShortageSerializer(many=True)
    is_due = serializers.BooleanField(help_text="False = by the policy, nothing is booked at this report.")
