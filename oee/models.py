"""Knowledge kept so that a KPI costs its hours, not its facts. All of it but the policy can be dropped and rebuilt."""

from decimal import Decimal
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from core.exact import plain_number
from core.master_data import in_scope
from core.models import MasterData, noted_change
from counts.models import CountTag
from downtime.models import StateReason
from enterprise.models import Line, Machine, Shift, Site
from oee.closing_models import ClosingCheck as ClosingCheck
from oee.closing_models import ClosingRule as ClosingRule
from oee.closing_models import DeliveryTally as DeliveryTally
from oee.closing_models import ShiftClosing as ShiftClosing
from oee.closing_models import TouchedClosing as TouchedClosing
from oee.engine.catalogue import ELEMENTS, KPIS
from oee.engine.formulas import LONGEST_TEXT, Formula, FormulaError
from oee.handover_models import HourComment as HourComment
from oee.handover_models import ShiftNote as ShiftNote
from oee.handover_models import ShiftReview as ShiftReview
from products.models import IdealRate
from workorders.models import Run


def quantity_field() -> models.DecimalField:
    """Return a column for an exact sum of pieces: counts of six decimals times scales of six."""
    return models.DecimalField(max_digits=38, decimal_places=12, default=0)


class OeePolicy(models.Model):
    """What a site decides where published definitions of OEE differ; shown next to every number."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    class Changeover(models.TextChoices):
        AVAILABILITY_LOSS = "availability_loss", _("It counts against availability")
        PLANNED = "planned", _("It is planned time and counts against nothing")

    class Overtime(models.TextChoices):
        COUNT = "count", _("Production outside the planned time counts like any other")
        EXCLUDE = "exclude", _("Production outside the planned time is left out")

    class Breaks(models.TextChoices):
        PLANNED = "planned", _("They are planned downtime")
        UNSCHEDULED = "unscheduled", _("They are no planned time at all")
        AVAILABILITY_LOSS = "availability_loss", _("Standing in them counts against availability")

    class MicroStops(models.TextChoices):
        PERFORMANCE = "performance", _("They count against performance")
        AVAILABILITY = "availability", _("They count against availability")

    class NoDataTime(models.TextChoices):
        EXCLUDE = "exclude", _("It is left out, and lowers the coverage")
        AVAILABILITY_LOSS = "availability_loss", _("It counts against availability")

    class StartupRejects(models.TextChoices):
        QUALITY_LOSS = "quality_loss", _("They count against quality like any other")
        EXCLUDE = "exclude", _("They are left out")

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="oee_policies")
    valid_from = models.DateField(
        "from", null=True, blank=True, help_text="The first day on which it holds, at the site; empty = from ever."
    )
    changeover = models.CharField(max_length=20, choices=Changeover, default=Changeover.AVAILABILITY_LOSS)
    overtime = models.CharField(max_length=10, choices=Overtime, default=Overtime.COUNT)
    breaks = models.CharField(max_length=20, choices=Breaks, default=Breaks.PLANNED)
    micro_stops = models.CharField("micro-stops", max_length=12, choices=MicroStops, default=MicroStops.PERFORMANCE)
    no_data = models.CharField(
        "planned time without data", max_length=20, choices=NoDataTime, default=NoDataTime.EXCLUDE
    )
    startup_rejects = models.CharField(
        "start-up rejects", max_length=12, choices=StartupRejects, default=StartupRejects.QUALITY_LOSS
    )
    startup_minutes = models.PositiveSmallIntegerField(
        "start-up (min)",
        default=0,
        validators=[MaxValueValidator(24 * 60)],
        help_text="Rejects in the first so many minutes of a run are start-up rejects; 0 = there are none.",
    )
    target_oee = models.DecimalField(
        "OEE target",
        max_digits=5,
        decimal_places=4,
        default=Decimal("0.85"),
        validators=[MinValueValidator(Decimal("0.0001")), MaxValueValidator(Decimal(1))],
        help_text="0.85 = 85 %; the target so far on screens follows from it.",
    )

    history = HistoricalRecords()

    class Meta:
        triggers = [noted_change()]
        verbose_name = "OEE policy"
        verbose_name_plural = "OEE policies"
        ordering = ["site", "valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "valid_from"],
                nulls_distinct=False,
                name="one_oee_policy_per_site_and_day",
                violation_error_message="The site has a policy from that day on already; change that one.",
            )
        ]

    def __str__(self) -> str:
        since = f" from {self.valid_from}" if self.valid_from else ""
        return f"OEE policy of {self.site}{since}"


class ComputedHour(models.Model):
    """Say that a machine's hour stands in `HourSlice` and `HourReason`. An absent hour is yet to be computed."""

    pk = models.CompositePrimaryKey("machine_id", "starts_at")
    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, related_name="+", db_index=False)
    starts_at = models.DateTimeField(help_text="UTC, a full hour.")

    def __str__(self) -> str:
        return f"{self.machine_id} {self.starts_at.isoformat()}"


class Calendar(models.TextChoices):
    """What the shift calendar says of a moment."""

    SCHEDULED = "scheduled", _("In a shift")
    ON_BREAK = "on_break", _("In a break")
    UNSCHEDULED = "unscheduled", _("Outside the shifts")


class HourPart(models.Model):
    """A part of a machine's hour in which calendar, shift, run and ideal rate stay the same."""

    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, related_name="+", db_index=False)
    starts_at = models.DateTimeField(help_text="Of the hour: UTC, a full hour.")
    calendar = models.CharField(max_length=11, choices=Calendar)
    shift = models.ForeignKey(
        Shift, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    shift_date = models.DateField(null=True, help_text="The day on which the shift started, in the site's zone.")
    run = models.ForeignKey(
        Run, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    rate = models.ForeignKey(
        IdealRate, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        abstract = True


class HourSlice(HourPart):
    """Microseconds per state category and counted quantities of a part of a machine's hour, exact.

    The ideal rate is a part of the key, so that ideal times are exact fractions of sums.
    """

    has_data = models.BooleanField(default=True, help_text="Off: pieces counted while nobody knew the machine's state.")
    running = models.BigIntegerField(default=0, help_text="µs")
    unplanned = models.BigIntegerField(default=0, help_text="µs")
    planned = models.BigIntegerField(default=0, help_text="µs")
    changeover = models.BigIntegerField(default=0, help_text="µs")
    not_scheduled = models.BigIntegerField(default=0, help_text="µs")
    no_data = models.BigIntegerField(default=0, help_text="µs")
    micro_stop = models.BigIntegerField(default=0, help_text="µs")
    good = quantity_field()
    reject = quantity_field()
    rework = quantity_field()
    infeed = quantity_field()
    total = quantity_field()
    startup_reject = quantity_field()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["machine", "starts_at", "calendar", "shift", "shift_date", "run", "rate", "has_data"],
                nulls_distinct=False,
                name="hour_slice_once",
            )
        ]
        indexes = [models.Index(fields=["run"], name="hour_slice_of_run", condition=Q(run__isnull=False))]

    def __str__(self) -> str:
        return f"{self.machine_id} {self.starts_at.isoformat()} {self.calendar}"


class HourReason(HourPart):
    """How long, and how often begun, each state reason was in a part of a machine's hour."""

    reason = models.ForeignKey(
        StateReason,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    category = models.CharField(max_length=14, choices=[*StateReason.Category.choices, ("micro_stop", _("Micro-stop"))])
    microseconds = models.BigIntegerField()
    occurrences = models.IntegerField(help_text="Stretches of this reason that began in this part.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "machine",
                    "starts_at",
                    "calendar",
                    "shift",
                    "shift_date",
                    "run",
                    "rate",
                    "reason",
                    "category",
                ],
                nulls_distinct=False,
                name="hour_reason_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.machine_id} {self.starts_at.isoformat()} {self.category}"


class CounterStep(models.Model):
    """Two neighbouring readings of a running counter that are more than a plain rise, and how they were read.

    Derived with the machine's hours. A held step counts nothing until a person has said what happened
    (`counts.services.explain_step`).
    """

    site_paths: ClassVar[tuple[str, ...]] = ("machine__line__area__site",)

    class Verdict(models.TextChoices):
        HELD = "held", _("Held back: not plausible")
        RESET = "reset", _("Restarted: counted from there")
        NEW_BASELINE = "new_baseline", _("New baseline: counted nothing")
        ROLLOVER = "rollover", _("Rolled over")

    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, related_name="+", db_index=False)
    starts_at = models.DateTimeField(help_text="Of the hour: UTC, a full hour.")
    tag = models.ForeignKey(CountTag, on_delete=models.CASCADE, related_name="+", db_index=False)
    before_at = models.DateTimeField()
    value_before = models.DecimalField("read before", max_digits=24, decimal_places=6)
    occurred_at = models.DateTimeField("happened by")
    value = models.DecimalField("read after", max_digits=24, decimal_places=6)
    verdict = models.CharField("read as", max_length=12, choices=Verdict)
    pulses = models.DecimalField("pulses counted", max_digits=24, decimal_places=6)

    class Meta:
        ordering = ["-occurred_at", "tag"]
        constraints = [models.UniqueConstraint(fields=["machine", "occurred_at", "tag"], name="counter_step_once")]

    def __str__(self) -> str:
        return f"{self.tag}: {plain_number(self.value_before)} → {plain_number(self.value)}"


class OeeRecord(models.Model):
    """The OEE of a line or machine over a window, as somebody asked for it. Its numbers follow late facts.

    Times are microseconds; a ratio that is not known is null. Computed by `oee.services`, never posted.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("line__area__site", "machine__line__area__site")

    line = models.ForeignKey(Line, null=True, blank=True, on_delete=models.PROTECT, related_name="oee_records")
    machine = models.ForeignKey(Machine, null=True, blank=True, on_delete=models.PROTECT, related_name="oee_records")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    computed_at = models.DateTimeField()
    elements = models.JSONField(help_text="Time elements in microseconds, quantities and ideal times as exact text.")
    availability = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    performance = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    quality = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    oee = models.DecimalField(max_digits=24, decimal_places=12, null=True)

    class Meta:
        verbose_name = "OEE record"
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="oee_record_of_line_or_machine",
                condition=Q(line__isnull=False, machine__isnull=True) | Q(line__isnull=True, machine__isnull=False),
                violation_error_message="Name either a line or a machine.",
            ),
            models.CheckConstraint(
                name="oee_record_window_not_empty",
                condition=Q(ends_at__gt=F("starts_at")),
                violation_error_message="The window must end after it starts.",
            ),
            models.UniqueConstraint(
                fields=["line", "machine", "starts_at", "ends_at"],
                nulls_distinct=False,
                name="one_oee_record_per_window",
            ),
        ]

    def __str__(self) -> str:
        return f"OEE of {self.line or self.machine}, {self.starts_at:%Y-%m-%d %H:%M} – {self.ends_at:%Y-%m-%d %H:%M}"


_TAKEN = {code.casefold() for code in (*KPIS, *ELEMENTS)}


def is_taken(code: str) -> bool:
    """Say whether the catalogue calls a KPI or an element so, in whatever case."""
    return code.casefold() in _TAKEN


class CustomKpiQuerySet(models.QuerySet["CustomKpi"]):
    """Filters of custom KPIs."""

    def visible_to(self, user: Any) -> "CustomKpiQuerySet":
        """Narrow to what a person may know of: those of all sites, and those of their sites."""
        of_their_sites = in_scope(CustomKpi.objects.all(), user, CustomKpi.site_paths)
        return self.filter(Q(site__isnull=True) | Q(pk__in=of_their_sites.values("pk")))


class CustomKpi(MasterData):
    """A KPI that a plant defines for itself: a formula over the elements of the catalogue (`oee.engine.catalogue`)."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    class Unit(models.TextChoices):
        RATIO = "ratio", _("Ratio (0.85 = 85 %)")
        SECONDS = "seconds", _("Seconds")
        PER_HOUR = "per_hour", _("Per hour")
        PIECES = "pieces", _("Pieces")
        INDEX = "index", _("Index (a number without a unit)")

    class Better(models.TextChoices):
        HIGHER = "higher", _("Higher is better")
        LOWER = "lower", _("Lower is better")

    formula = models.CharField(
        max_length=LONGEST_TEXT,
        help_text="Over the codes of elements: + - * / ( ), min, max, abs, first(a, b) = the first that is known,"
        " if(a < b, x, y). Decimals with a point.",
    )
    unit = models.CharField(max_length=10, choices=Unit, default=Unit.RATIO)
    meaning = models.CharField(max_length=500, blank=True, help_text="What it tells, in a sentence; shown next to it.")
    better = models.CharField(max_length=6, choices=Better, blank=True, help_text="Empty = neither.")
    site = models.ForeignKey(
        Site,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="custom_kpis",
        help_text="Empty = all sites.",
    )
    target = models.DecimalField(
        max_digits=24, decimal_places=12, null=True, blank=True, help_text="In the KPI's unit: 0.85 = 85 %."
    )

    objects = CustomKpiQuerySet.as_manager()

    class Meta(MasterData.Meta):
        triggers = [noted_change()]
        verbose_name = "custom KPI"
        verbose_name_plural = "custom KPIs"

    def clean(self) -> None:
        """Refuse a code that the catalogue has, and a formula that cannot be computed."""
        if is_taken(self.code):
            raise ValidationError({"code": "The catalogue of KPIs and elements has this code; choose another."})
        try:
            Formula.parse(self.formula).check(ELEMENTS)
        except FormulaError as error:
            raise ValidationError({"formula": str(error)}) from None
