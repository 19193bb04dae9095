"""What happens to an order: each step of its life with who and why, and what was confirmed to be made. Append-only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.exact import plain_number
from core.models import MasterData, append_only
from core.names import NamesInLanguages


class OrderReason(NamesInLanguages, MasterData):
    """Why an order is held, cancelled or completed short."""

    class Kind(models.TextChoices):
        QUALITY = "quality", _("Quality")
        SAFETY = "safety", _("Safety")
        MATERIAL = "material", _("Material")
        CUSTOMER = "customer", _("Customer")
        OTHER = "other", _("Other")

    kind = models.CharField(max_length=8, choices=Kind, default=Kind.OTHER, help_text="Who or what stands behind it.")
    for_hold = models.BooleanField("for holding", default=True, help_text="An order may be put on hold for it.")
    for_cancel = models.BooleanField("for cancelling", default=True, help_text="An order may be cancelled for it.")
    for_short = models.BooleanField(
        "for completing short", default=True, help_text="An order may be completed with too little for it."
    )

    class Meta(MasterData.Meta):
        ordering = ["kind", "code"]


@dataclass(frozen=True, slots=True)
class Step:
    """Who takes an order to another status, when and why. `short` = it is completed with less than is allowed."""

    at: datetime
    actor: Any = None
    reason: OrderReason | None = None
    note: str = ""
    short: bool = False


class OrderStatus(models.TextChoices):
    """Where an order is in its life; `WorkOrder.Status`."""

    CREATED = "created", _("Created")
    RELEASED = "released", _("Released")
    SCHEDULED = "scheduled", _("Scheduled")
    IN_PROGRESS = "in_progress", _("In progress")
    ON_HOLD = "on_hold", _("On hold")
    COMPLETED = "completed", _("Completed")
    CLOSED = "closed", _("Closed")
    CANCELLED = "cancelled", _("Cancelled")


class OrderStatusChange(models.Model):
    """An order went from one status to another: a fact."""

    site_paths: ClassVar[tuple[str, ...]] = ("order__line__area__site",)

    order = models.ForeignKey("workorders.WorkOrder", on_delete=models.PROTECT, related_name="status_changes")
    from_status = models.CharField(max_length=12, choices=OrderStatus, blank=True, help_text="Empty = it is new.")
    to_status = models.CharField(max_length=12, choices=OrderStatus)
    reason = models.ForeignKey(OrderReason, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=500, blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Empty = the system.",
    )
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="order_status_change_changes", condition=~Q(from_status=F("to_status"))),
        ]
        triggers = [append_only("order_status_change_append_only")]

    def __str__(self) -> str:
        return f"{self.order}: {self.get_to_status_display()}"


class OrderConfirmation(models.Model):
    """Somebody confirmed that an order has made so much; in the order's unit.

    A mistake is reversed by its mirror image.

    Identity: `idempotency_key`, where the sender gave one.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("order__line__area__site",)

    order = models.ForeignKey("workorders.WorkOrder", on_delete=models.PROTECT, related_name="confirmations")
    good = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    scrap = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    rework = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    note = models.CharField(max_length=500, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)
    reverses = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="reversed_by")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="order_confirmation_sign",
                condition=Q(reverses__isnull=True, good__gte=0, scrap__gte=0, rework__gte=0)
                | Q(reverses__isnull=False, good__lte=0, scrap__lte=0, rework__lte=0),
            ),
            models.CheckConstraint(name="order_confirmation_says_something", condition=~Q(good=0, scrap=0, rework=0)),
        ]
        triggers = [append_only("order_confirmation_append_only")]

    def __str__(self) -> str:
        return f"{self.order}: {plain_number(self.good)}"
