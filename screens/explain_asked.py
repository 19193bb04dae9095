"""What the page is asked about: its parameters, whose they are in words, and what the sites concerned decided."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext

from core.reader import in_sentence
from enterprise.models import Line, Machine
from oee.models import OeePolicy
from oee.policies import policies_of
from oee.questions import Question
from screens.wording import Clock, day_words, exact_number
from workorders.models import Run

_POLICY_FIELDS = ("changeover", "overtime", "breaks", "micro_stops", "no_data", "startup_rejects")
_PARAMETERS = (
    *(
        "kpi",
        "enterprise",
        "site",
        "area",
        "line",
        "machine",
        "run",
        "product",
        "shift",
        "date",
        "starts_at",
        "ends_at",
    ),
    *("element", "facts_machine", "from", "to", "tv"),
)
PLACES = ("enterprise", "site", "area", "line", "machine")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the page is: its parameters, from which its links are made."""

    parameters: Mapping[str, str]

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Address":
        """Return the address that a request came to; what the page does not know is dropped."""
        return cls({name: given[name] for name in _PARAMETERS if name in given})

    def to(self, changes: Mapping[str, object] | None = None, *, without: Iterable[str] = ()) -> "Address":
        """Return the address with some parameters changed (None = gone)."""
        merged = {**self.parameters, **(changes or {})}
        dropped = set(without)
        return Address({k: str(v) for k, v in merged.items() if v is not None and k not in dropped})

    @property
    def url(self) -> str:
        """The address as a link."""
        return f"{reverse('screens:explain')}?{urlencode(self.parameters)}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page is asked about, in words."""

    place: str
    place_url: str
    part: str
    stands_for: tuple[str, ...]
    day: str
    starts: str
    ends: str
    zone: str
    known_until: str
    is_over: bool
    clock: Clock
    zone_of: ZoneInfo


def asked_about(parameters: Mapping[str, Any], asked: Question, *, now: datetime) -> Asked:
    """Put a question into words."""
    zones = {machine.line.area.site.zone for machine in asked.machines}
    zone = asked.machines[0].line.area.site.zone
    until = min(asked.window.end, now)
    clock = Clock.over((asked.window.start, asked.window.end), zones)
    run: Run | None = parameters.get("run")
    place = parameters.get("place") or (run.line if run else None)
    part = [gettext("order %(order_number)s") % {"order_number": run.work_order.order_number}] if run else []
    if "product" in parameters:
        part.append(gettext("product %(product)s") % {"product": parameters["product"]})
    if "shift" in parameters and not run:
        part.append(gettext("shift %(name)s") % {"name": parameters["shift"].name})
    return Asked(
        place=place_words(place) if place else "",
        place_url=reverse("screens:line", args=[place.code]) if isinstance(place, Line) else "",
        part=", ".join(part),
        stands_for=_stands_for(place, asked.machines),
        day=day_words(asked.window.start, zone),
        starts=clock.write(asked.window.start, zone),
        ends=clock.write(asked.window.end, zone),
        zone=str(zone)
        if len(zones) == 1
        else gettext("%(zone)s, machines elsewhere in their own time") % {"zone": zone},
        known_until=clock.write(until, zone),
        is_over=asked.window.end <= now,
        clock=clock,
        zone_of=zone,
    )


def place_words(place: Any) -> str:
    """Return what a place is called, with what it is unless its name says so: Line L1, PET line."""
    kind = str(place._meta.verbose_name)
    return str(place.name) if kind in place.name.lower() else f"{capfirst(kind)} {place.name}"


def _stands_for(place: Any, machines: Sequence[Machine]) -> tuple[str, ...]:
    if isinstance(place, Machine):
        return (gettext("The machine itself."),)
    if len({machine.line_id for machine in machines}) == 1:
        names = ", ".join(machine.name for machine in machines)
        return (
            gettext("OEE of the line is %(oee_mode)s: %(names)s.")
            % {"oee_mode": in_sentence(machines[0].line.get_oee_mode_display()), "names": names},
        )
    lines = len({machine.line_id for machine in machines})
    return (
        gettext(
            "%(machines)s machines, summed: those that stand for the %(lines)s lines, as the table of elements lists."
        )
        % {"machines": len(machines), "lines": lines},
    )


@dataclass(frozen=True, slots=True)
class Policies:
    """What one or more sites decided, in words."""

    holds: str
    words: tuple[tuple[str, str], ...]


def policies_in_words(machines: Sequence[Machine], start: datetime, end: datetime) -> list[Policies]:
    """Return what holds between two moments: sites that decided the same stand together."""
    sites = {machine.line.area.site_id: machine.line.area.site for machine in machines}
    found: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for site_id, dated in policies_of(sites).items():
        rows = {dated.row_at(at): at for at in (start, *(at for at in dated.starts if start < at < end))}
        for row in rows:
            since = (
                " " + gettext("from %(day)s") % {"day": date_format(row.valid_from, "SHORT_DATE_FORMAT")}
                if row is not None and row.valid_from
                else ""
            )
            found.setdefault(_policy_words(row or OeePolicy()), []).append(f"{sites[site_id].name}{since}")
    return [Policies(", ".join(holders), words) for words, holders in found.items()]


def _policy_words(row: OeePolicy) -> tuple[tuple[str, str], ...]:
    named = [
        (str(OeePolicy._meta.get_field(name).verbose_name), str(getattr(row, f"get_{name}_display")()))  # type: ignore[union-attr]
        for name in _POLICY_FIELDS
    ]
    startup = (
        gettext("the first %(startup_minutes)s min of a run") % {"startup_minutes": row.startup_minutes}
        if row.startup_minutes
        else gettext("there is none")
    )
    target = f"{exact_number(Fraction(row.target_oee) * 100)} %"
    return tuple(
        (capfirst(name), words)
        for name, words in [*named, (gettext("start-up"), startup), (gettext("OEE target"), target)]
    )
