"""States: why a machine runs or stands, and what machines and people said about it."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from tree_queries.fields import TreeNodeForeignKey
from tree_queries.query import TreeQuerySet

from accounts.models import Role
from core.models import MasterData, append_only
from enterprise.models import Machine


class StateReason(MasterData):  # type: ignore[django-manager-missing] # tree_queries has no types
    """What a machine does and why: a tree of any depth under each category."""

    class Category(models.TextChoices):
        RUNNING = "running", "Running"
        UNPLANNED = "unplanned", "Unplanned stop"
        PLANNED = "planned", "Planned stop"
        CHANGEOVER = "changeover", "Changeover"
        NOT_SCHEDULED = "not_scheduled", "Not scheduled"
        NO_DATA = "no_data", "No data"

    parent = TreeNodeForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    category = models.CharField(max_length=14, choices=Category, help_text="How OEE counts it.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order among its neighbours.")
    colour = models.CharField(
        max_length=7,
        blank=True,
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}\Z", "Write the colour as #rrggbb.")],
        help_text="As #rrggbb; empty = the category's.",
    )
    operator_selectable = models.BooleanField(
        default=True, help_text="Offered to people; otherwise only devices send it."
    )
    roles = ArrayField(
        models.CharField(max_length=12, choices=Role),
        default=list,
        blank=True,
        help_text="Which roles may choose it; none = all.",
    )

    objects: Any = TreeQuerySet.as_manager(with_tree_fields=True)

    class Meta(MasterData.Meta):
        ordering = ["position", "code"]
        constraints = [
            models.CheckConstraint(
                name="state_reason_is_not_its_own_parent",
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")),
                violation_error_message="A reason cannot be its own parent.",
            )
        ]

    def clean(self) -> None:
        super().clean()
        if self.parent and self.parent.category != self.category:
            raise ValidationError(
                {
                    "category": f"It stands under '{self.parent}', so its category is {self.parent.get_category_display()}."
                }
            )

    @property
    def records_downtime(self) -> bool:
        """Whether time in this state is downtime of any kind."""
        return self.category in {self.Category.UNPLANNED, self.Category.PLANNED, self.Category.CHANGEOVER}

    @property
    def is_planned_downtime(self) -> bool:
        """Whether time in this state is planned downtime."""
        return self.category == self.Category.PLANNED


class StateHistory(models.Model):
    """A machine went into a state at a moment: a fact, kept as it came. Identity: (machine, occurred_at).

    It lasts until the machine's next one; that end is derived when read, so that facts may come in any order.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("machine__line__area__site",)

    pk = models.CompositePrimaryKey("machine_id", "occurred_at")
    machine = models.ForeignKey(
        Machine,
        on_delete=models.DO_NOTHING,
        related_name="state_history",
        db_constraint=False,
        db_index=False,
    )
    occurred_at = models.DateTimeField()
    reason = models.ForeignKey(
        StateReason,
        on_delete=models.DO_NOTHING,
        related_name="state_history",
        db_constraint=False,
        db_index=False,
    )
    detail = models.CharField(max_length=500, default="", help_text="The device's own words, such as an alarm text.")
    recorded_at = models.DateTimeField()
    source = models.CharField(
        max_length=64, default="", help_text="Who delivered it: a device key's prefix or a person."
    )

    class Meta:
        verbose_name_plural = "state history"
        ordering = ["-occurred_at", "machine_id"]
        triggers = [append_only("state_history_append_only")]

    def __str__(self) -> str:
        return f"{self.machine_id} {self.occurred_at.isoformat()}: {self.reason_id}"


class StateCorrection(models.Model):
    """A person's later word on a span of a machine's time. The last one that covers a moment holds.

    It colours only stopped time unless it says that the machine did not run (`replaces_running`), so that a late fact
    of the device stays right.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("machine__line__area__site",)

    machine = models.ForeignKey(Machine, on_delete=models.PROTECT, related_name="state_corrections")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    reason = models.ForeignKey(StateReason, on_delete=models.PROTECT, related_name="corrections")
    replaces_running = models.BooleanField(default=False)
    comment = models.CharField(max_length=500)
    corrected_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["machine", "starts_at"], name="state_correction_of_machine")]
        constraints = [
            models.CheckConstraint(
                name="state_correction_not_empty",
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
            )
        ]
        triggers = [append_only("state_correction_append_only")]

    def __str__(self) -> str:
        return f"{self.machine_id} {self.starts_at.isoformat()} – {self.ends_at or 'now'}: {self.reason_id}"


class SignalGap(models.Model):
    """A span of which we know that we know nothing: what a machine sent in it is lost. A fact.

    Silence longer than a machine's no-signal timeout is such a span too, but is derived when read.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("machine__line__area__site",)

    machine = models.ForeignKey(Machine, on_delete=models.PROTECT, related_name="signal_gaps")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    cause = models.CharField(max_length=200, help_text="How it is known: an overflow, a missing sequence number.")
    recorded_at = models.DateTimeField()
    source = models.CharField(max_length=64, default="", help_text="Who delivered it: a device key's prefix.")

    class Meta:
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(name="signal_gap_not_empty", condition=Q(ends_at__gt=F("starts_at"))),
            models.UniqueConstraint(fields=["machine", "starts_at", "ends_at"], name="signal_gap_once"),
        ]
        triggers = [append_only("signal_gap_append_only")]

    def __str__(self) -> str:
        return f"{self.machine_id} {self.starts_at.isoformat()} – {self.ends_at.isoformat()}: {self.cause}"


class RecordedState(models.Model):
    """A state as lists of single-key things can show it: a database view over `StateHistory` with a text id."""

    site_paths: ClassVar[tuple[str, ...]] = ("machine__line__area__site",)

    id = models.CharField(primary_key=True, max_length=60, help_text="The machine's id, @, and the moment in UTC.")
    machine = models.ForeignKey(Machine, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    occurred_at = models.DateTimeField()
    reason = models.ForeignKey(StateReason, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    detail = models.CharField(max_length=500)
    recorded_at = models.DateTimeField()
    source = models.CharField(max_length=64)

    class Meta:
        managed = False
        db_table = "recorded_state"
        # Backwards along the primary key of the facts, so that a page of them needs no sorting.
        ordering = ["-machine_id", "-occurred_at"]
        constraints = [models.UniqueConstraint(fields=["machine", "occurred_at"], name="recorded_state_identity")]

    def __str__(self) -> str:
        return f"{self.machine} {self.occurred_at:%Y-%m-%d %H:%M:%S}"
