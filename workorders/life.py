"""The life of an order: each step is an action with a person and a time; what it made is confirmed in parts."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from django.db import transaction

from accounts.models import User
from core.errors import Conflict, Invalid
from core.exact import fits_millionths, rounded_up
from core.locks import take_turns
from workorders import reported
from workorders.models import OrderConfirmation, OrderReason, Run, Step, WorkOrder
from workorders.refusals import not_from_here
from workorders.selectors import Made, confirmed, missing
from workorders.services import refuse_too_much, save_order

_Status = WorkOrder.Status
MAX_QUANTITY = Decimal(10) ** 12
ZERO = Decimal(0)


def _locked(work_order: WorkOrder) -> WorkOrder:
    return WorkOrder.objects.select_for_update(of=("self",)).get(pk=work_order.pk)


def _to(order: WorkOrder, status: str, step: Step) -> WorkOrder:
    order.status = status
    order.step = step
    return save_order(work_order=order, at=step.at)


def _refuse_same(order: WorkOrder, status: str) -> None:
    """Raise Conflict for a step to where the order is: it was taken already, by somebody else perhaps."""
    if order.status == status:
        raise not_from_here(order, f"The order is {order.status} already")


@transaction.atomic
def schedule(*, work_order: WorkOrder, at: datetime, actor: User | None = None, note: str = "") -> WorkOrder:
    """Say that an order has its place in the schedule."""
    order = _locked(work_order)
    _refuse_same(order, _Status.SCHEDULED)
    return _to(order, _Status.SCHEDULED, Step(at=at, actor=actor, note=note))


@transaction.atomic
def start(*, work_order: WorkOrder, at: datetime, actor: User | None = None, note: str = "") -> WorkOrder:
    """Say that work on an order has begun. A run on a line says so as well (`services.start_run`)."""
    order = _locked(work_order)
    _refuse_same(order, _Status.IN_PROGRESS)
    if order.status in (_Status.ON_HOLD, _Status.COMPLETED):
        raise not_from_here(order, f"An order that is {order.status} is not started")
    return _to(order, _Status.IN_PROGRESS, Step(at=at, actor=actor, note=note))


@transaction.atomic
def hold(
    *, work_order: WorkOrder, reason: OrderReason | None, at: datetime, actor: User | None = None, note: str = ""
) -> WorkOrder:
    """Stop an order: until it is resumed, no run, operation or issue of material starts.

    A run goes on until it is ended.
    """
    order = _locked(work_order)
    _refuse_same(order, _Status.ON_HOLD)
    return _to(order, _Status.ON_HOLD, Step(at=at, actor=actor, reason=reason, note=note))


@transaction.atomic
def resume(*, work_order: WorkOrder, at: datetime, actor: User | None = None, note: str = "") -> WorkOrder:
    """Let a held order go on from where it was."""
    order = _locked(work_order)
    if order.status != _Status.ON_HOLD:
        raise not_from_here(order, f"The order is {order.status}, not on hold")
    return _to(order, order.held_from or _Status.RELEASED, Step(at=at, actor=actor, note=note))


@transaction.atomic
def cancel(
    *, work_order: WorkOrder, reason: OrderReason | None, at: datetime, actor: User | None = None, note: str = ""
) -> WorkOrder:
    """Give an order up. Raises Conflict while it runs, and when it has made something: then it is completed short."""
    order = _locked(work_order)
    _refuse_same(order, _Status.CANCELLED)
    return _to(order, _Status.CANCELLED, Step(at=at, actor=actor, reason=reason, note=note))


@transaction.atomic
def close(*, work_order: WorkOrder, at: datetime, actor: User | None = None, note: str = "") -> WorkOrder:
    """Put a completed order to the files: nothing more is booked to it."""
    order = _locked(work_order)
    _refuse_same(order, _Status.CLOSED)
    return _to(order, _Status.CLOSED, Step(at=at, actor=actor, note=note))


@transaction.atomic
def reopen(*, work_order: WorkOrder, at: datetime, actor: User | None = None, note: str = "") -> WorkOrder:
    """Take a completed order up again. Raises Conflict for one that is not completed."""
    order = _locked(work_order)
    _refuse_same(order, _Status.IN_PROGRESS)
    if order.status != _Status.COMPLETED:
        raise not_from_here(order, f"An order that is {order.status} is not reopened")
    return _to(order, _Status.IN_PROGRESS, Step(at=at, actor=actor, note=note))


@transaction.atomic
def complete(
    *,
    work_order: WorkOrder,
    at: datetime,
    actor: User | None = None,
    quantity: Decimal | None = None,
    short: bool = False,
    reason: OrderReason | None = None,
    note: str = "",
) -> WorkOrder:
    """Say that an order is done; with `quantity`, that it made so many good ones in all, which is then confirmed.

    Raises Conflict while it runs, when less than its tolerance is made (unless `short`, with a reason), and when more
    is.
    """
    order = _locked(work_order)
    _refuse_same(order, _Status.COMPLETED)
    if quantity is not None:
        _refuse_amount(quantity, field="quantity")
        so_far = confirmed(order)
        rest = Fraction(quantity) - (so_far.good or 0 if so_far else 0)
        if rest < 0:
            raise Conflict("More than that is confirmed already; reverse a confirmation first.", field="quantity")
        if rest:
            good = rounded_up(rest)
            stored = OrderConfirmation.objects.create(
                order=order, good=good, note=note, confirmed_by=actor, confirmed_at=at
            )
            reported.confirmed(stored)
    return _to(order, _Status.COMPLETED, Step(at=at, actor=actor, reason=reason, note=note, short=short))


# --- confirmations ---


class Confirmed(NamedTuple):
    """A confirmation, and whether it is new: False for a request that was answered before."""

    confirmation: OrderConfirmation
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantities:
    """What is confirmed, in the order's unit."""

    good: Decimal = ZERO
    scrap: Decimal = ZERO
    rework: Decimal = ZERO


_CONFIRMS = (_Status.IN_PROGRESS, _Status.ON_HOLD)


@transaction.atomic
def confirm(
    *,
    work_order: WorkOrder,
    quantities: Quantities,
    at: datetime,
    actor: User | None = None,
    note: str = "",
    idempotency_key: str | None = None,
) -> Confirmed:
    """Confirm that an order made so much more. It completes when that is enough, unless it runs or is held.

    From the first confirmation on, what the order made is what was confirmed. Raises Conflict for an order that is not
    being worked on, and for more than its tolerance allows. A retry with the same key answers what the first one did.
    """
    for name in ("good", "scrap", "rework"):
        _refuse_amount(getattr(quantities, name), field=name)
    if not any((quantities.good, quantities.scrap, quantities.rework)):
        raise Invalid("Say how much was made.", field="good")
    key = idempotency_key or None
    if key is not None:
        take_turns(f"order confirmation {key}")
        known = OrderConfirmation.objects.filter(idempotency_key=key).first()
        if known is not None:
            said = Quantities(good=known.good, scrap=known.scrap, rework=known.rework)
            if known.order_id != work_order.pk or known.reverses_id is not None or said != quantities:
                raise _other_request(key)
            return Confirmed(known, False)
    order = _locked(work_order)
    _refuse_unconfirmable(order)
    stored = OrderConfirmation.objects.create(
        order=order,
        good=quantities.good,
        scrap=quantities.scrap,
        rework=quantities.rework,
        note=note,
        confirmed_by=actor,
        confirmed_at=at,
        idempotency_key=key,
    )
    reported.confirmed(stored)
    so_far = confirmed(order)
    refuse_too_much(order, so_far.good if so_far else None)
    if so_far is not None and _is_enough(order, so_far):
        _to(order, _Status.COMPLETED, Step(at=at, actor=actor, note="Confirmed in full."))
    return Confirmed(stored, True)


def _is_enough(order: WorkOrder, so_far: Made) -> bool:
    """Say whether what was confirmed completes an order: not while it is held or a line runs it."""
    if order.status != _Status.IN_PROGRESS or missing(order, so_far) is not None:
        return False
    if order.under_tolerance is None and (so_far.good or 0) < Fraction(order.target_quantity):
        return False
    return not Run.objects.filter(work_order=order, ended_at__isnull=True).exists()


@transaction.atomic
def reverse_confirmation(
    *,
    confirmation: OrderConfirmation,
    note: str,
    at: datetime,
    actor: User | None = None,
    idempotency_key: str | None = None,
) -> Confirmed:
    """Take a confirmation back by its mirror image.

    At most once, and never a reversal; a completed order is reopened first.
    """
    if not note.strip():
        raise Invalid("Say why it is reversed.", field="note")
    key = idempotency_key or None
    if key is not None:
        take_turns(f"order confirmation {key}")
        known = OrderConfirmation.objects.filter(idempotency_key=key).first()
        if known is not None:
            if known.reverses_id != confirmation.pk:
                raise _other_request(key)
            return Confirmed(known, False)
    order = _locked(confirmation.order)
    if confirmation.reverses_id is not None:
        raise Conflict("A reversal is not reversed; confirm again.")
    if OrderConfirmation.objects.filter(reverses=confirmation).exists():
        raise Conflict("It was reversed already.")
    _refuse_unconfirmable(order)
    stored = OrderConfirmation.objects.create(
        order=order,
        good=-confirmation.good,
        scrap=-confirmation.scrap,
        rework=-confirmation.rework,
        note=note,
        confirmed_by=actor,
        confirmed_at=at,
        idempotency_key=key,
        reverses=confirmation,
    )
    reported.confirmed(stored)
    return Confirmed(stored, True)


def _other_request(key: str) -> Conflict:
    return Conflict(
        f"Something else was confirmed under the key '{key}'; it stays. Use a new key for a new confirmation.",
        field="idempotency_key",
    )


def _refuse_unconfirmable(order: WorkOrder) -> None:
    if order.status not in _CONFIRMS:
        raise not_from_here(order, f"An order that is {order.status} makes nothing")


def _refuse_amount(quantity: Decimal, *, field: str) -> None:
    if not quantity.is_finite() or not 0 <= quantity < MAX_QUANTITY:
        raise Invalid("A quantity is zero or more, and less than a million millions.", field=field)
    if not fits_millionths(quantity):
        raise Invalid("A quantity has at most six decimals.", field=field)
