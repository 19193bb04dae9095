"""Lots, locations, the ledger of movements, and what was made of what."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from core.exact import plain_number
from core.models import MasterData, append_only
from enterprise.models import Line, Site
from materials.container_models import Container as Container
from materials.container_models import ContainerContent as ContainerContent
from materials.container_models import ContainerMovement as ContainerMovement
from materials.container_models import ContainerPolicy as ContainerPolicy
from materials.container_models import ContainerStep as ContainerStep
from products.models import Product
from workorders.models import WorkOrder

SMALLEST = Decimal("0.000001")


class Location(MasterData):
    """Where material lies: a warehouse, a shelf, a tank, the side of a line (ISA-95: Storage Zone, Storage Unit)."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    class Kind(models.TextChoices):
        WAREHOUSE = "warehouse", _("Warehouse")
        STORAGE = "storage", _("Shelf or bin")
        LINE_SIDE = "line_side", _("Line side")
        TANK = "tank", _("Tank or silo")

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="locations")
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="children",
        help_text="What it is part of: the warehouse of a shelf. Empty = it stands by itself.",
    )
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.WAREHOUSE)
    line = models.ForeignKey(
        Line,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="locations",
        help_text="The line that is fed from here.",
    )


class LotStatus(models.TextChoices):
    """What somebody decided about a lot. That it expired is no decision: it follows from its date and the clock."""

    QUARANTINE = "quarantine", _("Quarantine: waits for release")
    RELEASED = "released", _("Released")
    HOLD = "hold", _("On hold")
    REJECTED = "rejected", _("Rejected")


EXPIRED = "expired"


class MaterialLot(models.Model):
    """A quantity of a product that is treated as one, because it was made or delivered together (ISA-95: Material Lot).

    A sublot has a `parent`. `status` repeats the last `LotStatusChange`, written in the same transaction.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("site", "stock__location__site")

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="lots")
    number = models.CharField(max_length=64, help_text="Lot or batch number (GS1: AI 10), unique for its product.")
    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, related_name="lots", help_text="The site that received or made it."
    )
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="sublots", help_text="It was split off."
    )
    status = models.CharField(max_length=10, choices=LotStatus, default=LotStatus.QUARANTINE, editable=False)
    batch = models.CharField(max_length=64, blank=True, help_text="The batch, where one batch gives several lots.")
    serial = models.CharField(max_length=64, blank=True, help_text="Serial number, for a lot of one piece.")
    supplier = models.CharField(max_length=200, blank=True)
    supplier_lot = models.CharField(max_length=64, blank=True, help_text="The supplier's own lot number.")
    made_date = models.DateField(null=True, blank=True)
    expiry_date = models.DateField(
        null=True, blank=True, help_text="The last day on which it may be used. Empty = it does not expire."
    )
    retest_date = models.DateField(null=True, blank=True, help_text="From this day on it should be tested again.")
    certificate = models.CharField(
        "certificate of analysis", max_length=200, blank=True, help_text="Its number, or where it is filed."
    )
    work_order = models.ForeignKey(
        WorkOrder,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="lots_made",
        help_text="The order that made it first.",
    )
    notes = models.TextField(max_length=4000, blank=True)
    recorded_at = models.DateTimeField(editable=False)

    # The status has facts of its own.
    history = HistoricalRecords(excluded_fields=["status"])

    class Meta:
        verbose_name = "lot"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "number"],
                name="lot_number_once_per_product",
                violation_error_message="The product has a lot with this number already.",
            ),
            models.CheckConstraint(
                name="lot_number_not_empty", condition=~Q(number=""), violation_error_message="A lot has a number."
            ),
            models.CheckConstraint(
                name="lot_expires_after_it_was_made",
                condition=Q(made_date__isnull=True) | Q(expiry_date__isnull=True) | Q(expiry_date__gte=F("made_date")),
                violation_error_message="It cannot expire before it was made.",
            ),
            models.CheckConstraint(
                name="lot_is_not_its_own_part", condition=Q(parent__isnull=True) | ~Q(parent=F("id"))
            ),
        ]
        indexes = [
            models.Index(fields=["number"], name="lot_number"),
            models.Index(fields=["product", "status", "expiry_date"], name="lot_first_expired"),
        ]

    def __str__(self) -> str:
        return self.number

    def day(self, at: datetime) -> date:
        """The day that a moment belongs to, at the lot's site."""
        return at.astimezone(self.site.zone).date()

    def status_at(self, at: datetime) -> str:
        """What it is at a moment, by what is decided now: `expired` after its expiry date, at its site's clock."""
        if self.expiry_date is not None and self.day(at) > self.expiry_date and self.status != LotStatus.REJECTED:
            return EXPIRED
        return self.status


class LotStatusChange(models.Model):
    """Somebody decided about a lot: a fact with a reason."""

    site_paths: ClassVar[tuple[str, ...]] = ("lot__site",)

    lot = models.ForeignKey(MaterialLot, on_delete=models.PROTECT, related_name="status_changes")
    from_status = models.CharField(max_length=10, choices=LotStatus, blank=True, help_text="Empty = it is new.")
    to_status = models.CharField(max_length=10, choices=LotStatus)
    reason = models.CharField(max_length=500)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="lot_status_change_has_a_reason", condition=~Q(reason="")),
            models.CheckConstraint(name="lot_status_change_changes", condition=~Q(from_status=F("to_status"))),
        ]
        triggers = [append_only("lot_status_change_append_only")]

    def __str__(self) -> str:
        return f"{self.lot}: {self.get_to_status_display()}"


class Kind(models.TextChoices):
    """What moved material.

    Where from and where to say the rest: what has no source came in, what has no target is gone.
    """

    RECEIVE = "receive", _("Receipt")
    ISSUE = "issue", _("Issue")
    CONSUME = "consume", _("Consumption")
    PRODUCE = "produce", _("Production")
    RETURN = "return", _("Return")
    SCRAP = "scrap", _("Scrap")
    ADJUST = "adjust", _("Adjustment")
    SHIP = "ship", _("Shipment")
    MOVE = "move", _("Move")
    SPLIT = "split", _("Split")
    REVERSAL = "reversal", _("Reversal")
    MAINTAIN = "maintain", _("Spare part")


_FROM, _TO = Q(from_location__isnull=False), Q(to_location__isnull=False)
_ORDER = Q(work_order__isnull=False)
SHAPES: dict[str, Q] = {
    Kind.RECEIVE: ~_FROM & _TO,
    Kind.ISSUE: _FROM & (_TO | _ORDER),
    Kind.CONSUME: _FROM & ~_TO & _ORDER,
    Kind.PRODUCE: ~_FROM & _TO & _ORDER,
    Kind.RETURN: _TO & (_FROM | _ORDER),
    Kind.SCRAP: ~_TO & (_FROM | _ORDER),
    Kind.ADJUST: (_FROM & ~_TO) | (~_FROM & _TO),
    Kind.SHIP: _FROM & ~_TO & ~_ORDER,
    Kind.MOVE: _FROM & _TO,
    Kind.SPLIT: _FROM & _TO & Q(lot__isnull=False, to_lot__isnull=False),
    Kind.REVERSAL: Q(reverses__isnull=False),
    Kind.MAINTAIN: _FROM & ~_TO & ~_ORDER,
}
"""Which places and orders each kind names; the database refuses others."""


def _shape() -> Q:
    allowed = Q()
    for kind, shape in SHAPES.items():
        allowed |= Q(kind=kind) & shape
    return allowed


class MaterialTransaction(models.Model):
    """A quantity moved: one line of the ledger (ISA-95: Material Actual). Never changed; a mistake is reversed.

    Its effect: `quantity` less of (product, lot) at `from_location`, `quantity` more of (product, to_lot or lot) at
    `to_location`. Identity: `idempotency_key`, where the sender gave one.
    """

    site_paths: ClassVar[tuple[str, ...]] = (
        "from_location__site",
        "to_location__site",
        "work_order__line__area__site",
    )

    kind = models.CharField(max_length=8, choices=Kind)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    lot = models.ForeignKey(MaterialLot, null=True, blank=True, on_delete=models.PROTECT, related_name="transactions")
    to_lot = models.ForeignKey(
        MaterialLot, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="What was split off."
    )
    quantity = models.DecimalField(max_digits=18, decimal_places=6, validators=[MinValueValidator(SMALLEST)])
    unit = models.CharField(max_length=20, help_text="The product's unit when it moved.")
    given_quantity = models.DecimalField(
        max_digits=18, decimal_places=6, null=True, blank=True, help_text="As it was said, where in another unit."
    )
    given_unit = models.CharField(max_length=20, blank=True, help_text="Empty = it was said in the product's unit.")
    from_location = models.ForeignKey(Location, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    to_location = models.ForeignKey(Location, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    work_order = models.ForeignKey(
        WorkOrder, null=True, blank=True, on_delete=models.PROTECT, related_name="material_transactions"
    )
    operation_code = models.CharField(max_length=64, blank=True, help_text="The order's operation, by its code.")
    unit_cost = models.DecimalField(
        max_digits=18, decimal_places=6, null=True, blank=True, validators=[MinValueValidator(Decimal(0))]
    )
    reason = models.CharField(max_length=500, blank=True)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    performed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)
    reverses = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="reversed_by")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="material_quantity_positive", condition=Q(quantity__gt=0)),
            models.CheckConstraint(name="material_shape_of_kind", condition=_shape()),
            models.CheckConstraint(
                name="material_given_with_its_unit",
                condition=Q(given_quantity__isnull=True, given_unit="") | (Q(given_quantity__gt=0) & ~Q(given_unit="")),
            ),
            models.CheckConstraint(
                name="material_only_reversals_reverse", condition=Q(kind="reversal") | Q(reverses__isnull=True)
            ),
            models.CheckConstraint(
                name="material_only_splits_name_two_lots",
                condition=Q(to_lot__isnull=True) | (Q(kind__in=["split", "reversal"]) & ~Q(lot=F("to_lot"))),
            ),
            models.CheckConstraint(
                name="material_moves_elsewhere",
                condition=Q(from_location__isnull=True)
                | Q(to_location__isnull=True)
                | Q(to_lot__isnull=False)
                | ~Q(from_location=F("to_location")),
            ),
            models.CheckConstraint(
                name="material_reason_where_needed",
                condition=~Q(kind__in=["adjust", "scrap", "reversal"]) | ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="material_cost_not_negative", condition=Q(unit_cost__isnull=True) | Q(unit_cost__gte=0)
            ),
        ]
        indexes = [
            models.Index(fields=["work_order", "lot"], name="material_of_order"),
            models.Index(fields=["product", "occurred_at"], name="material_of_product"),
            models.Index(fields=["occurred_at"], name="material_occurred"),
            models.Index(fields=["to_lot"], condition=Q(to_lot__isnull=False), name="material_split_off"),
        ]
        triggers = [append_only("material_transaction_append_only")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {plain_number(self.quantity)} {self.unit} of {self.lot or self.product}"

    @property
    def total_cost(self) -> Decimal | None:
        """Quantity × unit cost; None when the unit cost is not known."""
        return None if self.unit_cost is None else self.quantity * self.unit_cost


class Stock(models.Model):
    """What is where: the sum of all movements, kept beside them. `manage.py rebuild_stock` ends with the same rows."""

    site_paths: ClassVar[tuple[str, ...]] = ("location__site",)

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="stock")
    lot = models.ForeignKey(MaterialLot, null=True, blank=True, on_delete=models.PROTECT, related_name="stock")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="stock")
    quantity = models.DecimalField(max_digits=18, decimal_places=6, default=Decimal(0))

    class Meta:
        verbose_name_plural = "stock"
        ordering = ["product", "lot", "location"]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "lot", "location"], nulls_distinct=False, name="one_stock_of_a_lot_at_a_place"
            )
        ]
        indexes = [models.Index(fields=["location", "product"], name="stock_at_place")]

    def __str__(self) -> str:
        return f"{self.lot or self.product} at {self.location}: {plain_number(self.quantity)}"

    def is_usable(self, at: datetime) -> bool:
        """Whether it may be used at a moment, by what is decided now: of a released lot that has not expired,
        or of none.
        """
        return self.lot is None or self.lot.status_at(at) == LotStatus.RELEASED


class GenealogyLink(models.Model):
    """So much of one lot went into another. Append-only: what is reversed gets a line of the opposite sign.

    Of an (input, output, order), the lines add up to what of the input went into the order; while that is more than
    nothing, the two are linked. Where several lots come out of an order, it is the most that can be in each.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("input_lot__site", "output_lot__site")

    class Rule(models.TextChoices):
        ORDER = "order", _("All that the order used is in all that it made")
        GIVEN = "given", _("Given with the production")
        SPLIT = "split", _("Split off")

    input_lot = models.ForeignKey(MaterialLot, on_delete=models.PROTECT, related_name="+", db_index=False)
    output_lot = models.ForeignKey(MaterialLot, on_delete=models.PROTECT, related_name="+", db_index=False)
    work_order = models.ForeignKey(WorkOrder, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    rule = models.CharField(max_length=5, choices=Rule, default=Rule.ORDER)
    quantity = models.DecimalField(max_digits=18, decimal_places=6, help_text="Of the input, in its unit.")
    occurred_at = models.DateTimeField()
    caused_by = models.ForeignKey(
        MaterialTransaction, null=True, blank=True, on_delete=models.PROTECT, related_name="links"
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="genealogy_not_of_itself", condition=~Q(input_lot=F("output_lot"))),
            models.CheckConstraint(name="genealogy_says_something", condition=~Q(quantity=0)),
            models.CheckConstraint(
                name="genealogy_of_an_order_or_a_split", condition=Q(work_order__isnull=False) | Q(rule="split")
            ),
        ]
        # Covering, so that a trace reads the index only.
        indexes = [
            models.Index(
                fields=["input_lot", "output_lot", "work_order"], include=["quantity"], name="genealogy_forward"
            ),
            models.Index(
                fields=["output_lot", "input_lot", "work_order"], include=["quantity"], name="genealogy_backward"
            ),
        ]
        triggers = [append_only("genealogy_link_append_only")]

    def __str__(self) -> str:
        return f"{self.input_lot} → {self.output_lot}"


class PickingPolicy(models.Model):
    """Whether a lot may be taken while another expires first. The most specific holds: product before site."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    class Rule(models.TextChoices):
        SUGGEST = "suggest", _("Suggest the first to expire")
        REASON = "reason", _("Another lot needs a reason")
        ENFORCE = "enforce", _("Only the first to expire")

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="picking_policies")
    product = models.ForeignKey(
        Product,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="picking_policies",
        help_text="Empty = all without a policy of their own.",
    )
    rule = models.CharField(max_length=7, choices=Rule, default=Rule.SUGGEST)

    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "picking policies"
        ordering = ["site", "product"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "product"],
                nulls_distinct=False,
                name="one_picking_policy",
                violation_error_message="There is a policy for it already; change that one.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.product or 'Every product'} at {self.site}: {self.get_rule_display()}"


class BackflushPolicy(models.Model):
    """When what an order needs is booked by itself.

    The most specific holds: the product that is made before the site.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    class Mode(models.TextChoices):
        PIECE = "piece", _("By piece: with every report, what its operation takes")
        MILESTONE = "milestone", _("By milestone: a milestone's report books what was taken up to it")
        ORDER = "order", _("By order: all at once, when the order's quantity is reported")

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="backflush_policies")
    product = models.ForeignKey(
        Product,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="backflush_policies",
        help_text="What the order makes. Empty = all without a policy of their own.",
    )
    mode = models.CharField(max_length=9, choices=Mode, default=Mode.PIECE)
    location = models.ForeignKey(
        Location,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Reports and completed orders book from here without anybody asking. Empty = only when asked for.",
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name = "back-flush policy"
        verbose_name_plural = "back-flush policies"
        ordering = ["site", "product"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "product"],
                nulls_distinct=False,
                name="one_backflush_policy",
                violation_error_message="There is a policy for it already; change that one.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.product or 'Every product'} at {self.site}: {self.get_mode_display()}"
