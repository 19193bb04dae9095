"""Which machine's own fault stood behind a stop of the line: follow who waited for whom, or take the first fault.

Buffers between machines make causes come before their effects, so a machine may have stood and run again before the
next one feels it: `buffer_time` says how long after its end a stop is still felt. Devices' clocks differ a little:
`CLOCK_SKEW` says how much later than its effect a cause may be dated.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

CLOCK_SKEW = timedelta(seconds=10)


class Waits(StrEnum):
    """What a machine waits for that is itself well."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"
    ORDER = "order"


class Found(StrEnum):
    """How a root cause was found."""

    OWN = "own"
    """The machine's own reason says it."""
    FOLLOWED = "followed"
    """By following starved and blocked to a machine that waited for nobody."""
    FIRST_FAULT = "first_fault"
    """Nobody knows why the machine stood; another one had just stopped."""
    LOST = "lost"
    """The machine waited for others, but none of them stood; or two waited for each other."""
    UNKNOWN = "unknown"
    """Nobody knows why the machine stood, and no other had just stopped."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A time in which a machine stood for one reason (None: nobody gave any)."""

    machine_id: int
    start: datetime
    end: datetime
    reason_id: int | None


@dataclass(frozen=True, slots=True)
class RootCause:
    """What began a stop: the last link of the chain, which begins with the stop itself."""

    found: Found
    chain: tuple[Standing, ...]

    @property
    def root(self) -> Standing:
        """The standing of the machine that began it."""
        return self.chain[-1]


class RootCauses:
    """A line's machines in their order, what each stood for, and what the reasons mean.

    `waits_for` names the reasons that wait; `unexplaining` those that do not tell a cause. Standings of one machine do
    not overlap.
    """

    def __init__(
        self,
        machine_ids: Sequence[int],
        standings: Iterable[Standing],
        *,
        waits_for: Mapping[int, Waits],
        unexplaining: frozenset[int],
        buffer_time: timedelta,
    ) -> None:
        self._order = list(machine_ids)
        self._waits_for = waits_for
        self._unexplaining = unexplaining
        self._buffer_time = buffer_time
        self._stood: dict[int, list[list[Standing]]] = {machine_id: [] for machine_id in machine_ids}
        for standing in sorted(standings, key=lambda standing: (standing.start, standing.end)):
            blocks = self._stood[standing.machine_id]
            if blocks and blocks[-1][-1].end == standing.start:
                blocks[-1].append(standing)
            else:
                blocks.append([standing])
        self._starts = {machine_id: [block[0].start for block in blocks] for machine_id, blocks in self._stood.items()}

    def of(self, stop: Standing) -> RootCause:
        """Return the root cause of a stop of one of the machines."""
        if stop.reason_id is None or stop.reason_id in self._unexplaining:
            first = self._first_fault(stop)
            if first is None:
                return RootCause(Found.UNKNOWN, (stop,))
            return RootCause(Found.FIRST_FAULT, (stop, first))
        chain = [stop]
        while (direction := self._direction(chain[-1])) is not None:
            cause = self._next_that_stood(chain[-1], direction)
            if cause is None or cause.machine_id in {link.machine_id for link in chain}:
                return RootCause(Found.LOST, tuple(chain))
            chain.append(cause)
        return RootCause(Found.OWN if len(chain) == 1 else Found.FOLLOWED, tuple(chain))

    def _direction(self, standing: Standing) -> int | None:
        waits = self._waits(standing)
        return {Waits.UPSTREAM: -1, Waits.DOWNSTREAM: 1}.get(waits) if waits is not None else None

    def _waits(self, standing: Standing) -> Waits | None:
        return None if standing.reason_id is None else self._waits_for.get(standing.reason_id)

    def _next_that_stood(self, effect: Standing, direction: int) -> Standing | None:
        """Return the standing of the nearest machine in a direction that stood shortly before the effect or still
        did.
        """
        position = self._order.index(effect.machine_id) + direction
        while 0 <= position < len(self._order):
            cause = self._standing_before(self._order[position], effect.start)
            if cause is not None:
                return cause
            position += direction
        return None

    def _standing_before(self, machine_id: int, at: datetime) -> Standing | None:
        """Return why a machine stood that stood at a moment, or up to the buffer time before it."""
        position = bisect_right(self._starts[machine_id], at + CLOCK_SKEW) - 1
        if position < 0:
            return None
        block = self._stood[machine_id][position]
        if block[-1].end <= at - self._buffer_time:
            return None
        # What it stood for by then; of that, the first thing that was no waiting began it.
        by_then = [standing for standing in block if standing.start <= at + CLOCK_SKEW]
        return next((standing for standing in by_then if self._waits(standing) is None), by_then[0])

    def _first_fault(self, stop: Standing) -> Standing | None:
        """Return the earliest stop of another machine that waits for nobody, began shortly before,
        and lasted into it.
        """
        found = []
        for machine_id in self._order:
            if machine_id == stop.machine_id:
                continue
            position = bisect_right(self._starts[machine_id], stop.start) - 1
            if position < 0:
                continue
            for standing in self._stood[machine_id][position]:
                began_shortly_before = stop.start - self._buffer_time <= standing.start <= stop.start
                if began_shortly_before and standing.end > stop.start and self._waits(standing) is None:
                    found.append(standing)
        return min(found, key=lambda standing: standing.start, default=None)
