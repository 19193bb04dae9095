"""What this floor asks of higher ones, which tell it by themselves when they start: pieces and stops."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from core.intervals import Interval

Pieces = Callable[[int, Interval], Sequence[tuple[datetime, Fraction]]]
"""(machine id, window) → when it counted how many pieces, good or not, in order."""
Stops = Callable[[int, Interval, datetime], Sequence[Interval]]
"""(machine id, window, now) → its stops that have ended in the window, in order."""


@dataclass(slots=True)
class _Told:
    pieces: Pieces | None = None
    stops: Stops | None = None


_told = _Told()


def tell(*, pieces: Pieces, stops: Stops) -> None:
    """Say how pieces and stops are known; whoever knows calls it once, when the system starts."""
    _told.pieces, _told.stops = pieces, stops


def pieces_counted(machine_id: int, start: datetime, now: datetime) -> Sequence[tuple[datetime, Fraction]]:
    """Return what a machine counted since a moment; nothing where nobody can tell."""
    return _told.pieces(machine_id, Interval(start, now)) if _told.pieces and start < now else ()


def stops_ended(machine_id: int, start: datetime, now: datetime) -> Sequence[Interval]:
    """Return the stops of a machine that ended since a moment; none where nobody can tell."""
    return _told.stops(machine_id, Interval(start, now), now) if _told.stops and start < now else ()
