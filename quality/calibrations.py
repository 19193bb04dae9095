"""Write calibrations, and which results they put in doubt."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from core.errors import Conflict, Invalid
from core.locks import take_turns
from quality.models import Calibration, Gauge


@transaction.atomic
def record_calibration(
    *,
    gauge: Gauge,
    calibrated_at: datetime,
    valid_until: datetime,
    result: str,
    actor: User,
    recorded_at: datetime,
    deviation: str = "",
    certificate: str = "",
    calibrated_by: str = "",
    comment: str = "",
) -> tuple[Calibration, bool]:
    """Record that a gauge was calibrated; say also whether it is new, or was recorded before.

    Raises Conflict where that moment has another calibration. What was measured since the last good one stays; where
    this one found the gauge out of tolerance, `gauging.results_in_doubt` lists it.
    """
    if result not in Calibration.Outcome.values:
        raise Invalid(f"One of {', '.join(Calibration.Outcome.values)}.", field="result")
    if valid_until <= calibrated_at:
        raise Invalid("It is valid until after it was done.", field="valid_until")
    if calibrated_at > recorded_at:
        raise Invalid("It lies in the future.", field="calibrated_at")
    take_turns("calibration", gauge.pk)
    known = Calibration.objects.filter(gauge=gauge, calibrated_at=calibrated_at).first()
    if known is not None:
        if (known.valid_until, known.result) != (valid_until, result):
            raise Conflict("That moment has another calibration.", field="calibrated_at")
        return known, False
    calibration = Calibration(
        gauge=gauge,
        calibrated_at=calibrated_at,
        valid_until=valid_until,
        result=result,
        deviation=deviation,
        certificate=certificate,
        calibrated_by=calibrated_by,
        comment=comment,
        recorded_by=actor,
        recorded_at=recorded_at,
    )
    calibration.full_clean()
    calibration.save()
    return calibration, True
