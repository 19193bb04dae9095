"""Write many maintenance orders of the past at once, each with what was done about it; by the rules of `services`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import User
from core.announcements import announce
from core.bulk import insert
from core.errors import Invalid
from enterprise.models import Machine
from maintenance.models import MaintenanceOrder, MaintenancePlan, MaintenanceStep
from maintenance.services import Said, advance, refuse_asking

_Kind = MaintenanceStep.Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A step that was taken, and by whom (None = by itself); written down when it was."""

    kind: str
    at: datetime
    actor: User | None
    note: str = ""
    planned_for: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMaintenance:
    """Something to be done to a machine: asked for, or due by a plan of that machine; `steps` in their order.

    `stop_at` is a moment in the stop that it is about.
    """

    machine: Machine
    at: datetime
    actor: User | None
    title: str = ""
    description: str = ""
    plan: MaintenancePlan | None = None
    stop_at: datetime | None = None
    note: str = ""
    steps: Sequence[Taken] = ()


@transaction.atomic
def load_maintenance(new: Sequence[NewMaintenance], *, now: datetime) -> list[MaintenanceOrder]:
    """Write maintenance orders with their steps. Machines come with their line, area and site.

    Whoever loads a past says what was due by a plan: its wear is not counted again. Raises Invalid for what nobody
    could ask for, for a stop that was none by the facts of `now`, and for a step before the one before it; Conflict for
    a step that an order's life does not have; the database refuses two open orders of one plan.
    """
    orders, steps = [], []
    for one in sorted(new, key=lambda one: one.at):
        order = _order(one, now)
        said = Said(at=one.at, recorded_at=one.at, actor=one.actor, note=one.note)
        steps.append(_step(order, _Kind.REQUESTED, said))
        before = one.at
        for taken in one.steps:
            if not before <= taken.at <= now:
                raise Invalid("Steps are taken one after the other.", field="at")
            how = Said(at=taken.at, recorded_at=taken.at, actor=taken.actor, note=taken.note)
            follow = advance(order, taken.kind, how, planned_for=taken.planned_for)
            steps += [_step(order, kind, said) for kind, said in follow]
            before = taken.at
        orders.append(order)
    insert(orders)
    for step in steps:
        step.order = step.order  # It has a key by now.
    insert(sorted(steps, key=lambda step: step.occurred_at))
    announce("machine", {order.machine_id for order in orders})
    return orders


def _order(one: NewMaintenance, now: datetime) -> MaintenanceOrder:
    plan = one.plan
    if plan is not None and plan.machine_id != one.machine.pk:
        raise Invalid("That plan is of another machine.", field="plan")
    title = plan.name if plan is not None else one.title
    refuse_asking(one.machine, title, stop_at=one.stop_at, now=now)
    kinds = MaintenanceOrder.Kind
    return MaintenanceOrder(
        machine=one.machine,
        plan=plan,
        kind=kinds.CORRECTIVE if plan is None else kinds.PREVENTIVE,
        title=title.strip(),
        description=(plan.instructions if plan is not None else one.description).strip(),
        requested_at=one.at,
        stop_at=one.stop_at,
    )


def _step(order: MaintenanceOrder, kind: str, said: Said) -> MaintenanceStep:
    return MaintenanceStep(
        order=order,
        kind=kind,
        occurred_at=said.at,
        recorded_at=said.recorded_at,
        recorded_by=said.actor,
        person=said.person.strip(),
        note=said.note.strip(),
    )
