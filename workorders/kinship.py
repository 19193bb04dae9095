"""Orders that come from orders: split off, merged, and made again."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from django.db import transaction

from accounts.models import User
from core.errors import Conflict, Invalid
from core.exact import fits_millionths
from workorders.models import Step, WorkOrder
from workorders.refusals import refusal
from workorders.selectors import has_begun, made
from workorders.services import amount, save_order, unit_of

_Status = WorkOrder.Status
_BEFORE_WORK = (_Status.CREATED, _Status.RELEASED, _Status.SCHEDULED)
_INHERITED = (
    *("description", "line", "product", "unit", "revision", "routing_code", "priority", "due_at"),
    *("customer", "sales_order", "over_tolerance", "under_tolerance"),
)
MAX_MERGED = 50


@transaction.atomic
def split_order(
    *, work_order: WorkOrder, quantity: Decimal, number: str = "", at: datetime, actor: User | None = None
) -> WorkOrder:
    """Split a quantity off an order on which no work has begun; return the new order, its child.

    The two targets add up to the one before. A released order's child is released with it, by the same revision, and
    both copy their operations and materials anew. Raises Conflict once work has begun.
    """
    parent = _locked(work_order.pk)
    _refuse_begun(parent, "split", at)
    if not quantity.is_finite() or not 0 < quantity < parent.target_quantity:
        raise Invalid(
            f"Split off more than nothing and less than {amount(parent.target_quantity)} {unit_of(parent)}.",
            field="quantity",
        )
    if not fits_millionths(quantity):
        raise Invalid("A quantity has at most six decimals.", field="quantity")
    parent.target_quantity -= quantity
    save_order(work_order=parent, at=at)
    child = _child(parent, WorkOrder.ParentKind.SPLIT, quantity, number)
    child.step = Step(at=at, actor=actor, note=f"Split off {parent}.")
    if parent.released_at is None:
        return save_order(work_order=child, at=at)
    save_order(work_order=child, at=at)
    child.status = _Status.RELEASED
    child.step = Step(at=at, actor=actor, note=f"{parent} is released.")
    # Its product's bill as of the parent's release: both are cut from one order.
    return save_order(work_order=child, at=parent.released_at)


@transaction.atomic
def merge_orders(
    *, work_order: WorkOrder, others: Sequence[WorkOrder], at: datetime, actor: User | None = None
) -> WorkOrder:
    """Add other orders' quantities to an order; they are cancelled then, and say where their quantity went.

    All make the same product by the same revision and routing on one line, in one unit, and no work on any has begun.
    Raises Conflict otherwise, naming the order and what differs.
    """
    ids = {other.pk for other in others}
    if not ids or work_order.pk in ids or len(ids) != len(others):
        raise Invalid("Name other orders to merge into it, each once.", field="orders")
    if len(ids) > MAX_MERGED:
        raise Invalid(f"At most {MAX_MERGED} at once.", field="orders")
    locked = {order.pk: order for order in _all_locked([work_order.pk, *ids])}
    into, rest = locked[work_order.pk], [locked[pk] for pk in sorted(ids)]
    for order in (into, *rest):
        _refuse_begun(order, "merged", at)
    for other in rest:
        for name in ("product", "revision", "routing_code", "line", "unit"):
            attribute = WorkOrder._meta.get_field(name).attname  # type: ignore[union-attr]
            if getattr(other, attribute) != getattr(into, attribute):
                label = WorkOrder._meta.get_field(name).verbose_name  # type: ignore[union-attr]
                raise Conflict(f"Order {other} has another {label} than {into}.", field="orders")
        if (other.released_at is None) != (into.released_at is None):
            raise Conflict(f"Of {other} and {into}, one is released; release the other first.", field="orders")
    into.target_quantity += sum((other.target_quantity for other in rest), Decimal(0))
    into.due_at = min((order.due_at for order in (into, *rest) if order.due_at is not None), default=None)
    save_order(work_order=into, at=at)
    for other in rest:
        other.merged_into = into
        other.status = _Status.CANCELLED
        other.step = Step(at=at, actor=actor, note=f"Merged into {into}.")
        save_order(work_order=other, at=at)
    return into


@transaction.atomic
def rework_order(
    *,
    work_order: WorkOrder,
    quantity: Decimal,
    reason: str,
    number: str = "",
    at: datetime,
    actor: User | None = None,
) -> WorkOrder:
    """Make an order for what another one has to make again; return it, its child.

    Raises Conflict when nothing was begun, or when more would be reworked than is known to be made.
    """
    if not reason.strip():
        raise Invalid("Say what is to be reworked, and why.", field="reason")
    parent = _locked(work_order.pk)
    if not fits_millionths(quantity) or quantity <= 0:
        raise Invalid("The quantity is greater than zero, with at most six decimals.", field="quantity")
    if not has_begun(parent, now=at):
        raise refusal(parent, "Nothing of it is made yet that could be reworked.")
    so_far = made(parent, now=at)
    if so_far.source:
        children = parent.children.filter(parent_kind=WorkOrder.ParentKind.REWORK).exclude(status=_Status.CANCELLED)
        rest = (so_far.whole or 0) - sum((Fraction(child.target_quantity) for child in children), Fraction(0))
        if quantity > rest:
            raise refusal(parent, f"Of what it made, {amount(rest)} {unit_of(parent)} are left to rework.")
    child = _child(parent, WorkOrder.ParentKind.REWORK, quantity, number)
    child.description = f"Rework of {parent}: {reason}"[:500]
    child.step = Step(at=at, actor=actor, note=reason[:500])
    return save_order(work_order=child, at=at)


def _locked(pk: int) -> WorkOrder:
    return WorkOrder.objects.select_for_update(of=("self",)).select_related("product", "unit").get(pk=pk)


def _all_locked(ids: Sequence[int]) -> list[WorkOrder]:
    """Hold orders in the order of their ids, so that two merges of the same ones take turns."""
    rows = WorkOrder.objects.select_for_update(of=("self",)).select_related("product", "unit")
    return list(rows.filter(pk__in=ids).order_by("pk"))


def _refuse_begun(order: WorkOrder, what: str, at: datetime) -> None:
    if order.status not in _BEFORE_WORK:
        raise refusal(order, f"Order {order} is {order.status}; only one that is not begun yet is {what}.")
    if has_begun(order, now=at):
        raise refusal(order, f"Work on order {order} has begun; it is not {what} any more.")


def _child(parent: WorkOrder, kind: str, quantity: Decimal, number: str) -> WorkOrder:
    if number and WorkOrder.objects.filter(order_number=number).exists():
        raise Conflict(f"There is an order {number} already; choose another number.", field="number")
    return WorkOrder(
        order_number=number or _free_number(parent, "R" if kind == WorkOrder.ParentKind.REWORK else "S"),
        target_quantity=quantity,
        parent=parent,
        parent_kind=kind,
        custom=parent.custom,
        **{name: getattr(parent, name) for name in _INHERITED},
    )


def _free_number(parent: WorkOrder, letter: str) -> str:
    """Return the parent's number with a letter and the first free digit: WO-7-S1.

    Its row is held, so nobody else takes it.
    """
    stem = f"{parent.order_number[:54]}-{letter}"
    taken = set(WorkOrder.objects.filter(order_number__startswith=stem).values_list("order_number", flat=True))
    return next(free for digit in range(1, len(taken) + 2) if (free := f"{stem}{digit}") not in taken)
