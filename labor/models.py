"""People of a plant: employees, skills and certificates, crews and absences, attendance and labour entries."""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from core.models import MasterData, noted_change
from enterprise.models import Line, Machine, Site
from labor.plan_models import BreakRule, CrewAssignment, EmploymentTerms
from labor.terminal_models import IdentificationTally, TerminalCommand
from workorders.models import WorkOrder

__all__ = [
    "Absence",
    "Attendance",
    "BreakRule",
    "Certificate",
    "Crew",
    "CrewAssignment",
    "Employee",
    "EmploymentTerms",
    "IdentificationTally",
    "LaborEntry",
    "LaborPolicy",
    "Skill",
    "SkillNeed",
    "TerminalCommand",
]


class Crew(MasterData):
    """People who work the same shifts together."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="crews")


class Skill(MasterData):
    """Something that one has to be able to do, and may need a certificate for."""


class Employee(MasterData):
    """A person who works at a site; the code is the personnel number.

    Somebody may work here without ever logging in.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="employees")
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="employee",
        help_text="The log-in of the same person, if there is one.",
    )
    crew = models.ForeignKey(Crew, null=True, blank=True, on_delete=models.PROTECT, related_name="members")
    badge = models.CharField(
        max_length=100,
        null=True,
        blank=True,
        unique=True,
        help_text="What the badge's barcode, QR code or chip says; empty = none.",
    )
    pin = models.CharField(
        "PIN", max_length=128, blank=True, editable=False, help_text="Stored hashed; empty = cannot clock in by PIN."
    )
    hourly_rate = models.DecimalField(
        max_digits=12,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="What an hour costs, in the site's currency.",
    )


class Certificate(models.Model):
    """Somebody has a skill, from a day on, until a day."""

    site_paths: ClassVar[tuple[str, ...]] = ("employee__site",)

    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="certificates")
    skill = models.ForeignKey(Skill, on_delete=models.PROTECT, related_name="certificates")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True, help_text="The last day; empty = does not expire.")
    reference = models.CharField(max_length=200, blank=True, help_text="Where the paper is.")

    history = HistoricalRecords()

    class Meta:
        ordering = ["employee", "skill", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["employee", "skill", "valid_from"],
                name="certificate_once",
                violation_error_message="There is a certificate of that skill from that day on already.",
            ),
            models.CheckConstraint(
                name="certificate_validity_not_empty",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
                violation_error_message="It must be valid on at least one day.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee}: {self.skill}"


class SkillNeed(models.Model):
    """Who works on a machine, or on any machine of a line, needs a skill."""

    site_paths: ClassVar[tuple[str, ...]] = ("line__area__site", "machine__line__area__site")

    skill = models.ForeignKey(Skill, on_delete=models.PROTECT, related_name="needs")
    line = models.ForeignKey(Line, null=True, blank=True, on_delete=models.CASCADE, related_name="skill_needs")
    machine = models.ForeignKey(Machine, null=True, blank=True, on_delete=models.CASCADE, related_name="skill_needs")

    history = HistoricalRecords()

    class Meta:
        ordering = ["skill", "line", "machine"]
        constraints = [
            models.CheckConstraint(
                name="skill_need_of_line_or_machine",
                condition=Q(line__isnull=False, machine__isnull=True) | Q(line__isnull=True, machine__isnull=False),
                violation_error_message="Name either a line or a machine.",
            ),
            models.UniqueConstraint(
                fields=["skill", "line", "machine"],
                nulls_distinct=False,
                name="skill_need_once",
                violation_error_message="That skill is needed there already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line or self.machine} needs {self.skill}"


class Absence(models.Model):
    """Days on which somebody is not there."""

    site_paths: ClassVar[tuple[str, ...]] = ("employee__site",)

    class Kind(models.TextChoices):
        HOLIDAY = "holiday", _("Holiday")
        SICK = "sick", _("Sick")
        TRAINING = "training", _("Training")
        OTHER = "other", _("Other")

    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="absences")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.HOLIDAY)
    first_date = models.DateField("first day")
    last_date = models.DateField("last day")

    history = HistoricalRecords()

    class Meta:
        ordering = ["first_date", "employee"]
        constraints = [
            models.CheckConstraint(
                name="absence_not_empty",
                condition=Q(last_date__gte=F("first_date")),
                violation_error_message="The last day must not be before the first.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.employee} {self.first_date} – {self.last_date}"


class LaborPolicy(models.Model):
    """What a site decides about the hours of its people."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    site = models.OneToOneField(Site, on_delete=models.CASCADE, related_name="labor_policy")
    shows_persons = models.BooleanField(
        "efficiency by person",
        default=False,
        help_text="Off = efficiency is shown for crews, lines and orders only, of three people at least; everybody sees"
        " their own.",
    )
    terminal_timeout = models.PositiveSmallIntegerField(
        "terminal forgets after (s)",
        default=60,
        validators=[MinValueValidator(10), MaxValueValidator(3600)],
        help_text="So long after the last touch a shared terminal forgets who stood there.",
    )
    terminal_forgets = models.BooleanField(
        "terminal forgets after each entry",
        default=True,
        help_text="Off = somebody may make several entries before they leave.",
    )
    overtime_supplement = models.DecimalField(
        "overtime supplement (%)",
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="What an hour of overtime costs more: 25 = a quarter. Empty = nothing more.",
    )
    overtime_counts_from = models.PositiveSmallIntegerField(
        "overtime counts from (min a day)",
        default=0,
        validators=[MaxValueValidator(240)],
        help_text="On a day with less, none is counted. 0 = every moment counts.",
    )
    overtime_rounds_to = models.PositiveSmallIntegerField(
        "overtime rounded down to (min)",
        default=0,
        validators=[MaxValueValidator(60)],
        help_text="Of each day, to whole so many minutes. 0 = not rounded.",
    )
    longest_entry = models.PositiveSmallIntegerField(
        "entries are odd from (h)",
        default=12,
        validators=[MinValueValidator(1), MaxValueValidator(48)],
        help_text="Longer entries and attendances are marked when hours are approved.",
    )
    expiry_warning = models.PositiveSmallIntegerField(
        "warn of certificates (days)",
        default=30,
        validators=[MaxValueValidator(365)],
        help_text="So many days before it expires a certificate is shown as expiring.",
    )

    history = HistoricalRecords()

    class Meta:
        triggers = [noted_change()]
        verbose_name_plural = "labor policies"

    def __str__(self) -> str:
        return f"Labour policy of {self.site}"


class SpanRange(Func):
    """The half-open range [started_at, ended_at) as PostgreSQL sees it."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class Attendance(models.Model):
    """Somebody was there: from clocking in to clocking out. Nobody is there twice at once."""

    site_paths: ClassVar[tuple[str, ...]] = ("employee__site",)

    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="attendances")
    started_at = models.DateTimeField("clocked in at")
    ended_at = models.DateTimeField("clocked out at", null=True, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="attendance_not_empty",
                condition=Q(ended_at__isnull=True) | Q(ended_at__gt=F("started_at")),
                violation_error_message="One clocks out after clocking in.",
            ),
            ExclusionConstraint(
                name="one_attendance_at_a_time",
                expressions=[
                    ("employee", RangeOperators.EQUAL),
                    (SpanRange("started_at", "ended_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                violation_error_message="There is another attendance at that time.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee} from {self.started_at:%Y-%m-%d %H:%M}"


class LaborEntry(models.Model):
    """Somebody worked on something for a while. Entries may overlap: then the time is shared (`labor.apportion`)."""

    site_paths: ClassVar[tuple[str, ...]] = ("employee__site",)

    class Kind(models.TextChoices):
        DIRECT = "direct", _("Direct work")
        SETUP = "setup", _("Set-up")
        INDIRECT = "indirect", _("Indirect work")
        MAINTENANCE = "maintenance", _("Maintenance")
        TRAINING = "training", _("Training")
        MEETING = "meeting", _("Meeting")
        BREAK = "break", _("Break")

    ON_ORDERS: ClassVar[tuple[str, ...]] = (Kind.DIRECT, Kind.SETUP)

    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="labor_entries")
    kind = models.CharField(max_length=11, choices=Kind, default=Kind.DIRECT)
    work_order = models.ForeignKey(
        WorkOrder, null=True, blank=True, on_delete=models.PROTECT, related_name="labor_entries"
    )
    operation = models.CharField(max_length=64, blank=True, help_text="The operation's code in the order's routing.")
    line = models.ForeignKey(Line, null=True, blank=True, on_delete=models.PROTECT, related_name="labor_entries")
    machine = models.ForeignKey(Machine, null=True, blank=True, on_delete=models.PROTECT, related_name="labor_entries")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    quantity_produced = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    quantity_rejected = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    standard_seconds = models.DecimalField(
        "standard time (s)",
        max_digits=18,
        decimal_places=6,
        null=True,
        blank=True,
        help_text="What the work takes by the standard; efficiency is measured against it.",
    )
    note = models.CharField(max_length=500, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "labor entries"
        ordering = ["-started_at", "-id"]
        indexes = [
            models.Index(fields=["employee", "started_at"], name="labor_entry_of_employee"),
            models.Index(fields=["work_order", "started_at"], name="labor_entry_of_order"),
        ]
        constraints = [
            models.CheckConstraint(
                name="labor_entry_not_empty",
                condition=Q(ended_at__isnull=True) | Q(ended_at__gt=F("started_at")),
                violation_error_message="Work ends after it starts.",
            ),
            models.CheckConstraint(
                name="labor_entry_on_an_order_names_it",
                condition=~Q(kind__in=["direct", "setup"]) | Q(work_order__isnull=False),
                violation_error_message="Direct work and set-up name their order.",
            ),
            models.CheckConstraint(
                name="labor_entry_quantities_not_negative",
                condition=Q(quantity_produced__gte=0, quantity_rejected__gte=0),
                violation_error_message="Quantities are not negative.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee}: {self.get_kind_display()} {self.started_at:%Y-%m-%d %H:%M}"
