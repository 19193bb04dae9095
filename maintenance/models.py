"""Plans, maintenance orders with their steps and spare parts, tools and where they were mounted."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import MasterData, append_only
from enterprise.models import Machine, Site
from materials.models import MaterialTransaction

SMALLEST, MOST = Decimal("0.01"), Decimal(10) ** 9


class Basis(models.TextChoices):
    """What wears something out."""

    CALENDAR = "calendar", _("Days")
    RUN_HOURS = "run_hours", _("Run hours")
    CYCLES = "cycles", _("Cycles (pieces)")


class MaintenancePlan(MasterData):
    """Say after how much time, running or work something is to be done to a machine (ISO 14224:
    preventive maintenance).
    """

    site_paths: ClassVar[tuple[str, ...]] = ("machine__line__area__site",)

    machine = models.ForeignKey(Machine, on_delete=models.PROTECT, related_name="maintenance_plans")
    basis = models.CharField(_("counted in"), max_length=9, choices=Basis, default=Basis.RUN_HOURS)
    every = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        validators=[MinValueValidator(SMALLEST), MaxValueValidator(MOST)],
        help_text=_("After so many days, hours of running, or pieces."),
    )
    counted_from = models.DateTimeField(
        help_text=_(
            "When it was done last, before the plan was made; afterwards the last order that was finished counts."
        ),
    )
    warn_percent = models.PositiveSmallIntegerField(
        _("soon due at (%)"),
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("From so much of it on, the plan is listed as soon due."),
    )
    planned_minutes = models.PositiveIntegerField(
        _("takes (min)"), default=60, validators=[MaxValueValidator(100_000)], help_text=_("How long it takes, about.")
    )
    stops_machine = models.BooleanField(
        _("machine stands"), default=True, help_text=_("While it is done, nothing can be started on the machine.")
    )
    instructions = models.TextField(max_length=4000, blank=True, help_text=_("What is to be done."))

    class Meta(MasterData.Meta):
        constraints = [
            models.CheckConstraint(name="maintenance_plan_every_positive", condition=Q(every__gt=0)),
            models.CheckConstraint(
                name="maintenance_plan_warns_in_time", condition=Q(warn_percent__gte=1, warn_percent__lte=100)
            ),
        ]


class Tool(MasterData):
    """A tool that wears out: a mould, a die, a cutter. Its life is counted while it is mounted."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="tools")
    basis = models.CharField(
        _("counted in"),
        max_length=9,
        choices=[choice for choice in Basis.choices if choice[0] != Basis.CALENDAR],
        default=Basis.CYCLES,
    )
    life = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        validators=[MinValueValidator(SMALLEST), MaxValueValidator(MOST)],
        help_text=_("So many run hours or pieces it lasts, until it is renewed."),
    )
    warn_percent = models.PositiveSmallIntegerField(
        _("soon used up at (%)"), default=90, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )

    class Meta(MasterData.Meta):
        constraints = [
            models.CheckConstraint(name="tool_life_positive", condition=Q(life__gt=0)),
            models.CheckConstraint(name="tool_basis_is_use", condition=~Q(basis="calendar")),
        ]


class ToolMounting(models.Model):
    """A tool was on a machine in a span; open-ended = it still is. Written by the services, closed once."""

    site_paths: ClassVar[tuple[str, ...]] = ("machine__line__area__site",)

    tool = models.ForeignKey(Tool, on_delete=models.PROTECT, related_name="mountings")
    machine = models.ForeignKey(Machine, on_delete=models.PROTECT, related_name="tool_mountings")
    mounted_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    is_renewed = models.BooleanField(
        _("renewed"),
        default=False,
        help_text=_("It was ground, coated or exchanged before: its life begins anew here."),
    )
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)

    class Meta:
        verbose_name = "mounting of a tool"
        verbose_name_plural = "mountings of tools"
        ordering = ["-mounted_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="tool_mounting_not_empty",
                condition=Q(removed_at__isnull=True) | Q(removed_at__gt=F("mounted_at")),
            ),
            models.UniqueConstraint(
                fields=["tool"], condition=Q(removed_at__isnull=True), name="tool_is_mounted_in_one_place"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tool} on {self.machine} from {self.mounted_at:%Y-%m-%d %H:%M}"


class MaintenanceOrder(models.Model):
    """Something to be done to a machine: asked for on the floor, or due by a plan (ISA-95:
    Maintenance Request and Work Order).

    Its status is that of its furthest step. Identity: the idempotency key.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("machine__line__area__site",)

    class Status(models.TextChoices):
        REQUESTED = "requested", _("Asked for")
        PLANNED = "planned", _("Planned")
        IN_PROGRESS = "in_progress", _("In progress")
        FINISHED = "finished", _("Finished")
        CANCELLED = "cancelled", _("Cancelled")

    class Kind(models.TextChoices):
        CORRECTIVE = "corrective", _("Repair")
        PREVENTIVE = "preventive", _("Preventive")

    OPEN: ClassVar[tuple[str, ...]] = (Status.REQUESTED, Status.PLANNED, Status.IN_PROGRESS)

    machine = models.ForeignKey(Machine, on_delete=models.PROTECT, related_name="maintenance_orders")
    plan = models.ForeignKey(MaintenancePlan, null=True, blank=True, on_delete=models.PROTECT, related_name="orders")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.CORRECTIVE)
    title = models.CharField(max_length=200)
    description = models.TextField(max_length=4000, blank=True)
    status = models.CharField(max_length=11, choices=Status, default=Status.REQUESTED)
    down_since = models.DateTimeField(
        null=True, blank=True, help_text="While the order is open: since when nothing can be started on the machine."
    )
    requested_at = models.DateTimeField()
    planned_for = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    stop_at = models.DateTimeField(
        null=True, blank=True, help_text="A moment in the machine's stop that it is about; empty = about none."
    )
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["machine", "stop_at"], name="maintenance_of_stop"),
            models.Index(fields=["plan", "finished_at"], name="maintenance_of_plan"),
            models.Index(
                fields=["machine"],
                condition=Q(status__in=("requested", "planned", "in_progress")),
                name="maintenance_open",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["plan"],
                condition=Q(status__in=("requested", "planned", "in_progress")),
                name="maintenance_plan_has_one_open_order",
                violation_error_message=_("There is an open order of that plan already."),
            ),
            models.CheckConstraint(
                name="maintenance_plan_is_preventive", condition=Q(plan__isnull=True) | Q(kind="preventive")
            ),
            models.CheckConstraint(
                name="maintenance_finished_is_known",
                condition=Q(finished_at__isnull=True) | Q(status="finished"),
            ),
        ]

    def __str__(self) -> str:
        return f"M-{self.pk} {self.title}"

    @property
    def is_open(self) -> bool:
        """Whether it is still to be done."""
        return self.status in self.OPEN

    @property
    def is_down(self) -> bool:
        """Whether the machine is blocked by it."""
        return self.is_open and self.down_since is not None


class MaintenanceStep(models.Model):
    """What was done about a maintenance order, when and by whom: a fact. Identity: the idempotency key."""

    site_paths: ClassVar[tuple[str, ...]] = ("order__machine__line__area__site",)

    class Kind(models.TextChoices):
        REQUESTED = "requested", _("Asked for")
        PLANNED = "planned", _("Planned")
        STARTED = "started", _("Started")
        DOWN = "down", _("Machine is down")
        UP = "up", _("Machine is released")
        FINISHED = "finished", _("Finished")
        CANCELLED = "cancelled", _("Cancelled")

    order = models.ForeignKey(MaintenanceOrder, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=9, choices=Kind)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The log-in; empty = the plan came due.",
    )
    person = models.CharField(max_length=300, blank=True, help_text="In whose name, at a shared terminal.")
    note = models.CharField(max_length=500, blank=True)
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)

    class Meta:
        verbose_name = "step of maintenance"
        verbose_name_plural = "steps of maintenance"
        ordering = ["-id"]
        indexes = [models.Index(fields=["order", "kind"], name="maintenance_step_of_order")]
        triggers = [append_only("maintenance_step_append_only")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.order}"

    @property
    def who(self) -> Any:
        """Who did it, as people know them."""
        return self.person or self.recorded_by or ""


class PartUse(models.Model):
    """A spare part went into a maintenance order: the line of the material ledger that took it out of stock."""

    site_paths: ClassVar[tuple[str, ...]] = ("order__machine__line__area__site",)

    order = models.ForeignKey(MaintenanceOrder, on_delete=models.PROTECT, related_name="parts")
    movement = models.OneToOneField(MaterialTransaction, on_delete=models.PROTECT, related_name="maintenance_use")

    class Meta:
        verbose_name = "use of a spare part"
        verbose_name_plural = "uses of spare parts"
        ordering = ["-id"]
        triggers = [append_only("maintenance_part_use_append_only")]

    def __str__(self) -> str:
        return f"{self.movement} for {self.order}"

    @property
    def used_at(self) -> datetime:
        """When it left stock."""
        return self.movement.occurred_at
