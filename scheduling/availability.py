"""Say whether material, people and equipment for entries of the schedule are there, each in words."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil

from core.exact import plain_number
from downtime.models import StateReason
from downtime.selectors import CurrentState, current_states, read_by_rules
from enterprise.models import Machine
from enterprise.selectors import reference_of
from labor.availability import Staffing, staffing
from materials.availability import Need, Short, shortages
from materials.selectors import used_by_orders
from scheduling.shares import shares_of
from workorders.models import Operation, OrderMaterial, Schedule, WorkOrder
from workorders.placing import OVER, words

SOON = timedelta(hours=1)
"""A machine that stands now counts against what is planned now or to begin within this time."""
_DOWN = frozenset({StateReason.Category.UNPLANNED})


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes, no, or None = not known; and why."""

    is_there: bool | None
    words: str


@dataclass(frozen=True, slots=True)
class Availability:
    """What an entry needs, and whether it is there."""

    entry_id: int
    material: Answer
    people: Answer
    equipment: Answer


def availability(entry: Schedule, *, now: datetime) -> Availability:
    """Return what an entry needs, and whether it is there; its line, area and site are read."""
    return availability_of([entry], now=now)[entry.pk]


def availability_of(entries: Sequence[Schedule], *, now: datetime) -> dict[int, Availability]:
    """Return it for entries, by id; the number of queries does not grow with them."""
    material, people = _material(entries, now), _people(entries)
    equipment = _equipment(entries, now)
    return {
        entry.pk: Availability(entry.pk, material[entry.pk], people[entry.pk], equipment[entry.pk]) for entry in entries
    }


# --- material ---


def material_needs(entries: Sequence[Schedule], *, now: datetime) -> list[Need]:
    """Return what entries, and the confirmed ones before them at their sites, still need; only confirmed ones take.

    An entry needs its share of its order's material, by planned quantity or else time; what the order has used already
    is taken off the shares in the order of their start.
    """
    sites = {entry.line.area.site_id for entry in entries}
    confirmed = Schedule.objects.filter(
        line__area__site__in=sites,
        status=Schedule.Status.CONFIRMED,
        kind=Schedule.Kind.PRODUCTION,
        planned_end_at__gt=now,
        planned_start_at__lt=max(entry.planned_start_at for entry in entries),
    ).exclude(work_order__status__in=OVER)
    everything = {entry.pk: entry for entry in confirmed.select_related("line__area__site")}
    everything |= {entry.pk: entry for entry in entries if entry.kind == Schedule.Kind.PRODUCTION}
    orders = {entry.work_order_id for entry in everything.values() if entry.work_order_id is not None}
    siblings: dict[int, list[Schedule]] = defaultdict(list)
    active = Schedule.objects.filter(work_order__in=orders, kind=Schedule.Kind.PRODUCTION)
    for sibling in active.exclude(status=Schedule.Status.CANCELLED).order_by("planned_start_at", "pk"):
        siblings[sibling.work_order_id or 0].append(sibling)
    targets = dict(WorkOrder.objects.filter(pk__in=orders).values_list("pk", "target_quantity"))
    rows: dict[int, list[OrderMaterial]] = defaultdict(list)
    for row in OrderMaterial.objects.filter(work_order__in=orders, quantity_required__gt=0):
        rows[row.work_order_id].append(row)
    used = used_by_orders(orders)
    quantities: dict[int, dict[int, Fraction]] = {pk: defaultdict(Fraction) for pk in everything}
    for order_id in orders:
        left = {product_id: Fraction(used.get((order_id, product_id), 0)) for product_id in _products(rows[order_id])}
        shares = shares_of(siblings[order_id], Fraction(targets[order_id]))
        for sibling in siblings[order_id]:
            for row in rows[order_id]:
                part = shares[sibling.pk] if _takes(sibling, row) else Fraction(0)
                needed = Fraction(row.quantity_required) * part
                covered = min(left[row.product_id], needed)
                left[row.product_id] -= covered
                if sibling.pk in quantities and needed > covered:
                    quantities[sibling.pk][row.product_id] += needed - covered
    return [
        Need(
            key=entry.pk,
            site_id=entry.line.area.site_id,
            at=entry.planned_start_at,
            day=entry.planned_start_at.astimezone(entry.line.area.site.zone).date(),
            quantities=dict(quantities[entry.pk]),
            takes=entry.status == Schedule.Status.CONFIRMED,
        )
        for entry in everything.values()
    ]


def _products(rows: Iterable[OrderMaterial]) -> set[int]:
    return {row.product_id for row in rows}


def _takes(entry: Schedule, row: OrderMaterial) -> bool:
    """Say whether a material is taken with an entry: with that of its operation, or with any."""
    if entry.operation_id is None or row.operation_id is None:
        return True
    return entry.operation_id == row.operation_id


def _material(entries: Sequence[Schedule], now: datetime) -> dict[int, Answer]:
    if not entries:
        return {}
    short = shortages(material_needs(entries, now=now), now=now)
    with_rows = set(
        OrderMaterial.objects.filter(
            work_order__in=[entry.work_order_id for entry in entries], quantity_required__gt=0
        ).values_list("work_order", flat=True)
    )
    found = {}
    for entry in entries:
        order = entry.work_order
        if order is None or entry.kind != Schedule.Kind.PRODUCTION:
            found[entry.pk] = Answer(True, "needs none")
        elif order.status in OVER:
            found[entry.pk] = Answer(True, f"order {order} is {order.status}")
        elif order.released_at is None:
            found[entry.pk] = Answer(None, f"order {order} is not released, so its materials are not known")
        elif order.pk not in with_rows:
            found[entry.pk] = Answer(True, "its bill of material takes nothing")
        elif short[entry.pk]:
            found[entry.pk] = Answer(False, "; ".join(short_words(one) for one in short[entry.pk]))
        else:
            found[entry.pk] = Answer(True, "in stock, after what confirmed entries before it need")
    return found


def short_words(short: Short) -> str:
    """Say what is short."""
    missing = short.missing
    # Never less than what is missing.
    thousandths = Decimal(ceil(missing * 1000)).scaleb(-3)
    return f"{short.product} is short by {plain_number(thousandths)} {short.product.unit_id}"


# --- people ---


def _people(entries: Sequence[Schedule]) -> dict[int, Answer]:
    asked = {
        (entry.line_id, entry.line.area.site_id, entry.shift_date) for entry in entries if entry.shift_date is not None
    }
    found = staffing(asked)
    crews: dict[int, list[Operation]] = defaultdict(list)
    orders = {entry.work_order_id for entry in entries if entry.work_order_id is not None}
    for operation in Operation.objects.filter(work_order__in=orders, crew_size__isnull=False):
        crews[operation.work_order_id].append(operation)
    answers = {}
    for entry in entries:
        staff = found.get((entry.line_id, entry.shift_date)) if entry.shift_date is not None else None
        sizes = [
            operation.crew_size
            for operation in crews[entry.work_order_id or 0]
            if operation.crew_size is not None and entry.operation_id in (None, operation.pk)
        ]
        answers[entry.pk] = _staffed(entry, staff, ceil(max(sizes, default=Decimal(0))))
    return answers


def _staffed(entry: Schedule, staff: Staffing | None, crew: int) -> Answer:
    if entry.kind != Schedule.Kind.PRODUCTION:
        return Answer(True, "needs no operators")
    if staff is None or not staff.is_staffed:
        return Answer(None, "no people of the site are on record")
    if staff.lacking:
        return Answer(False, f"nobody there that day has {'; '.join(staff.lacking)}")
    if staff.people < crew:
        return Answer(False, f"{staff.people} of {crew} people needed are there and qualified")
    if not staff.has_needs and not crew:
        return Answer(None, "nobody said which skills or how many people it needs")
    return Answer(True, f"{staff.people} qualified and not absent{f', {crew} needed' if crew else ''}")


# --- equipment ---


def _equipment(entries: Sequence[Schedule], now: datetime) -> dict[int, Answer]:
    lines = {entry.line_id for entry in entries}
    machines: dict[int, list[Machine]] = defaultdict(list)
    everyone = list(
        Machine.objects.filter(line__in=lines).select_related("line__area__site").order_by("position", "id")
    )
    for machine in everyone:
        machines[machine.line_id].append(machine)
    states = read_by_rules(everyone, current_states([machine.pk for machine in everyone], now=now))
    reasons = {
        reason.pk: reason.name
        for reason in StateReason.objects.without_tree_fields().filter(
            pk__in={state.reason_id for state in states.values()}
        )
    }
    maintenance: dict[int, list[Schedule]] = defaultdict(list)
    if entries:
        rows = Schedule.objects.filter(
            line__in=lines,
            kind=Schedule.Kind.MAINTENANCE,
            planned_start_at__lt=max(entry.planned_end_at for entry in entries),
            planned_end_at__gt=min(entry.planned_start_at for entry in entries),
        ).exclude(status=Schedule.Status.CANCELLED)
        for row in rows.select_related("line__area__site", "work_order"):
            maintenance[row.line_id].append(row)
    found = {}
    for entry in entries:
        active = [machine for machine in machines[entry.line_id] if machine.is_active]
        blocked = next((row for row in maintenance[entry.line_id] if row.pk != entry.pk and _overlap(row, entry)), None)
        down = _down(entry, active, states, now)
        if not entry.line.is_active:
            found[entry.pk] = Answer(False, f"{entry.line} is switched off")
        elif not machines[entry.line_id]:
            found[entry.pk] = Answer(None, f"{entry.line} has no machines")
        elif not active:
            found[entry.pk] = Answer(False, f"the machines of {entry.line} are switched off")
        elif blocked is not None:
            found[entry.pk] = Answer(False, words(blocked))
        elif down is not None:
            since = down[1].since.astimezone(entry.line.area.site.zone)
            reason = reasons.get(down[1].reason_id, "no reason")
            found[entry.pk] = Answer(False, f"{down[0]} is down since {since:%Y-%m-%d %H:%M} ({reason})")
        else:
            found[entry.pk] = Answer(True, "nothing stands against it")
    return found


def _overlap(one: Schedule, other: Schedule) -> bool:
    return one.planned_start_at < other.planned_end_at and one.planned_end_at > other.planned_start_at


def _down(
    entry: Schedule, active: list[Machine], states: Mapping[int, CurrentState], now: datetime
) -> tuple[Machine, CurrentState] | None:
    """Return the line's pace-setting machine and its state when it is down and the entry is due now or soon."""
    if not active or entry.planned_end_at <= now or entry.planned_start_at > now + SOON:
        return None
    machine = reference_of(active)
    state = states.get(machine.pk)
    return (machine, state) if state is not None and state.category in _DOWN else None
