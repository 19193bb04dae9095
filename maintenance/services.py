"""Write what is done about maintenance. A step that an order's life does not have is refused with those it has.

Every write may carry a key; a retry with the same key answers what the first one did. An order's row is held by whoever
takes a step; what concerns a machine being down takes turns by machine, after the order.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core.announcements import announce
from core.errors import Conflict, Invalid
from core.fact_api import refuse_future
from core.locks import take_turns
from enterprise.models import Machine
from maintenance.models import MaintenanceOrder, MaintenancePlan, MaintenanceStep, PartUse, Tool, ToolMounting
from maintenance.selectors import due_list, stop_of
from materials.models import Location, MaterialLot
from materials.services import use_in_maintenance
from products.models import Product

_Status, _Kind = MaintenanceOrder.Status, MaintenanceStep.Kind
MOST_MADE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How a step is taken: when, through which log-in (None = by itself), in whose name, what they say."""

    at: datetime
    recorded_at: datetime
    actor: User | None
    person: str = ""
    note: str = ""
    idempotency_key: str | None = None


class Answer(NamedTuple):
    """An order as it stands after a request, and whether the request did anything new."""

    order: MaintenanceOrder
    is_new: bool


def allowed_steps(order: MaintenanceOrder) -> tuple[str, ...]:
    """Return the steps that may be taken of an order as it stands."""
    after: dict[str, tuple[str, ...]] = {
        _Status.REQUESTED: (_Kind.PLANNED, _Kind.STARTED, _Kind.CANCELLED),
        _Status.PLANNED: (_Kind.PLANNED, _Kind.STARTED, _Kind.CANCELLED),
        _Status.IN_PROGRESS: (_Kind.FINISHED, _Kind.CANCELLED),
    }
    steps = after.get(order.status, ())
    if not steps:
        return ()
    return (*steps, _Kind.DOWN if order.down_since is None else _Kind.UP)


@transaction.atomic
def ask(
    *,
    machine: Machine,
    title: str,
    said: Said,
    description: str = "",
    machine_down: bool = False,
    stop_at: datetime | None = None,
) -> Answer:
    """Ask for maintenance of a machine; `machine_down` blocks it, so that nothing can be started on it.

    `stop_at` links it to the stop in which the machine stood then. Raises Invalid for a machine that is switched off,
    or that did not stand then.
    """
    known = _asked_before(said.idempotency_key)
    if known is not None:
        if (known.machine_id, known.title) != (machine.pk, title.strip()):
            raise Conflict(_("Something else was asked for under that key; it stays."), field="idempotency_key")
        return Answer(known, False)
    _refuse_future(said.at, said.recorded_at)
    refuse_asking(machine, title, stop_at=stop_at, now=said.recorded_at)
    order = MaintenanceOrder.objects.create(
        machine=machine,
        title=title.strip(),
        description=description.strip(),
        requested_at=said.at,
        stop_at=stop_at,
        idempotency_key=said.idempotency_key or None,
    )
    _write(order, _Kind.REQUESTED, said)
    if machine_down:
        _set_down(order, said)
    return Answer(order, True)


def refuse_asking(machine: Machine, title: str, *, stop_at: datetime | None, now: datetime) -> None:
    """Raise Invalid for what nobody can ask for: nothing, at a machine that is switched off,
    or in a stop that was none.
    """
    if not title.strip():
        raise Invalid(_("Say what is wrong."), field="title")
    if not machine.is_active:
        raise Invalid(_("That machine is switched off."), field="machine")
    if stop_at is not None:
        stop_of(machine, stop_at, now=now)


@transaction.atomic
def take_step(*, order: MaintenanceOrder, kind: str, said: Said, planned_for: datetime | None = None) -> Answer:
    """Plan an order for a moment, start it, finish it, cancel it; say that the machine is down, or release it.

    Starting one whose plan has the machine stand says that it is down; finishing or cancelling releases it. Raises
    Conflict for a step that cannot be taken from where the order is (`facts["allowed"]` lists those that can).
    """
    key = said.idempotency_key
    if key:
        take_turns(f"maintenance step {key}")
        known = MaintenanceStep.objects.filter(idempotency_key=key).first()
        if known is not None:
            if (known.order_id, known.kind) != (order.pk, kind):
                raise Conflict(_("Another step was taken under that key; it stays."), field="idempotency_key")
            return Answer(MaintenanceOrder.objects.get(pk=order.pk), False)
    _refuse_future(said.at, said.recorded_at)
    locked = MaintenanceOrder.objects.select_for_update(of=("self",)).select_related("machine", "plan").get(pk=order.pk)
    steps = advance(locked, kind, said, planned_for=planned_for)
    if any(one == _Kind.DOWN for one, _said in steps):
        # Whoever begins a run there takes the same turn, so one of the two sees the other.
        take_turns("machine is down", locked.machine_id)
    locked.save(update_fields=["status", "planned_for", "started_at", "finished_at", "down_since"])
    for one, how in steps:
        _write(locked, one, how)
    return Answer(locked, True)


def advance(
    order: MaintenanceOrder, kind: str, said: Said, *, planned_for: datetime | None = None
) -> list[tuple[str, Said]]:
    """Change an order, in memory, by a step; return the steps to be written: this one and what follows of it.

    Raises as `take_step`.
    """
    _refuse_step(order, kind)
    if said.at < order.requested_at:
        raise Invalid(_("That is before it was asked for."), field="at")
    steps = [(kind, said)]
    if kind == _Kind.PLANNED:
        if planned_for is None:
            raise Invalid(_("Say when it is to be done."), field="planned_for")
        order.status, order.planned_for = _Status.PLANNED, planned_for
    elif kind == _Kind.STARTED:
        order.status, order.started_at = _Status.IN_PROGRESS, said.at
        if order.plan is not None and order.plan.stops_machine and order.down_since is None:
            order.down_since = said.at
            steps.append((_Kind.DOWN, replace(said, note="", idempotency_key=None)))
    elif kind == _Kind.FINISHED:
        if order.started_at is not None and said.at < order.started_at:
            raise Invalid(_("That is before it was started."), field="at")
        order.status, order.finished_at = _Status.FINISHED, said.at
    elif kind == _Kind.CANCELLED:
        if not said.note.strip():
            raise Invalid(_("Say why."), field="note")
        order.status = _Status.CANCELLED
    elif kind == _Kind.DOWN:
        order.down_since = said.at
    elif kind == _Kind.UP:
        order.down_since = None
    return steps


@transaction.atomic
def use_part(
    *,
    order: MaintenanceOrder,
    product: Product,
    quantity: Decimal,
    from_location: Location,
    said: Said,
    lot: MaterialLot | None = None,
    unit_cost: Decimal | None = None,
) -> tuple[PartUse, bool]:
    """Take a spare part out of stock for an order; return its use and whether it is new.

    Raises Conflict when the order is over, or there is not enough in stock; a mistake is reversed in the ledger.
    """
    if said.actor is None:
        raise Invalid(_("Somebody takes it."), field="actor")
    if from_location.site_id != order.machine.line.area.site_id:
        raise Invalid(_("That place is at another site than the machine."), field="from_location")
    locked = MaintenanceOrder.objects.select_for_update(of=("self",)).get(pk=order.pk)
    posted = use_in_maintenance(
        product=product,
        quantity=quantity,
        from_location=from_location,
        lot=lot,
        actor=said.actor,
        occurred_at=said.at,
        recorded_at=said.recorded_at,
        reason=f"M-{order.pk} {said.note.strip()}".strip(),
        unit_cost=unit_cost,
        idempotency_key=said.idempotency_key,
    )
    if not posted.is_new:
        known = PartUse.objects.filter(movement=posted.transaction).first()
        if known is None or known.order_id != order.pk:
            raise Conflict(_("Another movement was posted under that key; it stays."), field="idempotency_key")
        return known, False
    if not locked.is_open:
        raise Conflict(_("The order is over; nothing more is used for it."), field="order")
    return PartUse.objects.create(order=locked, movement=posted.transaction), True


@transaction.atomic
def mount_tool(*, tool: Tool, machine: Machine, said: Said, is_renewed: bool = False) -> tuple[ToolMounting, bool]:
    """Put a tool on a machine; `is_renewed` lets its life begin anew. Returns the mounting and whether it is new.

    Raises Conflict when it is mounted somewhere, or was in use later than that.
    """
    key = said.idempotency_key
    if key:
        take_turns(f"tool mounting {key}")
        known = ToolMounting.objects.filter(idempotency_key=key).first()
        if known is not None:
            if (known.tool_id, known.machine_id) != (tool.pk, machine.pk):
                raise Conflict(_("Another mounting was written under that key; it stays."), field="idempotency_key")
            return known, False
    _refuse_future(said.at, said.recorded_at)
    if said.actor is None:
        raise Invalid(_("Somebody mounts it."), field="actor")
    if tool.site_id != machine.line.area.site_id:
        raise Invalid(_("That machine is at another site than the tool."), field="machine")
    take_turns("mountings of a tool", tool.pk)
    last = tool.mountings.order_by("-mounted_at", "-id").select_related("machine").first()
    if last is not None and last.removed_at is None:
        raise Conflict(
            _("%(tool)s is mounted on %(machine)s; remove it there first.") % {"tool": tool, "machine": last.machine},
            field="tool",
        )
    if last is not None and last.removed_at is not None and said.at < last.removed_at:
        raise Conflict(_("It was still mounted then."), field="at")
    return (
        ToolMounting.objects.create(
            tool=tool,
            machine=machine,
            mounted_at=said.at,
            is_renewed=is_renewed,
            recorded_at=said.recorded_at,
            recorded_by=said.actor,
            idempotency_key=key or None,
        ),
        True,
    )


@transaction.atomic
def remove_tool(*, tool: Tool, said: Said) -> ToolMounting:
    """Take a tool off its machine; one that is removed already stays as it is when the moment is the same."""
    _refuse_future(said.at, said.recorded_at)
    take_turns("mountings of a tool", tool.pk)
    last = tool.mountings.select_for_update().order_by("-mounted_at", "-id").first()
    if last is None or (last.removed_at is not None and last.removed_at != said.at):
        raise Conflict(_("It is not mounted."), field="tool")
    if last.removed_at is None:
        if said.at <= last.mounted_at:
            raise Invalid(_("It is removed after it was mounted."), field="at")
        last.removed_at = said.at
        last.save(update_fields=["removed_at"])
    return last


@transaction.atomic
def order_due_plans(*, now: datetime) -> list[MaintenanceOrder]:
    """Make an order for every plan that is due and has none open; however often it is called, one each."""
    take_turns("maintenance plans")
    made: list[MaintenanceOrder] = []
    for due in due_list(MaintenancePlan.objects.all(), now=now):
        if not due.wear.is_due or due.order is not None or len(made) >= MOST_MADE:
            continue
        order = MaintenanceOrder.objects.create(
            machine=due.plan.machine,
            plan=due.plan,
            kind=MaintenanceOrder.Kind.PREVENTIVE,
            title=due.plan.name,
            description=due.plan.instructions,
            requested_at=now,
        )
        _write(order, _Kind.REQUESTED, Said(at=now, recorded_at=now, actor=None))
        made.append(order)
    return made


def _asked_before(key: str | None) -> MaintenanceOrder | None:
    if not key:
        return None
    take_turns(f"maintenance order {key}")
    return MaintenanceOrder.objects.filter(idempotency_key=key).select_related("machine").first()


def _refuse_step(order: MaintenanceOrder, kind: str) -> None:
    allowed = allowed_steps(order)
    if kind in allowed:
        return
    can = ", ".join(str(_Kind(one).label) for one in allowed) or _("nothing")
    raise Conflict(
        _("The order is %(status)s; what can be done: %(can)s.")
        % {"status": str(order.get_status_display()).lower(), "can": can},
        field="order",
        code="step",
        facts={"allowed": [str(one) for one in allowed], "status": order.status},
    )


def _set_down(order: MaintenanceOrder, said: Said) -> None:
    """Block the machine. Whoever begins a run there takes the same turn, so one of the two sees the other."""
    take_turns("machine is down", order.machine_id)
    order.down_since = said.at
    order.save(update_fields=["down_since"])
    _write(order, _Kind.DOWN, said)


def _write(order: MaintenanceOrder, kind: str, said: Said) -> None:
    taken = said.idempotency_key
    if taken and MaintenanceStep.objects.filter(idempotency_key=taken).exists():
        taken = None  # The request's first step carries its key.
    MaintenanceStep.objects.create(
        order=order,
        kind=kind,
        occurred_at=said.at,
        recorded_at=said.recorded_at,
        recorded_by=said.actor,
        person=said.person.strip(),
        note=said.note.strip(),
        idempotency_key=taken or None,
    )
    announce("machine", [order.machine_id])


def _refuse_future(at: datetime, recorded_at: datetime) -> None:
    try:
        refuse_future(at, recorded_at)
    except Invalid as refusal:
        raise Invalid(refusal.message, field="at") from None
