"""The catalogue's elements, as the summed slices of machines tell them."""

from fractions import Fraction

from oee.engine.catalogue import ELEMENTS
from oee.engine.elements import MICROSECONDS_PER_SECOND, MachineSums
from oee.engine.reasons import ReasonSums


def element_values(sums: MachineSums, reasons: ReasonSums | None = None) -> dict[str, Fraction | None]:
    """Return every element by its code: times in seconds, exact; None = not known.

    Ideal times are unknown when a piece has no ideal rate, and when a machine without one ran and made nothing: no rate
    says that it should have made something. What only reasons tell is unknown without their sums; a machine that waits
    is down (ADOT) rather than delayed (ADET).
    """
    times, pieces = sums.times, sums.quantities
    ran_without_rate = bool(not pieces.produced and sums.planned_time_without_rate and times.actual_production_time)
    rates_known = not sums.quantity_without_rate and not ran_without_rate
    production = _seconds(times.actual_production_time)
    setup = _seconds(times.actual_unit_setup_time)
    minor_stops = _seconds(times.minor_stop_time)
    waiting = reasons.actual_unit_down_time if reasons else 0
    delay = _seconds(times.actual_unit_delay_time - waiting)
    values: dict[str, Fraction | None] = {
        **dict.fromkeys(ELEMENTS),
        "CT": _seconds(times.calendar_time),
        "UST": _seconds(times.unscheduled_time),
        "BRT": _seconds(times.break_time),
        "PSDT": _seconds(times.planned_stop_time),
        "PDOT": _seconds(times.planned_downtime),
        "POT": _seconds(times.planned_operation_time),
        "NDT": _seconds(times.no_data_time + times.no_data_loss_time),
        "NDLT": _seconds(times.no_data_loss_time),
        "PBT": _seconds(times.planned_busy_time),
        "APT": production,
        "AUST": setup,
        "AUPT": production + setup,
        "ADET": delay,
        "MST": minor_stops,
        "UDT": _seconds(times.undetermined_time),
        "AOET": _seconds(sums.order_time),
        "OVT": _seconds(sums.overtime),
        "AUBT": production + setup + delay + minor_stops,
        "IPT": sums.ideal_time if rates_known else None,
        "IGT": sums.ideal_time_of_good if rates_known else None,
        "ISUT": sums.ideal_time_of_startup_scrap if rates_known else None,
        "PQ": pieces.produced,
        "GQ": pieces.good,
        "SQ": pieces.scrap,
        "RQ": pieces.rework,
        "SUQ": pieces.startup_scrap,
        "IQ": pieces.infeed,
        "GP": pieces.good,
        "IP": pieces.produced,
        "IPQ": None if sums.planned_time_without_rate else sums.ideal_quantity_of_planned_time,
    }
    if reasons is not None:
        values |= {
            "ADOT": _seconds(reasons.actual_unit_down_time),
            "UET": _seconds(reasons.unexplained_stop_time),
            "CMT": _seconds(reasons.corrective_maintenance_time),
            "PMT": _seconds(reasons.preventive_maintenance_time),
            "TTR_SUM": _seconds(reasons.failure_time),
            "FE": Fraction(reasons.failures),
        }
    return values


def _seconds(microseconds: int) -> Fraction:
    return Fraction(microseconds, MICROSECONDS_PER_SECOND)
