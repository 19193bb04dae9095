"""Which lines a supervisor's page is about, and which shift: the one of now, or any of the past by its day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.dateparse import parse_date
from django.utils.translation import gettext

from core.intervals import Interval
from core.master_data import in_scope
from enterprise.models import Area, Line, Machine, Site
from enterprise.selectors import reference_of, shifts_of, shifts_of_all
from enterprise.shift_calendar import ShiftOccurrence
from live.selectors import shift_status, status_of
from live.status import ShiftStatus
from oee.scopes import calendar_day, every_machine_of

_AROUND = timedelta(days=4)
_BACK = timedelta(hours=30)
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class AskedShift:
    """A line's shift that a page is about, with its neighbours in time and the other shifts of its day."""

    line: Line
    machines: tuple[Machine, ...]
    status: ShiftStatus
    before: ShiftOccurrence | None
    after: ShiftOccurrence | None
    of_day: tuple[ShiftOccurrence, ...]

    @property
    def window(self) -> Interval:
        """Its time."""
        return Interval(self.status.start, self.status.end)

    @property
    def occurrence(self) -> ShiftOccurrence | None:
        """It as the calendar has it; None where a day stands for a shift."""
        return next((one for one in self.of_day if one.shift_id == self.status.shift_id), None)

    @property
    def before_query(self) -> str:
        """The parameters of the shift before."""
        return query_of(self.before)

    @property
    def after_query(self) -> str:
        """The parameters of the shift after it; empty = it has not begun."""
        return query_of(self.after)

    @property
    def query(self) -> str:
        """The parameters that name it."""
        named = {"date": self.status.date.isoformat()}
        return urlencode(named | ({"shift": str(self.status.shift_id)} if self.status.shift_id else {}))


def query_of(shift: ShiftOccurrence | None) -> str:
    """Return the parameters that name a shift."""
    return urlencode({"date": shift.shift_date.isoformat(), "shift": shift.shift_id}) if shift else ""


def lines_of(request: HttpRequest) -> QuerySet[Line]:
    """Return the active lines that the person may see, site by site and area by area."""
    lines: QuerySet[Line] = in_scope(Line.objects.filter(is_active=True), request.user, Line.site_paths)
    return lines.select_related("area__site").order_by("area__site__name", "area__name", "code")


def line_named(request: HttpRequest, code: str) -> Line:
    """Return the line of a code; raises Http404 for one that is none, or another site's."""
    return get_object_or_404(lines_of(request), code=code)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a page of many lines is narrowed to, and what else could be chosen."""

    sites: tuple[Site, ...]
    areas: tuple[Area, ...]
    site: Site | None
    area: Area | None
    lines: tuple[Line, ...]


def narrowed(request: HttpRequest, asked: Mapping[str, Any]) -> Filter:
    """Return the lines of the site and area that `asked` names; raises Http404 for one the person may not see."""
    return narrowed_to(list(lines_of(request)), asked)


def narrowed_to(lines: Sequence[Line], asked: Mapping[str, Any]) -> Filter:
    """Return those of some lines that are in the site and area that `asked` names, likewise."""
    sites = tuple({line.area.site_id: line.area.site for line in lines}.values())
    areas = tuple({line.area_id: line.area for line in lines}.values())
    area, site = _chosen(areas, asked.get("area")), _chosen(sites, asked.get("site"))
    if area is not None and site not in (None, area.site):
        # Another site was chosen since.
        area = None
    site = area.site if area else site
    kept = tuple(
        line
        for line in lines
        if (area is None or line.area_id == area.pk) and (site is None or line.area.site_id == site.pk)
    )
    offered = tuple(one for one in areas if site is None or one.site_id == site.pk)
    return Filter(sites, offered, site, area, kept)


def _chosen(things: Sequence[Any], code: Any) -> Any:
    if not code:
        return None
    found = next((thing for thing in things if thing.code == code), None)
    if found is None:
        raise Http404
    return found


def day_asked(asked: Mapping[str, Any]) -> date | None:
    """Return the day that was asked for; None for none, or for what is none."""
    try:
        found = parse_date(str(asked.get("date", "")))
    except ValueError:
        return None
    return found if found is not None and 1990 <= found.year <= 9000 else None


def number(text: Any) -> int | None:
    """Return an id as it stands in an address; None for what is none."""
    written = str(text or "")
    return int(written) if written.isdecimal() and len(written) < 19 and int(written) <= _LARGEST_ID else None


def shift_asked(line: Line, asked: Mapping[str, Any], *, now: datetime) -> AskedShift | None:
    """Return the shift of a line that `date` and `shift` name; without, that of now. None = the line has no machines.

    A day without such a shift is told of as a day. Time to come is not: the shift of now stands for it.
    """
    machines = every_machine_of(line)
    if not machines:
        return None
    reference = reference_of(machines)
    day = day_asked(asked)
    anchor = now
    if day is not None:
        anchor = min(now, calendar_day(reference, day).start + timedelta(hours=12))
    known = shifts_of(reference, Interval(anchor - _AROUND, anchor + _AROUND))
    status = _status(reference, known, day, number(asked.get("shift")), now=now)
    others = [shift for shift in known or () if shift.start < now]
    return AskedShift(
        line=line,
        machines=tuple(machines),
        status=status,
        before=max((one for one in others if one.end <= status.start), key=lambda one: one.start, default=None),
        after=min((one for one in others if one.start >= status.end), key=lambda one: one.start, default=None),
        of_day=tuple(one for one in others if one.shift_date == status.date),
    )


def shifts_asked(
    machines: Mapping[int, Machine], day: date, name: str, *, now: datetime
) -> tuple[dict[int, ShiftStatus], list[str]]:
    """Return each line's shift of a day, by name or else its first, and the names that there are on that day.

    `machines` are those whose calendars the lines follow. A line without such a shift, or whose shift has not begun, is
    absent; one without a calendar has the day.
    """
    chosen = list(machines.values())
    if not chosen:
        return {}, []
    days = [calendar_day(machine, day) for machine in chosen]
    around = Interval(min(one.start for one in days) - _BACK, max(one.end for one in days) + _BACK)
    calendars = shifts_of_all(chosen, around)
    found: dict[int, ShiftStatus] = {}
    names: dict[str, None] = {}
    for line_id, machine in machines.items():
        known = calendars[machine.pk]
        if known is None:
            status = _status(machine, None, day, None, now=now)
            if status.start < now:
                found[line_id] = status
            continue
        of_day = [shift for shift in known if shift.shift_date == day]
        names |= dict.fromkeys(shift.name for shift in of_day)
        shift = next((one for one in of_day if not name or one.name == name), None)
        if shift is not None and shift.start < now:
            found[line_id] = status_of(shift, now=now)
    return found, list(names)


def _status(
    machine: Machine, known: Sequence[ShiftOccurrence] | None, day: date | None, shift_id: int | None, *, now: datetime
) -> ShiftStatus:
    if day is None:
        return shift_status(machine, None if known is None else tuple(known), now=now)
    of_day = [shift for shift in known or () if shift.shift_date == day and shift.start < now]
    wanted = next((shift for shift in of_day if shift.shift_id == shift_id), None) or (of_day[-1] if of_day else None)
    if wanted is not None:
        return status_of(wanted, now=now)
    whole = calendar_day(machine, day)
    if whole.start >= now:
        return shift_status(machine, None if known is None else tuple(known), now=now)
    return ShiftStatus(gettext("Whole day"), day, whole.start, whole.end, is_over=whole.end <= now)
