"""States: why a machine runs or stands, and what machines and people said about it."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Case, F, Q, When
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords
from tree_queries.fields import TreeNodeForeignKey
from tree_queries.query import TreeQuerySet

from accounts.models import Role
from core.models import MasterData, append_only, noted_change
from core.names import NamesInLanguages
from enterprise.models import CalendarLevel, Machine, Weekday


class StateReason(NamesInLanguages, MasterData):  # type: ignore[django-manager-missing] # tree_queries has no types
    """What a machine does and why: a tree of any depth under each category."""

    class Category(models.TextChoices):
        RUNNING = "running", _("Running")
        UNPLANNED = "unplanned", _("Unplanned stop")
        PLANNED = "planned", _("Planned stop")
        CHANGEOVER = "changeover", _("Changeover")
        NOT_SCHEDULED = "not_scheduled", _("Not scheduled")
        NO_DATA = "no_data", _("No data")

    class WaitsFor(models.TextChoices):
        UPSTREAM = "upstream", _("What comes before it (starved)")
        DOWNSTREAM = "downstream", _("What comes after it (blocked)")
        ORDER = "order", _("An order")

    class Maintenance(models.TextChoices):
        CORRECTIVE = "corrective", _("Corrective")
        PREVENTIVE = "preventive", _("Preventive")

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
    is_failure = models.BooleanField(
        "failure",
        null=True,
        blank=True,
        help_text="Counts for MTBF and MTTR. Not chosen = yes for an unplanned stop, no for anything else.",
    )
    waits_for = models.CharField(
        max_length=10,
        choices=WaitsFor,
        blank=True,
        help_text="The machine itself is well and waits; the cause is looked for there.",
    )
    maintenance = models.CharField(max_length=10, choices=Maintenance, blank=True)
    explains = models.BooleanField(
        default=True,
        help_text="Off = it says that the machine stands, but not why: such time is unexplained until somebody says more.",
    )
    icon = models.CharField(
        max_length=50,
        blank=True,
        validators=[RegexValidator(r"^[a-z0-9_]+\Z", "Write the icon's name, such as build or local_shipping.")],
        help_text="The name of a Material symbol, such as build; empty = none.",
    )

    objects: Any = TreeQuerySet.as_manager(with_tree_fields=True)

    class Meta(MasterData.Meta):
        triggers = [noted_change()]
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


class ReasonPlace(CalendarLevel):
    """A place whose people are offered a reason.

    One that names no place is offered where its parent is, or everywhere.
    """

    reason = models.ForeignKey(StateReason, on_delete=models.CASCADE, related_name="places")

    history = HistoricalRecords()

    class Meta(CalendarLevel.Meta):
        triggers = [noted_change()]
        abstract = False
        ordering = ["reason", "id"]
        constraints = [
            *CalendarLevel.Meta.constraints,
            models.UniqueConstraint(
                fields=["reason", "site", "line", "machine"],
                nulls_distinct=False,
                name="reason_offered_once",
                violation_error_message="The reason is offered there already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason} at {self.level}"


class ReasonRule(CalendarLevel):
    """Give a stop its reason by what the machine sent, its words and when it began.

    Knowledge, not fact: it is applied when states are read, the recorded state stays, and what people say holds over
    it. Of the rules that match, one of the nearest level wins; within a level, the one of the lowest position.
    """

    class Match(models.TextChoices):
        CONTAINS = "contains", _("contains")
        EQUALS = "equals", _("is exactly")

    name = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField(default=0, help_text="The first one that matches decides.")
    sent_reason = models.ForeignKey(
        StateReason,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="rules_for_it",
        help_text="What the machine sent. Empty = any stop.",
    )
    detail_match = models.CharField("detail", max_length=8, choices=Match, default=Match.CONTAINS)
    detail_text = models.CharField(
        max_length=200,
        blank=True,
        help_text="A fault code or a part of an alarm text; large and small letters are alike. Empty = any.",
    )
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(choices=Weekday),
        default=list,
        blank=True,
        help_text="ISO weekdays on which the stop begins: 1 = Monday … 7 = Sunday. None = any.",
    )
    start_time = models.TimeField(
        null=True, blank=True, help_text="The stop begins at or after this, on the site's clock. Empty = any time."
    )
    end_time = models.TimeField(
        null=True, blank=True, help_text="The stop begins before this; at or before the start = on the next day."
    )
    reason = models.ForeignKey(
        StateReason, on_delete=models.PROTECT, related_name="rules", help_text="The reason that such a stop gets."
    )
    valid_from = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Stops that began before keep what they had; empty = holds for all of the past.",
    )
    is_active = models.BooleanField("active", default=True)

    history = HistoricalRecords()

    class Meta(CalendarLevel.Meta):
        triggers = [noted_change()]
        abstract = False
        ordering = ["site", "line", "machine", "position", "id"]
        constraints = [
            *CalendarLevel.Meta.constraints,
            models.CheckConstraint(
                name="reason_rule_has_a_condition",
                condition=Q(sent_reason__isnull=False)
                | ~Q(detail_text="")
                | Q(weekdays__len__gt=0)
                | Q(start_time__isnull=False),
                violation_error_message="Give at least one condition: what was sent, a text, a time or weekdays.",
            ),
            models.CheckConstraint(
                name="reason_rule_times_go_together",
                condition=Q(start_time__isnull=True, end_time__isnull=True)
                | Q(start_time__isnull=False, end_time__isnull=False) & ~Q(start_time=F("end_time")),
                violation_error_message="Give both times of the day, and different ones, or neither.",
            ),
            models.CheckConstraint(
                name="reason_rule_weekdays_are_iso",
                condition=Q(weekdays__contained_by=[1, 2, 3, 4, 5, 6, 7]),
                violation_error_message="Weekdays are numbers from 1 (Monday) to 7 (Sunday).",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        categories = StateReason.Category
        for field in ("sent_reason", "reason"):
            chosen = getattr(self, field, None) if getattr(self, f"{field}_id") else None
            if chosen is not None and chosen.category in (categories.RUNNING, categories.NO_DATA):
                raise ValidationError({field: f"'{chosen}' is no stop; rules give reasons to stops only."})


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


def holds_until() -> Case:
    """Return the end of a correction as an expression: a given one, or when the machine next said that it ran."""
    ran = StateHistory.objects.filter(
        machine=models.OuterRef("machine_id"),
        occurred_at__gt=models.OuterRef("starts_at"),
        reason__category=StateReason.Category.RUNNING,
    ).order_by("occurred_at")
    return Case(
        When(until_running=True, then=models.Subquery(ran.values("occurred_at")[:1])),
        default=F("ends_at"),
        output_field=models.DateTimeField(),
    )


class StateCorrection(models.Model):
    """A person's later word on a span of a machine's time. The last one that covers a moment holds.

    It colours only stopped time unless it says that the machine did not run (`replaces_running`), so that a late fact
    of the device stays right. Without a reason it takes back what people said: the device's own word holds again.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("machine__line__area__site",)

    machine = models.ForeignKey(Machine, on_delete=models.PROTECT, related_name="state_corrections")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    until_running = models.BooleanField(
        default=False,
        help_text="Said of a stop that was not over: it ends when the machine next says that it runs. Derived when read.",
    )
    reason = models.ForeignKey(
        StateReason,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="corrections",
        help_text="Empty = as the machine said: what people said of this time is taken back.",
    )
    replaces_running = models.BooleanField(default=False)
    comment = models.CharField(max_length=500, blank=True)
    corrected_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["machine", "starts_at"], name="state_correction_of_machine")]
        constraints = [
            models.CheckConstraint(
                name="state_correction_not_empty",
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
            ),
            models.CheckConstraint(
                name="state_correction_has_one_end", condition=Q(until_running=False) | Q(ends_at__isnull=True)
            ),
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
