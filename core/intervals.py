"""Half-open spans of time in UTC: the one module that does interval arithmetic."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

HOUR = timedelta(hours=1)
_MICROSECOND = timedelta(microseconds=1)


class NotAnInterval(ValueError):
    """The bounds make no interval: naive, or the end is not after the start."""


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """The time from `start` up to, not including, `end`; both aware, `start` before `end`."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise NotAnInterval("An interval needs times with a zone.")
        if not self.start < self.end:
            raise NotAnInterval(f"An interval must end after it starts: {self.start} – {self.end}.")

    @classmethod
    def utc(cls, start: datetime, end: datetime) -> "Interval":
        """Return the interval with its bounds converted to UTC; times of other zones lie unevenly at clock changes."""
        return cls(start.astimezone(UTC), end.astimezone(UTC))

    @property
    def microseconds(self) -> int:
        """Its length, exact."""
        return microseconds(self.end - self.start)

    def contains(self, other: "Interval") -> bool:
        """Say whether all of another interval lies in this one."""
        return self.start <= other.start and other.end <= self.end

    def covers(self, at: datetime) -> bool:
        """Say whether a moment lies in it."""
        return self.start <= at < self.end


def microseconds(duration: timedelta) -> int:
    """Return a duration in whole microseconds, exact."""
    return duration // _MICROSECOND


def intersect(one: Interval, other: Interval) -> Interval | None:
    """Return the time in both; None when there is none."""
    start, end = max(one.start, other.start), min(one.end, other.end)
    return Interval(start, end) if start < end else None


def clip(intervals: Iterable[Interval], window: Interval) -> Iterator[Interval]:
    """Yield the parts of intervals that lie in a window."""
    for interval in intervals:
        part = intersect(interval, window)
        if part is not None:
            yield part


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the time in any of them as disjoint intervals in order; those that touch are joined."""
    joined: list[Interval] = []
    for interval in sorted(intervals):
        if joined and interval.start <= joined[-1].end:
            if interval.end > joined[-1].end:
                joined[-1] = Interval(joined[-1].start, interval.end)
        else:
            joined.append(interval)
    return joined


def subtract(interval: Interval, others: Iterable[Interval]) -> list[Interval]:
    """Return what is left of an interval without the others, in order."""
    left = []
    start = interval.start
    for other in union(clip(others, interval)):
        if start < other.start:
            left.append(Interval(start, other.start))
        start = other.end
    if start < interval.end:
        left.append(Interval(start, interval.end))
    return left


def floor_hour(at: datetime) -> datetime:
    """Return the start of the UTC clock hour that a moment lies in."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def ceil_hour(at: datetime) -> datetime:
    """Return the first full UTC hour at or after a moment."""
    floor = floor_hour(at)
    return floor if floor == at else floor + HOUR


def hours_of(window: Interval) -> Iterator[Interval]:
    """Yield the whole UTC clock hours that a window touches, in order."""
    at = floor_hour(window.start)
    while at < window.end:
        yield Interval(at, at + HOUR)
        at += HOUR
