"""Cycle times: how long pieces took, of the time in which the machine ran, and which of them were slow."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal
from fractions import Fraction

from core.intervals import Interval, microseconds
from oee.engine.elements import MICROSECONDS_PER_SECOND, CountingScheme
from oee.engine.facts import Category, CountRole, Increment, MachineHistory
from oee.engine.states import Stretch, timeline

_PARTS = (CountRole.GOOD, CountRole.REJECT, CountRole.REWORK)
_ROOT = Context(prec=34)


@dataclass(frozen=True, slots=True)
class Cycle:
    """Pieces that were counted at `end`, and what the machine ran for them since those before, in seconds.

    `ideal_seconds` is what they take at the ideal rate; None where none held.
    """

    start: datetime
    end: datetime
    pieces: Fraction
    running_seconds: Fraction
    product_id: int | None
    ideal_seconds: Fraction | None

    @property
    def seconds_per_piece(self) -> Fraction:
        """Its cycle time."""
        return self.running_seconds / self.pieces

    def is_slow(self, limit: Fraction) -> bool:
        """Say whether it took longer than so many times the ideal cycle time."""
        return self.ideal_seconds is not None and self.running_seconds > limit * self.ideal_seconds


@dataclass(frozen=True, slots=True)
class SlowStretch:
    """Slow cycles in a row of one product: what was made in the time, and what the ideal rate would have made more."""

    start: datetime
    end: datetime
    product_id: int | None
    pieces: Fraction
    running_seconds: Fraction
    ideal_seconds: Fraction

    @property
    def share_of_ideal(self) -> Fraction:
        """Its speed, of the ideal one."""
        return self.ideal_seconds / self.running_seconds

    @property
    def lost_pieces(self) -> Fraction:
        """What the time would have made at the ideal rate, less what it made."""
        return self.pieces * (self.running_seconds / self.ideal_seconds - 1)


def begun(
    increments: Iterable[Increment], scheme: CountingScheme, window: Interval
) -> list[tuple[datetime, Increment]]:
    """Return a window's produced pieces, each with the moment of those before it;
    pieces without any before are left out.

    A counter's own reading before says since when its pieces were made; otherwise the machine's pieces before do.
    """
    roles = (CountRole.TOTAL,) if scheme.counts_total else _PARTS
    made = sorted((i for i in increments if i.role in roles and i.quantity > 0), key=lambda i: i.at)
    joined: list[Increment] = []
    for one in made:
        if joined and joined[-1].at == one.at:
            last = joined.pop()
            one = Increment(one.at, one.role, last.quantity + one.quantity, last.since or one.since)
        joined.append(one)
    found = []
    for before, one in zip([None, *joined], joined, strict=False):
        start = before.at if before is not None else one.since
        if start is not None and window.covers(one.at):
            found.append((start, one))
    return found


def cycles(
    history: MachineHistory, begun_at: Sequence[tuple[datetime, Increment]], window: Interval
) -> tuple[Cycle, ...]:
    """Return the cycles of `begun`; the history must reach over the window, which begins with the first of them."""
    stretches = timeline(history, window)
    starts = [stretch.start for stretch in stretches]
    return tuple(
        Cycle(
            start=start,
            end=one.at,
            pieces=one.quantity,
            running_seconds=running,
            product_id=product_id,
            ideal_seconds=None if rate is None else rate * one.quantity,
        )
        for start, one in begun_at
        if (running := _running(stretches, starts, start, one.at))
        for product_id, rate in [_product_and_rate(history, one.at)]
    )


def slow_stretches(of: Sequence[Cycle], limit_of: "Limit") -> tuple[SlowStretch, ...]:
    """Return the slow cycles, joined where they follow each other; `limit_of` a product, None = not looked for."""
    found: list[SlowStretch] = []
    for cycle in of:
        limit = limit_of(cycle.product_id)
        if limit is None or cycle.ideal_seconds is None or not cycle.is_slow(limit):
            continue
        one = SlowStretch(
            *(cycle.start, cycle.end, cycle.product_id),
            *(cycle.pieces, cycle.running_seconds, cycle.ideal_seconds),
        )
        if found and found[-1].end == one.start and found[-1].product_id == one.product_id:
            last = found.pop()
            one = SlowStretch(
                *(last.start, one.end, one.product_id),
                last.pieces + one.pieces,
                last.running_seconds + one.running_seconds,
                last.ideal_seconds + one.ideal_seconds,
            )
        found.append(one)
    return tuple(found)


def mean_and_deviation(of: Sequence[Cycle]) -> tuple[Fraction | None, Fraction | None]:
    """Return the mean and the standard deviation of the cycle times in seconds, each piece one cycle.

    The mean is exact; the deviation, of the whole population, is a root, and so rounded to 34 digits.
    """
    pieces = sum((cycle.pieces for cycle in of), start=Fraction(0))
    if not pieces:
        return None, None
    mean = sum((cycle.running_seconds for cycle in of), start=Fraction(0)) / pieces
    variance = sum((cycle.pieces * (cycle.seconds_per_piece - mean) ** 2 for cycle in of), start=Fraction(0)) / pieces
    rounded = _ROOT.divide(Decimal(variance.numerator), Decimal(variance.denominator))
    return mean, Fraction(rounded.sqrt(_ROOT))


class Limit:
    """From how many times the ideal cycle time on a cycle is slow: a product's own limit, else the machine's."""

    def __init__(self, of_machine: Fraction | None, of_products: dict[int, Fraction]) -> None:
        self._of_machine = of_machine
        self._of_products = of_products

    def __call__(self, product_id: int | None) -> Fraction | None:
        return self._of_machine if product_id is None else self._of_products.get(product_id, self._of_machine)


def _running(stretches: Sequence[Stretch], starts: Sequence[datetime], start: datetime, end: datetime) -> Fraction:
    """Return the seconds between two moments in which the machine ran."""
    spent = 0
    for stretch in stretches[max(bisect_right(starts, start) - 1, 0) :]:
        if stretch.start >= end:
            break
        if stretch.category is Category.RUNNING and stretch.end > start:
            spent += microseconds(min(stretch.end, end) - max(stretch.start, start))
    return Fraction(spent, MICROSECONDS_PER_SECOND)


def _product_and_rate(history: MachineHistory, at: datetime) -> tuple[int | None, Fraction | None]:
    run = next((run for run in history.runs if run.start <= at and (run.end is None or at < run.end)), None)
    if run is None or run.product_id is None:
        return None, None
    for rate in history.rates:
        if rate.product_id == run.product_id and rate.start <= at and (rate.end is None or at < rate.end):
            return run.product_id, rate.ideal_cycle_time
    return run.product_id, None
