"""Which time a report is about: a shift, a production day, a week or a month of a place, in its site's time."""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.utils.translation import gettext as _

from core.errors import NotFound
from core.intervals import Interval
from enterprise.models import Machine
from enterprise.shift_calendar import ShiftOccurrence
from oee.scopes import calendar_day, production_day, production_days, shifts_on


class Span(StrEnum):
    """How long a period is."""

    SHIFT = "shift"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """A period: what it is called, its time, and the shift that it is, if it is one.

    `occasion` names it for good: of two mails about the same one, one is too many.
    """

    span: Span
    title: str
    occasion: str
    window: Interval
    day: date
    shift_id: int | None = None


def period_of(span: Span, machine: Machine, day: date, shift_id: int | None = None) -> Period:
    """Return the period of a machine's site that holds a day. Raises NotFound for a shift that does not take place."""
    match span:
        case Span.SHIFT:
            return period_of_shift(chosen(shifts_on(machine, day), shift_id))
        case Span.DAY:
            title = _("Production day %(day)s") % {"day": day}
            return Period(span, title, f"day:{day}", production_day(machine, day), day)
        case Span.WEEK:
            monday = day - timedelta(days=day.weekday())
            year, week, _weekday = monday.isocalendar()
            window = _days(machine, monday, monday + timedelta(days=6))
            title = _("Week %(week)s of %(year)s") % {"week": week, "year": year}
            return Period(span, title, f"week:{year}-W{week:02d}", window, monday)
    first = day.replace(day=1)
    last = day.replace(day=monthrange(day.year, day.month)[1])
    title = _("Month %(month)s") % {"month": f"{first:%Y-%m}"}
    return Period(Span.MONTH, title, f"month:{first:%Y-%m}", _days(machine, first, last), first)


def period_of_shift(shift: ShiftOccurrence) -> Period:
    """Return a shift as a period."""
    title = _("Shift %(name)s of %(day)s") % {"name": shift.name, "day": shift.shift_date}
    occasion = f"shift:{shift.shift_id}:{shift.shift_date}"
    return Period(Span.SHIFT, title, occasion, shift.interval, shift.shift_date, shift.shift_id)


def chosen(shifts: Iterable[ShiftOccurrence], shift_id: int | None) -> ShiftOccurrence:
    """Return the one of a day's shifts that is named; the first without a name. Raises NotFound."""
    found = next((shift for shift in shifts if shift_id in (None, shift.shift_id)), None)
    if found is None:
        raise NotFound(_("That shift does not take place there on that day."))
    return found


def days_until(machine: Machine, last: date, number: int) -> Period:
    """Return so many production days up to one, that one with them: what a weekly report goes out about."""
    first = last - timedelta(days=number - 1)
    title = _("%(first)s to %(last)s") % {"first": first, "last": last}
    return Period(Span.WEEK, title, f"days:{first}:{last}", _days(machine, first, last), first)


def _days(machine: Machine, first: date, last: date) -> Interval:
    """Return the production days from one to another: the night of the last belongs to them."""
    days = production_days(machine, [first, last])
    return Interval(days[first].start, days[last].end)


def days_in(machine: Machine, window: Interval) -> list[date]:
    """Return the days of the site that begin in a window."""
    zone = machine.line.area.site.zone
    day, found = window.start.astimezone(zone).date(), []
    while calendar_day(machine, day).start < window.end:
        found.append(day)
        day += timedelta(days=1)
    return found


def today_of(machine: Machine, now: datetime) -> date:
    """Return the day that it is at a machine's site."""
    return now.astimezone(machine.line.area.site.zone).date()
