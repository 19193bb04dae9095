"""Make lots, decide about them, and keep what they are."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from accounts.models import User
from core import master_data
from core.errors import Conflict, Invalid
from core.locks import take_turns
from core.master_data import follows, precedes
from enterprise.models import Site
from materials import gates
from materials.ledger import Movement, Said, lock_lots
from materials.models import Kind, LotStatus, LotStatusChange, MaterialLot
from products.models import Product

TRANSITIONS: dict[str, frozenset[str]] = {
    LotStatus.QUARANTINE: frozenset({LotStatus.RELEASED, LotStatus.HOLD, LotStatus.REJECTED}),
    LotStatus.RELEASED: frozenset({LotStatus.QUARANTINE, LotStatus.HOLD, LotStatus.REJECTED}),
    LotStatus.HOLD: frozenset({LotStatus.QUARANTINE, LotStatus.RELEASED, LotStatus.REJECTED}),
    LotStatus.REJECTED: frozenset({LotStatus.QUARANTINE}),
}
"""Which status may follow which: what is rejected is looked at again before anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLot:
    """A lot as somebody writes it down with its first movement; one that exists with this number is used as it is."""

    number: str
    status: str = ""
    batch: str = ""
    serial: str = ""
    supplier: str = ""
    supplier_lot: str = ""
    made_date: date | None = None
    expiry_date: date | None = None
    retest_date: date | None = None
    certificate: str = ""
    notes: str = ""


@transaction.atomic
def change_lot_status(
    *, lot: MaterialLot, to_status: str, reason: str, actor: User, changed_at: datetime
) -> LotStatusChange:
    """Decide about a lot. Raises Conflict, saying what is allowed, for a step that its life does not have."""
    if to_status not in LotStatus.values:
        raise Invalid(f"One of {', '.join(LotStatus.values)}.", field="status")
    if not reason.strip():
        raise Invalid("Say why.", field="reason")
    held = lock_lots([lot.pk])[lot.pk]
    if to_status not in TRANSITIONS[held.status]:
        allowed = ", ".join(sorted(TRANSITIONS[held.status]))
        raise Conflict(
            f"A lot that is {held.status} cannot become {to_status}; it can become: {allowed}.", field="status"
        )
    if to_status == LotStatus.RELEASED:
        gates.refuse_release(held, at=changed_at)
    change = _note_status(held, to_status, reason, actor, changed_at)
    MaterialLot.objects.filter(pk=held.pk).update(status=to_status)
    lot.status = to_status
    return change


def _note_status(
    lot: MaterialLot, to_status: str, reason: str, actor: User, at: datetime, *, new: bool = False
) -> LotStatusChange:
    return LotStatusChange.objects.create(
        lot=lot,
        from_status="" if new else lot.status,
        to_status=to_status,
        reason=reason,
        changed_by=actor,
        changed_at=at,
    )


def find_or_make(new: NewLot, movement: Movement, said: Said) -> MaterialLot:
    """Return the lot with a number, made with what is said of it when there is none yet."""
    take_turns(f"lot {new.number}", movement.product.pk)
    found = MaterialLot.objects.filter(product=movement.product, number=new.number).first()
    if found is not None:
        return found
    is_made = movement.kind == Kind.PRODUCE
    site = _site(movement)
    made_date = new.made_date or (said["occurred_at"].astimezone(site.zone).date() if is_made else None)
    lot = new_lot(new, movement.product, site, made_date, recorded_at=said["recorded_at"])
    lot.status = new.status or (LotStatus.RELEASED if is_made else LotStatus.QUARANTINE)
    lot.work_order = movement.work_order if is_made else None
    _save_new(lot, said, "Made." if is_made else "Received.")
    if lot.status == LotStatus.RELEASED:
        gates.refuse_release(lot, at=said["recorded_at"])
    return lot


def new_lot(new: NewLot, product: Product, site: Site, made_date: date | None, *, recorded_at: datetime) -> MaterialLot:
    """Return a lot that is not stored yet, expiring after its product's shelf life where nothing else is said."""
    expiry = new.expiry_date
    if expiry is None and made_date is not None and product.shelf_life_days is not None:
        try:
            expiry = made_date + timedelta(days=product.shelf_life_days)
        except OverflowError:
            raise Invalid("The day on which it expires is outside the calendar.", field="made_date") from None
    return MaterialLot(
        product=product,
        number=new.number,
        site=site,
        batch=new.batch,
        serial=new.serial,
        supplier=new.supplier,
        supplier_lot=new.supplier_lot,
        made_date=made_date,
        expiry_date=expiry,
        retest_date=new.retest_date,
        certificate=new.certificate,
        notes=new.notes,
        recorded_at=recorded_at,
    )


def _save_new(lot: MaterialLot, said: Said, reason: str) -> None:
    if lot.status not in (LotStatus.QUARANTINE, LotStatus.RELEASED, LotStatus.HOLD, LotStatus.REJECTED):
        raise Invalid(f"One of {', '.join(LotStatus.values)}.", field="lot_status")
    master_data.save(lot)
    _note_status(lot, lot.status, said.get("reason") or reason, said["actor"], said["recorded_at"], new=True)


def _site(movement: Movement) -> Site:
    place = movement.to_location or movement.from_location
    if place is None:
        raise Invalid("Say where it lies.", field="to_location")
    return place.site


def split_off(movement: Movement, number: str, said: Said) -> MaterialLot:
    """Make the lot that a split takes from another. Raises Conflict when the number is taken."""
    parent = movement.lot
    if parent is None:
        raise Invalid("Name the lot to split.", field="lot")
    if MaterialLot.objects.filter(product=movement.product, number=number).exists():
        raise Conflict(f"{movement.product} has a lot {number} already; choose another number.", field="lot_number")
    sublot = MaterialLot(
        product=parent.product,
        number=number,
        site=_site(movement),
        parent=parent,
        status=parent.status,
        batch=parent.batch,
        supplier=parent.supplier,
        supplier_lot=parent.supplier_lot,
        made_date=parent.made_date,
        expiry_date=parent.expiry_date,
        retest_date=parent.retest_date,
        certificate=parent.certificate,
        work_order=parent.work_order,
        recorded_at=said["recorded_at"],
    )
    _save_new(sublot, said, f"Split off {parent}.")
    return sublot


# --- what follows from edits of master data ---


@precedes(MaterialLot)
def keep_status(lot: MaterialLot) -> None:
    """Let an edit of a lot leave its status alone: that is decided by `change_lot_status` only."""
    if lot.pk is not None:
        lot.status = MaterialLot.objects.values_list("status", flat=True).get(pk=lot.pk)


@follows(MaterialLot)
def lot_changed(*, before: MaterialLot | None, after: MaterialLot | None) -> None:
    """Refuse to make another lot of one that has moved."""
    if before is None or after is None:
        return
    for field in ("product_id", "site_id", "parent_id"):
        if getattr(before, field) != getattr(after, field):
            raise Invalid("What a lot is of, where it came in and what it was split off stay.", field=field[:-3])
