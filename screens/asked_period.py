"""Which lines and days a page of numbers is about: everything the person may see, narrowed to a site, area or line."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from core.intervals import Interval
from core.master_data import caller
from enterprise.models import Line, Machine
from enterprise.selectors import machines_on_lines
from oee.scopes import representatives
from screens.asked_shift import Filter, lines_of, narrowed_to
from screens.days import day_in, day_window

DEFAULT_DAYS = 7
MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class Period:
    """Lines with the machines that stand for them, and days of the site's calendar."""

    chosen: Filter
    line: Line | None
    lines: tuple[Line, ...]
    machines: tuple[Machine, ...]
    every_machine: tuple[Machine, ...]
    first: date
    last: date
    window: Interval
    zone: ZoneInfo

    @property
    def by_line(self) -> dict[int, list[Machine]]:
        """The machines that stand for each line."""
        return {pk: list(of_line) for pk, of_line in groupby(self.machines, key=lambda machine: machine.line_id)}

    @property
    def query(self) -> str:
        """The parameters that name it."""
        place = {"line": self.line.code} if self.line else {}
        if self.chosen.area:
            place |= {"area": self.chosen.area.code}
        elif self.chosen.site:
            place |= {"site": self.chosen.site.code}
        return urlencode({**place, "first": self.first.isoformat(), "last": self.last.isoformat()})

    @property
    def about(self) -> str:
        """Its place and days in words, for the names of files."""
        place = self.line or self.chosen.area or self.chosen.site
        return " ".join([*([place.name] if place else []), self.first.isoformat(), self.last.isoformat()])

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """Its first and last moment on the site's clock."""
        return self.window.start.astimezone(self.zone), self.window.end.astimezone(self.zone)

    @property
    def place(self) -> dict[str, int]:
        """The place as questions over REST name it; empty when it is none of them."""
        if self.line:
            return {"line": self.line.pk}
        if self.chosen.area:
            return {"area": self.chosen.area.pk}
        site = self.chosen.site or (self.chosen.sites[0] if len(self.chosen.sites) == 1 else None)
        return {"site": site.pk} if site else {}


def period_asked(request: HttpRequest, *, now: datetime, most_days: int = MOST_DAYS) -> Period:
    """Return the lines and days that the address names; the last seven days without.

    Raises Http404 for a place that the person may not see, PermissionDenied for who may see no numbers.
    """
    if not caller(request).may("view", "oee_record"):
        raise PermissionDenied
    visible = list(lines_of(request))
    chosen = narrowed_to(visible, request.GET)
    line = None
    if code := request.GET.get("line"):
        line = next((one for one in visible if one.code == code), None)
        if line is None:
            raise Http404
        if line not in chosen.lines:
            # Another site or area was chosen since.
            line = None
    lines = (line,) if line else chosen.lines
    zone = lines[0].area.site.zone if lines else ZoneInfo(settings.TIME_ZONE)
    today = now.astimezone(zone).date()
    last = min(day_in(request.GET.get("last"), today), today)
    first = min(day_in(request.GET.get("first"), last - timedelta(days=DEFAULT_DAYS - 1)), last)
    first = max(first, last - timedelta(days=most_days - 1))
    on_lines = machines_on_lines(one.pk for one in lines).values()
    every = [machine for of_line in on_lines for machine in of_line]
    counted = [machine for of_line in on_lines for machine in representatives(of_line)]
    window = day_window(first, last, zone)
    return Period(chosen, line, lines, tuple(counted), tuple(every), first, last, window, zone)
