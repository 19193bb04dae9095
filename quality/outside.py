"""What this floor asks of higher ones, which tell it by themselves when they start: pieces, stops, reports of production."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from core.intervals import Interval

Pieces = Callable[[int, Interval], Sequence[tuple[datetime, Fraction]]]
"""(machine id, window) → when it counted how many pieces, good or not, in order."""
Stops = Callable[[int, Interval, datetime], Sequence[Interval]]
"""(machine id, window, now) → its stops that have ended in the window, in order."""
Disposed = Callable[..., None]
"""Called with `disposition`, `actor` and `recorded_at` in the transaction of a disposition: post it to what was reported."""


@dataclass(slots=True)
class _Told:
    pieces: Pieces | None = None
    stops: Stops | None = None


_told = _Told()
_on_disposition: list[Disposed] = []


def tell(*, pieces: Pieces, stops: Stops) -> None:
    """Say how pieces and stops are known; whoever knows calls it once, when the system starts."""
    _told.pieces, _told.stops = pieces, stops


def on_disposition(post: Disposed) -> None:
    """Say what else follows from a disposition: a production report is corrected, an order to rework is made."""
    if post not in _on_disposition:
        _on_disposition.append(post)


def pieces_counted(machine_id: int, start: datetime, now: datetime) -> Sequence[tuple[datetime, Fraction]]:
    """Return what a machine counted since a moment; nothing where nobody can tell."""
    return _told.pieces(machine_id, Interval(start, now)) if _told.pieces and start < now else ()


def stops_ended(machine_id: int, start: datetime, now: datetime) -> Sequence[Interval]:
    """Return the stops of a machine that ended since a moment; none where nobody can tell."""
    return _told.stops(machine_id, Interval(start, now), now) if _told.stops and start < now else ()


def disposed(disposition: Any, **said: Any) -> None:
    """Let everybody who said so follow a disposition."""
    for post in _on_disposition:
        post(disposition=disposition, **said)
