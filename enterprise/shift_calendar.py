"""Turn the rules of a shift calendar into the shifts that really take place. Pure: no database, no clock.

Times of rules are wall-clock times of the site. A shift belongs to the day it starts on, and is as long as the clock
makes it: 22–06 in Warsaw lasts 7 hours in the night when summer time begins and 9 when it ends.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum, StrEnum
from zoneinfo import ZoneInfo

from core.intervals import Interval, clip, union

DAY = timedelta(days=1)


class Level(IntEnum):
    """Where a rule is set; the higher one is nearer to the machine and wins."""

    SITE = 0
    LINE = 1
    MACHINE = 2


class ShiftKind(StrEnum):
    """Regular shifts repeat and give way to holidays; the others are added to them."""

    REGULAR = "regular"
    EXTRA = "extra"
    OVERTIME = "overtime"


class DayKind(StrEnum):
    """What an exceptional day is."""

    HOLIDAY = "holiday"
    WORKING_DAY = "working_day"


@dataclass(frozen=True, slots=True)
class BreakRule:
    """A pause, in wall-clock time; one that starts before its shift does is on the next day."""

    start_time: time
    end_time: time


@dataclass(frozen=True, slots=True)
class ShiftRule:
    """A shift that repeats on weekdays (ISO 1–7) of [valid_from, valid_until).

    An end at or before the start is on the next day.
    """

    id: int
    level: Level
    kind: ShiftKind
    name: str
    weekdays: frozenset[int]
    start_time: time
    end_time: time
    valid_from: date | None = None
    valid_until: date | None = None
    breaks: tuple[BreakRule, ...] = ()

    def is_valid_on(self, day: date) -> bool:
        """Say whether the rule holds on a day, whatever its weekday."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day < self.valid_until
        )

    def takes_place_on(self, day: date) -> bool:
        """Say whether a shift by this rule starts on a day, exceptions aside."""
        return self.is_valid_on(day) and day.isoweekday() in self.weekdays


@dataclass(frozen=True, slots=True)
class DayRule:
    """An exceptional day at one level."""

    level: Level
    date: date
    kind: DayKind


@dataclass(frozen=True, slots=True)
class ShiftOccurrence:
    """A shift that takes place: UTC, half-open, with its breaks inside it."""

    shift_id: int
    shift_date: date
    name: str
    kind: ShiftKind
    start: datetime
    end: datetime
    breaks: tuple[Interval, ...] = ()

    @property
    def interval(self) -> Interval:
        """Its time."""
        return Interval(self.start, self.end)


def shift_occurrences(
    rules: Sequence[ShiftRule], days: Iterable[DayRule], zone: ZoneInfo, window: Interval
) -> list[ShiftOccurrence]:
    """Return the shifts that touch a window, whole, in order and without overlap.

    Where two overlap, the earlier-starting one keeps the time (then: regular before extra before overtime, then the
    lower id), and the other is what is left of it behind. Without any rule there is none.
    """
    exceptions = {(rule.level, rule.date): rule.kind for rule in days}
    # A shift of the day before may reach in; its own overlap is decided by the day before that.
    day = window.start.astimezone(zone).date() - 2 * DAY
    last = window.end.astimezone(zone).date() + DAY
    found: list[ShiftOccurrence] = []
    while day <= last:
        found.extend(_occurrence(rule, day, zone) for rule in _rules_on(rules, exceptions, day))
        day += DAY
    order = list(ShiftKind)
    found.sort(key=lambda shift: (shift.start, order.index(shift.kind), shift.shift_id))
    return [shift for shift in _without_overlap(found) if shift.end > window.start and shift.start < window.end]


def _rules_on(
    rules: Sequence[ShiftRule], exceptions: dict[tuple[Level, date], DayKind], day: date
) -> Iterator[ShiftRule]:
    """Yield the rules by which a shift starts on a day, once nearer levels have had their say."""
    levels = sorted(Level, reverse=True)
    exception_level = next((level for level in levels if (level, day) in exceptions), None)
    if exception_level is None or exceptions[exception_level, day] is not DayKind.HOLIDAY:
        regular = [rule for rule in rules if rule.kind is ShiftKind.REGULAR and rule.is_valid_on(day)]
        nearest = max((rule.level for rule in regular), default=None)
        yield from (rule for rule in regular if rule.level == nearest and rule.takes_place_on(day))
    for rule in rules:
        # A nearer exception has the last word on what farther levels add; its own level's additions are meant.
        heard = exception_level is None or rule.level >= exception_level
        if rule.kind is not ShiftKind.REGULAR and heard and rule.takes_place_on(day):
            yield rule


def _occurrence(rule: ShiftRule, day: date, zone: ZoneInfo) -> ShiftOccurrence:
    end_day = day if rule.start_time < rule.end_time else day + DAY
    start, end = _moment(day, rule.start_time, zone), _moment(end_day, rule.end_time, zone)
    # A shift that lies wholly in the hour which a clock change skips has no time of its own.
    end = max(end, start)
    breaks = []
    for pause in rule.breaks:
        pause_day = day if pause.start_time >= rule.start_time else day + DAY
        pause_end_day = pause_day if pause.start_time < pause.end_time else pause_day + DAY
        begins, ends = (
            _moment(pause_day, pause.start_time, zone),
            _moment(pause_end_day, pause.end_time, zone),
        )
        if begins < ends:
            breaks.append(Interval(begins, ends))
    inside = tuple(union(clip(breaks, Interval(start, end)))) if start < end else ()
    return ShiftOccurrence(rule.id, day, rule.name, rule.kind, start, end, inside)


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return a wall-clock time as UTC: the first of an hour that comes twice, shifted on in an hour that is skipped."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def _without_overlap(shifts: Iterable[ShiftOccurrence]) -> Iterator[ShiftOccurrence]:
    """Yield shifts, given by start, each without the time that earlier ones cover."""
    covered_until: datetime | None = None
    for shift in shifts:
        start = shift.start if covered_until is None else max(shift.start, covered_until)
        if start >= shift.end:
            continue
        covered_until = shift.end
        breaks = tuple(clip(shift.breaks, Interval(start, shift.end)))
        yield replace(shift, start=start, breaks=breaks)
