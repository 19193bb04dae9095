"""What a page's parameters ask a report about; what the person may not see does not exist."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from core.errors import Invalid, NotFound
from core.intervals import Interval
from core.master_data import in_scope
from enterprise.models import Area, Enterprise, Line, Machine, Site
from enterprise.selectors import shifts_of
from enterprise.shift_calendar import ShiftOccurrence
from oee.scopes import Place, machines_of, shifts_on
from oee.serializers import YEARS
from reports.kinds import Kind
from reports.periods import Period, Span, chosen, period_of, period_of_shift, today_of

MODELS: Mapping[str, type[Place]] = {
    "machine": Machine,
    "line": Line,
    "area": Area,
    "site": Site,
    "enterprise": Enterprise,
}
_LONGEST = 19
"""A number of so many digits is no id, and may be too long to be read as a number at all."""


def visible(user: Any, name: str) -> QuerySet[Any]:
    """Return the places of a kind that a person may know of, active ones, in the order of their names."""
    model: Any = MODELS[name]
    paths = {"machine": ("line__area__site",), "line": ("area__site",), "area": ("site",)}.get(name, ())
    found = in_scope(model.objects.filter(is_active=True), user, model.site_paths)
    return found.select_related(*paths) if paths else found


@dataclass(frozen=True, slots=True)
class Wanted:
    """A place and a period, and the shifts of its day to choose from."""

    place: Place
    period: Period
    shifts: list[ShiftOccurrence]


def place_of(given: Mapping[str, str], user: Any, kind: Kind) -> Place | None:
    """Return the place that is named (`line=5`, `line=L1`, or `place=line-5`); None without a name. Raises Http404."""
    named = [(name, given[name]) for name in MODELS if given.get(name)]
    if not named and "-" in given.get("place", ""):
        name, _dash, text = given["place"].partition("-")
        named = [(name, text)]
    if not named:
        return None
    name, text = named[0]
    if len(named) > 1:
        raise Invalid(_("Name one place."), field=named[1][0])
    if name not in kind.places:
        raise Invalid(_("This report is of: %(places)s.") % {"places": ", ".join(kind.places)}, field="place")
    rows = visible(user, name)
    if text.isascii() and text.isdigit():
        found = rows.filter(pk=int(text)).first() if len(text) < _LONGEST else None
    else:
        found = rows.filter(code=text).first() if "\0" not in text else None
    if found is None:
        raise Http404
    place: Place = found
    return place


def wanted(given: Mapping[str, str], place: Place, kind: Kind, *, now: datetime) -> Wanted:
    """Return the period that is asked for; without one, the last of its kind. Raises Invalid or NotFound."""
    machines = machines_of(place)
    if not machines:
        raise NotFound(_("There is no active machine there."))
    machine = machines[0]
    span = _span(given, kind)
    day = _day(given)
    if span is not Span.SHIFT:
        period = period_of(span, machine, day or _last_day(machine, span, now))
        return Wanted(place, period, [])
    if day is None:
        last = last_shift(machine, now)
        if last is None:
            raise NotFound(_("No shift took place there lately; set shifts up in the admin, or choose a day."))
        return Wanted(place, period_of_shift(last), shifts_on(machine, last.shift_date))
    shifts = shifts_on(machine, day)
    return Wanted(place, period_of_shift(chosen(shifts, _shift_id(given))), shifts)


def last_shift(machine: Machine, now: datetime) -> ShiftOccurrence | None:
    """Return the last shift that is over; the current one where none is."""
    around = [one for one in shifts_of(machine, Interval(now - timedelta(days=14), now)) or () if one.start < now]
    over = [one for one in around if one.end <= now]
    found = over or around
    return found[-1] if found else None


def _last_day(machine: Machine, span: Span, now: datetime) -> date:
    today = today_of(machine, now)
    return {
        Span.DAY: today - timedelta(days=1),
        Span.WEEK: today - timedelta(days=7),
        Span.MONTH: today.replace(day=1) - timedelta(days=1),
    }[span]


def _span(given: Mapping[str, str], kind: Kind) -> Span:
    text = given.get("span") or kind.spans[0].value
    if text not in {span.value for span in kind.spans}:
        raise Invalid(_("It can be of: %(spans)s.") % {"spans": ", ".join(kind.spans)}, field="span")
    return Span(text)


def _day(given: Mapping[str, str]) -> date | None:
    text = given.get("date")
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Invalid(_("Write the day as 2026-03-31."), field="date") from None
    if day.year not in YEARS:
        raise Invalid(
            _("The year must lie between %(first)s and %(last)s.") % {"first": YEARS[0], "last": YEARS[-1]},
            field="date",
        )
    return day


def _shift_id(given: Mapping[str, str]) -> int | None:
    text = given.get("shift")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < _LONGEST):
        raise Invalid(_("A shift is named by its number."), field="shift")
    return int(text)
