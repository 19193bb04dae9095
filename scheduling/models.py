"""What a site decides about its schedule. The schedule itself is `workorders.Schedule`."""

from typing import ClassVar

from django.core.validators import MaxValueValidator
from django.db import models
from simple_history.models import HistoricalRecords

from core.models import noted_change
from enterprise.models import Site


class SchedulingPolicy(models.Model):
    """What counts as on time at a site; a site without one allows 15 minutes."""

    DEFAULT_TOLERANCE: ClassVar[int] = 15
    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    site = models.OneToOneField(Site, on_delete=models.CASCADE, related_name="scheduling_policy")
    start_tolerance = models.PositiveSmallIntegerField(
        "start may be late by (min)",
        default=DEFAULT_TOLERANCE,
        validators=[MaxValueValidator(1440)],
        help_text="What starts later than planned by more than this is late.",
    )
    end_tolerance = models.PositiveSmallIntegerField(
        "end may be late by (min)",
        default=DEFAULT_TOLERANCE,
        validators=[MaxValueValidator(1440)],
        help_text="What ends later than planned by more than this is late.",
    )

    history = HistoricalRecords()

    class Meta:
        triggers = [noted_change()]
        verbose_name_plural = "scheduling policies"
        ordering = ["site"]

    def __str__(self) -> str:
        return f"Scheduling policy of {self.site}"
