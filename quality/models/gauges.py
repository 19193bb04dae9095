"""Gauges, their calibrations, and what devices call their readings."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from core.models import MasterData, append_only
from enterprise.models import Machine, Site
from products.models import UnitOfMeasure
from quality.models.plans import Characteristic


class Gauge(MasterData):
    """An instrument that measures; without a good calibration its results are refused."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="gauges")
    serial_number = models.CharField(max_length=100, blank=True)
    interval_days = models.PositiveIntegerField(
        "calibrate every (days)",
        null=True,
        blank=True,
        help_text="Proposed with the next calibration. Empty = not said.",
    )


class Calibration(models.Model):
    """A gauge was calibrated: a fact. It holds in [calibrated_at, valid_until) unless a later one says otherwise."""

    site_paths: ClassVar[tuple[str, ...]] = ("gauge__site",)

    class Outcome(models.TextChoices):
        GOOD = "good", _("Within tolerance")
        FAILED = "failed", _("Out of tolerance")

    gauge = models.ForeignKey(Gauge, on_delete=models.PROTECT, related_name="calibrations")
    calibrated_at = models.DateTimeField()
    valid_until = models.DateTimeField(help_text="From then on the gauge is refused.")
    result = models.CharField(max_length=6, choices=Outcome, default=Outcome.GOOD)
    deviation = models.CharField(max_length=200, blank=True, help_text="How far it was off, as found.")
    certificate = models.CharField(max_length=200, blank=True)
    comment = models.CharField(max_length=500, blank=True)
    calibrated_by = models.CharField(max_length=200, blank=True, help_text="The laboratory or person.")
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["-calibrated_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["gauge", "calibrated_at"],
                name="calibration_once",
                violation_error_message="There is a calibration of that moment already.",
            ),
            models.CheckConstraint(
                name="calibration_validity_not_empty",
                condition=Q(valid_until__gt=F("calibrated_at")),
                violation_error_message="It is valid until after it was done.",
            ),
        ]
        triggers = [append_only("calibration_append_only")]

    def __str__(self) -> str:
        return f"{self.gauge} {self.calibrated_at:%Y-%m-%d}"


class GaugeTag(models.Model):
    """What a device calls the readings of a characteristic at a machine. Later versions of the plan follow."""

    site_paths: ClassVar[tuple[str, ...]] = ("machine__line__area__site",)

    tag_path = models.CharField(max_length=255, unique=True, help_text="How the device names it: L1/CALIPER/diameter.")
    machine = models.ForeignKey(Machine, on_delete=models.PROTECT, related_name="gauge_tags")
    characteristic = models.ForeignKey(
        Characteristic,
        on_delete=models.PROTECT,
        related_name="gauge_tags",
        help_text="Of any version of the plan; a reading counts for the version that is valid then.",
    )
    gauge = models.ForeignKey(
        Gauge,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="tags",
        help_text="Whose calibration is checked. Empty = none is.",
    )
    unit = models.ForeignKey(
        UnitOfMeasure,
        to_field="code",
        db_column="unit",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="What it sends. Empty = the characteristic's unit.",
    )
    is_active = models.BooleanField("active", default=True)

    history: Any = HistoricalRecords()

    class Meta:
        ordering = ["tag_path"]

    def __str__(self) -> str:
        return self.tag_path
