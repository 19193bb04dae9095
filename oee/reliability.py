"""MTBF, MTTR and MTTF of machines: how long they run between failures, and how long these last."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from core.intervals import Interval
from downtime.selectors import all_reasons
from enterprise.models import Machine
from oee.engine import MachineSums
from oee.reason_times import ReasonTime, reason_times
from oee.selectors import reports_of
from oee.stops import SHORT

DEFINITION = (
    "A failure is a stretch in a reason that is marked as a failure and began in planned time within the window;"
    " neighbouring stretches with different such reasons are several failures, and a micro-stop is none."
    " MTTF = production time / failures."
    " MTTR = planned time in failure within the window / failures."
    " MTBF = MTTF + MTTR."
    " Without failures none of them is known. Planned time is time in shifts, breaks left out; production time is the"
    " actual production time of the OEE report. Of several machines, times and failures are added up first."
)


@dataclass(frozen=True, slots=True)
class Reliability:
    """Times in µs, and the means that follow from them, in seconds; None without failures."""

    production_time: int = 0
    failure_time: int = 0
    failures: int = 0

    @property
    def mttf(self) -> Fraction | None:
        """Mean time to failure, s."""
        return Fraction(self.production_time, self.failures * 1_000_000) if self.failures else None

    @property
    def mttr(self) -> Fraction | None:
        """Mean time to repair, s."""
        return Fraction(self.failure_time, self.failures * 1_000_000) if self.failures else None

    @property
    def mtbf(self) -> Fraction | None:
        """Mean time between failures, s."""
        return None if self.mttf is None or self.mttr is None else self.mttf + self.mttr

    def __add__(self, other: "Reliability") -> "Reliability":
        return Reliability(
            self.production_time + other.production_time,
            self.failure_time + other.failure_time,
            self.failures + other.failures,
        )


def reliability_of(machines: Sequence[Machine], window: Interval, *, now: datetime) -> dict[int, Reliability]:
    """Return each machine's reliability over the past of a window; line, area and site are read."""
    sums = {machine_id: report.sums for machine_id, report in reports_of(machines, window, now=now).items()}
    return reliability_from(sums, reason_times(machines, window, now=now))


def reliability_from(sums: Mapping[int, MachineSums], times: Iterable[ReasonTime]) -> dict[int, Reliability]:
    """Return the same from sums by machine and times in reasons of theirs that were read before."""
    failing = frozenset(pk for pk, reason in all_reasons().items() if reason.is_failure)
    found = {
        machine_id: Reliability(production_time=of_machine.times.actual_production_time)
        for machine_id, of_machine in sums.items()
    }
    for row in times:
        if row.reason_id in failing and row.category not in SHORT:
            found[row.machine_id] += Reliability(failure_time=row.microseconds, failures=row.occurrences)
    return found
