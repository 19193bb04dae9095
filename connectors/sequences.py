"""Notice what is missing among numbered messages, in whatever order they come. No database, no clock."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

# A device that starts anew begins here; it does not say what it lost.
FIRST_NUMBERS = frozenset({0, 1})


@dataclass(frozen=True, slots=True)
class Hole:
    """Numbers that did not come, and the moments of the messages on both sides of them."""

    first: int
    last: int
    since: datetime
    until: datetime
    noticed_at: datetime

    @property
    def size(self) -> int:
        """How many messages are missing."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Position:
    """How far numbered messages came, and the holes below that may still fill."""

    highest: int
    at: datetime
    holes: tuple[Hole, ...] = ()


def advance(position: Position | None, number: int, *, at: datetime, now: datetime) -> Position:
    """Return the position after a message with a number, whose facts happened at `at`, came `now`."""
    if position is None:
        return Position(number, at)
    if number > position.highest:
        holes = position.holes
        if number > position.highest + 1:
            holes += (Hole(position.highest + 1, number - 1, position.at, at, now),)
        return Position(number, at, holes)
    for n, hole in enumerate(position.holes):
        if hole.first <= number <= hole.last:
            return replace(position, holes=position.holes[:n] + _split(hole, number, at) + position.holes[n + 1 :])
    if number in FIRST_NUMBERS and at > position.at:
        return Position(number, at, position.holes)
    return position


def _split(hole: Hole, number: int, at: datetime) -> tuple[Hole, ...]:
    before = Hole(hole.first, number - 1, hole.since, at, hole.noticed_at)
    after = Hole(number + 1, hole.last, at, hole.until, hole.noticed_at)
    return tuple(part for part in (before, after) if part.size)


def give_up(position: Position, *, now: datetime, patience: timedelta) -> tuple[Position, list[Hole]]:
    """Return the position without the holes that were open for longer than `patience`, and these holes."""
    lost = [hole for hole in position.holes if now - hole.noticed_at > patience]
    return replace(position, holes=tuple(hole for hole in position.holes if hole not in lost)), lost


def written(position: Position) -> dict[str, Any]:
    """Return a position as JSON holds it."""
    return {
        "highest": position.highest,
        "at": position.at.isoformat(),
        "holes": [
            [hole.first, hole.last, *(at.isoformat() for at in (hole.since, hole.until, hole.noticed_at))]
            for hole in position.holes
        ],
    }


def read(document: dict[str, Any]) -> Position:
    """Return the position that was written."""
    holes = tuple(
        Hole(first, last, *(datetime.fromisoformat(at) for at in moments))
        for first, last, *moments in document["holes"]
    )
    return Position(document["highest"], datetime.fromisoformat(document["at"]), holes)
