"""Make the orders that are wanted: what no order covers yet, cut by each product's lot sizing.

Repeatable without doubles.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from core.errors import Invalid
from core.exact import rounded_up
from core.locks import take_turns
from core.master_data import follows
from enterprise.models import Line, Site
from products.models import Product
from products.units import convert
from workorders.lot_sizing import STOCK_LEVEL, Cut, Rule, TooManyOrders, Want, cut_orders
from workorders.models import Demand, DemandOrder, LotSizing, Step, WorkOrder
from workorders.selectors import LIVE, made, target_in_product_unit
from workorders.services import save_order

_Status = WorkOrder.Status
ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """An order that is wanted; `order` is it, once it is made. The quantity is in the product's unit."""

    product: Product
    line: Line
    quantity: Decimal
    due_at: datetime
    covers: Mapping[Demand, Decimal]
    order: WorkOrder | None = None


@dataclass(frozen=True, slots=True)
class Generated:
    """What a generation made or would make; and demands that nothing says how to make."""

    orders: list[PlannedOrder]
    without_rule: list[Demand]


@transaction.atomic
def generate_orders(
    *,
    site: Site,
    until: datetime,
    at: datetime,
    actor: User | None = None,
    stock: Mapping[int, Fraction] | None = None,
    dry_run: bool = False,
) -> Generated:
    """Make the orders that a site needs for its demand due before a time; with `dry_run`, only say which.

    `stock` is what may be used at the site, by product id in the product's unit. Demand remembers what was made for it,
    so that asking again makes nothing more. Raises Invalid for a rule that would cut more than 10,000 orders.
    """
    take_turns("generate orders", site.pk)
    sizings = list(LotSizing.objects.filter(site=site).select_related("product__unit", "line").order_by("product_id"))
    demands: dict[int, list[Demand]] = defaultdict(list)
    wanted = Demand.objects.filter(site=site, is_active=True, due_at__lt=until)
    for demand in wanted.select_related("product__unit", "unit", "line", "customer").order_by("due_at", "id"):
        demands[demand.product_id].append(demand)
    coverage = _Coverage([sizing.product_id for sizing in sizings], site, at)
    planned: list[PlannedOrder] = []
    for sizing in sizings:
        of_product = demands.pop(sizing.product_id, [])
        planned += _plan(sizing, of_product, coverage, (stock or {}).get(sizing.product_id, ZERO), at)
    without_rule = [demand for of_product in demands.values() for demand in of_product]
    if not dry_run:
        planned = _make(planned, {sizing.product_id: sizing for sizing in sizings}, at, actor)
    return Generated(planned, without_rule)


def _plan(
    sizing: LotSizing, demands: list[Demand], coverage: "_Coverage", in_stock: Fraction, at: datetime
) -> list[PlannedOrder]:
    wants = []
    by_id = {demand.pk: demand for demand in demands}
    for demand in demands:
        open_ = _quantity(demand) - coverage.of_demand.get(demand.pk, ZERO)
        if open_ > 0:
            wants.append(Want(demand.pk, open_, demand.due_at, demand.line_id))
    free = max(ZERO, in_stock - coverage.done.get(sizing.product_id, ZERO))
    supply = free + coverage.surplus.get(sizing.product_id, ZERO)
    try:
        cuts = cut_orders(wants, supply=supply, rule=_rule(sizing), now=at)
    except TooManyOrders:
        raise Invalid(f"The rule of {sizing.product} would cut too many orders; look at its lot size.") from None
    lines = {demand.line_id: demand.line for demand in demands if demand.line is not None}
    return [
        PlannedOrder(
            sizing.product,
            lines.get(cut.line_id) or sizing.line,
            rounded_up(cut.quantity),
            _due(cut, sizing, at),
            {by_id[pk]: rounded_up(quantity) for pk, quantity in cut.covers.items()},
        )
        for cut in cuts
    ]


def _due(cut: Cut, sizing: LotSizing, at: datetime) -> datetime:
    if sizing.rule == STOCK_LEVEL and not cut.covers:
        return max(cut.due_at, at + timedelta(hours=sizing.lead_time_hours))
    return cut.due_at


def _quantity(demand: Demand) -> Fraction:
    if demand.unit is None:
        return Fraction(demand.quantity)
    return convert(demand.quantity, demand.unit, demand.product.unit, demand.product)


def _rule(sizing: LotSizing) -> Rule:
    def exact(value: Decimal | None) -> Fraction | None:
        return None if value is None else Fraction(value)

    names = ("lot_size", "minimum", "multiple", "reorder_point", "stock_level")
    return Rule(sizing.rule, *(exact(getattr(sizing, name)) for name in names))


def _make(
    planned: Iterable[PlannedOrder], sizings: Mapping[int, LotSizing], at: datetime, actor: User | None
) -> list[PlannedOrder]:
    done = []
    for plan in planned:
        lead = timedelta(hours=sizings[plan.product.pk].lead_time_hours)
        customers = {(demand.customer, demand.sales_order) for demand in plan.covers}
        customer, sales_order = customers.pop() if len(customers) == 1 else (None, "")
        order = WorkOrder(
            order_number=_number(plan),
            description=f"{plan.product} for {'an order' if customer or sales_order else 'stock'}"[:500],
            line=plan.line,
            product=plan.product,
            target_quantity=plan.quantity,
            due_at=plan.due_at,
            planned_start_at=plan.due_at - lead if lead else None,
            planned_end_at=plan.due_at if lead else None,
            customer=customer,
            sales_order=sales_order,
        )
        order.step = Step(at=at, actor=actor, note="Made from demand.")
        save_order(work_order=order, at=at)
        for demand, quantity in plan.covers.items():
            DemandOrder.objects.create(demand=demand, order=order, quantity=quantity, recorded_at=at)
        done.append(PlannedOrder(plan.product, plan.line, plan.quantity, plan.due_at, plan.covers, order))
    return done


def _number(plan: PlannedOrder) -> str:
    """Return the first free number of a product and day: COLA-20260302-1."""
    stem = f"{plan.product.code[:40]}-{plan.due_at:%Y%m%d}-"
    taken = set(WorkOrder.objects.filter(order_number__startswith=stem).values_list("order_number", flat=True))
    return next(free for digit in range(1, len(taken) + 2) if (free := f"{stem}{digit}") not in taken)


class _Coverage:
    """What orders already cover, by the order that they stem from: what is split off covers what its parent covered.

    `of_demand` by demand, `surplus` and `done` by product: what live orders make for nobody, and what completed ones
    made for demand that is still there, so that it lies in stock and is not free.
    """

    def __init__(self, product_ids: list[int], site: Site, at: datetime) -> None:
        self.of_demand: dict[int, Fraction] = {}
        self.surplus: dict[int, Fraction] = {}
        self.done: dict[int, Fraction] = {}
        rows = DemandOrder.objects.filter(demand__site=site, demand__is_active=True, demand__product__in=product_ids)
        pegs: dict[int, list[DemandOrder]] = defaultdict(list)
        for peg in rows.select_related("demand").order_by("demand__due_at", "demand_id", "id"):
            pegs[peg.order_id].append(peg)
        orders = _with_kin(product_ids, site, set(pegs))
        sources: dict[int, int] = {pk: _source(pk, orders) for pk in orders}
        live: dict[int, Fraction] = defaultdict(lambda: ZERO)
        finished: dict[int, Fraction] = defaultdict(lambda: ZERO)
        for pk, order in orders.items():
            if order.status in LIVE:
                live[sources[pk]] += target_in_product_unit(order)
            elif order.status != _Status.CANCELLED:
                finished[sources[pk]] += _made_of(order, at)
        of_source: dict[int, list[DemandOrder]] = defaultdict(list)
        for pk, of_order in pegs.items():
            if pk in sources:
                of_source[sources[pk]] += of_order
        for source in sorted(set(sources.values())):
            self._share(orders[source], live[source], finished[source], of_source[source])

    def _share(self, order: WorkOrder, live: Fraction, finished: Fraction, pegs: list[DemandOrder]) -> None:
        """Give what an order and those split off it make to its demands, the first due first."""
        product_id = order.product_id or 0
        for peg in sorted(pegs, key=lambda peg: (peg.demand.due_at, peg.demand_id, peg.pk)):
            wanted = Fraction(peg.quantity)
            from_finished = min(wanted, finished)
            from_live = min(wanted - from_finished, live)
            finished, live = finished - from_finished, live - from_live
            self.of_demand[peg.demand_id] = self.of_demand.get(peg.demand_id, ZERO) + from_finished + from_live
            self.done[product_id] = self.done.get(product_id, ZERO) + from_finished
        self.surplus[product_id] = self.surplus.get(product_id, ZERO) + live


def _with_kin(product_ids: list[int], site: Site, pegged: set[int]) -> dict[int, WorkOrder]:
    """Return the site's live orders of products, those made for demand, and whatever was split off or merged since."""
    rows = WorkOrder.objects.filter(product__in=product_ids, line__area__site=site)
    rows = rows.select_related("product__unit", "unit")
    found = {row.pk: row for row in rows.filter(Q(status__in=LIVE) | Q(pk__in=pegged))}
    layer = set(found)
    while layer:
        kin = Q(parent__in=layer, parent_kind=WorkOrder.ParentKind.SPLIT)
        above = {row.parent_id for row in found.values() if row.parent_kind == WorkOrder.ParentKind.SPLIT}
        above |= {row.merged_into_id for row in found.values()}
        layer = set()
        for row in rows.filter(kin | Q(pk__in=above - {None})).exclude(pk__in=found):
            found[row.pk] = row
            layer.add(row.pk)
    return found


def _source(pk: int, orders: Mapping[int, WorkOrder]) -> int:
    """Return the order that an order's quantity stems from, or went into."""
    seen: set[int] = set()
    while pk not in seen:
        seen.add(pk)
        order = orders[pk]
        above = order.merged_into_id
        if above is None and order.parent_kind == WorkOrder.ParentKind.SPLIT:
            above = order.parent_id
        if above is None or above not in orders:
            return pk
        pk = above
    return min(seen)


def _made_of(order: WorkOrder, at: datetime) -> Fraction:
    """Return what a finished order made for its demand: its target, or less when it is known to have made less."""
    target, good = target_in_product_unit(order), made(order, now=at).good
    if good is None or good >= order.target_quantity:
        return target
    return target * good / Fraction(order.target_quantity)


@follows(Demand)
def demand_changed(*, before: Demand | None, after: Demand | None) -> None:
    """Refuse a unit that is not the product's, a line of another site,
    and another product for what orders were made for.
    """
    if after is None:
        return
    _quantity_or_refusal(after)
    if after.line is not None and after.line.area.site_id != after.site_id:
        raise Invalid("The line is of another site.", field="line")
    if before is not None and after.covered_by.exists():
        for name in ("product_id", "site_id"):
            if getattr(before, name) != getattr(after, name):
                raise Invalid("Orders were made for it; switch it off and write another.", field=name[:-3])


def _quantity_or_refusal(demand: Demand) -> None:
    try:
        _quantity(demand)
    except Invalid as refusal:
        raise Invalid(refusal.message, field="unit") from None


@follows(LotSizing)
def lot_sizing_changed(*, before: LotSizing | None, after: LotSizing | None) -> None:
    """Refuse a line of another site."""
    if after is not None and after.line.area.site_id != after.site_id:
        raise Invalid("The line is of another site.", field="line")
