"""The diary of a simulated plant: whether it lives, what its people did hour by hour, what its devices delivered,
its faults.
"""

from datetime import datetime, timedelta
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from enterprise.models import Line, Machine, Site

SILENT_AFTER = timedelta(seconds=90)
"""A simulation that said nothing for so long does not run any more, whatever it said last."""


class Simulation(models.Model):
    """A simulated plant: what it was made from, and how far its life has come. Written by the simulator alone."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    class Via(models.TextChoices):
        HTTP = "http", "HTTP"
        MQTT = "mqtt", "MQTT"

    site = models.OneToOneField(Site, on_delete=models.CASCADE, related_name="simulation")
    seed = models.BigIntegerField(help_text=_("The same seed makes the same life."))
    begins_at = models.DateTimeField(_("begins"), help_text=_("Its first hour."))
    done_until = models.DateTimeField(
        _("done until"), help_text=_("All that its people did before is written; a start goes on from here.")
    )
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    stopped_at = models.DateTimeField(_("stopped"), null=True, blank=True)
    seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    simulated_at = models.DateTimeField(_("simulated time"), null=True, blank=True)
    speed = models.DecimalField(max_digits=9, decimal_places=2, default=1, help_text=_("1 = as fast as time goes by."))
    via = models.CharField(max_length=4, choices=Via, default=Via.HTTP, help_text=_("How its machines send."))

    class Meta:
        ordering = ["site"]

    def __str__(self) -> str:
        return f"Simulation of {self.site}"

    def runs(self, *, now: datetime) -> bool:
        """Say whether it lives: it was started, not stopped, and is heard of."""
        if self.started_at is None or self.seen_at is None or now - self.seen_at > SILENT_AFTER:
            return False
        return self.stopped_at is None or self.stopped_at < self.started_at


class SimulatedHour(models.Model):
    """What the people of a simulated plant did in an hour.

    Counted from their deeds: an hour that is repeated counts the same.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("simulation__site",)
    COUNTED: ClassVar[tuple[str, ...]] = (
        *("created", "started", "operations", "completed", "closed"),
        *("movements", "inspections", "labor", "records", "refused"),
    )

    simulation = models.ForeignKey(Simulation, on_delete=models.CASCADE, related_name="hours")
    hour_at = models.DateTimeField(_("hour"))
    is_done = models.BooleanField(_("done"), default=False, help_text=_("The hour is over and all of it is written."))
    created = models.PositiveIntegerField(_("orders created"), default=0)
    started = models.PositiveIntegerField(_("orders started"), default=0)
    operations = models.PositiveIntegerField(_("operations finished"), default=0)
    completed = models.PositiveIntegerField(_("orders completed"), default=0)
    closed = models.PositiveIntegerField(_("orders closed"), default=0)
    movements = models.PositiveIntegerField(_("movements of material"), default=0)
    inspections = models.PositiveIntegerField(_("inspections"), default=0)
    labor = models.PositiveIntegerField(_("entries of hours"), default=0)
    records = models.PositiveIntegerField(_("signatures of batch records"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0, help_text=_("Deeds that a service refused."))

    class Meta:
        verbose_name = "simulated hour"
        ordering = ["-hour_at", "simulation"]
        constraints = [models.UniqueConstraint(fields=["simulation", "hour_at"], name="simulated_hour_once")]

    def __str__(self) -> str:
        return f"{self.simulation}, {self.hour_at:%Y-%m-%d %H:%M} UTC"


class SimulatedLine(models.Model):
    """What the devices of a line delivered since the simulation was started, as the server said of it."""

    site_paths: ClassVar[tuple[str, ...]] = ("simulation__site",)

    simulation = models.ForeignKey(Simulation, on_delete=models.CASCADE, related_name="lines")
    line = models.OneToOneField(Line, on_delete=models.CASCADE, related_name="simulated")
    delivered_at = models.DateTimeField(_("last delivery"), null=True, blank=True)
    accepted = models.PositiveBigIntegerField(_("accepted"), default=0)
    duplicates = models.PositiveBigIntegerField(_("duplicates"), default=0)
    refused = models.PositiveBigIntegerField(_("refused"), default=0)
    waiting = models.PositiveBigIntegerField(_("waiting"), default=0, help_text=_("Items that are not delivered yet."))

    class Meta:
        verbose_name = "simulated line"
        ordering = ["line"]

    def __str__(self) -> str:
        return str(self.line)


class SimulatedFault(models.Model):
    """A fault of a machine that a script asked for, kept so that a restarted simulation has the same past."""

    site_paths: ClassVar[tuple[str, ...]] = ("simulation__site",)

    simulation = models.ForeignKey(Simulation, on_delete=models.CASCADE, related_name="faults")
    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, related_name="simulated_faults")
    at = models.DateTimeField(_("at"))
    minutes = models.PositiveIntegerField(_("minutes"), validators=[MinValueValidator(1), MaxValueValidator(10_000)])
    reason = models.CharField(_("reason"), max_length=64)
    detail = models.CharField(_("detail"), max_length=200, blank=True)

    class Meta:
        verbose_name = "scripted fault"
        ordering = ["at", "machine"]
        constraints = [models.UniqueConstraint(fields=["machine", "at"], name="scripted_fault_once")]

    def __str__(self) -> str:
        return f"{self.machine}, {self.at:%Y-%m-%d %H:%M} UTC"
