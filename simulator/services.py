"""Set up the demo plant in the database, and keep its orders running, as its people would.

Repeating changes nothing.
"""

import hashlib
import json
import logging
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Max
from django.utils.text import slugify

from accounts.models import DeviceKey, Membership, Role, User
from core import master_data
from core.errors import Conflict
from core.intervals import Interval
from counts.models import CountHistory, CountTag, CountType
from downtime.models import StateHistory, StateReason
from enterprise.models import Area, CalendarException, Enterprise, Line, Machine, Shift, ShiftBreak, Site
from oee.models import OeePolicy
from products.models import IdealRate, Product
from products.services import ensure_unit
from simulator.making import create_making, ensure
from simulator.plant import LinePlan, MachinePlan, PlantPlan, ReasonPlan, ShiftPlan
from simulator.progress import LineProgress
from simulator.reason_names import REASON_NAMES
from simulator.shop.plan import ShopPlan
from simulator.working_time import OrderSlot, day_window, order_slots, production_day
from workorders.bulk import NewOrder, load_orders
from workorders.life import complete
from workorders.models import Customer, WorkOrder
from workorders.services import end_run, start_run

logger = logging.getLogger(__name__)

RATES_HOLD_SINCE = timedelta(days=400)
OVERTIME_SINCE, OVERTIME_FOR = timedelta(days=30), timedelta(days=365)
TARGET_OEE = Decimal("0.75")
PLANNED_BEFORE = timedelta(days=3)
"""So long before they begin orders are in the schedule."""
CLOSED_AFTER = timedelta(hours=12)
"""So long after its end a planner closes an order of which everything is booked."""
_OPEN = {WorkOrder.Status.CREATED, WorkOrder.Status.RELEASED, WorkOrder.Status.SCHEDULED}


@dataclass(frozen=True, slots=True)
class FirstPassword:
    """A password as it was made; it is stored only as a hash."""

    username: str
    role: str
    password: str


@transaction.atomic
def create_plant(plant: PlantPlan, *, now: datetime, since: datetime | None = None) -> Site:
    """Make the plant's master data: places, calendar, products and rates, counters, reasons, OEE policy.

    `since` = from when on its overtime holds, where that is longer than usual.
    """
    overtime_since = min(now - OVERTIME_SINCE, since or now).date()
    enterprise = ensure(Enterprise, {"code": plant.enterprise[0]}, name=plant.enterprise[1])
    site = ensure(
        Site, {"code": plant.site[0]}, name=plant.site[1], enterprise=enterprise, time_zone=plant.time_zone, locale="en"
    )
    area = ensure(Area, {"code": plant.area[0]}, name=plant.area[1], site=site)
    ensure(OeePolicy, {"site": site, "valid_from": None}, target_oee=TARGET_OEE)
    create_reasons(plant.reasons)
    create_count_types()
    for product in plant.products:
        ensure(
            Product,
            {"code": product.code},
            name=product.name,
            unit=ensure_unit(code="bottle"),
            lot_controlled=True,
            shelf_life_days=product.shelf_life_days,
        )
    _create_shifts(plant.shifts, {"site": site}, now, overtime_since)
    lines = [_create_line(plan, area, now, overtime_since) for plan in plant.lines]
    _create_holidays(plant, site, lines, now)
    create_making(plant, site, valid_from=_since(now))
    for name in plant.customers:
        ensure(Customer, {"name": name}, code=slugify(name))
    return site


def create_reasons(reasons: dict[str, tuple[ReasonPlan, ...]]) -> None:
    """Make a tree of state reasons, given by category."""
    for category, roots in reasons.items():
        _create_branch(category, roots, None)


def _create_branch(category: str, plans: Iterable[ReasonPlan], parent: StateReason | None) -> None:
    for position, plan in enumerate(plans):
        reason = ensure(
            StateReason,
            {"code": plan.code},
            name=plan.name,
            names=REASON_NAMES.get(plan.code, {}),
            category=category,
            parent=parent,
            position=position,
            colour=plan.colour,
            operator_selectable=not plan.from_device_only,
            waits_for=plan.waits_for,
            is_failure=False if plan.waits_for else None,
        )
        _create_branch(category, plan.children, reason)


def create_count_types() -> None:
    """Make a type of counter for each role."""
    for role in CountType.Role:
        ensure(CountType, {"code": role.name}, name=str(role.label), role=role)


def _create_line(plan: LinePlan, area: Area, now: datetime, overtime_since: date) -> Line:
    line = ensure(Line, {"code": plan.code}, name=plan.name, area=area)
    # The first machine of a new line becomes its constraint.
    for machine in sorted(plan.machines, key=lambda machine: not machine.is_constraint):
        _create_machine(plan, machine, line, plan.machines.index(machine) + 1, now)
    _create_shifts(plan.own_shifts, {"line": line}, now, overtime_since)
    return line


def _create_machine(line_plan: LinePlan, plan: MachinePlan, line: Line, position: int, now: datetime) -> None:
    machine = ensure(Machine, {"code": plan.code}, name=plan.name, line=line, position=position)
    for counter in plan.counters:
        ensure(
            CountTag,
            {"tag_path": plan.tag_path(counter)},
            machine=machine,
            count_type=CountType.objects.get(code=counter.count_type),
            mode=CountTag.Mode.RUNNING if counter.is_running else CountTag.Mode.DELTA,
            scale=Decimal(counter.pieces_per_pulse),
            modulus=None if counter.modulus is None else Decimal(counter.modulus),
        )
    for code, rate in line_plan.rates.items():
        product = Product.objects.get(code=code)
        if not IdealRate.objects.filter(product=product, machine=machine).exists():
            value = rate * plan.pace.numerator / plan.pace.denominator
            unit = IdealRate.Unit.PIECES_PER_HOUR
            master_data.save(
                IdealRate(product=product, machine=machine, value=value, unit=unit, valid_from=_since(now))
            )


def _since(now: datetime) -> datetime:
    """Return from when on what the plant makes is known."""
    return (now - RATES_HOLD_SINCE).replace(hour=0, minute=0, second=0, microsecond=0)


def _create_shifts(plans: Iterable[ShiftPlan], level: dict[str, Any], now: datetime, overtime_since: date) -> None:
    for plan in plans:
        if Shift.objects.filter(**level, name=plan.name).exists():
            continue
        shift = master_data.save(
            Shift(
                **level,
                name=plan.name,
                kind=Shift.Kind.OVERTIME if plan.is_overtime else Shift.Kind.REGULAR,
                weekdays=sorted(plan.weekdays),
                start_time=plan.start,
                end_time=plan.end,
                valid_from=overtime_since if plan.is_overtime else None,
                valid_until=(now + OVERTIME_FOR).date() if plan.is_overtime else None,
            )
        )
        for pause in plan.breaks:
            master_data.save(ShiftBreak(shift=shift, name=pause.name, start_time=pause.start, end_time=pause.end))


def _create_holidays(plant: PlantPlan, site: Site, lines: Iterable[Line], now: datetime) -> None:
    works = [line for line, plan in zip(lines, plant.lines, strict=True) if plan.works_on_holidays]
    for year in (now.year - 1, now.year, now.year + 1):
        for month, day, name in plant.holidays:
            holiday = now.date().replace(year=year, month=month, day=day)
            kinds = CalendarException.Kind
            ensure(CalendarException, {"site": site, "date": holiday}, kind=kinds.HOLIDAY, name=name)
            for line in works:
                ensure(
                    CalendarException,
                    {"line": line, "date": holiday},
                    kind=kinds.WORKING_DAY,
                    name=f"{name}: works through",
                )


@transaction.atomic
def create_people(plant: PlantPlan, site: Site, *, reset_passwords: bool) -> list[FirstPassword]:
    """Make the plant's people with random passwords, and return those; people that exist keep theirs unless reset."""
    made = []
    for plan in plant.people:
        person = User.objects.filter(username=plan.username).first()
        if person is not None and not reset_passwords:
            continue
        if person is None:
            made.append(make_person(plan.username, plan.first_name, plan.last_name, plan.role, site))
            continue
        password = secrets.token_urlsafe(12)
        person.set_password(password)
        person.save(update_fields=["password"])
        made.append(FirstPassword(plan.username, plan.role, password))
    return made


def make_person(username: str, first_name: str, last_name: str, role: str, site: Site) -> FirstPassword:
    """Make somebody with a role at a site (an administrator has it everywhere) and a random password,
    and return that.
    """
    password = secrets.token_urlsafe(12)
    is_admin = role == Role.ADMIN
    person = User(
        username=username,
        first_name=first_name,
        last_name=last_name,
        is_staff=role in {Role.ADMIN, Role.ENGINEER, Role.SUPERVISOR},
        is_superuser=is_admin,
    )
    person.set_password(password)
    master_data.save(person)
    master_data.save(Membership(user=person, site=None if is_admin else site, role=role))
    return FirstPassword(username, role, password)


def devices_folder() -> Path:
    """Return where the simulated devices keep what is theirs: one folder for each database."""
    return Path(settings.BASE_DIR) / "var" / "simulator" / str(connection.settings_dict["NAME"])


def queues_folder(plant_id: str, *, seed: int) -> Path:
    """Return where the devices' clients keep their queues; what another plant or seed has left there is not theirs."""
    name = hashlib.sha256(f"{plant_id}|{seed}".encode()).hexdigest()[:12]
    return Path(settings.BASE_DIR) / "var" / "devices" / str(connection.settings_dict["NAME"]) / name


def provide_device_keys(plant: PlantPlan, path: Path) -> dict[str, str]:
    """Return a valid device key for each line of a plant, by the line's code; see `provide_keys`."""
    return provide_keys([plan.code for plan in plant.lines], path)


def provide_keys(lines: Iterable[str], path: Path) -> dict[str, str]:
    """Return a valid device key for each of some lines, by code; new ones are kept for the devices in a file.

    Only its owner can read the file. A line's key that is missing there, or no longer valid, is replaced by a new one.
    """
    keys: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    for code in lines:
        known = keys.get(code)
        if known is None or not DeviceKey.objects.is_valid(known):
            line = Line.objects.get(code=code)
            _, keys[code] = DeviceKey.objects.create_key(name=f"Gateway of {line}", line=line)
    keep_secret(keys, path)
    return keys


def keep_secret(what: dict[str, str], path: Path) -> None:
    """Write something into a file that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(what, file)
    path.chmod(0o600)


def keep_orders(plant: PlantPlan, window: Interval, *, now: datetime) -> int:
    """Bring the lines' orders up to date in a window: planned ones scheduled, due ones started, past ones done.

    Returns how many changed. What people did otherwise in the meantime is left as it is.
    """
    changed = 0
    for plan in plant.lines:
        line = Line.objects.select_related("area__site").get(code=plan.code)
        slots = order_slots(plant, plan, window)
        orders = WorkOrder.objects.filter(order_number__in=[slot.number for slot in slots])
        known = dict(orders.values_list("order_number", "status"))
        changed += _plan_orders(line, [slot for slot in slots if slot.number not in known], now)
        for slot in slots:
            if slot.start > now or known.get(slot.number) not in {*_OPEN, WorkOrder.Status.IN_PROGRESS}:
                continue
            try:
                changed += _keep_order(line, slot, now)
            except (Conflict, ValidationError) as refusal:
                logger.warning("Order %s is left as it is: %s", slot.number, refusal)
    return changed


def new_order(
    line: Line,
    slot: OrderSlot,
    product: Product,
    customer: Customer | None,
    *,
    now: datetime,
    closed_at: datetime | None = None,
) -> NewOrder:
    """Return an order as it stands at a moment."""
    return NewOrder(
        number=slot.number,
        description=f"{product} for {slot.customer or 'stock'}",
        line=line,
        product=product,
        quantity=slot.quantity,
        planned_at=slot.planned_start - PLANNED_BEFORE,
        planned_start_at=slot.planned_start,
        planned_end_at=slot.planned_end,
        started_at=slot.start if slot.start <= now else None,
        ended_at=slot.end if slot.end <= now else None,
        closed_at=closed_at,
        customer=customer,
        sales_order=slot.sales_order,
        priority=slot.priority,
        due_at=slot.due_at,
    )


def _plan_orders(line: Line, slots: Sequence[OrderSlot], now: datetime) -> int:
    """Write the orders that are not known yet, as they stand now; one by one where people have planned something
    there.
    """
    products = {product.code: product for product in Product.objects.filter(code__in={slot.product for slot in slots})}
    customers = {one.name: one for one in Customer.objects.filter(name__in={slot.customer for slot in slots})}
    new = [new_order(line, slot, products[slot.product], customers.get(slot.customer), now=now) for slot in slots]
    try:
        return len(load_orders(new))
    except (Conflict, IntegrityError):
        return sum(_is_planned(one) for one in new)


def _is_planned(new: NewOrder) -> bool:
    try:
        load_orders([new])
    except (Conflict, IntegrityError) as refusal:
        logger.warning("Order %s is not written: %s", new.number, refusal)
        return False
    return True


@transaction.atomic
def _keep_order(line: Line, slot: OrderSlot, now: datetime) -> bool:
    order = WorkOrder.objects.select_related("product").get(order_number=slot.number)
    run = order.runs.first()
    if run is None:
        ended_at = slot.end if slot.end <= now else None
        start_run(
            work_order=order, line=line, schedule=order.schedules.first(), started_at=slot.start, ended_at=ended_at
        )
    elif run.ended_at is None and slot.end <= now:
        run = end_run(run=run, ended_at=slot.end)
    elif run.ended_at is None:
        return False
    if slot.end <= now:
        complete(work_order=order, at=slot.end)
    return True


def plant_identity(plant: PlantPlan | ShopPlan) -> str:
    """Return what tells this database's plant from one of the same name elsewhere, or before.

    Raises Site.DoesNotExist.
    """
    site = Site.objects.get(code=plant.site[0])
    return f"{site.code} {site.history.earliest().history_date.isoformat()}"


def devices_memory(plant: PlantPlan, line: LinePlan, *, now: datetime, history_days: int) -> LineProgress:
    """Return where a line's devices begin when they have no memory of their own.

    In a plant without facts that is the start of the history; otherwise it is the day of the newest fact, with the
    counters as they stood when that day began.
    """
    newest = StateHistory.objects.filter(machine__line__code=line.code).aggregate(at=Max("occurred_at"))["at"]
    if newest is None:
        return LineProgress(from_day=production_day(plant, now) - timedelta(days=history_days))
    day = production_day(plant, newest)
    start = day_window(plant, day).start
    readings = {}
    for tag in CountTag.objects.filter(machine__line__code=line.code, mode=CountTag.Mode.RUNNING):
        last = CountHistory.objects.filter(tag=tag, occurred_at__lt=start).order_by("-occurred_at").first()
        readings[tag.tag_path] = 0 if last is None else int(last.value)
    return LineProgress(from_day=day, readings=readings)
