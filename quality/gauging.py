"""Say whether a gauge may be used, and which results are in doubt once it was found out of tolerance."""

from datetime import datetime

from django.db.models import QuerySet

from core.errors import Conflict
from quality.models import Calibration, Gauge, Result


def calibration_at(gauge: Gauge, at: datetime) -> Calibration | None:
    """Return the calibration that a gauge had at a moment, good or not. Of many gauges, prefetch their calibrations."""
    by_then = [one for one in gauge.calibrations.all() if one.calibrated_at <= at]
    return max(by_then, key=lambda one: (one.calibrated_at, one.pk), default=None)


def why_unusable(gauge: Gauge, at: datetime) -> str:
    """Return why a gauge may not be used at a moment, naming it and the date; empty = it may."""
    last = calibration_at(gauge, at)
    if not gauge.is_active:
        return f"Gauge {gauge} ({gauge.code}) is switched off."
    if last is None:
        return f"Gauge {gauge} ({gauge.code}) was not calibrated by {at:%Y-%m-%d}."
    if last.result == Calibration.Outcome.FAILED:
        return f"Gauge {gauge} ({gauge.code}) was found out of tolerance on {last.calibrated_at:%Y-%m-%d}."
    if at >= last.valid_until:
        return f"The calibration of gauge {gauge} ({gauge.code}) expired on {last.valid_until:%Y-%m-%d}."
    return ""


def refuse_unusable(gauge: Gauge, *, at: datetime) -> None:
    """Raise Conflict, naming the gauge and the date, when it may not be used at a moment."""
    why = why_unusable(gauge, at)
    if why:
        raise Conflict(f"{why} Take another one, and have it calibrated.", field="gauge")


def results_in_doubt(calibration: Calibration) -> QuerySet[Result]:
    """Return the results that a gauge gave since its last good calibration before one that found it out of
    tolerance.
    """
    results = Result.objects.filter(gauge=calibration.gauge_id, occurred_at__lt=calibration.calibrated_at)
    if calibration.result != Calibration.Outcome.FAILED:
        return results.none()
    good = (
        Calibration.objects.filter(
            gauge=calibration.gauge_id, calibrated_at__lt=calibration.calibrated_at, result=Calibration.Outcome.GOOD
        )
        .order_by("-calibrated_at")
        .first()
    )
    return results if good is None else results.filter(occurred_at__gte=good.calibrated_at)
