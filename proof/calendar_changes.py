"""The shift calendar on the days around every clock change, against asking the zone for each minute."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from random import Random
from zoneinfo import ZoneInfo

from core.intervals import Interval
from enterprise.shift_calendar import BreakRule, DayKind, DayRule, Level, ShiftKind, ShiftRule, shift_occurrences

FIRST_YEAR, LAST_YEAR = 2020, 2035
ZONES = (
    *("Europe/Warsaw", "Europe/London", "Europe/Chisinau", "Atlantic/Azores", "Africa/Casablanca", "Africa/Cairo"),
    *("Asia/Beirut", "Asia/Gaza", "Asia/Tehran", "Australia/Adelaide", "Australia/Lord_Howe", "Pacific/Auckland"),
    *("Pacific/Chatham", "Pacific/Apia", "America/New_York", "America/St_Johns", "America/Havana", "America/Santiago"),
    *("America/Nuuk", "Antarctica/Troll"),
)
RULE_SETS = 20
"""How many sets of shifts are tried at each change; the first is always early, late and night."""

_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
_LOOK = timedelta(hours=30)
Occurrence = tuple[int, date, datetime, datetime, tuple[tuple[datetime, datetime], ...]]


@dataclass(frozen=True)
class Change:
    """A moment at which a zone's clocks change."""

    zone: str
    at: datetime


@lru_cache(maxsize=1)
def changes() -> tuple[Change, ...]:
    """Return every clock change of the zones in the years, found by asking for the offset day by day, then closer."""
    found = []
    for name in ZONES:
        zone, at = ZoneInfo(name), datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
        while at.year <= LAST_YEAR:
            if _offset(at, zone) != _offset(at + _DAY, zone):
                found.append(Change(name, _closer(at, at + _DAY, zone)))
            at += _DAY
    return tuple(found)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()


def _closer(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    while after - before > _MINUTE:
        middle = before + (after - before) // 2 // _MINUTE * _MINUTE
        before, after = (middle, after) if _offset(middle, zone) == _offset(before, zone) else (before, middle)
    return after


def rules_for(change: Change, random: Random, *, plain: bool) -> tuple[list[ShiftRule], list[DayRule]]:
    """Return shifts of a site: early, late and night; or up to four at any time,
    close to the change rather than not.
    """
    if plain:
        pattern = ((time(6), time(14)), (time(14), time(22)), (time(22), time(6)))
        return [_rule(n, start, end, ()) for n, (start, end) in enumerate(pattern, start=1)], []
    near = [
        (change.at + timedelta(minutes=n)).astimezone(ZoneInfo(change.zone)).time()
        for n in (-60, -30, -1, 0, 1, 30, 60)
    ]

    def clock() -> time:
        if random.random() < 0.4:
            return random.choice(near).replace(second=0, microsecond=0, fold=0)
        return time(random.randrange(24), random.choice((0, 15, 30, random.randrange(60))))

    rules = []
    local = change.at.astimezone(ZoneInfo(change.zone)).date()
    for n in range(1, random.randint(2, 5)):
        breaks = [
            BreakRule(*pair) for pair in ((clock(), clock()) for _ in range(random.randrange(3))) if pair[0] != pair[1]
        ]
        kind = random.choice((ShiftKind.REGULAR, ShiftKind.REGULAR, ShiftKind.EXTRA, ShiftKind.OVERTIME))
        rules.append(_rule(n, clock(), clock(), tuple(breaks), kind, _some_weekdays(random)))
    holidays = [DayRule(Level.SITE, local + n * _DAY, DayKind.HOLIDAY) for n in (-1, 0, 1) if random.random() < 0.1]
    return rules, holidays


def _some_weekdays(random: Random) -> frozenset[int]:
    return frozenset(range(1, 8)) if random.random() < 0.6 else frozenset(random.sample(range(1, 8), 4))


def _rule(
    number: int,
    start: time,
    end: time,
    breaks: tuple[BreakRule, ...],
    kind: ShiftKind = ShiftKind.REGULAR,
    weekdays: frozenset[int] = frozenset(range(1, 8)),
) -> ShiftRule:
    return ShiftRule(number, Level.SITE, kind, f"Shift {number}", weekdays, start, end, breaks=breaks)


class Minutes:
    """The minutes of some days around a change, as the zone names them."""

    def __init__(self, change: Change) -> None:
        self.start = (change.at - 5 * _DAY).replace(hour=0, minute=0)
        zone = ZoneInfo(change.zone)
        self.number = 10 * 24 * 60
        self.first: dict[datetime, int] = {}
        for n in range(self.number):
            wall = (self.start + n * _MINUTE).astimezone(zone).replace(tzinfo=None)
            # Of an hour that comes twice the first is meant.
            self.first.setdefault(wall, n)

    def of(self, day: date, clock: time) -> int:
        """Return the number of the minute that a clock on the wall shows then.

        A clock that nobody changed would go on through an hour that is skipped: so much later is meant.
        """
        wall = datetime.combine(day, clock)
        beyond = 0
        while wall not in self.first:
            wall -= _MINUTE
            beyond += 1
        return self.first[wall] + beyond

    def moment(self, number: int) -> datetime:
        """Return a minute's beginning, UTC."""
        return self.start + number * _MINUTE


def shifts_by_minute(
    minutes: Minutes, rules: list[ShiftRule], holidays: list[DayRule], window: Interval
) -> list[Occurrence]:
    """Return the shifts that touch a window, found by giving every minute to the shift that it belongs to."""
    silent = {day.date for day in holidays}
    kinds = list(ShiftKind)
    planned = []
    # From two days before the window on: a shift of the day before may reach in, and one of the day before that into
    # it.
    for n in range(1, 8):
        day = minutes.start.date() + n * _DAY
        for rule in rules:
            if day.isoweekday() not in rule.weekdays or (rule.kind is ShiftKind.REGULAR and day in silent):
                continue
            over_midnight = rule.end_time <= rule.start_time
            begins, ends = minutes.of(day, rule.start_time), minutes.of(day + over_midnight * _DAY, rule.end_time)
            planned.append((begins, kinds.index(rule.kind), rule.id, ends, day, rule))
    owner: list[tuple[int, date] | None] = [None] * minutes.number
    is_break = bytearray(minutes.number)
    for begins, _, _, ends, day, rule in sorted(planned, key=lambda plan: plan[:3]):
        mine = [n for n in range(begins, ends) if owner[n] is None]
        for n in mine:
            owner[n] = rule.id, day
        for pause in rule.breaks:
            first_day = day + (pause.start_time < rule.start_time) * _DAY
            last_day = first_day + (pause.end_time <= pause.start_time) * _DAY
            stops = range(minutes.of(first_day, pause.start_time), minutes.of(last_day, pause.end_time))
            for n in mine:
                if n in stops:
                    is_break[n] = 1
    found: list[Occurrence] = []
    n = 0
    while n < minutes.number:
        last = n + 1
        while last < minutes.number and owner[last] == owner[n]:
            last += 1
        whose = owner[n]
        if whose is not None and minutes.moment(last) > window.start and minutes.moment(n) < window.end:
            found.append((*whose, minutes.moment(n), minutes.moment(last), _breaks(minutes, is_break, n, last)))
        n = last
    return found


def _breaks(minutes: Minutes, is_break: bytearray, first: int, last: int) -> tuple[tuple[datetime, datetime], ...]:
    found, since = [], None
    for n in range(first, last + 1):
        stands = n < last and is_break[n]
        if stands and since is None:
            since = n
        if not stands and since is not None:
            found.append((minutes.moment(since), minutes.moment(n)))
            since = None
    return tuple(found)


def prove_change(change: Change, seed: str) -> list[list[str]]:
    """Return, for each set of shifts at a change, what differs."""
    minutes, zone = Minutes(change), ZoneInfo(change.zone)
    window = Interval(change.at - _LOOK, change.at + _LOOK)
    said = []
    for n in range(RULE_SETS):
        rules, holidays = rules_for(change, Random(f"{seed}:{change.zone}:{change.at}:{n}"), plain=n == 0)
        expected = shifts_by_minute(minutes, rules, holidays, window)
        found = [
            (s.shift_id, s.shift_date, s.start, s.end, tuple((b.start, b.end) for b in s.breaks))
            for s in shift_occurrences(rules, holidays, zone, window)
        ]
        wrong = [
            f"{change.zone} {change.at:%Y-%m-%d}: {one}, expected {other}"
            for one, other in zip(found, expected, strict=False)
            if one != other
        ]
        if len(found) != len(expected):
            wrong.append(f"{change.zone} {change.at:%Y-%m-%d}: {len(found)} shifts, expected {len(expected)}; {rules}")
        said.append(wrong)
    return said
