"""Read units: the next thing to do, the tracker, first-pass yield.

What is known of single ones, `tracking.records` tells.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from urllib.parse import unquote

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import TruncDate

from accounts.models import User
from core.errors import Conflict, NotFound
from core.master_data import in_scope
from enterprise.models import Machine, Site
from products.models import Product
from tracking.derivation import Known, fields_of, know
from tracking.models import SerialUnit, StagePassage, UnitStage
from tracking.state import StageState, UnitStatus
from tracking.wording import is_done_at, refuse_closed, what_is_due, wrong_station
from workorders.models import Schedule, WorkOrder


@dataclass(frozen=True, slots=True)
class Value:
    """A field of a stage at a position as it stands; None = nothing is filled in."""

    field: Any
    position: str
    value: str | None
    is_bad: bool
    is_let_pass: bool

    @property
    def name(self) -> str:
        """What a form calls it."""
        return f"{self.field.code}@{self.position}"


def values_of(known: Known, stage: UnitStage) -> list[Value]:
    """Return all fields of a stage with what stands in them."""
    now = known.state.stages[stage.pk]
    bad, deviating = set(now.bad), set(now.deviating)
    return [
        Value(
            field,
            position,
            now.cells.get((field.pk, position)),
            (field.pk, position) in bad,
            (field.pk, position) in deviating - bad,
        )
        for field, positions in fields_of(stage)
        for position in positions
    ]


def units_seen_by(user: Any) -> QuerySet[SerialUnit]:
    """Return the units at the sites that somebody may see."""
    found: QuerySet[SerialUnit] = in_scope(SerialUnit.objects.all(), user, SerialUnit.site_paths)
    return found


# --- what to do next ---


@dataclass(frozen=True, slots=True)
class NextStep:
    """What a scan opens: a unit, the stage that is due (None = none), and it in an operator's words."""

    unit: SerialUnit
    stage: UnitStage | None
    words: str
    missing: tuple[str, ...] = ()


def serial_in(code: str) -> str:
    """Return what a code names: the serial number itself, or the end of an address such as `…/entry/<serial>`."""
    text = code.strip()
    for mark in ("/entry/", "/units/scan/"):
        if "://" in text and mark in text:
            return unquote(text.split(mark, 1)[1].split("?", 1)[0]).strip()
    return text


def find_scanned(code: str, *, station: Machine | None, user: User) -> SerialUnit:
    """Return the unit that a code stands for: its own, or the next one of an order at a station.

    Raises NotFound in words for a code that nobody knows, Conflict where several products have that serial number, and
    where nothing of an order is due at the station.
    """
    serial = serial_in(code)
    if not serial or len(serial) > 200 or "\0" in serial:
        raise NotFound("Nothing was read; scan again.", field="code")
    found = list(units_seen_by(user).filter(serial=serial).select_related("product")[:10])
    if station is not None and len(found) > 1:
        found = [unit for unit in found if _is_due_at(unit, station)] or found
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(sorted(unit.product.name for unit in found))
        raise Conflict(
            f"{serial} is a serial number of several products: {names}. Choose it from the list.", field="code"
        )
    orders = in_scope(WorkOrder.objects.filter(order_number=serial), user, WorkOrder.site_paths)
    order = orders.first()
    if order is None:
        raise NotFound(f"{serial[:100]} is neither a unit nor an order here.", field="code")
    return _next_of(order, station)


def _is_due_at(unit: SerialUnit, station: Machine) -> bool:
    return due_at(station).filter(unit=unit).exists()


def due_at(station: Machine) -> QuerySet[UnitStage]:
    """Return the stages that are due at a machine; those that name no place are due anywhere at its site."""
    here = Q(machine=station) | Q(machine__isnull=True, machine_class__isnull=True, line=station.line_id)
    if station.machine_class_id is not None:
        here |= Q(machine__isnull=True, machine_class=station.machine_class_id)
    here |= Q(machine__isnull=True, machine_class__isnull=True, line__isnull=True)
    open_now = ~Q(unit__status__in=[UnitStatus.ON_HOLD, UnitStatus.SCRAPPED, UnitStatus.DISPATCHED])
    return UnitStage.objects.filter(here, open_now, is_due=True, unit__site=station.line.area.site_id)


def _next_of(order: WorkOrder, station: Machine | None) -> SerialUnit:
    due = due_at(station) if station is not None else UnitStage.objects.filter(is_due=True)
    # What was begun is finished first, then the oldest.
    found = (
        due.filter(unit__order=order, unit__is_blocked=False)
        .exclude(unit__status__in=[UnitStatus.ON_HOLD, UnitStatus.SCRAPPED])
        .select_related("unit")
        .order_by("-state", "unit_id")
        .first()
    )
    if found is not None:
        return found.unit
    if not order.serial_units.exists():
        raise NotFound(f"Order {order} has no serial units; create them first.", field="code", code="no_units")
    place = f" at {station.name}" if station else ""
    raise Conflict(f"No unit of order {order} is due{place} now.", field="code", code="nothing_due")


def next_step(unit: SerialUnit, station: Machine | None = None) -> NextStep:
    """Return what is to be done with a unit now.

    Raises Conflict, in an operator's words, for a unit on hold or over and for a stage that is due elsewhere.
    """
    known = know(unit)
    refuse_closed(known)
    due = known.due
    if due is None:
        parent = f" It is part of {unit.parent}." if unit.parent_id else " It is ready to be dispatched."
        return NextStep(unit, None, what_is_due(known) + parent)
    if station is not None and not is_done_at(due, station):
        raise wrong_station(known, due, station)
    labels = {field.pk: field.label for field, _ in fields_of(due)}
    missing = tuple(f"{labels[field]} {position}".strip() for field, position in known.state.stages[due.pk].missing)
    return NextStep(unit, due, what_is_due(known), missing)


# --- the tracker ---


def tracker(user: User, **asked: Any) -> QuerySet[SerialUnit]:
    """Return units with their stages, the newest first; `asked`: search, status, product, order, stage_state, stage."""
    units = units_seen_by(user).select_related("product", "order", "parent", "site")
    if search := asked.get("search"):
        units = units.filter(
            Q(serial__icontains=search)
            | Q(order__order_number__icontains=search)
            | Q(product__name__icontains=search)
            | Q(parent__serial__icontains=search)
        )
    status = asked.get("status")
    if status == "qc_issues":
        units = units.filter(is_blocked=True)
    elif status == "ready":
        units = units.filter(status=UnitStatus.FINISHED, parent__isnull=True)
    elif status:
        units = units.filter(status=status)
    if product := asked.get("product"):
        units = units.filter(product=product)
    if order := asked.get("order"):
        units = units.filter(order=order)
    stage, stage_state = asked.get("stage"), asked.get("stage_state")
    if stage or stage_state:
        stages = UnitStage.objects.filter(unit=OuterRef("pk"))
        stages = stages.filter(code=stage) if stage else stages
        stages = stages.filter(state=stage_state) if stage_state else stages
        units = units.filter(Exists(stages))
    ordered = UnitStage.objects.order_by("sequence", "id")
    return units.prefetch_related(Prefetch("stages", queryset=ordered)).order_by("-id")


def overall(unit: SerialUnit) -> str:
    """Return how a unit stands in one word of the tracker."""
    if unit.status in (UnitStatus.SCRAPPED, UnitStatus.ON_HOLD, UnitStatus.DISPATCHED):
        return unit.status
    if unit.is_blocked:
        return "qc_issues"
    if unit.status == UnitStatus.FINISHED:
        return "built_in" if unit.parent_id else "ready"
    return unit.status


@dataclass(frozen=True, slots=True)
class OrderProgress:
    """Planned and actual pieces of an order that is tracked by units."""

    order: WorkOrder
    units: int
    finished: int
    scrapped: int
    blocked: int


def order_progress(user: User, *, limit: int = 20) -> list[OrderProgress]:
    """Return planned against actual of the newest tracked orders."""
    done = Q(serial_units__status__in=[UnitStatus.FINISHED, UnitStatus.DISPATCHED])
    orders = in_scope(WorkOrder.objects.all(), user, WorkOrder.site_paths).filter(
        pk__in=SerialUnit.objects.filter(order__isnull=False).values("order")
    )
    rows = orders.select_related("product").annotate(
        tracked=Count("serial_units"),
        finished=Count("serial_units", filter=done),
        scrapped=Count("serial_units", filter=Q(serial_units__status=UnitStatus.SCRAPPED)),
        blocked=Count("serial_units", filter=Q(serial_units__is_blocked=True)),
    )
    return [
        OrderProgress(row, row.tracked, row.finished, row.scrapped, row.blocked) for row in rows.order_by("-id")[:limit]
    ]


@dataclass(frozen=True, slots=True)
class DayProgress:
    """Pieces of tracked orders planned for a day of a site (None = nothing is planned), and units finished on it."""

    date: date
    planned: Fraction | None
    finished: int


def day_progress(site: Site, days: Iterable[date]) -> list[DayProgress]:
    """Return planned against actual for days of a site, each as the site's clock has it."""
    wanted = sorted(set(days))
    if not wanted:
        return []
    planned: dict[date | None, Fraction] = {}
    begins, ends = (datetime.combine(day, time(), site.zone) for day in (wanted[0], wanted[-1] + timedelta(days=1)))
    there = SerialUnit.objects.filter(site=site, finished_at__gte=begins, finished_at__lt=ends).order_by()
    by_day = there.annotate(day=TruncDate("finished_at", tzinfo=site.zone)).values_list("day").annotate(Count("id"))
    finished = dict(by_day)
    tracked = SerialUnit.objects.filter(site=site, order=OuterRef("work_order"))
    entries = Schedule.objects.filter(Exists(tracked), line__area__site=site, shift_date__in=wanted).exclude(
        status="cancelled"
    )
    for day, quantity, target in entries.values_list("shift_date", "planned_quantity", "work_order__target_quantity"):
        # An entry without a quantity plans the whole order.
        planned[day] = planned.get(day, Fraction(0)) + Fraction(quantity if quantity is not None else target)
    return [DayProgress(day, planned.get(day), finished.get(day, 0)) for day in wanted]


# --- first-pass yield ---


@dataclass(frozen=True, slots=True)
class Yield:
    """First passes of a stage and how many were good; `value` is exact, None when there was none."""

    code: str
    name: str
    first_passes: int
    good: int

    @property
    def value(self) -> Fraction | None:
        """First-pass yield: units good at their first pass ÷ units that had one (each serial number once)."""
        return Fraction(self.good, self.first_passes) if self.first_passes else None


def first_pass_yield(
    *,
    product: Product,
    order: WorkOrder | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    user: User | None = None,
) -> list[Yield]:
    """Return the first-pass yield of each stage of a product, of first passes begun in [starts_at, ends_at).

    A pass counts once it has a result; one that was let pass as it is, or was left by scrapping, is not good. Rework
    changes nothing: only round 1 is looked at.
    """
    decided = [StageState.OK, StageState.NOT_OK, StageState.AS_IS]
    rows = StagePassage.objects.filter(round=1, result__in=decided, stage__unit__product=product)
    if user is not None:
        rows = in_scope(rows, user, StagePassage.site_paths)
    if order is not None:
        rows = rows.filter(stage__unit__order=order)
    if starts_at is not None:
        rows = rows.filter(started_at__gte=starts_at)
    if ends_at is not None:
        rows = rows.filter(started_at__lt=ends_at)
    summed = rows.values("stage__code").annotate(passes=Count("id"), good=Count("id", filter=Q(result=StageState.OK)))
    found = {row["stage__code"]: row for row in summed}
    newest = (
        UnitStage.objects.filter(unit__product=product, code__in=found)
        .order_by("code", "-unit_id")
        .distinct("code")
        .values_list("code", "name", "sequence")
    )
    ordered = sorted(newest, key=lambda row: (row[2], row[0]))
    return [Yield(code, name, found[code]["passes"], found[code]["good"]) for code, name, _ in ordered]
