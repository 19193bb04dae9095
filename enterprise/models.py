"""Where: Enterprise → Site → Area → Line → Machine, and the shift calendar that says when they should work."""

from decimal import Decimal
from typing import ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from core.custom_fields import HasCustomFields
from core.models import MasterData, noted_change


def validate_time_zone(value: str) -> None:
    """Refuse a name that the IANA database does not know."""
    if value not in available_timezones():
        raise ValidationError("'%(value)s' is no IANA time zone; write it like Europe/Warsaw.", params={"value": value})


class Enterprise(MasterData):
    """The organisation that owns the sites (ISA-95: Enterprise)."""

    site_paths: ClassVar[tuple[str, ...]] = ("sites",)


class Site(MasterData):
    """A plant: one place with one time zone and one language (ISA-95: Site)."""

    site_paths: ClassVar[tuple[str, ...]] = ("",)

    enterprise = models.ForeignKey(Enterprise, on_delete=models.PROTECT, related_name="sites")
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
        help_text="IANA name, for example Europe/Warsaw. Shifts and reports follow it; storage is UTC.",
    )
    locale = models.CharField(max_length=10, default="en", help_text="Language of its screens, for example en or pl.")

    currency = models.CharField(
        max_length=3,
        blank=True,
        validators=[RegexValidator(r"^[A-Z]{3}\Z", "Write the currency as three capital letters, such as EUR or PLN.")],
        help_text="ISO 4217, such as EUR. The costs of its machines are in it.",
    )

    class Meta(MasterData.Meta):
        triggers = [noted_change()]

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.time_zone)


class Area(MasterData):
    """A part of a site that people speak of as one: a hall, a department (ISA-95: Area)."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="areas")

    class Meta(MasterData.Meta):
        triggers = [noted_change()]


class Line(MasterData):
    """Machines that make something together, in order (ISA-95: Production Line / Work Center)."""

    site_paths: ClassVar[tuple[str, ...]] = ("area__site",)

    class OeeMode(models.TextChoices):
        CONSTRAINT = "constraint", _("The constraint machine's")
        LAST = "last", _("The last machine's")
        WEIGHTED = "weighted", _("All machines', summed")

    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="lines")
    oee_mode = models.CharField(
        "OEE of the line is",
        max_length=10,
        choices=OeeMode,
        default=OeeMode.CONSTRAINT,
        help_text="Which machines' times and pieces stand for the line.",
    )
    buffer_time = models.PositiveIntegerField(
        "buffer between machines (s)",
        default=300,
        validators=[MaxValueValidator(24 * 3600)],
        help_text="How long what lies between two machines keeps the next one busy. The search for what began a stop"
        " of the line looks that far back.",
    )

    class Meta(MasterData.Meta):
        triggers = [noted_change()]


class MachineClass(MasterData):
    """Machines that can do the same work (ISA-95: Equipment Class)."""

    class Meta(MasterData.Meta):
        verbose_name = "machine class"
        verbose_name_plural = "machine classes"


class Machine(MasterData, HasCustomFields):
    """What reports facts: a state, a count (ISA-95: Work Unit). Every line has at least one."""

    site_paths: ClassVar[tuple[str, ...]] = ("line__area__site",)

    class StopDetection(models.TextChoices):
        STATES = "states", _("From the states that it sends")
        COUNTS = "counts", _("From its counts: it stands when none comes")

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="machines")
    position = models.PositiveSmallIntegerField(
        default=1, help_text="Its place along the line; the highest is the last."
    )
    is_constraint = models.BooleanField(
        "constraint",
        default=False,
        help_text="The machine that sets the pace of the line. A line has at most one.",
    )
    no_signal_timeout = models.PositiveIntegerField(
        "no-signal timeout (s)",
        null=True,
        blank=True,
        validators=[MinValueValidator(10), MaxValueValidator(7 * 24 * 3600)],
        help_text="When the machine sends neither a state nor a count for longer, nothing is known of it from its last"
        " signal on: no data, not idle. Empty = its last state holds, however long it is silent.",
    )
    stop_detection = models.CharField(
        "stops are found",
        max_length=6,
        choices=StopDetection,
        default=StopDetection.STATES,
        help_text="With counts, states only say why it stands.",
    )
    stop_after = models.PositiveIntegerField(
        "stands after (s)",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 3600)],
        help_text="For stops from counts: it has stood since its last piece when none follows for longer.",
    )
    run_after = models.PositiveSmallIntegerField(
        "runs after (pieces)",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="For stops from counts: so many pieces in a row make it run again; fewer are a nudge.",
    )
    micro_stop_below = models.PositiveIntegerField(
        "micro-stops are below (s)",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3600)],
        help_text="An unplanned stop that is shorter is a micro-stop. Empty = there are none. A product may say otherwise.",
    )
    slow_cycle_above = models.PositiveSmallIntegerField(
        "slow cycles are above (%)",
        null=True,
        blank=True,
        validators=[MinValueValidator(101), MaxValueValidator(1000)],
        help_text="In percent of the ideal cycle time: 120 = a fifth slower. Empty = not looked for.",
    )

    machine_class = models.ForeignKey(
        MachineClass,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="machines",
        help_text="Any machine of the class can do an operation that asks for the class.",
    )
    hourly_cost = models.DecimalField(
        "cost of a lost hour",
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="In the site's currency: what an hour costs in which it should run and does not. Empty = not known.",
    )

    class Meta(MasterData.Meta):
        triggers = [noted_change()]
        ordering = ["line", "position", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["line"],
                condition=Q(is_constraint=True),
                name="one_constraint_machine_per_line",
                violation_error_message="The line has another constraint machine; clear its mark first.",
            ),
            models.CheckConstraint(
                name="machine_stops_from_counts_after",
                condition=~Q(stop_detection="counts") | Q(stop_after__isnull=False),
                violation_error_message="Say after how many seconds without a piece it stands ('stands after').",
            ),
        ]


class CalendarLevel(models.Model):
    """Belong to exactly one of site, line or machine; the nearest one to a machine wins."""

    site_paths: ClassVar[tuple[str, ...]] = ("site", "line__area__site", "machine__line__area__site")

    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.CASCADE, related_name="%(class)ss")
    line = models.ForeignKey(Line, null=True, blank=True, on_delete=models.CASCADE, related_name="%(class)ss")
    machine = models.ForeignKey(Machine, null=True, blank=True, on_delete=models.CASCADE, related_name="%(class)ss")

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(class)s_has_one_level",
                condition=Q(site__isnull=False, line__isnull=True, machine__isnull=True)
                | Q(site__isnull=True, line__isnull=False, machine__isnull=True)
                | Q(site__isnull=True, line__isnull=True, machine__isnull=False),
                violation_error_message="Choose exactly one of site, line and machine.",
            )
        ]

    @property
    def level(self) -> models.Model:
        """The site, line or machine that it belongs to."""
        return next(place for place in (self.machine, self.line, self.site) if place is not None)


class Weekday(models.IntegerChoices):
    """ISO weekdays."""

    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6
    SUNDAY = 7


def every_weekday() -> list[int]:
    """Return all seven ISO weekdays."""
    return list(Weekday.values)


class Shift(CalendarLevel):
    """Planned working time that repeats by weekday, or is added on certain days (extra shift, overtime).

    Times are wall-clock times of the site; an end at or before the start is on the next day, and the shift belongs to
    the day it starts on. Regular shifts of the nearest level replace those of farther levels; extra shifts and
    overtime add to them.
    """

    class Kind(models.TextChoices):
        REGULAR = "regular", _("Regular")
        EXTRA = "extra", _("Extra shift")
        OVERTIME = "overtime", _("Overtime")

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.REGULAR)
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(choices=Weekday),
        default=every_weekday,
        help_text="ISO weekdays on which it starts: 1 = Monday … 7 = Sunday.",
    )
    start_time = models.TimeField(help_text="Wall-clock time of the site.")
    end_time = models.TimeField(help_text="At or before the start = on the next day.")
    valid_from = models.DateField(null=True, blank=True, help_text="First day; empty = always was.")
    valid_until = models.DateField(null=True, blank=True, help_text="The first day on which it no longer holds.")

    history = HistoricalRecords()

    class Meta:
        triggers = [noted_change()]
        ordering = ["site", "line", "machine", "start_time", "name"]
        constraints = [
            *CalendarLevel.Meta.constraints,
            models.CheckConstraint(
                name="shift_weekdays_are_iso",
                condition=Q(weekdays__contained_by=[1, 2, 3, 4, 5, 6, 7], weekdays__len__gt=0),
                violation_error_message="Weekdays are numbers from 1 (Monday) to 7 (Sunday), at least one.",
            ),
            models.CheckConstraint(
                name="shift_validity_not_empty",
                condition=Q(valid_from__isnull=True) | Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                violation_error_message="The shift must be valid on at least one day: 'valid until' is the day after the last.",
            ),
            models.CheckConstraint(
                name="shift_extra_names_its_days",
                condition=Q(kind="regular") | Q(valid_from__isnull=False, valid_until__isnull=False),
                violation_error_message="An extra shift or overtime names its days: fill in 'valid from' and 'valid until'.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.start_time:%H:%M}–{self.end_time:%H:%M}"


class ShiftBreak(models.Model):
    """A pause inside a shift: planned time in which nothing is expected of the machine."""

    site_paths: ClassVar[tuple[str, ...]] = (
        "shift__site",
        "shift__line__area__site",
        "shift__machine__line__area__site",
    )

    shift = models.ForeignKey(Shift, on_delete=models.CASCADE, related_name="breaks")
    name = models.CharField(max_length=100, default="Break")
    start_time = models.TimeField(help_text="Wall-clock; before the shift's start = on the next day.")
    end_time = models.TimeField()

    history = HistoricalRecords()

    class Meta:
        triggers = [noted_change()]
        ordering = ["shift", "start_time"]
        constraints = [
            models.CheckConstraint(
                name="shift_break_not_empty",
                condition=~Q(start_time=F("end_time")),
                violation_error_message="A break ends after it starts.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.start_time:%H:%M}–{self.end_time:%H:%M}"


class CalendarException(CalendarLevel):
    """A day on which the regular shifts do not hold (holiday), or hold although a farther level has a holiday."""

    class Kind(models.TextChoices):
        HOLIDAY = "holiday", _("Holiday: no regular shifts")
        WORKING_DAY = "working_day", _("Working day: regular shifts as usual")

    date = models.DateField()
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.HOLIDAY)
    name = models.CharField(max_length=100)

    history = HistoricalRecords()

    class Meta:
        triggers = [noted_change()]
        ordering = ["date"]
        constraints = [
            *CalendarLevel.Meta.constraints,
            models.UniqueConstraint(
                fields=["date", "site", "line", "machine"],
                nulls_distinct=False,
                name="one_calendar_exception_per_level_and_day",
                violation_error_message="There is an exception for that day already; change that one.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.date}"
