"""Which shifts of lines are over and not closed yet: those for people to close, and those that a site's rule closes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.intervals import Interval
from enterprise.models import Line, Machine
from enterprise.selectors import shifts_of_all
from enterprise.shift_calendar import ShiftOccurrence
from oee.models import ClosingRule, ShiftClosing
from oee.scopes import representatives_of

RULE_LOOKS_BACK = timedelta(days=40)
LONGEST_SHIFT = timedelta(days=2)
SHOWN_AS_OPEN = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class OpenShift:
    """A line's shift that is over and that nobody closed yet."""

    line: Line
    shift: ShiftOccurrence


def closings_due_by_hand(lines: Iterable[Line], *, now: datetime) -> list[OpenShift]:
    """Return the shifts of the last days of some lines that are over and not closed, the newest first."""
    by_line = representatives_of(line.pk for line in lines)
    window = Interval(now - SHOWN_AS_OPEN, now)
    due = [
        OpenShift(machines[0].line, shift)
        for machines, shift in _open_shifts(by_line, window)
        if shift.start >= window.start
    ]
    return sorted(due, key=lambda one: (one.shift.end, -one.line.pk), reverse=True)


def due_by_rule(rule: ClosingRule, *, now: datetime) -> Iterator[tuple[Line, list[Machine], ShiftOccurrence]]:
    """Yield the open shifts of a site's lines that the rule closes now, by their end."""
    assert rule.close_after_hours is not None
    until = now - timedelta(hours=rule.close_after_hours)
    lines = Line.objects.filter(area__site=rule.site, is_active=True)
    by_line = representatives_of(lines.values_list("id", flat=True))
    due = [
        (machines, shift)
        for machines, shift in _open_shifts(by_line, Interval(until - RULE_LOOKS_BACK, until))
        if rule.first_date is None or shift.shift_date >= rule.first_date
    ]
    for machines, shift in sorted(due, key=lambda one: (one[1].end, one[0][0].line_id)):
        yield machines[0].line, machines, shift


def _open_shifts(
    by_line: dict[int, list[Machine]], window: Interval
) -> Iterator[tuple[list[Machine], ShiftOccurrence]]:
    """Yield the shifts of lines that end in a window and are not closed."""
    calendars = shifts_of_all([machines[0] for machines in by_line.values()], window) if by_line else {}
    closed = set(
        ShiftClosing.objects.filter(line__in=by_line, starts_at__gte=window.start - LONGEST_SHIFT).values_list(
            "line_id", "shift_id", "shift_date"
        )
    )
    for line_id, machines in by_line.items():
        for shift in calendars[machines[0].pk] or ():
            if shift.end <= window.end and (line_id, shift.shift_id, shift.shift_date) not in closed:
                yield machines, shift
