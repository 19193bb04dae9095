"""The KPIs of ISO 22400-2 that follow from summed elements, as exact fractions. None = not known."""

from dataclasses import dataclass
from fractions import Fraction

from oee.engine.elements import MICROSECONDS_PER_SECOND, MachineSums


@dataclass(frozen=True, slots=True)
class Kpis:
    """Ratios of sums. None where the sums do not tell: nothing planned, nothing made, no ideal rate."""

    availability: Fraction | None
    """(APT + minor stops) / PBT; minor stops are 0 where the policy calls them an availability loss."""
    effectiveness: Fraction | None
    """Σ ideal time of the produced pieces / (APT + minor stops); "performance" on screens.

    Over 1 stays over 1: see the flag.
    """
    quality_ratio: Fraction | None
    """GQ / PQ; for pieces of different ideal cycle times, each weighs its ideal time."""
    oee_index: Fraction | None
    """Availability × effectiveness × quality ratio = ideal time of good pieces / PBT."""
    utilisation: Fraction | None
    """PBT / calendar time."""
    teep: Fraction | None
    """OEE × utilisation."""
    setup_rate: Fraction | None
    """AUST / (AUST + APT)."""
    technical_efficiency: Fraction | None
    """APT / (APT + ADET), minor stops included in ADET whatever the policy."""
    scrap_ratio: Fraction | None
    """SQ / PQ."""
    rework_ratio: Fraction | None
    """RQ / PQ."""
    throughput_rate: Fraction | None
    """Pieces produced per hour of planned busy time."""
    coverage: Fraction | None
    """The part of the planned time that facts explain."""
    ideal_rate_suspect: bool
    """Effectiveness is over 1: an ideal rate is set too slow, or pieces are counted twice."""

    @classmethod
    def of(cls, sums: MachineSums) -> "Kpis":
        """Return the KPIs of sums.

        Quality of a mix: the pieces of a fast machine must not outweigh those of a slow one, so each piece weighs its
        ideal time (Σ good × ideal / Σ produced × ideal). With one ideal cycle time that is GQ/PQ to the last digit,
        and only so is the OEE of summed machines their mean weighted by planned busy time (the published 68.72 % of
        three machines). Without ideal rates, it is GQ/PQ.

        A machine that was planned but did not run has availability 0, which is known; its effectiveness is not, but
        its OEE is: nothing good came out of planned time.
        """
        times, pieces = sums.times, sums.quantities
        busy = times.planned_busy_time
        availability = _ratio(times.time_for_production, busy)
        rates_known = not sums.quantity_without_rate
        production_seconds = Fraction(times.time_for_production, MICROSECONDS_PER_SECOND)
        effectiveness = _ratio(sums.ideal_time, production_seconds) if rates_known else None
        quality = (
            _ratio(sums.ideal_time_of_good, sums.ideal_time)
            if rates_known and sums.ideal_time
            else _ratio(pieces.good, pieces.produced)
        )
        busy_seconds = Fraction(busy, MICROSECONDS_PER_SECOND)
        oee = _ratio(sums.ideal_time_of_good, busy_seconds) if rates_known else None
        if not pieces.produced and sums.planned_time_without_rate and times.actual_production_time:
            # It ran and made nothing, and no ideal rate says that it should have made something.
            effectiveness = oee = None
        utilisation = _ratio(busy, times.calendar_time)
        return cls(
            availability=availability,
            effectiveness=effectiveness,
            quality_ratio=quality,
            oee_index=oee,
            utilisation=utilisation,
            teep=None if oee is None or utilisation is None else oee * utilisation,
            setup_rate=_ratio(
                times.actual_unit_setup_time, times.actual_unit_setup_time + times.actual_production_time
            ),
            technical_efficiency=_ratio(
                times.actual_production_time, times.time_for_production + times.actual_unit_delay_time
            ),
            scrap_ratio=_ratio(pieces.scrap, pieces.produced),
            rework_ratio=_ratio(pieces.rework, pieces.produced),
            throughput_rate=_ratio(pieces.produced * 3600, busy_seconds),
            coverage=times.coverage,
            ideal_rate_suspect=effectiveness is not None and effectiveness > 1,
        )


def _ratio(part: Fraction | int, whole: Fraction | int) -> Fraction | None:
    return Fraction(part) / Fraction(whole) if whole else None
