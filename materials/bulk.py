"""Write many movements of the past at once, in their order: deliveries, what orders used and made, shipments.

The rules are those of `services` and of a back-flush by order: first expired first, nothing below zero that may not be,
all that an order used is in the lot that it made. Stock and ledger end as if each had been written when it happened.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from django.db import transaction

from accounts.models import User
from core.bulk import insert, written
from core.errors import Conflict, Invalid
from core.exact import plain_number
from materials.container_bulk import leave
from materials.container_models import Container, ContainerContent, ContainerMovement
from materials.ledger import (
    BACK_FLUSHED,
    ZERO,
    Movement,
    StockKey,
    effects,
    lock_stock,
    to_millionths,
    write_stock,
)
from materials.lots import NewLot, new_lot
from materials.models import (
    GenealogyLink,
    Kind,
    Location,
    LotStatus,
    LotStatusChange,
    MaterialLot,
    MaterialTransaction,
    Stock,
)
from materials.packed import packed_at
from materials.selectors import first_expired
from products.models import Product, StockPolicy
from workorders.models import OrderMaterial, WorkOrder
from workorders.selectors import target_in_product_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A delivery; a lot of it is released."""

    at: datetime
    product: Product
    quantity: Decimal
    place: Location
    lot: NewLot
    unit_cost: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An order made a lot of good pieces, and rejects; both took what the order keeps of its bill, from the store."""

    at: datetime
    order: WorkOrder
    good: Decimal
    rejected: Decimal
    store: Location
    place: Location
    reject_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """All that is left of an order's lot went to a customer: `containers` with what is in them, the rest loose."""

    at: datetime
    order: WorkOrder
    place: Location
    reason: str = ""
    containers: Sequence[Container] = ()
    recipient: str = ""


Deed = Received | Made | Shipped


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was written, and what was missing of materials, in their units, by product."""

    facts: list[MaterialTransaction]
    shortages: dict[Product, Decimal]


@transaction.atomic
def load_movements(deeds: Iterable[Deed], *, actor: User) -> Loaded:
    """Write the movements of the past. Orders come with product and unit; each is made once.

    Raises Conflict for an order that has movements already, and when a lot would be known twice; Invalid for a product
    that is kept by lots and comes without one.
    """
    ordered = sorted(deeds, key=lambda deed: deed.at)
    book = _Book(ordered)
    for deed in ordered:
        match deed:
            case Received():
                book.receive(deed)
            case Made():
                book.make(deed)
            case Shipped():
                book.ship(deed)
    return book.write(actor)


@dataclass(slots=True)
class _Line:
    """A movement to be written, the lots that went into the one that it made, and the container that it left in."""

    at: datetime
    movement: Movement
    inputs: dict[int, tuple[MaterialLot, Decimal]] = field(default_factory=dict)
    container: Container | None = None


class _Book:
    """The stock as it goes on from deed to deed, in memory, and what is to be written of it.

    A lot without a key yet is known by its place among the new ones, below zero.
    """

    def __init__(self, deeds: Sequence[Deed]) -> None:
        self._lines: list[_Line] = []
        self._new: list[tuple[MaterialLot, datetime]] = []
        self._shortages: dict[Product, Decimal] = defaultdict(lambda: ZERO)
        self._materials: dict[int, list[OrderMaterial]] = defaultdict(list)
        self._lot_of_order: dict[int, MaterialLot] = {}
        self._there: dict[tuple[int, int], dict[int, Decimal]] = defaultdict(dict)
        self._lots: dict[int, MaterialLot] = {}
        orders = [deed.order for deed in deeds if isinstance(deed, Made)]
        self._refuse_known(orders)
        rows = OrderMaterial.objects.filter(work_order__in=orders).select_related("product", "operation")
        for row in rows.order_by("position"):
            self._materials[row.work_order_id].append(row)
        products = {row.product_id for of_order in self._materials.values() for row in of_order}
        products |= {deed.product.pk for deed in deeds if isinstance(deed, Received)}
        shipped = [deed.order for deed in deeds if isinstance(deed, Shipped)]
        products |= {order.product_id for order in (*orders, *shipped) if order.product_id is not None}
        numbers = {deed.lot.number for deed in deeds if isinstance(deed, Received)}
        numbers |= {order.lot_number or order.order_number for order in orders}
        lots = MaterialLot.objects.filter(product__in=products, number__in=numbers)
        self._numbers = {(lot.product_id, lot.number): lot.pk for lot in lots}
        for lot in MaterialLot.objects.filter(work_order__in=shipped).select_related("site"):
            self._lot_of_order[lot.work_order_id or 0] = lot
        self._leaving = {one: deed for deed in deeds if isinstance(deed, Shipped) for one in deed.containers}
        self._contents: dict[int, list[ContainerContent]] = defaultdict(list)
        for content in ContainerContent.objects.filter(container__in=self._leaving).order_by("container_id", "id"):
            self._contents[content.container_id].append(content)
        left = Stock.objects.filter(product__in=products).exclude(quantity=0)
        for stock in left.select_related("lot__site").order_by("pk"):
            self._there[stock.product_id, stock.location_id][stock.lot_id or 0] = stock.quantity
            if stock.lot is not None:
                self._lots[stock.lot.pk] = stock.lot

    def _refuse_known(self, orders: Sequence[WorkOrder]) -> None:
        known = MaterialTransaction.objects.filter(work_order__in=orders).select_related("work_order").first()
        if known is not None or len({order.pk for order in orders}) < len(orders):
            what = known.work_order if known is not None else "twice"
            raise Conflict(f"What an order used and made is booked already: {what}.", field="work_order")

    # --- deeds ---

    def receive(self, deed: Received) -> None:
        lot = self._open(deed.lot, deed.product, deed.place, deed.at)
        self._move(
            deed.at,
            Movement(
                kind=Kind.RECEIVE,
                product=deed.product,
                quantity=deed.quantity,
                lot=lot,
                to_location=deed.place,
                unit_cost=deed.unit_cost,
            ),
        )

    def make(self, deed: Made) -> None:
        order, product_made = deed.order, deed.order.product
        if product_made is None:
            raise Invalid(f"Order {order} has no product.", field="work_order")
        inputs: dict[int, tuple[MaterialLot, Decimal]] = {}
        target = target_in_product_unit(order)
        shares: dict[tuple[Product, str], Fraction] = defaultdict(Fraction)
        for row in self._materials[order.pk]:
            code = row.operation.code if row.operation else ""
            shares[row.product, code] += Fraction(row.quantity_required) / target * Fraction(deed.good + deed.rejected)
        for (product, code), share in shares.items():
            self._use(deed, product, code, to_millionths(share), inputs)
        lot = None
        if deed.good:
            lot = self._open(NewLot(number=order.lot_number or order.order_number), product_made, deed.place, deed.at)
            lot.work_order, self._lot_of_order[order.pk] = order, lot
            made = Movement(
                kind=Kind.PRODUCE,
                product=product_made,
                quantity=deed.good,
                lot=lot,
                to_location=deed.place,
                work_order=order,
            )
            self._move(deed.at, made, inputs)
        if deed.rejected:
            scrapped = Movement(
                kind=Kind.SCRAP,
                product=product_made,
                quantity=deed.rejected,
                lot=lot,
                work_order=order,
                reason=deed.reject_reason,
            )
            self._move(deed.at, scrapped)

    def ship(self, deed: Shipped) -> None:
        lot, product = self._lot_of_order.get(deed.order.pk), deed.order.product
        if lot is None or product is None:
            return
        to = f" to {deed.recipient}" if deed.recipient else ""
        for container in deed.containers:
            for content in self._contents[container.pk]:
                if (content.product_id, content.lot_id) != (product.pk, lot.pk):
                    raise Invalid(f"Container {container} holds something else.", field="containers")
                self._ship(deed, product, lot, content.quantity, f"In {container}{to}.", container)
        left = self._there[product.pk, deed.place.pk].get(self._key(lot), ZERO)
        if left > 0:
            self._ship(deed, product, lot, left, deed.reason)

    def _ship(
        self,
        deed: Shipped,
        product: Product,
        lot: MaterialLot,
        quantity: Decimal,
        reason: str,
        container: Container | None = None,
    ) -> None:
        movement = Movement(
            kind=Kind.SHIP, product=product, quantity=quantity, lot=lot, from_location=deed.place, reason=reason
        )
        self._move(deed.at, movement)
        self._lines[-1].container = container

    def _use(
        self,
        deed: Made,
        product: Product,
        code: str,
        quantity: Decimal,
        inputs: dict[int, tuple[MaterialLot, Decimal]],
    ) -> None:
        """Take what is needed of a product from the store, first expired first."""
        takes: list[tuple[MaterialLot | None, Decimal]] = []
        missing = quantity
        for lot, there in self._usable(product, deed.store, deed.at):
            if missing <= 0:
                break
            takes.append((lot, min(missing, there)))
            missing -= takes[-1][1]
        if missing > 0 and product.stock_policy == StockPolicy.ALLOW_NEGATIVE and not product.lot_controlled:
            without = sum((taken for lot, taken in takes if lot is None), start=missing)
            takes = [*((lot, taken) for lot, taken in takes if lot is not None), (None, without)]
        elif missing > 0:
            self._shortages[product] += missing
        for lot, taken in takes:
            movement = Movement(
                kind=Kind.CONSUME,
                product=product,
                quantity=taken,
                lot=lot,
                from_location=deed.store,
                work_order=deed.order,
                operation_code=code,
                reason=BACK_FLUSHED,
            )
            self._move(deed.at, movement)
            if lot is not None:
                key = self._key(lot)
                inputs[key] = lot, inputs.get(key, (lot, ZERO))[1] + taken

    # --- the stock in memory ---

    def _usable(self, product: Product, place: Location, at: datetime) -> list[tuple[MaterialLot | None, Decimal]]:
        rows = [
            (self._lots.get(key), quantity, key)
            for key, quantity in self._there[product.pk, place.pk].items()
            if quantity > 0
        ]
        usable = [row for row in rows if row[0] is None or row[0].status_at(at) == LotStatus.RELEASED]
        # New lots come after the stored ones, in the order in which they came.
        usable.sort(key=lambda row: first_expired(row[0], row[2] if row[2] >= 0 else 2**62 - row[2]))
        return [(lot, quantity) for lot, quantity, _ in usable]

    def _open(self, new: NewLot, product: Product, place: Location, at: datetime) -> MaterialLot:
        if (product.pk, new.number) in self._numbers:
            raise Conflict(f"{product} has a lot {new.number} already.", field="lot")
        made_date = new.made_date or at.astimezone(place.site.zone).date()
        lot = new_lot(new, product, place.site, made_date, recorded_at=at)
        lot.status = LotStatus.RELEASED
        self._new.append((lot, at))
        self._numbers[product.pk, new.number] = key = -len(self._new)
        self._lots[key] = lot
        return lot

    def _key(self, lot: MaterialLot) -> int:
        return lot.pk or self._numbers[lot.product_id, lot.number]

    def _move(
        self, at: datetime, movement: Movement, inputs: dict[int, tuple[MaterialLot, Decimal]] | None = None
    ) -> None:
        key = 0 if movement.lot is None else self._key(movement.lot)
        for place, change in ((movement.from_location, -movement.quantity), (movement.to_location, movement.quantity)):
            if place is not None:
                there = self._there[movement.product.pk, place.pk]
                there[key] = there.get(key, ZERO) + change
        self._lines.append(_Line(at, movement, inputs or {}))

    # --- writing ---

    def write(self, actor: User) -> Loaded:
        insert([written(lot, at=at, actor=actor) for lot, at in self._new])
        insert(
            [
                LotStatusChange(
                    lot=lot,
                    to_status=lot.status,
                    reason="Made." if lot.work_order_id else "Received.",
                    changed_by=actor,
                    changed_at=at,
                )
                for lot, at in self._new
            ]
        )
        facts = [_fact(line, actor) for line in self._lines]
        left = leave({one: (deed.at, deed.recipient) for one, deed in self._leaving.items()}, actor=actor)
        self._write_stock()
        insert(facts)
        ContainerMovement.objects.bulk_create(
            ContainerMovement(step=left[line.container.pk], transaction=fact)
            for line, fact in zip(self._lines, facts, strict=True)
            if line.container is not None
        )
        insert(
            [
                GenealogyLink(
                    input_lot=lot,
                    output_lot=fact.lot,
                    work_order=fact.work_order,
                    rule=GenealogyLink.Rule.ORDER,
                    quantity=quantity,
                    occurred_at=line.at,
                    caused_by=fact,
                )
                for line, fact in zip(self._lines, facts, strict=True)
                for lot, quantity in line.inputs.values()
            ]
        )
        return Loaded(facts, dict(self._shortages))

    def _write_stock(self) -> None:
        changes: dict[StockKey, Decimal] = defaultdict(lambda: ZERO)
        for line in self._lines:
            for key, change in effects(line.movement):
                changes[key] += change
        there = lock_stock(changes)
        less = {key: there[key] + change for key, change in changes.items() if change < 0}
        for key, packed in packed_at(list(less)).items():
            if packed > less[key]:
                raise Conflict(f"Of what is used, {plain_number(packed)} are packed; unpack them first.", code="packed")
        write_stock({key: there[key] + change for key, change in changes.items() if change})


def _fact(line: _Line, actor: User) -> MaterialTransaction:
    movement = line.movement
    return MaterialTransaction(
        kind=movement.kind,
        product=movement.product,
        lot=movement.lot,
        quantity=movement.quantity,
        unit=str(movement.product.unit_id),
        from_location=movement.from_location,
        to_location=movement.to_location,
        work_order=movement.work_order,
        operation_code=movement.operation_code,
        unit_cost=movement.unit_cost,
        reason=movement.reason,
        occurred_at=line.at,
        recorded_at=line.at,
        performed_by=actor,
    )
