"""What else happens in the demo plant beside orders and hours: changeovers, calls, pallets, labels, batch records,
upkeep.

So that no page of the demo is empty. All is written through the services; each part has keys of its own, and what
exists stays as it is. The simulator asks again every now and then, as the machines' history arrives.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import Role, User
from andon.models import AndonStep, CallType
from andon.services import Said as SaidOfCall
from andon.services import call, take_step
from batchrecords.models import BatchRecord
from batchrecords.services import open_record
from core.errors import DomainError
from enterprise.models import Line, Machine, Site
from labels.models import LabelBatch, LabelLayout
from labels.services import print_batch
from maintenance.models import MaintenancePlan
from maintenance.models import MaintenanceStep as Upkeep
from maintenance.services import Said as SaidOfUpkeep
from maintenance.services import ask
from maintenance.services import take_step as take_upkeep_step
from materials.container_steps import Told
from materials.containers import close, open_container
from materials.models import Container, Kind, Location, MaterialTransaction
from materials.packing import pack
from simulator.making import FINISHED, ensure
from simulator.plant import PlantPlan
from simulator.upkeep import LUBRICATE, MAINTENANCE, MATERIAL, QUALITY, create_call_types, create_upkeep
from workorders.changeovers import (
    approve_changeover,
    begin_changeover,
    finish_changeover,
    next_phase,
    note_first_good,
)
from workorders.models import Changeover, ChangeoverTarget, Run

logger = logging.getLogger("simulate")

CHANGEOVERS, RECORDS, PALLETS = 6, 5, 2
PALLET = Decimal(1000)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Plant:
    """The plant, who works there, and when this is written down."""

    plan: PlantPlan
    site: Site
    now: datetime
    people: dict[str, User]

    def machine(self, place: int) -> Machine:
        """Return the constraint of one of the lines."""
        return Machine.objects.get(code=self.plan.lines[place].constraint.code)

    def ago(self, **length: float) -> datetime:
        """Return a moment before this is written down."""
        return self.now - timedelta(**length)


def fill(plan: PlantPlan, *, now: datetime) -> int:
    """Write what is not there yet; return how many parts are new. Without the plant's people, nothing is.

    What a service refuses is logged and tried again with the next call; it keeps no other part from being written.
    """
    site = Site.objects.get(code=plan.site[0])
    people = {one.role: User.objects.filter(username=one.username).first() for one in plan.people}
    found = {role: person for role, person in people.items() if person is not None}
    if {Role.ENGINEER, Role.SUPERVISOR, Role.OPERATOR} - found.keys():
        return 0
    plant = _Plant(plan, site, now, found)
    parts: tuple[Callable[[_Plant], bool], ...] = (_calls, _upkeep, _changeovers, _pallets, _labels, _records)
    return sum(_written(part, plant) for part in parts)


def _written(part: Callable[[_Plant], bool], plant: _Plant) -> bool:
    try:
        with transaction.atomic():
            return part(plant)
    except (DomainError, ValidationError) as refusal:
        logger.warning("%s waits: %s", part.__name__.strip("_"), refusal)
        return False


def _calls(plant: _Plant) -> bool:
    """Let there be three things to call for, calls that were answered, and one that waits."""
    if CallType.objects.filter(code=MAINTENANCE).exists():
        return False
    types = create_call_types()
    operator, supervisor = plant.people[Role.OPERATOR], plant.people[Role.SUPERVISOR]
    kinds = AndonStep.Kind
    answered = (
        (MAINTENANCE, 0, 9, "Valve 4 drips", (2, 7, 26)),
        (MATERIAL, 0, 6, "Caps for one more hour", (1, 4, 12)),
        (QUALITY, 1, 3, "Labels look pale", (6, 11, 31)),
        (MATERIAL, 1, 0.1, "Glue is low", ()),
    )
    for code, place, hours, note, minutes in answered:
        key = f"demo call {code} {place}"
        at = plant.ago(hours=hours)
        said = SaidOfCall(at=at, recorded_at=plant.now, actor=operator, note=note, idempotency_key=key)
        made = call(call_type=types[code], machine=plant.machine(place), said=said).call
        for kind, after in zip((kinds.ACKNOWLEDGED, kinds.ARRIVED, kinds.FIXED), minutes, strict=False):
            step = SaidOfCall(
                at=at + after * _MINUTE, recorded_at=plant.now, actor=supervisor, idempotency_key=f"{key} {kind}"
            )
            take_step(call=made, kind=kind, said=step)
    return True


def _upkeep(plant: _Plant) -> bool:
    """Let there be plans for the constraints, a tool on each, a request that waits and one that is done."""
    if MaintenancePlan.objects.filter(code=LUBRICATE).exists():
        return False
    engineer, operator = plant.people[Role.ENGINEER], plant.people[Role.OPERATOR]
    pet, glass = plant.machine(0), plant.machine(1)
    create_upkeep(
        plant.plan,
        plant.site,
        counted_from=lambda days: plant.ago(days=days),
        mounted_at=plant.ago(days=6),
        recorded_at=plant.now,
        actor=engineer,
    )

    def said_at(hours: float, actor: User, key: str, note: str = "") -> SaidOfUpkeep:
        return SaidOfUpkeep(
            at=plant.ago(hours=hours), recorded_at=plant.now, actor=actor, note=note, idempotency_key=f"demo {key}"
        )

    ask(machine=glass, title="Conveyor squeaks behind the washer", said=said_at(4, operator, "squeak"))
    done = ask(machine=pet, title="Filling valve 4 drips", said=said_at(9, operator, "drip")).order
    take_upkeep_step(order=done, kind=Upkeep.Kind.STARTED, said=said_at(8.8, engineer, "drip started"))
    done.refresh_from_db()
    take_upkeep_step(order=done, kind=Upkeep.Kind.FINISHED, said=said_at(8.4, engineer, "drip done", "Seal exchanged"))
    return True


def _changeovers(plant: _Plant) -> bool:
    """Write down how the lines were changed over, of late; the older ones are approved."""
    new = False
    for line_plan in plant.plan.lines:
        line = Line.objects.get(code=line_plan.code)
        target = Decimal(line_plan.format_change_minutes[0])
        ensure(ChangeoverTarget, {"line": line, "from_product": None, "to_product": None}, target_minutes=target)
        runs = list(
            Run.objects.filter(line=line, started_at__lt=plant.ago(hours=1), work_order__product__isnull=False)
            .select_related("work_order__product")
            .order_by("-started_at")[: CHANGEOVERS + 1]
        )
        for run, before in pairwise(runs):
            if run.work_order.product_id == before.work_order.product_id:
                continue
            if not Changeover.objects.filter(idempotency_key=f"demo {run.work_order}").exists():
                _changeover(plant, line, run, before)
                new = True
    return new


def _changeover(plant: _Plant, line: Line, run: Run, before: Run) -> None:
    operator, supervisor = plant.people[Role.OPERATOR], plant.people[Role.SUPERVISOR]
    at = run.started_at
    made, _ = begin_changeover(
        line=line,
        from_product=before.work_order.product,
        to_product=run.work_order.product,
        work_order=run.work_order,
        operators="Crew of the line",
        started_at=at,
        actor=operator,
        recorded_at=plant.now,
        idempotency_key=f"demo {run.work_order}",
    )
    phases = (("setup", 4), ("adjustment", 12), ("trial_run", 16))
    for phase, after in phases:
        next_phase(changeover=made, phase=phase, at=at + after * _MINUTE, recorded_at=plant.now)
    note_first_good(
        changeover=made,
        at=at + 18 * _MINUTE,
        recorded_at=plant.now,
        pieces_made=Decimal(40),
        pieces_scrapped=Decimal(12),
    )
    made = finish_changeover(
        changeover=made,
        at=at + 20 * _MINUTE,
        recorded_at=plant.now,
        run=run,
        improvement_idea="Lay the parts out before",
    )
    if at < plant.ago(days=1):
        approve_changeover(changeover=made, actor=supervisor, approved_at=at + timedelta(hours=6))


def _made(plant: _Plant, most: int) -> list[MaterialTransaction]:
    """Return the last movements by which an order put its lot in stock, the oldest of them first."""
    found = MaterialTransaction.objects.filter(kind=Kind.PRODUCE, lot__isnull=False, to_location__site=plant.site)
    rows = found.select_related("lot", "product", "work_order__line__area__site").order_by("-occurred_at", "-pk")[:most]
    return list(reversed(rows))


def _pallets(plant: _Plant) -> bool:
    """Pack some of what was made onto pallets: all but the last are closed."""
    if Container.objects.filter(code__startswith="VB-P", site=plant.site).count() >= PALLETS:
        return False
    made = _made(plant, PALLETS)
    if len(made) < PALLETS:
        return False
    location = Location.objects.get(code=FINISHED)
    for place, row in enumerate(made, start=1):
        code = f"VB-P{place:03d}"
        at = plant.ago(hours=PALLETS - place, minutes=5)
        opened = open_container(
            location=location, kind=Container.Kind.PALLET, code=code, **_told(plant, at, f"{code} open")
        )
        container = opened.step.container
        quantity = min(PALLET, row.quantity)
        pack(
            container=container,
            product=row.product,
            quantity=quantity,
            lot=row.lot,
            **_told(plant, at + _MINUTE, f"{code} pack"),
        )
        if place < PALLETS:
            close(container=container, **_told(plant, at + 2 * _MINUTE, f"{code} close"))
    return True


def _told(plant: _Plant, at: datetime, key: str) -> Told:
    return Told(actor=plant.people[Role.OPERATOR], occurred_at=at, recorded_at=plant.now, idempotency_key=f"demo {key}")


def _labels(plant: _Plant) -> bool:
    """Print the pallets' labels."""
    if LabelBatch.objects.filter(site=plant.site).exists():
        return False
    pallets = Container.objects.filter(code__startswith="VB-P", site=plant.site).order_by("code")
    rows = [{"code": pallet.code} for pallet in pallets]
    if not rows:
        return False
    layout = ensure(
        LabelLayout,
        {"code": "VB-PALLET"},
        name="Pallet label",
        site=plant.site,
        labels_what="pallet",
        width_mm=Decimal(100),
        height_mm=Decimal(60),
        base_url="https://mes.example/",
        payload="{base}/entry/{code:url}",
        text_lines=["{code}", "{date}"],
    )
    print_batch(
        layout=layout,
        site=plant.site,
        rows=rows,
        actor=plant.people[Role.OPERATOR],
        recorded_at=plant.now,
        idempotency_key="demo pallets",
    )
    return True


def _records(plant: _Plant) -> bool:
    """Open the batch records of the last lots; who prepares and signs them is the reader."""
    new = False
    for row in _made(plant, RECORDS):
        if row.work_order is None or BatchRecord.objects.filter(work_order=row.work_order).exists():
            continue
        open_record(order=row.work_order, lot=row.lot, actor=plant.people[Role.SUPERVISOR], now=plant.now)
        new = True
    return new
