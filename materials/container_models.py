"""Containers and what happened to them: cartons, pallets and bins, what is in them, and what lies in what."""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from core.exact import plain_number
from core.models import append_only, code_validator

PREFIX = r"^[0-9]{4,12}\Z"
SSCC = r"^[0-9]{18}\Z"


class ContainerPolicy(models.Model):
    """By which numbers a site's containers are known to the world: its GS1 company prefix."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    site = models.OneToOneField("enterprise.Site", on_delete=models.CASCADE, related_name="container_policy")
    gs1_company_prefix = models.CharField(
        "GS1 company prefix",
        max_length=12,
        validators=[RegexValidator(PREFIX, "A GS1 company prefix has 4 to 12 digits.")],
        help_text="As GS1 gave it to you: 4 to 12 digits. Numbers of cartons and pallets (SSCC) are made with it.",
    )
    extension_digit = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(9)],
        help_text="The first digit of an SSCC, 0 to 9: your own choice. Another one opens another range of numbers.",
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "container policies"
        ordering = ["site"]
        constraints = [
            models.CheckConstraint(
                name="container_prefix_of_digits",
                condition=Q(gs1_company_prefix__regex=r"^[0-9]{4,12}$"),
                violation_error_message="A GS1 company prefix has 4 to 12 digits.",
            ),
            models.CheckConstraint(
                name="container_extension_is_a_digit",
                condition=Q(extension_digit__lte=9),
                violation_error_message="The extension digit is 0 to 9.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.site}: {self.gs1_company_prefix}"


class Container(models.Model):
    """A box, carton, pallet or bin. What lies in another one is closed, and stays so until it is taken out.

    `status`, `location` and `parent` repeat its steps, written in the same transaction; `manage.py rebuild_containers`
    ends with the same rows.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    class Kind(models.TextChoices):
        BOX = "box", "Box"
        CARTON = "carton", "Carton"
        PALLET = "pallet", "Pallet"
        BIN = "bin", "Reusable bin"

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"
        SHIPPED = "shipped", "Shipped"

    site = models.ForeignKey("enterprise.Site", on_delete=models.PROTECT, related_name="containers")
    code = models.CharField(max_length=64, validators=[code_validator], help_text="Unique at its site: C-1.")
    sscc = models.CharField(  # several have none
        "SSCC",
        max_length=18,
        null=True,
        blank=True,
        unique=True,
        help_text="Serial shipping container code (GS1: AI 00), 18 digits.",
    )
    sscc_serial = models.BigIntegerField(
        null=True, editable=False, help_text="The number in an SSCC that was made here."
    )
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.CARTON)
    product = models.ForeignKey(
        "products.Product",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The only product that it holds. Empty = any.",
    )
    capacity = models.DecimalField(
        max_digits=18,
        decimal_places=6,
        null=True,
        blank=True,
        help_text="How much of its product it holds at most, in the product's unit.",
    )
    most_containers = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="How many containers it holds at most."
    )
    status = models.CharField(max_length=7, choices=Status, default=Status.OPEN, editable=False)
    location = models.ForeignKey(
        "materials.Location",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="containers",
        help_text="Where it stands. Empty = it was shipped.",
    )
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="inside", help_text="What it lies in."
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "code"],
                name="container_code_once_per_site",
                violation_error_message="The site has a container of this code already.",
            ),
            models.CheckConstraint(
                name="container_sscc_of_18_digits", condition=Q(sscc__isnull=True) | Q(sscc__regex=r"^[0-9]{18}$")
            ),
            models.CheckConstraint(
                name="container_is_somewhere_or_shipped",
                condition=Q(status="shipped", location__isnull=True)
                | (~Q(status="shipped") & Q(location__isnull=False)),
            ),
            models.CheckConstraint(
                name="container_not_in_itself", condition=Q(parent__isnull=True) | ~Q(parent=F("id"))
            ),
            models.CheckConstraint(
                name="container_in_another_is_closed", condition=Q(parent__isnull=True) | ~Q(status="open")
            ),
            models.CheckConstraint(
                name="container_capacity_of_a_product",
                condition=Q(capacity__isnull=True) | Q(capacity__gt=0, product__isnull=False),
            ),
            models.CheckConstraint(
                name="container_holds_one_or_more",
                condition=Q(most_containers__isnull=True) | Q(most_containers__gte=1),
            ),
        ]
        indexes = [
            models.Index(fields=["code"], name="container_code"),
            models.Index(fields=["location", "status"], name="container_at_place"),
        ]

    def __str__(self) -> str:
        return self.code


class ContainerContent(models.Model):
    """How much of a lot, or of a product without lots, is in a container itself: packed less unpacked,
    kept beside the steps.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("container__site",)

    container = models.ForeignKey(Container, on_delete=models.PROTECT, related_name="contents")
    product = models.ForeignKey("products.Product", on_delete=models.PROTECT, related_name="+", db_index=False)
    lot = models.ForeignKey(
        "materials.MaterialLot", null=True, blank=True, on_delete=models.PROTECT, related_name="packed", db_index=False
    )
    quantity = models.DecimalField(max_digits=18, decimal_places=6)

    class Meta:
        ordering = ["container", "product", "lot"]
        constraints = [
            models.UniqueConstraint(
                fields=["container", "product", "lot"], nulls_distinct=False, name="one_content_of_a_lot"
            ),
            models.CheckConstraint(name="container_content_positive", condition=Q(quantity__gt=0)),
        ]
        indexes = [
            models.Index(fields=["lot"], include=["container", "quantity"], name="container_of_lot"),
            models.Index(fields=["product", "lot"], name="container_content_of"),
        ]

    def __str__(self) -> str:
        return f"{plain_number(self.quantity)} of {self.lot or self.product} in {self.container}"


class StepKind(models.TextChoices):
    """What happened to a container."""

    OPENED = "opened", "Opened"
    PACKED = "packed", "Packed"
    UNPACKED = "unpacked", "Unpacked"
    PUT_IN = "put_in", "Put into another"
    TAKEN_OUT = "taken_out", "Taken out of another"
    CLOSED = "closed", "Closed"
    REOPENED = "reopened", "Opened again"
    MOVED = "moved", "Moved"
    SHIPPED = "shipped", "Shipped"
    BROUGHT_BACK = "brought_back", "Shipment taken back"
    EMPTIED = "emptied", "Emptied"


_NOTHING = Q(product__isnull=True, lot__isnull=True, quantity__isnull=True)
_ALONE = Q(other__isnull=True)
_PLACES: dict[str, Q] = {
    StepKind.OPENED: Q(from_location__isnull=True, to_location__isnull=False),
    StepKind.MOVED: Q(from_location__isnull=False, to_location__isnull=False) & ~Q(from_location=F("to_location")),
    StepKind.SHIPPED: Q(from_location__isnull=False, to_location__isnull=True),
    StepKind.BROUGHT_BACK: Q(from_location__isnull=True, to_location__isnull=False),
    # A shipped bin that came back empty stands somewhere again.
    StepKind.EMPTIED: Q(from_location__isnull=True),
}


def _shape() -> Q:
    """Say what each kind of step names; the database refuses others."""
    allowed = Q()
    for kind in StepKind:
        places = _PLACES.get(kind, Q(from_location__isnull=True, to_location__isnull=True))
        if kind in (StepKind.PACKED, StepKind.UNPACKED):
            shape = Q(product__isnull=False, quantity__gt=0) & _ALONE
        elif kind in (StepKind.PUT_IN, StepKind.TAKEN_OUT):
            shape = _NOTHING & Q(other__isnull=False) & ~Q(other=F("container"))
        else:
            shape = _NOTHING & _ALONE
        allowed |= Q(kind=kind) & shape & places
    return allowed


class ContainerStep(models.Model):
    """Something happened to a container: a fact. What one request does to several has one step for each of them.

    Identity: `idempotency_key`, where the sender gave one; what else the request did is `caused_by` that step.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("container__site",)

    container = models.ForeignKey(Container, on_delete=models.PROTECT, related_name="steps", db_index=False)
    kind = models.CharField(max_length=12, choices=StepKind)
    product = models.ForeignKey("products.Product", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    lot = models.ForeignKey(
        "materials.MaterialLot", null=True, blank=True, on_delete=models.PROTECT, related_name="container_steps"
    )
    quantity = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    unit = models.CharField(max_length=20, blank=True, help_text="The product's unit at that time.")
    other = models.ForeignKey(
        Container, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Into or out of which."
    )
    from_location = models.ForeignKey(
        "materials.Location", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    to_location = models.ForeignKey(
        "materials.Location", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    recipient = models.CharField(max_length=200, blank=True, help_text="Who it was shipped to.")
    reason = models.CharField(max_length=500, blank=True)
    caused_by = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="caused")
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    performed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)
    request_digest = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="container_step_shape_of_kind", condition=_shape()),
            models.CheckConstraint(
                name="container_step_recipient_of_a_shipment", condition=Q(kind="shipped") | Q(recipient="")
            ),
            models.CheckConstraint(
                name="container_step_reason_where_needed", condition=~Q(kind="brought_back") | ~Q(reason="")
            ),
        ]
        indexes = [models.Index(fields=["container", "occurred_at", "id"], name="container_steps_of")]
        triggers = [append_only("container_step_append_only")]

    def __str__(self) -> str:
        return f"{self.container}: {self.get_kind_display()}"


class ContainerMovement(models.Model):
    """A line of the ledger that a container's step wrote, for what is in the container itself."""

    site_paths: ClassVar[tuple[str, ...]] = ("step__container__site",)

    step = models.ForeignKey(ContainerStep, on_delete=models.PROTECT, related_name="movements")
    transaction = models.OneToOneField(
        "materials.MaterialTransaction", on_delete=models.PROTECT, related_name="container_movement"
    )

    class Meta:
        ordering = ["id"]
        triggers = [append_only("container_movement_append_only")]

    def __str__(self) -> str:
        return f"{self.step}: {self.transaction}"
