"""What cost the most: stops by reason, machine, shift or product, in time, number, pieces and money."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from core.intervals import HOUR, Interval, microseconds
from enterprise.models import Machine
from oee.reason_times import ReasonTime, lost_pieces_of, reason_times
from oee.stops import STOPPED, unexplaining_reasons

_CENT = Decimal("0.01")


class By(StrEnum):
    """What rows are gathered by."""

    REASON = "reason"
    MACHINE = "machine"
    SHIFT = "shift"
    PRODUCT = "product"


@dataclass(frozen=True, slots=True)
class ParetoRow:
    """The stops of one reason, machine, shift or product (`key`, None = without one).

    `lost_pieces` and `cost` are of the time for which an ideal rate, or an hourly cost, is known; None where none is;
    `without_rate` and `without_cost` are the rest of the time.
    """

    key: int | None
    duration: timedelta
    occurrences: int
    lost_pieces: Fraction | None
    without_rate: timedelta
    cost: Decimal | None
    without_cost: timedelta


@dataclass(frozen=True, slots=True)
class Pareto:
    """Rows, the longest first, and how much of all the stopped time nobody explained."""

    rows: tuple[ParetoRow, ...]
    stopped: timedelta
    unexplained: timedelta

    @property
    def unexplained_share(self) -> Fraction | None:
        """The part of the stopped time without a reason; None when nothing stood."""
        return Fraction(microseconds(self.unexplained), microseconds(self.stopped)) if self.stopped else None


def pareto(machines: Sequence[Machine], window: Interval, *, by: By, now: datetime) -> Pareto:
    """Return the stops of machines in planned time over the past of a window; their line, area and site are read.

    Stops are unplanned ones, micro-stops included, planned ones, and changeovers; each machine's time counts, so name
    those that stand for the line.
    """
    return gather(reason_times(machines, window, now=now, by_product=by is By.PRODUCT), machines, by=by)


def gather(times: Iterable[ReasonTime], machines: Sequence[Machine], *, by: By) -> Pareto:
    """Return the same of times in reasons that were read before: of these machines,
    with products where it is by those.
    """
    unexplaining = unexplaining_reasons()
    costs = {machine.pk: machine.hourly_cost for machine in machines}
    groups: dict[int | None, list[ReasonTime]] = defaultdict(list)
    stopped = unexplained = 0
    for row in times:
        if row.category not in STOPPED:
            continue
        key = {
            By.REASON: row.reason_id,
            By.MACHINE: row.machine_id,
            By.SHIFT: row.shift_id,
            By.PRODUCT: row.product_id,
        }[by]
        groups[key].append(row)
        stopped += row.microseconds
        if row.reason_id is None or row.reason_id in unexplaining:
            unexplained += row.microseconds
    rows = [_row(key, of_key, costs) for key, of_key in groups.items()]
    rows.sort(key=lambda row: (-row.duration, row.key or 0))
    return Pareto(tuple(rows), timedelta(microseconds=stopped), timedelta(microseconds=unexplained))


def _row(key: int | None, parts: Sequence[ReasonTime], costs: dict[int, Decimal | None]) -> ParetoRow:
    pieces, cost = Fraction(0), Fraction(0)
    with_rate = with_cost = total = 0
    for part in parts:
        total += part.microseconds
        lost = lost_pieces_of(part)
        if lost is not None:
            pieces += lost
            with_rate += part.microseconds
        hourly = costs[part.machine_id]
        if hourly is not None:
            cost += Fraction(hourly) * part.microseconds / microseconds(HOUR)
            with_cost += part.microseconds
    return ParetoRow(
        key=key,
        duration=timedelta(microseconds=total),
        occurrences=sum(part.occurrences for part in parts),
        lost_pieces=pieces if with_rate else None,
        without_rate=timedelta(microseconds=total - with_rate),
        cost=(Decimal(cost.numerator) / cost.denominator).quantize(_CENT) if with_cost else None,
        without_cost=timedelta(microseconds=total - with_cost),
    )
