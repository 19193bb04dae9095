"""Follow lots forward and back, and say what a recall concerns."""

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from core.exact import plain_number
from core.master_data import in_scope
from core.spreadsheets import csv_text
from materials.container_queries import Whereabouts, where_are
from materials.genealogy import edges
from materials.models import MaterialLot, MaterialTransaction, Stock
from workorders.models import WorkOrder

MAX_EDGES = 10_000
"""What one answer shows at most; a recall's CSV shows all."""


class Edge(NamedTuple):
    """So much of one lot went into another, in an order or by a split."""

    input_lot_id: int
    output_lot_id: int
    work_order_id: int | None
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Trace:
    """What one lot went into, or what it was made of, over any depth."""

    lot: MaterialLot
    forward: bool
    depths: dict[int, int]
    """Steps from the lot, by lot id; itself is 0."""
    edges: list[Edge]
    lots: dict[int, MaterialLot]
    """Those that the reader may see."""
    orders: dict[int, str]
    hidden: int
    """How many lots belong to sites of which the reader sees nothing."""

    def near_first(self) -> list[MaterialLot]:
        """Return the lots by their distance, the traced one first."""
        return sorted(self.lots.values(), key=lambda lot: (self.depths[lot.pk], lot.product.code, lot.number))


def trace(lot: MaterialLot, *, forward: bool, user: Any = None) -> Trace:
    """Follow a lot forward or back. With a user, lots of other people's sites are counted and not shown."""
    found = list(map(Edge._make, edges(lot.pk, forward=forward)))
    depths = _depths(lot.pk, found, forward=forward)
    # Their few products and sites are fetched once, not with every row.
    rows = MaterialLot.objects.prefetch_related("product", "site").filter(pk__in=_among(depths))
    if user is not None:
        rows = in_scope(rows, user, MaterialLot.site_paths)
    lots = {row.pk: row for row in rows}
    shown = found
    if len(lots) < len(depths):
        shown = [edge for edge in found if edge.input_lot_id in lots and edge.output_lot_id in lots]
    shown.sort(key=lambda edge: depths[edge[0]])
    orders = WorkOrder.objects.filter(pk__in={edge.work_order_id for edge in shown if edge.work_order_id})
    numbers = dict(orders.values_list("pk", "order_number"))
    return Trace(lot, forward, depths, shown, lots, numbers, len(depths) - len(lots))


def _among(ids: Iterable[int]) -> RawSQL:
    """Return ids as one parameter: there may be tens of thousands."""
    return RawSQL("SELECT unnest(%s::bigint[])", [sorted(ids)])


def _depths(start: int, found: Sequence[Edge], *, forward: bool) -> dict[int, int]:
    near: dict[int, list[int]] = defaultdict(list)
    for input_, output, _, _ in found:
        if forward:
            near[input_].append(output)
        else:
            near[output].append(input_)
    depths, waiting = {start: 0}, deque([start])
    while waiting:
        here = waiting.popleft()
        for there in near[here]:
            if there not in depths:
                depths[there] = depths[here] + 1
                waiting.append(there)
    return depths


@dataclass(frozen=True, slots=True)
class Flow:
    """What of a lot came into being and where it went, reversals counted against what they reverse."""

    brought_in: Decimal = Decimal(0)
    consumed: Decimal = Decimal(0)
    scrapped: Decimal = Decimal(0)
    shipped: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class AffectedLot:
    """A lot that a recall concerns: how much there ever was, what is still in house and where."""

    lot: MaterialLot
    depth: int
    flow: Flow
    in_house: list[Stock]
    orders: list[str]
    """Numbers of the orders that used it."""
    made_by: str
    customers: list[str]
    containers: list[Whereabouts]
    """In which containers it is, and in which it was shipped."""

    @property
    def brought_in(self) -> Decimal:
        """Received, produced and split off, less what was reversed."""
        return self.flow.brought_in

    @property
    def still_in_house(self) -> Decimal:
        """The quantity in stock, everywhere."""
        return sum((stock.quantity for stock in self.in_house), Decimal(0))

    @property
    def gone(self) -> Decimal:
        """What there was and is no longer in stock: used, shipped, scrapped."""
        return self.brought_in - self.still_in_house


@dataclass(frozen=True, slots=True)
class Recall:
    """Everything that a lot is in, itself included."""

    lot: MaterialLot
    lots: list[AffectedLot]
    orders: list[str]
    customers: list[str]
    hidden: int

    @property
    def still_in_house(self) -> list[AffectedLot]:
        """The lots of which something is in stock."""
        return [affected for affected in self.lots if affected.still_in_house]


def recall(lot: MaterialLot, *, user: Any = None) -> Recall:
    """Say which lots, orders and customers a lot concerns, how much of it there was,
    and what is still in house and where.
    """
    found = trace(lot, forward=True, user=user)
    ids = list(found.lots)
    stock: dict[int, list[Stock]] = defaultdict(list)
    rows = Stock.objects.filter(lot__in=_among(ids)).exclude(quantity=0)
    # Their few places are fetched once, not with every row.
    for row in rows.prefetch_related("location__site"):
        stock[row.lot_id or 0].append(row)
    flows = flows_of(ids)
    used_by: dict[int, set[int]] = defaultdict(set)
    for edge in found.edges:
        if edge.work_order_id is not None:
            used_by[edge.input_lot_id].add(edge.work_order_id)
    making = {row.pk: row.work_order_id for row in found.lots.values()}
    order_ids = set(found.orders) | {order for order in making.values() if order is not None}
    orders = WorkOrder.objects.filter(pk__in=_among(order_ids))
    if user is not None:
        orders = in_scope(orders, user, WorkOrder.site_paths)
    numbers = dict(orders.values_list("pk", "order_number"))
    customers = customers_of(orders)
    packed = where_are(ids, user=user)
    lots = [
        AffectedLot(
            row,
            found.depths[row.pk],
            flows.get(row.pk, Flow()),
            sorted(stock[row.pk], key=lambda there: there.location.code),
            sorted(numbers[order] for order in used_by[row.pk] if order in numbers),
            numbers.get(making[row.pk] or 0, ""),
            customers.get(making[row.pk] or 0, []),
            packed.get(row.pk, []),
        )
        for row in found.near_first()
    ]
    everybody = sorted({customer for said in customers.values() for customer in said})
    return Recall(lot, lots, sorted(numbers.values()), everybody, found.hidden)


def flows_of(lot_ids: Collection[int]) -> dict[int, Flow]:
    """Return what became of lots: received, produced, split off; used by orders; thrown away from stock; shipped."""
    ids = sorted(lot_ids)
    with connection.cursor() as cursor:
        cursor.execute(_FLOWS, [ids, ids])
        return {lot: Flow(*sums) for lot, *sums in cursor.fetchall()}


# A reversal counts against what it reverses; one of a split names the lots the other way round.
_FLOWS = """
    SELECT lot_id, sum(came), sum(used), sum(scrapped), sum(shipped) FROM (
        SELECT t.lot_id,
            CASE WHEN o.kind IN ('receive', 'produce') THEN q WHEN o.kind = 'split' THEN -t.quantity ELSE 0 END AS came,
            CASE WHEN o.kind = 'consume' OR (o.kind = 'issue' AND o.to_location_id IS NULL) THEN q
                WHEN o.kind = 'return' AND o.from_location_id IS NULL THEN -q ELSE 0 END AS used,
            CASE WHEN o.kind = 'scrap' AND o.from_location_id IS NOT NULL THEN q ELSE 0 END AS scrapped,
            CASE WHEN o.kind = 'ship' THEN q ELSE 0 END AS shipped
        FROM materials_materialtransaction t
        JOIN materials_materialtransaction o ON o.id = coalesce(t.reverses_id, t.id)
        CROSS JOIN LATERAL (SELECT CASE WHEN t.reverses_id IS NULL THEN t.quantity ELSE -t.quantity END) AS signed (q)
        WHERE t.lot_id = ANY(%s)
        UNION ALL
        SELECT t.to_lot_id, t.quantity, 0, 0, 0 FROM materials_materialtransaction t WHERE t.to_lot_id = ANY(%s)
    ) AS movements GROUP BY lot_id
"""


def customers_of(orders: QuerySet[WorkOrder]) -> dict[int, list[str]]:
    """Return for whom orders are made, by order id: the customer and the sales order, as far as they are known."""
    rows = orders.values_list("pk", "customer__name", "sales_order")
    return {pk: [said for said in (customer, sales_order) if said] for pk, customer, sales_order in rows}


_COLUMNS = (
    *("steps", "product", "lot", "status", "expiry_date", "made_by", "customers", "used_by"),
    *("brought_in", "still_in_house", "consumed", "shipped", "scrapped", "gone", "unit", "where", "containers"),
)


def recall_csv(found: Recall, *, status_of: Mapping[int, str]) -> str:
    """Return a recall as a spreadsheet: one row for each lot."""
    rows: Iterable[Sequence[Any]] = (
        (
            affected.depth,
            affected.lot.product.code,
            affected.lot.number,
            status_of[affected.lot.pk],
            affected.lot.expiry_date,
            affected.made_by,
            ", ".join(affected.customers),
            ", ".join(affected.orders),
            affected.brought_in,
            affected.still_in_house,
            affected.flow.consumed,
            affected.flow.shipped,
            affected.flow.scrapped,
            affected.gone,
            affected.lot.product.unit_id,
            ", ".join(f"{there.location.code}: {plain_number(there.quantity)}" for there in affected.in_house),
            ", ".join(f"{plain_number(there.quantity)} {there}" for there in affected.containers),
        )
        for affected in found.lots
    )
    return csv_text([_COLUMNS, *rows])


def movements_of(lot: MaterialLot) -> QuerySet[MaterialTransaction]:
    """Return what moved of a lot, the newest first."""
    return MaterialTransaction.objects.filter(Q(lot=lot) | Q(to_lot=lot)).order_by("-occurred_at", "-id")
