"""Cut a day's attendance into breaks, paid time and overtime. Pure: no database, no clock; exact to the microsecond.

All of it are spans of time, so that any cut of a window into parts adds up to the window.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from core.intervals import Interval, subtract, union


@dataclass(frozen=True, slots=True)
class Rule:
    """Work of more than `after` needs breaks of `length` in all; microseconds."""

    after: int
    length: int


@dataclass(frozen=True, slots=True)
class AgreedHours:
    """Microseconds of work in a day and in a week (from Monday on) beyond which it is overtime; None = no limit."""

    a_day: int | None
    a_week: int | None


def total(spans: Iterable[Interval]) -> int:
    """Return the microseconds of disjoint spans."""
    return sum(span.microseconds for span in spans)


def without(spans: Iterable[Interval], others: Sequence[Interval]) -> list[Interval]:
    """Return what is left of disjoint spans without others, in order."""
    return [part for span in sorted(spans) for part in subtract(span, others)]


def stretch(spans: Sequence[Interval], start: int, length: int) -> list[Interval]:
    """Return the spans' time from its `start`-th microsecond on, `length` long: as if they touched."""
    found, passed = [], 0
    for span in spans:
        lo, hi = max(start - passed, 0), min(start + length - passed, span.microseconds)
        if lo < hi:
            found.append(Interval(span.start + timedelta(microseconds=lo), span.start + timedelta(microseconds=hi)))
        passed += span.microseconds
    return found


def deducted(attended: Iterable[Interval], booked: Iterable[Interval], rules: Iterable[Rule]) -> list[Interval]:
    """Return what is taken off a day's work for breaks that were not booked.

    As much as is missing, but never so much that the work gets shorter than what needed the break; it lies directly
    after the work that needed it. Breaks are booked within the attendance.
    """
    there = union(attended)
    pauses = [part for pause in union(booked) for part in _inside(pause, there)]
    worked = without(there, pauses)
    length, rested = total(worked), total(pauses)
    owed = [(min(rule.length - rested, length - rule.after), -rule.after) for rule in rules if length > rule.after]
    missing, after = max(owed, default=(0, 0))
    return stretch(worked, -after, missing) if missing > 0 else []


def _inside(span: Interval, others: Sequence[Interval]) -> list[Interval]:
    return subtract(span, subtract(span, others))


def paid(attended: Iterable[Interval], booked: Iterable[Interval], rules: Iterable[Rule]) -> list[Interval]:
    """Return the attendance of a day without the breaks: those booked, and those taken off by rule."""
    there, pauses = union(attended), union(booked)
    return without(without(there, pauses), deducted(there, pauses, rules))


def overtime_by_agreement(
    days: Mapping[date, Sequence[Interval]], agreed: Mapping[date, AgreedHours]
) -> dict[date, list[Interval]]:
    """Return the overtime of days with agreed hours: what comes after the day's hours, or after the week's, is.

    Give whole weeks: paid time by day. Overtime of a day does not use up the week's hours.
    """
    weeks: dict[date, int] = defaultdict(int)
    found: dict[date, list[Interval]] = {}
    for day in sorted(days):
        spans, monday = sorted(days[day]), day - timedelta(days=day.weekday())
        all_of_it = total(spans)
        hours = agreed.get(day)
        regular = all_of_it
        if hours is not None:
            if hours.a_day is not None:
                regular = min(regular, hours.a_day)
            if hours.a_week is not None:
                regular = min(regular, max(hours.a_week - weeks[monday], 0))
            found[day] = stretch(spans, regular, all_of_it - regular)
        weeks[monday] += regular
    return found


def rounded(microseconds: int, *, counts_from: int, rounds_to: int) -> int:
    """Return a day's overtime as it counts: none below a minimum, then whole steps; both in minutes, 0 = not."""
    minute = 60_000_000
    if microseconds < counts_from * minute:
        return 0
    step = rounds_to * minute
    return microseconds - microseconds % step if step else microseconds
