"""The shift calendar: what takes place, as long as the clock makes it, and the nearest level wins."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.intervals import Interval
from enterprise.shift_calendar import BreakRule, DayKind, DayRule, Level, ShiftKind, ShiftRule, shift_occurrences

WARSAW = ZoneInfo("Europe/Warsaw")
EVERY_DAY = frozenset(range(1, 8))
MONDAY = date(2026, 3, 2)


def rule(
    identity=1, start=6, end=14, *, level=Level.SITE, kind=ShiftKind.REGULAR, days=EVERY_DAY, breaks=(), **validity
):
    return ShiftRule(
        identity, level, kind, f"Shift {identity}", days, time(start), time(end), breaks=breaks, **validity
    )


def around(day: date, days: int = 1) -> Interval:
    start = datetime.combine(day, time(12), tzinfo=UTC)
    return Interval(start, start + timedelta(days=days))


def on(day: date, rules, exceptions=(), zone=WARSAW):
    """Return the shifts that start on a day."""
    found = shift_occurrences(rules, exceptions, zone, Interval(around(day).start - timedelta(days=1), around(day).end))
    return [shift for shift in found if shift.shift_date == day]


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 28), 7), (date(2026, 10, 24), 9), (date(2026, 3, 2), 8)],
    ids=["summer time begins: 7 h", "summer time ends: 9 h", "an ordinary night: 8 h"],
)
def test_warsaw_night_shift_is_as_long_as_the_clock_makes_it(day, hours):
    """Golden numbers of Europe/Warsaw, 22–06, on 28→29 March and 24→25 October 2026."""
    (shift,) = on(day, [rule(start=22, end=6)])
    assert shift.end - shift.start == timedelta(hours=hours)


def test_overnight_shift_belongs_to_the_day_it_starts():
    night = rule(start=22, end=6, days=frozenset({1}))
    half_past_one = datetime(2026, 3, 3, 0, 30, tzinfo=UTC)
    (shift,) = shift_occurrences([night], [], WARSAW, Interval(half_past_one, half_past_one + timedelta(hours=1)))
    assert shift.shift_date == MONDAY
    assert on(date(2026, 3, 3), [night]) == []


def test_break_after_midnight_lies_in_the_next_day():
    (shift,) = on(MONDAY, [rule(start=22, end=6, breaks=(BreakRule(time(2), time(2, 30)),))])
    assert [(pause.start.hour, pause.microseconds) for pause in shift.breaks] == [(1, 30 * 60 * 1_000_000)]


def test_break_is_cut_to_its_shift():
    (shift,) = on(MONDAY, [rule(breaks=(BreakRule(time(13, 45), time(14, 30)),))])
    assert shift.breaks[0].end == shift.end


def test_nearest_level_with_a_regular_shift_replaces_the_others():
    rules = [rule(1), rule(2, 7, 15, level=Level.LINE, days=frozenset({2})), rule(3, 14, 22)]
    # The line has a rule of its own, so on Monday, which it does not name, the line does not work.
    assert on(MONDAY, rules) == []
    assert [shift.shift_id for shift in on(date(2026, 3, 3), rules)] == [2]


def test_rule_holds_from_its_first_day_to_the_one_before_its_end():
    dated = rule(valid_from=MONDAY, valid_until=date(2026, 3, 4))
    assert [bool(on(MONDAY + timedelta(days=n), [dated])) for n in range(-1, 3)] == [False, True, True, False]


def test_holiday_silences_regular_shifts_and_a_nearer_working_day_brings_them_back():
    holiday = DayRule(Level.SITE, MONDAY, DayKind.HOLIDAY)
    working = DayRule(Level.MACHINE, MONDAY, DayKind.WORKING_DAY)
    assert on(MONDAY, [rule()], [holiday]) == []
    assert len(on(MONDAY, [rule()], [holiday, working])) == 1


def test_extra_shift_stands_on_its_own_levels_holiday_and_falls_to_a_nearer_one():
    extra = rule(9, 8, 12, kind=ShiftKind.EXTRA, valid_from=MONDAY, valid_until=date(2026, 3, 3))
    at_site, at_line = (DayRule(level, MONDAY, DayKind.HOLIDAY) for level in (Level.SITE, Level.LINE))
    assert [shift.shift_id for shift in on(MONDAY, [rule(), extra], [at_site])] == [9]
    assert on(MONDAY, [rule(), extra], [at_line]) == []


def test_overtime_takes_what_the_shift_before_leaves():
    overtime = rule(2, 12, 16, kind=ShiftKind.OVERTIME, valid_from=MONDAY, valid_until=date(2026, 3, 3))
    regular, late = on(MONDAY, [rule(), overtime])
    assert (late.kind, late.start, late.end - late.start) == (ShiftKind.OVERTIME, regular.end, timedelta(hours=2))


def test_without_rules_there_are_no_shifts():
    assert shift_occurrences([], [], WARSAW, around(MONDAY, 7)) == []


hours = st.times().map(lambda at: at.replace(microsecond=0, tzinfo=None))


@given(
    st.lists(
        st.builds(
            lambda n, a, b, kind, breaks: ShiftRule(n, Level.SITE, kind, "x", EVERY_DAY, a, b, breaks=breaks),
            *(st.integers(1, 9), hours, hours, st.sampled_from(ShiftKind)),
            st.lists(st.builds(BreakRule, hours, hours), max_size=2).map(tuple),
        ),
        max_size=4,
    ),
    st.sampled_from(["Europe/Warsaw", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    st.dates(date(2020, 1, 1), date(2035, 12, 1)),
)
def test_shifts_never_overlap_and_breaks_lie_inside_them(rules, zone, day):
    found = shift_occurrences(rules, [], ZoneInfo(zone), around(day, 4))
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))
    for shift in found:
        assert shift.start < shift.end
        assert all(shift.start <= pause.start < pause.end <= shift.end for pause in shift.breaks)
