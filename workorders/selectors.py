"""Read orders: what may happen to them next, what they have made, where they come from, and when they are planned."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from products.units import Quantity, convert
from workorders.models import ChangeoverTarget, Operation, OrderConfirmation, Schedule, WorkOrder
from workorders.sorting import resorted_of, sorted_anew

_Status = WorkOrder.Status
TRANSITIONS: dict[str, frozenset[str]] = {
    _Status.CREATED: frozenset({_Status.RELEASED, _Status.SCHEDULED, _Status.IN_PROGRESS, _Status.CANCELLED}),
    _Status.RELEASED: frozenset({_Status.SCHEDULED, _Status.IN_PROGRESS, _Status.ON_HOLD, _Status.CANCELLED}),
    _Status.SCHEDULED: frozenset({_Status.RELEASED, _Status.IN_PROGRESS, _Status.ON_HOLD, _Status.CANCELLED}),
    _Status.IN_PROGRESS: frozenset({_Status.ON_HOLD, _Status.COMPLETED, _Status.CANCELLED}),
    _Status.ON_HOLD: frozenset({_Status.RELEASED, _Status.SCHEDULED, _Status.IN_PROGRESS, _Status.CANCELLED}),
    _Status.COMPLETED: frozenset({_Status.IN_PROGRESS, _Status.CLOSED}),
    _Status.CLOSED: frozenset(),
    _Status.CANCELLED: frozenset(),
}
"""Which status may follow which: what is closed or cancelled stays so. From hold only back to where it was."""

ACTIONS: dict[str, str] = {
    "release": _Status.RELEASED,
    "schedule": _Status.SCHEDULED,
    "start": _Status.IN_PROGRESS,
    "hold": _Status.ON_HOLD,
    "complete": _Status.COMPLETED,
    "close": _Status.CLOSED,
    "reopen": _Status.IN_PROGRESS,
    "cancel": _Status.CANCELLED,
}
"""What a person or system asks for, and the status that it leads to; `resume` leads to where the order was held."""

LIVE = (_Status.CREATED, _Status.RELEASED, _Status.SCHEDULED, _Status.IN_PROGRESS, _Status.ON_HOLD)


def next_statuses(*, status: str, held_from: str = "") -> frozenset[str]:
    """Return the statuses that an order may go to from here."""
    if status == _Status.ON_HOLD and held_from:
        return frozenset({held_from, _Status.CANCELLED})
    return TRANSITIONS[status]


def allowed(order: WorkOrder) -> list[str]:
    """Return the actions that an order's life allows now, by name."""
    reachable = next_statuses(status=order.status, held_from=order.held_from)
    if order.status == _Status.ON_HOLD:
        return ["cancel", "resume"]
    only = {"start": order.status != _Status.COMPLETED, "reopen": order.status == _Status.COMPLETED}
    return sorted(name for name, status in ACTIONS.items() if status in reachable and only.get(name, True))


def target_in_product_unit(order: WorkOrder) -> Fraction:
    """Return the target quantity in the unit that the order's product is counted in, exact."""
    return in_product_unit(order, order.target_quantity)


def in_product_unit(order: WorkOrder, quantity: Quantity) -> Fraction:
    """Return a quantity of an order in the unit that its product is counted in, exact."""
    if order.product is None or order.unit_id in (None, order.product.unit_id) or order.unit is None:
        return Fraction(quantity)
    return convert(quantity, order.unit, order.product.unit, order.product)


# --- what an order has made ---


@dataclass(frozen=True, slots=True)
class Made:
    """What an order has made, in its own unit, exact; None = nobody knows. `source` says who does."""

    good: Fraction | None = None
    scrap: Fraction | None = None
    rework: Fraction | None = None
    source: str = ""

    @property
    def whole(self) -> Fraction | None:
        """Good pieces, scrap and rework together, as far as they are known; None when nobody knows anything."""
        if not self.source:
            return None
        known = [part for part in (self.good, self.scrap, self.rework) if part is not None]
        return sum(known, Fraction(0))

    @property
    def anything(self) -> bool:
        """Whether it is known to have made something, good or not."""
        return any((self.good, self.scrap, self.rework))


Source = Callable[[WorkOrder, datetime], Made | None]
_sources: list[tuple[int, Source]] = []


def knows_what_was_made(*, rank: int) -> Callable[[Source], Source]:
    """Declare a source of an app above: called with an order and the moment now, of several the lowest rank first."""

    def declare(source: Source) -> Source:
        _sources.append((rank, source))
        _sources.sort(key=lambda ranked: ranked[0])
        return source

    return declare


def made(order: WorkOrder, *, now: datetime) -> Made:
    """Return what an order has made: as confirmed; else as the first source of an app above knows.

    What was decided about its pieces since is in it (`workorders.sorting`).
    """
    found = confirmed_of([order]).get(order.pk)
    if found is not None:
        return found
    for _, source in _sources:
        found = source(order, now)
        if found is not None:
            return found
    return Made()


def confirmed(order: WorkOrder) -> Made | None:
    """Return the sum of what was confirmed for an order; None when nothing was, or all of it was reversed."""
    rows = order.confirmations.aggregate(good=Sum("good"), scrap=Sum("scrap"), rework=Sum("rework"))
    if not any(rows.values()):
        return None
    return Made(Fraction(rows["good"]), Fraction(rows["scrap"]), Fraction(rows["rework"]), "confirmations")


def confirmed_of(orders: Sequence[WorkOrder]) -> dict[int, Made]:
    """Return what was confirmed for orders, by order id, with what was decided about pieces since;
    their product and unit are read.

    What was decided before the first confirmation that stands is in what was confirmed. Three queries at most.
    """
    sums = (
        OrderConfirmation.objects.filter(order__in=[order.pk for order in orders])
        .order_by()
        .values("order")
        .annotate(
            good_sum=Sum("good"),
            scrap_sum=Sum("scrap"),
            rework_sum=Sum("rework"),
            first=Min("confirmed_at", filter=Q(reverses__isnull=True, reversed_by__isnull=True)),
        )
    )
    rows = {row["order"]: row for row in sums if row["good_sum"] or row["scrap_sum"] or row["rework_sum"]}
    decided = resorted_of(rows)
    found = {}
    for order in orders:
        row = rows.get(order.pk)
        if row is None:
            continue
        parts = (Fraction(row["good_sum"]), Fraction(row["scrap_sum"]), Fraction(row["rework_sum"]))
        since = [one for one in decided.get(order.pk, ()) if row["first"] is not None and one.decided_at > row["first"]]
        per_unit = in_product_unit(order, 1) if since else Fraction(1)
        found[order.pk] = Made(*sorted_anew(parts, since, per_unit=per_unit), "confirmations")
    return found


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Between which quantities an order is neither short nor too much; None = not decided."""

    least: Fraction | None
    most: Fraction | None


def tolerance(order: WorkOrder) -> Tolerance:
    """Return an order's bounds in its unit: target × (1 − under) and target × (1 + over)."""
    target = Fraction(order.target_quantity)
    under, over = order.under_tolerance, order.over_tolerance
    return Tolerance(
        None if under is None else target * (1 - Fraction(under)),
        None if over is None else target * (1 + Fraction(over)),
    )


def missing(order: WorkOrder, made_: Made) -> Fraction | None:
    """Return how much an order lacks of the least that completes it;
    None when it lacks nothing or nothing is decided.
    """
    least = tolerance(order).least
    lacking = None if least is None else least - (made_.good or 0)
    return lacking if lacking is not None and lacking > 0 else None


def has_begun(order: WorkOrder, *, now: datetime) -> bool:
    """Say whether any work on an order has begun: a run, an operation, or anything made."""
    return (
        order.status in (_Status.IN_PROGRESS, _Status.COMPLETED, _Status.CLOSED)
        or order.held_from == _Status.IN_PROGRESS
        or order.runs.exists()
        or order.operations.exclude(status__in=(Operation.Status.PENDING, Operation.Status.READY)).exists()
        or made(order, now=now).anything
    )


def family(order: WorkOrder) -> list[WorkOrder]:
    """Return the orders that an order comes from, itself, and those that come from it or went into it; bounded."""
    top, seen = order, {order.pk}
    while top.parent is not None and top.parent_id not in seen and len(seen) < MAX_FAMILY:
        top = top.parent
        seen.add(top.pk)
    rows, layer = [top], [top.pk]
    known = {top.pk}
    while layer and len(rows) < MAX_FAMILY:
        below = WorkOrder.objects.filter(parent__in=layer).exclude(pk__in=known).order_by("pk")[:MAX_FAMILY]
        merged = WorkOrder.objects.filter(merged_into__in=layer).exclude(pk__in=known).order_by("pk")[:MAX_FAMILY]
        layer = []
        for row in (*below, *merged):
            if row.pk not in known:
                known.add(row.pk)
                rows.append(row)
                layer.append(row.pk)
    return rows[:MAX_FAMILY]


MAX_FAMILY = 200


def unplaced_orders() -> QuerySet[WorkOrder]:
    """Return the orders that are to be made and have no place in the schedule, the most urgent first."""
    placed = Schedule.objects.filter(work_order=OuterRef("pk"), kind=Schedule.Kind.PRODUCTION)
    return (
        WorkOrder.objects.filter(status__in=LIVE)
        .exclude(Exists(placed.exclude(status=Schedule.Status.CANCELLED)))
        .order_by(F("due_at").asc(nulls_last=True), "priority", "order_number")
    )


def schedule_entries() -> QuerySet[Schedule]:
    """Return the schedule with `sequence` and `version`.

    `sequence` is an entry's place within line, shift and day by its planned start; None when it is cancelled. `version`
    is the newest line of its history: an editor gives back what was seen.
    """
    not_after = Q(planned_start_at__lt=OuterRef("planned_start_at")) | Q(
        planned_start_at=OuterRef("planned_start_at"), pk__lte=OuterRef("pk")
    )
    before = (
        Schedule.objects.exclude(status=Schedule.Status.CANCELLED)
        .annotate(of_shift=Coalesce("shift_id", 0))
        .filter(not_after, line=OuterRef("line"), shift_date=OuterRef("shift_date"), of_shift=OuterRef("of_shift"))
        .order_by()
        .annotate(everything=Value(1))
        .values("everything")
        .annotate(number=Count("pk"))
        .values("number")
    )
    newest = (
        Schedule.history.filter(id=OuterRef("pk"))
        .order_by()
        .annotate(everything=Value(1))
        .values("everything")
        .annotate(newest=Max("history_id"))
        .values("newest")
    )
    return Schedule.objects.annotate(of_shift=Coalesce(F("shift_id"), 0)).annotate(
        sequence=Case(
            When(status=Schedule.Status.CANCELLED, then=None), default=Subquery(before), output_field=IntegerField()
        ),
        version=Subquery(newest, output_field=IntegerField()),
    )


def target_of(
    targets: Iterable[ChangeoverTarget], from_product_id: int | None, to_product_id: int | None
) -> timedelta | None:
    """Return what the most specific target allows, of targets of one line or of any; None without any that fits.

    Of its line before any line, then the one that names more products, then the one that names the product to make.
    """
    fitting = [
        target
        for target in targets
        if target.from_product_id in (None, from_product_id) and target.to_product_id in (None, to_product_id)
    ]
    if not fitting:
        return None

    def specific(target: ChangeoverTarget) -> tuple[bool, int, bool]:
        names_to = target.to_product_id is not None
        return target.line_id is not None, (target.from_product_id is not None) + names_to, names_to

    minutes: Decimal = max(fitting, key=specific).target_minutes
    return timedelta(microseconds=int(Fraction(minutes) * 60_000_000))
