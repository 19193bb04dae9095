"""The ledger of movements and the stock beside it: locks, balances, and nothing that is silently negative.

Lock order of every writer: the work order's row, lots by id, stock rows by key, the turn of the genealogy.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal
from fractions import Fraction
from typing import Required, TypedDict

from django.db import connection, transaction

from accounts.models import User
from core.errors import Conflict
from core.exact import plain_number
from materials import reported
from materials.models import Kind, Location, MaterialLot, MaterialTransaction, Stock
from materials.packed import containers_at, packed_at
from products.models import Product, StockPolicy
from workorders.models import WorkOrder

StockKey = tuple[int, int, int]
"""Product, lot (0 = without one) and location, by id."""

ZERO = Decimal(0)
BACK_FLUSHED = "Back-flushed"
"""The reason of a movement that follows from what was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """What is to be written to the ledger."""

    kind: str
    product: Product
    quantity: Decimal
    lot: MaterialLot | None = None
    to_lot: MaterialLot | None = None
    from_location: Location | None = None
    to_location: Location | None = None
    work_order: WorkOrder | None = None
    operation_code: str = ""
    unit_cost: Decimal | None = None
    given_quantity: Decimal | None = None
    given_unit: str = ""
    reason: str = ""
    reverses: MaterialTransaction | None = None
    idempotency_key: str | None = None


class Said(TypedDict, total=False):
    """What every movement says besides what moved: who, when, and how a retry is known."""

    actor: Required[User]
    occurred_at: Required[datetime]
    recorded_at: Required[datetime]
    idempotency_key: str | None
    reason: str
    operation_code: str
    unit: str
    """What the quantity is said in; it is kept beside the quantity in the product's own unit."""
    unit_cost: Decimal | None
    """Of one of the product's own unit, whatever the quantity is said in."""


def effects(movement: Movement | MaterialTransaction) -> Iterator[tuple[StockKey, Decimal]]:
    """Yield what a movement changes in stock, by key."""
    if movement.from_location is not None:
        yield _key(movement.product, movement.lot, movement.from_location), -movement.quantity
    if movement.to_location is not None:
        yield _key(movement.product, movement.to_lot or movement.lot, movement.to_location), movement.quantity


def _key(product: Product, lot: MaterialLot | None, location: Location) -> StockKey:
    return product.pk, 0 if lot is None else lot.pk, location.pk


def lock_order(work_order: WorkOrder) -> WorkOrder:
    """Hold an order's row until the transaction ends, so that who moves its material takes turns."""
    return WorkOrder.objects.select_for_update(no_key=True, of=("self",)).get(pk=work_order.pk)


def lock_lots(lot_ids: Collection[int]) -> dict[int, MaterialLot]:
    """Hold lots until the transaction ends; return them as they are then, by id."""
    rows = MaterialLot.objects.select_for_update(no_key=True, of=("self",)).select_related("site", "product")
    return {lot.pk: lot for lot in rows.filter(pk__in=lot_ids).order_by("pk")}


def lock_stock(keys: Iterable[StockKey]) -> dict[StockKey, Decimal]:
    """Hold stock rows until the transaction ends, made where there were none; return what there is, by key."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    products, lots, locations = (list(column) for column in zip(*wanted, strict=True))
    arrays = [products, [lot or None for lot in lots], locations]
    with connection.cursor() as cursor:
        # In key order, or two writers who meet the same rows in another order would deadlock.
        cursor.execute(
            """
            INSERT INTO materials_stock (product_id, lot_id, location_id, quantity)
            SELECT product, lot, location, 0 FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS k (product, lot, location)
            ORDER BY product, lot NULLS FIRST, location
            ON CONFLICT (product_id, lot_id, location_id) DO NOTHING
            """,
            arrays,
        )
        cursor.execute(
            """
            SELECT s.product_id, coalesce(s.lot_id, 0), s.location_id, s.quantity
            FROM materials_stock s
            JOIN unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS k (product, lot, location)
              ON s.product_id = k.product AND s.lot_id IS NOT DISTINCT FROM k.lot AND s.location_id = k.location
            ORDER BY s.product_id, s.lot_id NULLS FIRST, s.location_id
            FOR UPDATE OF s
            """,
            arrays,
        )
        return {(product, lot, location): quantity for product, lot, location, quantity in cursor.fetchall()}


def post(
    movements: Sequence[Movement], *, actor: User, occurred_at: datetime, recorded_at: datetime
) -> list[MaterialTransaction]:
    """Write movements and change the stock with them. The caller holds the order and the lots.

    Raises Conflict, naming lot, place and what there is, when stock of a product that refuses it would be negative.
    """
    changes: dict[StockKey, Decimal] = defaultdict(lambda: ZERO)
    for movement in movements:
        for key, change in effects(movement):
            changes[key] += change
    there = lock_stock(changes)
    for movement in movements:
        _refuse_negative(movement, there, changes)
    _refuse_packed(movements, there, changes)
    write_stock({key: there[key] + change for key, change in changes.items() if change})
    facts = [
        MaterialTransaction.objects.create(
            kind=movement.kind,
            product=movement.product,
            lot=movement.lot,
            to_lot=movement.to_lot,
            quantity=movement.quantity,
            unit=movement.reverses.unit if movement.reverses else str(movement.product.unit_id),
            from_location=movement.from_location,
            to_location=movement.to_location,
            work_order=movement.work_order,
            operation_code=movement.operation_code,
            unit_cost=movement.unit_cost,
            given_quantity=movement.given_quantity,
            given_unit=movement.given_unit,
            reason=movement.reason,
            occurred_at=occurred_at,
            recorded_at=recorded_at,
            performed_by=actor,
            idempotency_key=movement.idempotency_key,
            reverses=movement.reverses,
        )
        for movement in movements
    ]
    reported.moved(facts)
    return facts


def _refuse_negative(
    movement: Movement, there: Mapping[StockKey, Decimal], changes: Mapping[StockKey, Decimal]
) -> None:
    place, product = movement.from_location, movement.product
    if place is None or product.stock_policy == StockPolicy.ALLOW_NEGATIVE:
        return
    key = _key(product, movement.lot, place)
    if there[key] + changes[key] >= 0:
        return
    what = f"Lot {movement.lot} of {product}" if movement.lot else str(product)
    raise Conflict(
        f"{what} at {place}: there is {plain_number(there[key])} {product.unit_id}, {plain_number(-changes[key])} was asked for."
        f"{_undone(movement)}",
        field="quantity",
    )


def _refuse_packed(
    movements: Sequence[Movement], there: Mapping[StockKey, Decimal], changes: Mapping[StockKey, Decimal]
) -> None:
    """Raise Conflict when less would be left at a place than is packed there, naming the containers.

    A product that may be negative is counted loosely anyway; nothing is stopped for it.
    """
    packed = packed_at([key for key, change in changes.items() if change < 0])
    for movement in movements:
        product, lot, place = movement.product, movement.lot, movement.from_location
        if place is None or product.stock_policy == StockPolicy.ALLOW_NEGATIVE:
            continue
        key = _key(product, lot, place)
        inside = packed.get(key, ZERO)
        if inside and there[key] + changes[key] < inside:
            codes = containers_at(key)
            raise Conflict(
                f"{f'Lot {lot} of {product}' if lot else product} at {place}: of {plain_number(there[key])} {product.unit_id},"
                f" {plain_number(inside)} are packed ({', '.join(codes)}); {plain_number(-changes[key])} was asked for."
                " Unpack them first, or move the container.",
                field="quantity",
                code="packed",
                facts={"containers": codes},
            )


def _undone(movement: Movement) -> str:
    return " Reverse what was done with it since, first." if movement.kind == Kind.REVERSAL else ""


def write_stock(quantities: Mapping[StockKey, Decimal]) -> None:
    """Write what there is; the caller holds the rows (`lock_stock`)."""
    if not quantities:
        return
    rows = [(product, lot or None, location, quantity) for (product, lot, location), quantity in quantities.items()]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE materials_stock s SET quantity = k.quantity
            FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::numeric[]) AS k (product, lot, location, quantity)
            WHERE s.product_id = k.product AND s.lot_id IS NOT DISTINCT FROM k.lot AND s.location_id = k.location
            """,
            [list(column) for column in zip(*rows, strict=True)],
        )


_SUMS = """
    SELECT product_id, lot_id, location_id, sum(change) AS quantity FROM (
        SELECT product_id, lot_id, from_location_id AS location_id, -quantity AS change
        FROM materials_materialtransaction WHERE from_location_id IS NOT NULL
        UNION ALL
        SELECT product_id, coalesce(to_lot_id, lot_id), to_location_id, quantity
        FROM materials_materialtransaction WHERE to_location_id IS NOT NULL
    ) AS movements GROUP BY 1, 2, 3
"""


@transaction.atomic
def rebuild_stock() -> tuple[int, int]:
    """Drop all stock and sum it from the ledger; return how many rows there are and how many were other than before."""
    with connection.cursor() as cursor:
        # Writers hold stock rows before they write to the ledger, so nobody is between the two now.
        cursor.execute("LOCK TABLE materials_stock IN EXCLUSIVE MODE")
        cursor.execute(
            f"""
            SELECT count(*) FROM (
                (SELECT product_id, lot_id, location_id, quantity FROM materials_stock EXCEPT ALL {_SUMS})
                UNION ALL
                ({_SUMS} EXCEPT ALL SELECT product_id, lot_id, location_id, quantity FROM materials_stock)
            ) AS difference
            """
        )
        (wrong,) = cursor.fetchone()
        cursor.execute("DELETE FROM materials_stock")
        cursor.execute(f"INSERT INTO materials_stock (product_id, lot_id, location_id, quantity) {_SUMS}")
    return Stock.objects.count(), wrong


def to_millionths(quantity: Fraction) -> Decimal:
    """Return an exact quantity as the ledger keeps it: to the sixth decimal, half to even."""
    return Decimal(round(quantity * 10**6)).scaleb(-6, _WIDE)


_WIDE = Context(prec=60)
