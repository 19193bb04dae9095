"""What the ledger says: what an order used and made, and which lots to take next."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, CharField, F, Q, QuerySet, Sum, Value, When

from core.errors import Conflict
from enterprise.models import Site
from materials.models import (
    EXPIRED,
    GenealogyLink,
    Kind,
    Location,
    LotStatus,
    MaterialLot,
    MaterialTransaction,
    PickingPolicy,
    Stock,
)
from materials.packed import packed_at
from products.models import Product
from workorders.models import WorkOrder

USED, RETURNED, PRODUCED, SCRAPPED = "used", "returned", "produced", "scrapped"
_NEVER = date.max


def _is(role: str, prefix: str = "") -> Q:
    def q(**conditions: object) -> Q:
        return Q(**{prefix + name: value for name, value in conditions.items()})

    return {
        # What left stock for an order is used by it; an issue to a line's side is still in stock.
        USED: q(kind=Kind.CONSUME) | q(kind=Kind.ISSUE, to_location__isnull=True),
        RETURNED: q(kind=Kind.RETURN, from_location__isnull=True),
        PRODUCED: q(kind=Kind.PRODUCE),
        SCRAPPED: q(kind=Kind.SCRAP, from_location__isnull=True),
    }[role]


_ROLE = Case(
    *(When(_is(role) | _is(role, "reverses__"), then=Value(role)) for role in (USED, RETURNED, PRODUCED, SCRAPPED)),
    default=None,
    output_field=CharField(),
)
_SIGNED = Case(When(kind=Kind.REVERSAL, then=-F("quantity")), default=F("quantity"))


def of_order(work_order: WorkOrder) -> Iterable[Any]:
    """Return, by product, lot and unit, what an order used, got returned, produced and scrapped in process, net.

    Rows of `product`, `lot`, `unit`, `role`, `total`; reversals count against what they reverse.
    """
    rows = MaterialTransaction.objects.filter(work_order=work_order).annotate(role=_ROLE).exclude(role=None)
    return rows.values("product", "lot", "unit", "role").annotate(total=Sum(_SIGNED)).order_by("product", "lot", "role")


def used_by_orders(order_ids: Iterable[int]) -> dict[tuple[int, int], Decimal]:
    """Return what orders used, less what came back, by (order id, product id), in the product's unit."""
    rows = MaterialTransaction.objects.filter(work_order__in=list(order_ids)).annotate(role=_ROLE)
    sums = rows.filter(role__in=(USED, RETURNED)).values("work_order", "product", "role").annotate(total=Sum(_SIGNED))
    used: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for row in sums.order_by():
        used[row["work_order"], row["product"]] += row["total"] if row["role"] == USED else -row["total"]
    return dict(used)


def usable_at_sites(
    site_ids: Iterable[int], product_ids: Iterable[int], *, at: datetime
) -> dict[tuple[int, int], Decimal]:
    """Return how much of products may be used at sites at a moment, by (site id, product id); nothing is reserved."""
    there: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for row in stock_at_sites(site_ids).filter(product__in=list(product_ids), quantity__gt=0):
        if row.is_usable(at):
            there[row.location.site_id, row.product_id] += row.quantity
    return dict(there)


def stock_at_sites(site_ids: Iterable[int]) -> QuerySet[Stock]:
    """Return what lies at sites, with places and lots, in no order."""
    rows = Stock.objects.filter(location__site__in=list(site_ids))
    return rows.select_related("location", "lot__site").order_by()


@dataclass(frozen=True, slots=True)
class LotsOfOrder:
    """What an order holds, net: used less returned, and produced. By lot id; by −product id for what has no lot."""

    used: dict[int, Decimal]
    produced: dict[int, Decimal]


def lots_of_order(work_order: WorkOrder) -> LotsOfOrder:
    """Return what an order used and made, by lot."""
    used: dict[int, Decimal] = {}
    produced: dict[int, Decimal] = {}
    for row in of_order(work_order):
        key, total = row["lot"] or -row["product"], row["total"]
        if row["role"] in (USED, RETURNED):
            used[key] = used.get(key, Decimal(0)) + (total if row["role"] == USED else -total)
        elif row["role"] == PRODUCED:
            produced[key] = produced.get(key, Decimal(0)) + total
    return LotsOfOrder(used, produced)


def expired(lots: QuerySet[MaterialLot], *, at: datetime) -> QuerySet[MaterialLot]:
    """Return those lots whose `status_at` a moment is `expired`: the day is that of each lot's site."""
    sites: dict[date, list[int]] = defaultdict(list)
    for site in Site.objects.all():
        sites[at.astimezone(site.zone).date()].append(site.pk)
    over = Q(pk__in=())
    for day, of_day in sites.items():
        over |= Q(site__in=of_day, expiry_date__lt=day)
    return lots.filter(over).exclude(status=LotStatus.REJECTED)


def refuse_unusable(lot: MaterialLot, *, at: datetime) -> None:
    """Raise Conflict, in an operator's words, when a lot may not be used at a moment."""
    status = lot.status_at(at)
    if status == LotStatus.RELEASED:
        return
    if status == EXPIRED:
        why = f"it expired on {lot.expiry_date:%Y-%m-%d}. Take another lot, and put this one aside for quality."
    else:
        last = lot.status_changes.select_related("changed_by").first()
        said = f" ({last.reason.rstrip('.')}, says {last.changed_by})" if last else ""
        why = {
            LotStatus.QUARANTINE: f"it is in quarantine{said}. It waits for quality to release it.",
            LotStatus.HOLD: f"it is on hold{said}. Leave it where it is and ask quality.",
            LotStatus.REJECTED: f"it is rejected{said}. It must not be used.",
        }[LotStatus(status)]
    raise Conflict(f"Lot {lot} of {lot.product} cannot be used: {why}", field="lot", code=status)


@dataclass(frozen=True, slots=True)
class Take:
    """So much to take of a lot; of no lot, for what is not kept by lots."""

    lot: MaterialLot | None
    quantity: Decimal
    there: Decimal


@dataclass(frozen=True, slots=True)
class Pick:
    """Which lots to take, first expired first, and what is missing after that."""

    takes: list[Take]
    shortage: Decimal


def usable_stock(
    *, product: Product, location: Location, at: datetime, lot_ids: Collection[int] | None = None
) -> list[Stock]:
    """Return what of a product may be used from a place, the first to expire first.

    What does not expire comes last, and of equal dates the older. Expired at `at`, held, rejected and quarantined lots
    are left out, and so is what is packed.
    """
    rows = Stock.objects.filter(product=product, location=location, quantity__gt=0).select_related("lot__site")
    if lot_ids is not None:
        rows = rows.filter(Q(lot__isnull=True) | Q(lot__in=lot_ids))
    usable = [row for row in rows if row.is_usable(at)]
    packed = packed_at([(product.pk, row.lot_id or 0, location.pk) for row in usable])
    for row in usable:
        row.quantity -= packed.get((product.pk, row.lot_id or 0, location.pk), Decimal(0))
    return sorted((row for row in usable if row.quantity > 0), key=_first_expired)


def _first_expired(row: Stock) -> tuple[date, date, int]:
    return first_expired(row.lot, 0 if row.lot is None else row.lot.pk)


def first_expired(lot: MaterialLot | None, place: int) -> tuple[date, date, int]:
    """Return by what lots are taken in turn: what expires first, of equal dates what was made first,
    then by their place.
    """
    if lot is None:
        return _NEVER, _NEVER, 0
    return lot.expiry_date or _NEVER, lot.made_date or _NEVER, place


def pick(
    *,
    product: Product,
    quantity: Decimal,
    location: Location,
    at: datetime,
    lot_ids: Collection[int] | None = None,
) -> Pick:
    """Return which lots to take for a quantity, first expired first (FEFO), and what is missing."""
    takes, missing = [], quantity
    for row in usable_stock(product=product, location=location, at=at, lot_ids=lot_ids):
        if missing <= 0:
            break
        takes.append(Take(row.lot, min(missing, row.quantity), row.quantity))
        missing -= takes[-1].quantity
    return Pick(takes, max(missing, Decimal(0)))


def picking_rule(*, product: Product, location: Location) -> str:
    """Return whether another lot than the first to expire may be taken there."""
    rules = PickingPolicy.objects.filter(Q(product=product) | Q(product__isnull=True), site=location.site_id)
    found = rules.order_by(F("product").asc(nulls_last=True)).first()
    return PickingPolicy.Rule.SUGGEST if found is None else found.rule


def expiring_earlier(*, lot: MaterialLot, location: Location, at: datetime) -> MaterialLot | None:
    """Return the lot to take first instead: usable, at the place, and expiring on an earlier day."""
    for row in usable_stock(product=lot.product, location=location, at=at):
        if row.lot is not None and (row.lot.expiry_date or _NEVER) < (lot.expiry_date or _NEVER):
            return row.lot
    return None


def links_of(work_order: WorkOrder | None, lot: MaterialLot) -> dict[tuple[int, int, str], Decimal]:
    """Return what is linked to a lot in an order, by (input, output, rule)."""
    rows = GenealogyLink.objects.filter(Q(input_lot=lot) | Q(output_lot=lot), work_order=work_order)
    sums = rows.values("input_lot", "output_lot", "rule").annotate(total=Sum("quantity")).order_by()
    return {(row["input_lot"], row["output_lot"], row["rule"]): row["total"] for row in sums}
