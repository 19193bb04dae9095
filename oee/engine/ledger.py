"""The time-loss ledger: all of a window's time in exactly one class, from the calendar down to good pieces.

Time in which a machine ran is split by what it made at the ideal rate: pieces × ideal cycle time is the time that they
would have taken, and the rest was lost to speed. So the classes are exact, and close to the calendar time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from oee.engine.elements import MICROSECONDS_PER_SECOND, MachineSums
from oee.engine.reasons import ReasonSums


class Factor(StrEnum):
    """Which factor of OEE a class of time lowers; those before availability lie outside planned busy time."""

    UNSCHEDULED = "unscheduled"
    PLANNED = "planned"
    UNKNOWN = "unknown"
    AVAILABILITY = "availability"
    PERFORMANCE = "performance"
    QUALITY = "quality"
    PRODUCTIVE = "productive"


class BigLoss(StrEnum):
    """The Six Big Losses (Nakajima, Introduction to TPM, 1988)."""

    BREAKDOWNS = "breakdowns"
    SETUP = "setup_and_adjustment"
    MINOR_STOPS = "idling_and_minor_stops"
    REDUCED_SPEED = "reduced_speed"
    STARTUP_REJECTS = "startup_rejects"
    PRODUCTION_REJECTS = "production_rejects"


@dataclass(frozen=True, slots=True)
class LossClass:
    """A class of the ledger: every second of calendar time is in exactly one."""

    code: str
    name: str
    factor: Factor
    meaning: str
    big_loss: BigLoss | None = None


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """What a class came to, in seconds, exact; `oee_cost` = what OEE would gain without it, in parts of 1.

    Reduced speed is below 0 where an ideal rate is set too slow: more was made than the rate says can be.
    """

    of: LossClass
    seconds: Fraction
    oee_cost: Fraction | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """A window's time, class by class; the lines add up to `calendar_seconds`."""

    lines: tuple[LedgerLine, ...]
    calendar_seconds: Fraction
    busy_seconds: Fraction

    def of(self, code: str) -> LedgerLine:
        """Return the line of a class."""
        return next(line for line in self.lines if line.of.code == code)

    def big_losses(self) -> dict[BigLoss, Fraction]:
        """Return the Six Big Losses in seconds."""
        return {
            loss: sum((line.seconds for line in self.lines if line.of.big_loss is loss), start=Fraction(0))
            for loss in BigLoss
        }


def _time(name: str) -> Callable[[MachineSums], Fraction]:
    return lambda sums: Fraction(getattr(sums.times, name), MICROSECONDS_PER_SECOND)


def _rated_production(sums: MachineSums) -> Fraction:
    return Fraction(sums.times.actual_production_time - sums.production_time_without_rate, MICROSECONDS_PER_SECOND)


def _other_rejects(sums: MachineSums) -> Fraction:
    told_apart = sums.ideal_time_of_good + sums.ideal_time_of_scrap + sums.ideal_time_of_startup_scrap
    return sums.ideal_time - told_apart - sums.ideal_time_of_rework


_A, _P, _Q = Factor.AVAILABILITY, Factor.PERFORMANCE, Factor.QUALITY
_CLASSES: tuple[tuple[LossClass, Callable[[MachineSums], Fraction]], ...] = (
    (
        LossClass(
            "unscheduled", "Not scheduled", Factor.UNSCHEDULED, "Outside the shifts, or reported as not scheduled."
        ),
        _time("unscheduled_time"),
    ),
    (LossClass("breaks", "Breaks", Factor.PLANNED, "Standing in a break."), _time("break_time")),
    (
        LossClass("planned_stops", "Planned stops", Factor.PLANNED, "Stops in shifts that were planned."),
        _time("planned_stop_time"),
    ),
    (
        LossClass("no_data", "No data", Factor.UNKNOWN, "Planned time of which nothing is known."),
        _time("no_data_time"),
    ),
    (
        LossClass(
            "no_data_loss", "No data, counted as a stop", _A, "The same, where the plant counts it.", BigLoss.BREAKDOWNS
        ),
        _time("no_data_loss_time"),
    ),
    (
        LossClass("changeovers", "Changeovers", _A, "Changeovers that count as a loss.", BigLoss.SETUP),
        _time("actual_unit_setup_time"),
    ),
    (
        LossClass("stops", "Unplanned stops", _A, "Stops that nobody planned, waiting aside.", BigLoss.BREAKDOWNS),
        _time("actual_unit_delay_time"),
    ),
    (
        LossClass(
            "waiting",
            "Waiting",
            _A,
            "The machine was well, but starved, blocked or without order.",
            BigLoss.MINOR_STOPS,
        ),
        lambda sums: Fraction(0),
    ),
    (
        LossClass("undetermined", "Stop just begun", _A, "It may yet turn out a micro-stop.", BigLoss.BREAKDOWNS),
        _time("undetermined_time"),
    ),
    (
        LossClass("micro_stops", "Micro-stops", _P, "Unplanned stops below the limit.", BigLoss.MINOR_STOPS),
        _time("minor_stop_time"),
    ),
    (
        LossClass(
            "reduced_speed",
            "Reduced speed",
            _P,
            "Running time beyond what the pieces take at their ideal rate.",
            BigLoss.REDUCED_SPEED,
        ),
        lambda sums: _rated_production(sums) - sums.ideal_time,
    ),
    (
        LossClass("unrated", "Running without ideal rate", _P, "Nobody said how fast it should run."),
        lambda sums: Fraction(sums.production_time_without_rate, MICROSECONDS_PER_SECOND),
    ),
    (
        LossClass(
            "startup_rejects", "Start-up rejects", _Q, "Ideal time of rejects of the start-up.", BigLoss.STARTUP_REJECTS
        ),
        lambda sums: sums.ideal_time_of_startup_scrap,
    ),
    (
        LossClass("rejects", "Rejects", _Q, "Ideal time of rejects.", BigLoss.PRODUCTION_REJECTS),
        lambda sums: sums.ideal_time_of_scrap,
    ),
    (
        LossClass("rework", "Rework", _Q, "Ideal time of pieces to be done again.", BigLoss.PRODUCTION_REJECTS),
        lambda sums: sums.ideal_time_of_rework,
    ),
    (
        LossClass(
            "not_told_apart",
            "Neither good nor rejected",
            _Q,
            "Ideal time of pieces that the total counter saw and no other.",
            BigLoss.PRODUCTION_REJECTS,
        ),
        _other_rejects,
    ),
    (
        LossClass("productive", "Good pieces at the ideal rate", Factor.PRODUCTIVE, "What OEE is the share of."),
        lambda sums: sums.ideal_time_of_good,
    ),
)
LOSS_CLASSES = {of.code: of for of, _ in _CLASSES}


def ledger(sums: MachineSums, reasons: ReasonSums | None = None) -> Ledger:
    """Return the time-loss ledger of a machine's sums, or of several machines' added up.

    Without what reasons add up to, waiting is among the unplanned stops.

    What a loss costs follows from its own time alone: with it gone, that time of planned busy time would have made good
    pieces at the ideal rate. So OEE and the costs of all losses make 1. Nothing has a cost while no time was busy.
    """
    busy = Fraction(sums.times.planned_busy_time, MICROSECONDS_PER_SECOND)
    waiting = Fraction(reasons.actual_unit_down_time if reasons else 0, MICROSECONDS_PER_SECOND)
    lines = []
    for of, seconds_of in _CLASSES:
        seconds = seconds_of(sums) + {"stops": -waiting, "waiting": waiting}.get(of.code, 0)
        is_loss = of.factor in (_A, _P, _Q)
        lines.append(LedgerLine(of, seconds, seconds / busy if is_loss and busy else None))
    return Ledger(tuple(lines), Fraction(sums.times.calendar_time, MICROSECONDS_PER_SECOND), busy)
