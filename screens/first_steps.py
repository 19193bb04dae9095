"""From an empty plant to the first live OEE: what is there, what is next, and where to do it.

Nothing of it is stored: each step is done as soon as what it asks for exists, for whoever may see it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts.models import DeviceKey
from core.intervals import Interval
from core.master_data import caller, in_scope
from counts.models import CountHistory, CountTag, CountType
from downtime.models import StateHistory, StateReason
from enterprise.models import Area, Enterprise, Line, Machine, Shift, Site
from oee.models import HourSlice
from oee.scopes import machines_of
from oee.selectors import report
from products.models import IdealRate, Product
from workorders.models import Run, WorkOrder

LOOKS_BACK = timedelta(hours=24)
MOST_FOUND = 1000


@dataclass(frozen=True, slots=True)
class Step:
    """A step as the page shows it: done or not, why, where to do it, and the line to type for a device."""

    code: str
    title: str
    why: str
    done: bool
    url: str = ""
    command: str = ""
    is_next: bool = False


class Plant:
    """What a person can see of what a plant needs. Looked up as it is asked for."""

    def __init__(self, request: HttpRequest, *, now: datetime) -> None:
        self.request, self.now = request, now

    def visible(self, model: Any) -> models.QuerySet[Any]:
        """Return what the person may know of."""
        return in_scope(model._default_manager.all(), self.request.user, getattr(model, "site_paths", ()))

    def newest(self, model: Any, **wanted: Any) -> Any:
        """Return the newest of a kind, or None."""
        return self.visible(model).filter(**wanted).order_by("-pk").first()

    @cached_property
    def tag(self) -> CountTag | None:
        """The newest active counter: the one that is being set up."""
        rows = self.visible(CountTag).filter(is_active=True).select_related("machine__line__area__site")
        good = rows.exclude(count_type__role__in=(CountType.Role.REJECT, CountType.Role.REWORK))
        found: CountTag | None = good.order_by("-pk").first()
        return found

    @cached_property
    def machine(self) -> Machine | None:
        """The machine that is being set up."""
        tag = self.tag
        found: Machine | None = tag.machine if tag is not None else self.newest(Machine, is_active=True)
        return found

    def has_counts(self) -> bool:
        """Say whether a piece was counted anywhere."""
        tags = list(self.visible(CountTag).values_list("pk", flat=True).order_by("-pk")[:MOST_FOUND])
        return CountHistory.objects.filter(tag__in=tags).exists()

    def has_states(self) -> bool:
        """Say whether a machine said what it does."""
        machines = list(self.visible(Machine).values_list("pk", flat=True).order_by("-pk")[:MOST_FOUND])
        return StateHistory.objects.filter(machine__in=machines).exists()

    def has_oee(self) -> bool:
        """Say whether any hour has an OEE: stored, or on the line that is being set up, now."""
        machines = list(self.visible(Machine).values_list("pk", flat=True).order_by("-pk")[:MOST_FOUND])
        ran = Q(running__gt=0, rate__isnull=False)
        if HourSlice.objects.filter(ran, machine__in=machines).exists():
            return True
        machine = self.machine
        if machine is None:
            return False
        standing = machines_of(machine.line)
        window = Interval(self.now - LOOKS_BACK, self.now)
        return bool(standing) and report(standing, window, now=self.now).kpis.oee_index is not None

    def first_reason(self) -> StateReason | None:
        """Return a reason that counts as running."""
        rows = StateReason.objects.without_tree_fields().filter(category=StateReason.Category.RUNNING, is_active=True)
        found: StateReason | None = rows.order_by("pk").first()
        return found


def _add(model: str, **initial: Any) -> str:
    query = urlencode({name: value for name, value in initial.items() if value is not None})
    address = reverse(f"admin:{model.replace('.', '_')}_add")
    return f"{address}?{query}" if query else address


def _pk(thing: Any) -> int | None:
    return None if thing is None else thing.pk


Found = Callable[[Plant], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """A step: what it is called, why it is needed, when it is done, and where to do it."""

    code: str
    title: Promise
    why: Promise
    done: Found
    url: Callable[[Plant], str]
    command: Callable[[Plant], str] | None = None


def _exists(model: Any, **wanted: Any) -> Found:
    return lambda plant: plant.visible(model).filter(**wanted).exists()


def _curl(plant: Plant, path: str, body: str) -> str:
    origin = plant.request.build_absolute_uri("/").rstrip("/")
    return (
        f'curl -X POST {origin}{path} -H "Authorization: Api-Key $MES_KEY"'
        f" -H \"Content-Type: application/json\" -d '{body}'"
    )


_NOW = "'$(date -u +%FT%TZ)'"


def _count_command(plant: Plant) -> str:
    tag = plant.tag
    path = "L1/good" if tag is None else tag.tag_path
    return _curl(plant, "/ingest/count", f'{{"tag": "{_quoted(path)}", "at": "{_NOW}", "value": 1}}')


def _state_command(plant: Plant) -> str:
    machine, reason = plant.machine, plant.first_reason()
    code, state = (machine.code if machine else "machine"), (reason.code if reason else "running")
    return _curl(
        plant, "/ingest/state", f'{{"machine": "{_quoted(code)}", "at": "{_NOW}", "state": "{_quoted(state)}"}}'
    )


def _quoted(text: str) -> str:
    """Return a text as it stands in JSON between a shell's single quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return escaped.replace("'", "'\\''")


RULES: tuple[Rule, ...] = (
    Rule(
        "enterprise",
        _("Enterprise"),
        _("The organisation that owns the sites."),
        _exists(Enterprise),
        lambda p: _add("enterprise.enterprise"),
    ),
    Rule(
        "site",
        _("Site"),
        _("One plant, with its time zone and language."),
        _exists(Site),
        lambda p: _add("enterprise.site", enterprise=_pk(p.newest(Enterprise))),
    ),
    Rule(
        "area",
        _("Area"),
        _("A hall or department of the site."),
        _exists(Area),
        lambda p: _add("enterprise.area", site=_pk(p.newest(Site))),
    ),
    Rule(
        "line",
        _("Line"),
        _("It comes with a machine of its own."),
        _exists(Line),
        lambda p: _add("enterprise.line", area=_pk(p.newest(Area))),
    ),
    Rule(
        "machine",
        _("Machine"),
        _("What reports states and counts."),
        _exists(Machine),
        lambda p: _add("enterprise.machine", line=_pk(p.newest(Line))),
    ),
    Rule(
        "shift",
        _("Shift"),
        _("When the site is meant to work; without it all time is planned."),
        _exists(Shift),
        lambda p: _add("enterprise.shift", site=_pk(p.newest(Site))),
    ),
    Rule("product", _("Product"), _("What is made."), _exists(Product), lambda p: _add("products.product")),
    Rule(
        "rate",
        _("Ideal rate"),
        _("How fast the machine makes it at best; without it there is no performance."),
        _exists(IdealRate),
        lambda p: _add("products.idealrate", product=_pk(p.newest(Product)), machine=_pk(p.machine)),
    ),
    Rule(
        "count_type",
        _("Kind of count"),
        _("What a counter counts; at least one for good pieces."),
        _exists(CountType, role__in=("good", "total")),
        lambda p: _add("counts.counttype", code="good", name="Good", role="good"),
    ),
    Rule(
        "tag",
        _("Count tag"),
        _("The counter of the machine, under the name that its device calls it."),
        _exists(CountTag),
        lambda p: _add(
            "counts.counttag", machine=_pk(p.machine), count_type=_pk(p.newest(CountType, role__in=("good", "total")))
        ),
    ),
    Rule(
        "reason",
        _("Reason for running"),
        _("The state that counts as production, as the device calls it."),
        _exists(StateReason, category="running"),
        lambda p: _add("downtime.statereason", code="running", name="Running", category="running"),
    ),
    Rule(
        "order",
        _("Order"),
        _("What is to be made; its run says which product the machine makes."),
        _exists(WorkOrder),
        lambda p: _add("workorders.workorder", product=_pk(p.newest(Product)), line=_line_of(p)),
    ),
    Rule(
        "run",
        _("Run"),
        _("The time in which the line works on the order."),
        _exists(Run),
        lambda p: _add("workorders.run", line=_line_of(p), work_order=_pk(p.newest(WorkOrder))),
    ),
    Rule(
        "key",
        _("Device key"),
        _("With it the device may report. It is shown once: put it into MES_KEY."),
        _exists(DeviceKey, revoked=False),
        lambda p: _add("accounts.devicekey", machine=_pk(p.machine)),
    ),
    Rule(
        "state_arrived",
        _("First state arrived"),
        _("The device says what the machine does."),
        Plant.has_states,
        lambda p: "",
        _state_command,
    ),
    Rule(
        "count_arrived",
        _("First count arrived"),
        _("The device says what the machine made."),
        Plant.has_counts,
        lambda p: "",
        _count_command,
    ),
    Rule(
        "oee",
        _("First OEE"),
        _("It follows by itself as soon as the machine ran and made something in planned time."),
        Plant.has_oee,
        lambda p: _live(p),
    ),
)


def _line_of(plant: Plant) -> int | None:
    machine = plant.machine
    return None if machine is None else machine.line_id


def _live(plant: Plant) -> str:
    machine = plant.machine
    return reverse("screens:overview") if machine is None else reverse("screens:line", args=[machine.line.code])


def may_set_up(user: Any) -> bool:
    """Say whether a person sets plants up."""
    return bool(user.is_authenticated and (user.may("add", "master_data") or user.may("add", "account")))


def steps_of(request: HttpRequest, *, now: datetime) -> list[Step]:
    """Return all steps in their order; the first that is not done is next."""
    plant, found, is_next = Plant(request, now=now), [], True
    for rule in RULES:
        done = rule.done(plant)
        here = is_next and not done
        command = rule.command(plant) if rule.command is not None and not done else ""
        url = "" if done else rule.url(plant)
        found.append(Step(rule.code, str(rule.title), str(rule.why), done, url, command, here))
        is_next = is_next and done
    return found


def steps_left(request: HttpRequest, *, now: datetime) -> int:
    """Return how many steps an engineer's plant still lacks; 0 for anybody else. Stops looking where OEE is known."""
    if not may_set_up(request.user):
        return 0
    if Plant(request, now=now).has_oee():
        return 0
    return sum(not step.done for step in steps_of(request, now=now))


@login_required
def first_steps(request: HttpRequest) -> HttpResponse:
    """Show the way to the first OEE."""
    if not may_set_up(caller(request)):
        raise PermissionDenied
    steps = steps_of(request, now=timezone.now())
    done = sum(step.done for step in steps)
    context = {
        "steps": steps,
        "done": done,
        "share": 100 * done // len(steps),
        "said": _now("%(done)s of %(all)s done") % {"done": done, "all": len(steps)},
    }
    return render(request, "screens/first_steps.html", context)
