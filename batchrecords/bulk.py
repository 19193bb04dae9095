"""Write batch records of the past at once: opened, their deviations decided about, signed; by the rules of `services`.

A live signature asks for user name and password, because it is given here and now. One of the past was given where the
record was made; whoever loads it answers for that (decision 131), as for every other fact of a past. So only code may
call this: no page, no path and no command lets somebody sign in another one's name.
"""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import transaction

from accounts.audit import Noted, note_all
from accounts.models import User
from batchrecords.assembly import Assembled, Standing, assemble
from batchrecords.models import BatchRecord, Resolution, Signature
from batchrecords.services import (
    WITH_PLACE,
    may_sign,
    new_resolution,
    new_signature,
    noted_opening,
    noted_resolution,
    noted_signature,
    noted_status,
    status_after,
    usual_number,
)
from core.bulk import insert
from core.errors import Conflict, Invalid
from materials.models import MaterialLot
from workorders.models import WorkOrder
from workorders.record_sections import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Somebody signed a record: what it meant, and when."""

    meaning: Signature.Meaning
    signer: User
    at: datetime
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Somebody decided about the deviations of a record; `decide` returns decision and comment for each."""

    actor: User
    at: datetime
    decide: Callable[[Finding], tuple[Resolution.Decision, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """A record of an order, or of a lot that it made, and how far its life has come: signatures in their order."""

    order: WorkOrder
    opened_by: User
    opened_at: datetime
    lot: MaterialLot | None = None
    requirement: str = ""
    decided: Decided | None = None
    signed: Sequence[Signed] = ()


@dataclass(slots=True)
class _Life:
    """A record on its way: as it was found, what was decided and signed so far, and what the trail will say."""

    new: NewRecord
    record: BatchRecord
    found: Assembled
    resolutions: list[Resolution]
    signatures: list[Signature] = field(default_factory=list)
    noted: list[Noted] = field(default_factory=list)

    def stands(self) -> Standing:
        """Return where it stands: nothing changed since, so all that was signed holds."""
        return Standing(tuple(self.signatures), frozenset(one.pk for one in self.signatures), ())

    def next_signature(self, number: int) -> Signature | None:
        """Return the signature of a place in the order, not stored yet; None = nobody has signed so far.

        Deviations are decided about between the first signature and the second.
        """
        if number >= len(self.new.signed):
            return None
        if number == 1:
            self._resolve()
        one = self.new.signed[number]
        if not may_sign(one.signer, self.record, one.meaning):
            raise Invalid(f"{one.signer} may not sign as {one.meaning}.", field="signer")
        return new_signature(
            self.record, self.found, self.stands(), one.meaning, signer=one.signer, at=one.at, comment=one.comment
        )

    def sign(self, made: Signature) -> None:
        """Take in a signature that is stored."""
        self.signatures.append(made)
        self.noted.append(noted_signature(made))
        if self.record.status != status_after(made.meaning):
            before, self.record.status = self.record.status, status_after(made.meaning)
            # The trail tells of the record as it was at that moment.
            self.noted.append(noted_status(copy(self.record), before, made))

    def _resolve(self) -> None:
        by_key = {one.key: one for one in self.resolutions}
        exceptions = tuple(replace(one, resolution=by_key.get(one.finding.key)) for one in self.found.exceptions)
        self.found = replace(self.found, exceptions=exceptions)


@transaction.atomic
def load_records(new: Sequence[NewRecord], *, now: datetime) -> list[BatchRecord]:
    """Write records with their decisions and signatures; `now` is when they are loaded:
    what they contain is known by then.

    Orders come with line, area and site, all of one site. Raises Invalid for times out of their order and for a lot
    that another order made or a signer without the right, Conflict for a record or number that is known, and what
    `sign` and `resolve` raise.
    """
    if not new:
        return []
    _refuse_odd(new, now)
    rows = insert(
        [
            BatchRecord(
                number=usual_number(one.order, one.lot),
                work_order=one.order,
                lot=one.lot,
                requirement=one.requirement,
                opened_by=one.opened_by,
                opened_at=one.opened_at,
            )
            for one in new
        ]
    )
    stored = BatchRecord.objects.select_related(*WITH_PLACE).in_bulk([row.pk for row in rows])
    lives = [_begun(one, stored[row.pk], now) for one, row in zip(new, rows, strict=True)]
    insert([one for life in lives for one in life.resolutions])
    for number in range(max(len(one.signed) for one in new)):
        pairs = [(life, made) for life in lives if (made := life.next_signature(number)) is not None]
        insert([made for _, made in pairs])
        for life, made in pairs:
            life.sign(made)
    BatchRecord.objects.bulk_update([life.record for life in lives], ["status"])
    noted = sorted((one for life in lives for one in life.noted), key=lambda one: one.at)
    note_all(noted, site=lives[0].record.site)
    return [life.record for life in lives]


def _begun(new: NewRecord, record: BatchRecord, now: datetime) -> _Life:
    """Return a record as it is found, with the decisions about its deviations, not stored yet."""
    found, decided = assemble(record, now=now), new.decided
    resolutions, noted = [], [noted_opening(copy(record))]
    for one in found.exceptions if decided is not None else ():
        assert decided is not None
        if one.finding.at is not None and decided.at < one.finding.at:
            raise Invalid(f"{record}: decided before it was known: {one.finding.title}.", field="decided")
        decision, comment = decided.decide(one.finding)
        made = new_resolution(
            record, found, one.finding, decision=decision, comment=comment, actor=decided.actor, at=decided.at
        )
        resolutions.append(made)
        noted.append(noted_resolution(made, one.finding.title))
    return _Life(new, record, found, resolutions, noted=noted)


def _refuse_odd(new: Sequence[NewRecord], now: datetime) -> None:
    for one in new:
        signed = [signature.at for signature in one.signed]
        decided = [one.decided.at] if one.decided is not None else []
        times = [one.opened_at, *signed[:1], *decided, *signed[1:], now]
        if sorted(times) != times:
            raise Invalid(f"The record of {one.order} is opened, signed and decided about in this order.", field="at")
        if one.lot is not None and one.lot.work_order_id != one.order.pk:
            raise Invalid("That order did not make that lot.", field="lot")
    if len({one.order.line.area.site_id for one in new}) > 1:
        raise Invalid("Records are loaded site by site.", field="order")
    numbers = {usual_number(one.order, one.lot) for one in new}
    known = BatchRecord.objects.filter(number__in=numbers).order_by("number").first()
    if known is not None or len(numbers) < len(new):
        raise Conflict(f"There is a record {known or 'of the same number twice'} already.", field="number")
