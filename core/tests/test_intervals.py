"""Interval arithmetic, checked against sets of seconds."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.intervals import (
    Interval,
    NotAnInterval,
    ceil_hour,
    clip,
    floor_hour,
    hours_of,
    intersect,
    subtract,
    union,
)

START = datetime(2026, 3, 2, tzinfo=UTC)


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def seconds_of(*intervals: Interval) -> set[int]:
    return {
        second for i in intervals for second in range((i.start - START).seconds, (i.start - START).seconds + _length(i))
    }


def _length(interval: Interval) -> int:
    return interval.microseconds // 1_000_000


intervals = st.tuples(st.integers(0, 50), st.integers(1, 20)).map(lambda pair: Interval(at(pair[0]), at(sum(pair))))


@given(intervals, intervals)
def test_intersection_is_the_time_in_both(one, other):
    found = intersect(one, other)
    assert (seconds_of(found) if found else set()) == seconds_of(one) & seconds_of(other)


@given(st.lists(intervals))
def test_union_is_the_time_in_any_disjoint_and_in_order(many):
    joined = union(many)
    assert seconds_of(*joined) == seconds_of(*many)
    assert all(one.end < other.start for one, other in itertools.pairwise(joined))


@given(intervals, st.lists(intervals))
def test_subtraction_leaves_the_time_in_none_of_the_others(one, others):
    assert seconds_of(*subtract(one, others)) == seconds_of(one) - seconds_of(*others)


@given(st.lists(intervals), intervals)
def test_clipping_keeps_what_lies_in_the_window(many, window):
    assert seconds_of(*clip(many, window)) == seconds_of(*many) & seconds_of(window)


def test_hours_are_those_of_the_utc_clock():
    window = Interval(at(3599), at(7201))
    assert [hour.start for hour in hours_of(window)] == [at(0), at(3600), at(7200)]
    assert (floor_hour(at(3601)), ceil_hour(at(3601)), ceil_hour(at(3600))) == (at(3600), at(7200), at(3600))


@pytest.mark.parametrize(
    ("start", "end"),
    [(at(1), at(1)), (at(2), at(1)), (datetime(2026, 1, 1), at(1))],  # noqa: DTZ001 - naive is the point
    ids=["empty", "backwards", "naive"],
)
def test_what_is_no_interval_is_refused(start, end):
    with pytest.raises(NotAnInterval):
        Interval(start, end)
