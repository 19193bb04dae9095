"""When people should work: crews on shifts, what is agreed with somebody from a day on,
and breaks taken off by rule.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from simple_history.models import HistoricalRecords

from enterprise.models import Line, Shift


class CrewAssignment(models.Model):
    """A crew works a shift from a day to a day, in every n-th week;
    a rotation is one of these for each of its shifts.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("crew__site",)

    crew = models.ForeignKey("labor.Crew", on_delete=models.CASCADE, related_name="assignments")
    shift = models.ForeignKey(Shift, on_delete=models.PROTECT, related_name="crew_assignments")
    line = models.ForeignKey(
        Line,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="crew_assignments",
        help_text="Where the crew works. Empty = anywhere at the site.",
    )
    first_date = models.DateField("first day", help_text="Its week is the first in which the crew has this shift.")
    last_date = models.DateField("last day", null=True, blank=True, help_text="Empty = until further notice.")
    every_weeks = models.PositiveSmallIntegerField(
        "every … weeks",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(52)],
        help_text="1 = every week. A crew that takes turns on three shifts has three assignments of every 3 weeks, the"
        " first days of which are a week apart.",
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["crew", "first_date", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["crew", "shift", "line", "first_date"],
                nulls_distinct=False,
                name="crew_assignment_once",
                violation_error_message="The crew has that shift from that day on already.",
            ),
            models.CheckConstraint(
                name="crew_assignment_not_empty",
                condition=Q(last_date__isnull=True) | Q(last_date__gte=F("first_date")),
                violation_error_message="The last day must not be before the first.",
            ),
            models.CheckConstraint(
                name="crew_assignment_weeks_positive",
                condition=Q(every_weeks__gte=1),
                violation_error_message="Every week is 1.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.crew}: {self.shift} from {self.first_date}"

    def spans(self, day: date) -> bool:
        """Say whether a day lies between its first and last, whosever week it is."""
        return self.first_date <= day and (self.last_date is None or day <= self.last_date)

    def holds_on(self, day: date) -> bool:
        """Say whether the crew has the shift that starts on a day."""
        weeks = (_monday(day) - _monday(self.first_date)).days // 7
        return self.spans(day) and weeks % self.every_weeks == 0


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


class DayRange(Func):
    """The days from `valid_from` up to, not including, `valid_until`."""

    function = "DATERANGE"
    output_field = DateRangeField()


class EmploymentTerms(models.Model):
    """What is agreed with somebody from a day on: hours beyond which work is overtime, and what an hour costs.

    Where hours are agreed, overtime is measured against them, otherwise against the shifts of the crew.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("employee__site",)

    employee = models.ForeignKey("labor.Employee", on_delete=models.CASCADE, related_name="terms")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True, help_text="The first day on which they no longer hold.")
    hours_per_day = models.DecimalField(
        max_digits=5,
        decimal_places=3,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(24))],
        help_text="Work beyond it is overtime. Empty = no limit by day.",
    )
    hours_per_week = models.DecimalField(
        max_digits=6,
        decimal_places=3,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(168))],
        help_text="From Monday on; what is overtime of a day does not count again. Empty = no limit by week.",
    )
    hourly_rate = models.DecimalField(
        max_digits=12,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="What an hour costs, in the site's currency. Empty = as on the person's page.",
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "employment terms"
        ordering = ["employee", "-valid_from"]
        constraints = [
            models.CheckConstraint(
                name="employment_terms_not_empty",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                violation_error_message="They must hold on at least one day.",
            ),
            ExclusionConstraint(
                name="one_employment_terms_a_day",
                expressions=[
                    ("employee", RangeOperators.EQUAL),
                    (DayRange("valid_from", "valid_until", Value("[)")), RangeOperators.OVERLAPS),
                ],
                violation_error_message="Others hold on some of those days; end those first.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee} from {self.valid_from}"

    @property
    def limits_hours(self) -> bool:
        """Say whether hours are agreed."""
        return self.hours_per_day is not None or self.hours_per_week is not None

    def hold_on(self, day: date) -> bool:
        """Say whether they hold on a day."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


class BreakRule(models.Model):
    """A break that is taken off a day's work when people did not book as much. Without any rule none is."""

    site_paths: ClassVar[tuple[str, ...]] = ("policy__site",)

    policy = models.ForeignKey("labor.LaborPolicy", on_delete=models.CASCADE, related_name="break_rules")
    after_hours = models.DecimalField(
        "after (h of work)",
        max_digits=4,
        decimal_places=2,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(24))],
        help_text="Longer work needs the break: 6 and 30 minutes, 9 and 45 minutes in Germany.",
    )
    minutes = models.PositiveSmallIntegerField(
        "break (min)", validators=[MinValueValidator(1), MaxValueValidator(240)], help_text="In all, over the day."
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["policy", "after_hours"]
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "after_hours"],
                name="break_rule_once",
                violation_error_message="There is a rule for that many hours already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.minutes} min after {self.after_hours} h"
