"""Open records, sign them, note deviations and resolve them. Every write leaves an entry in the site's audit trail."""

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction

from accounts.audit import Noted, note, note_all
from accounts.models import User
from accounts.signing import Confirmed
from batchrecords.assembly import Assembled, Standing, assemble, finding_content, standing
from batchrecords.models import BatchRecord, Deviation, Resolution, Signature, SigningPolicy
from core.audit_chain import Broken, digest, fits
from core.errors import Conflict, Invalid, NotFound
from core.locks import take_turns
from materials.models import MaterialLot
from workorders.models import WorkOrder
from workorders.record_sections import Finding

_Meaning, _Status = Signature.Meaning, BatchRecord.Status
_BEFORE = {
    _Meaning.REVIEWED: _Meaning.PREPARED,
    _Meaning.APPROVED: _Meaning.REVIEWED,
    _Meaning.RELEASED: _Meaning.APPROVED,
}
_LEADS_TO = {
    _Meaning.PREPARED: _Status.UNDER_REVIEW,
    _Meaning.REVIEWED: _Status.UNDER_REVIEW,
    _Meaning.APPROVED: _Status.APPROVED,
    _Meaning.RELEASED: _Status.RELEASED,
    _Meaning.REJECTED: _Status.REJECTED,
}
_STATUS_AFTER: dict[str, str] = {meaning.value: status.value for meaning, status in _LEADS_TO.items()}
_OVER = (WorkOrder.Status.COMPLETED, WorkOrder.Status.CLOSED, WorkOrder.Status.CANCELLED)
KIND_OF_MEANING = {
    _Meaning.PREPARED: "batch_record",
    _Meaning.REVIEWED: "batch_review",
    _Meaning.APPROVED: "batch_approval",
    _Meaning.RELEASED: "batch_approval",
    _Meaning.REJECTED: "batch_approval",
}
"""The kind of thing (`accounts.rights`) that somebody has to be allowed to add to sign so."""

WITH_PLACE = ("work_order__line__area__site", "work_order__product", "work_order__revision", "work_order__unit", "lot")


def may_sign(user: User, record: BatchRecord, meaning: str) -> bool:
    """Say whether somebody's roles let them sign so; whether they may of this very record, `sign` says."""
    return user.may("add", KIND_OF_MEANING[_Meaning(meaning)], record.site.pk)


@transaction.atomic
def open_record(
    *,
    order: WorkOrder,
    actor: User | None,
    now: datetime,
    lot: MaterialLot | None = None,
    number: str = "",
    requirement: str = "",
) -> BatchRecord:
    """Return the record of an order, or of a lot that it made; opened when there is none yet.

    Its number is the lot's, or else the order's, unless given. Raises Invalid for a lot that another order made and for
    a number that another record has.
    """
    take_turns("batchrecords.open", order.pk)
    found = BatchRecord.objects.filter(work_order=order, lot=lot).first()
    if found is not None:
        return found
    if lot is not None and lot.work_order_id != order.pk:
        raise Invalid("That order did not make that lot.", field="lot")
    number = number.strip() or usual_number(order, lot)
    if BatchRecord.objects.filter(number=number).exists():
        if number == order.order_number:
            raise Invalid("There is a record of that number already; give another one.", field="number")
        number = f"{number}-{order.order_number}"[:64]
        if BatchRecord.objects.filter(number=number).exists():
            raise Invalid("There is a record of that number already; give another one.", field="number")
    record = BatchRecord.objects.create(
        number=number, work_order=order, lot=lot, requirement=requirement, opened_by=actor, opened_at=now
    )
    note_all([noted_opening(record)], site=record.site)
    return record


def usual_number(order: WorkOrder, lot: MaterialLot | None) -> str:
    """Return how a record is called unless somebody says otherwise: as the lot, or else the order."""
    return lot.number if lot else order.lot_number or order.order_number


def sign(
    *, record: BatchRecord, identity: Confirmed, meaning: str, now: datetime, seen: str | None = None, comment: str = ""
) -> Signature:
    """Sign what a record contains now. `identity` is who has just confirmed it with both components.

    `seen` is the `content_hash` that the signer looked at (None = whatever is there now). The same signature again
    returns the first. Raises Conflict when something else is there than was seen, when the signature before is missing
    or no longer holds, when a deviation is not resolved; Invalid when the signer may not judge their own work.
    """
    signer, meaning_ = identity.user, _Meaning(meaning)
    found = assemble(record, now=now)
    if seen is not None and seen != found.content_hash:
        raise Conflict("The record changed since you looked; look again.", code="changed")
    with transaction.atomic():
        locked = BatchRecord.objects.select_for_update(of=("self",)).select_related(*WITH_PLACE).get(pk=record.pk)
        now_stands = standing(found)
        held = now_stands.holds(meaning_)
        if held is not None and held.signer_id == signer.pk:
            return held
        if locked.status == _Status.REJECTED:
            raise Conflict("The record was rejected; that is final.")
        if held is not None:
            raise Conflict(f"{held.printed_name} signed so already.")
        made = new_signature(locked, found, now_stands, meaning_, signer=signer, at=now, comment=comment)
        made.save(force_insert=True)
        noted = [noted_signature(made)]
        if locked.status != status_after(meaning_):
            before, locked.status = locked.status, status_after(meaning_)
            locked.save(update_fields=["status"])
            noted.append(noted_status(locked, before, made))
        note_all(noted, site=locked.site)
        record.status = locked.status
        return made


def new_signature(
    record: BatchRecord,
    found: Assembled,
    stands: Standing,
    meaning: Signature.Meaning,
    *,
    signer: User,
    at: datetime,
    comment: str = "",
) -> Signature:
    """Return the signature, not stored yet, that somebody may put under a record as it was found. Raises as `sign`."""
    comment = comment.strip()
    _refuse_out_of_turn(record, found, stands, meaning, comment)
    _refuse_own_work(record, found, stands, meaning, signer)
    revision = stands.signatures[-1].revision if stands.signatures else 0
    snapshot = found.snapshot()
    return Signature(
        record=record,
        revision=revision + 1 if meaning == _Meaning.PREPARED else revision,
        meaning=meaning,
        signer=signer,
        username=signer.username,
        printed_name=str(signer)[:300],
        signed_at=at,
        zone=str(record.site.zone),
        comment=comment[:500],
        content_hash=found.content_hash,
        snapshot=snapshot,
        snapshot_hash=digest(snapshot),
    )


def status_after(meaning: str) -> str:
    """Return the status of a record whose last signature means this."""
    return _STATUS_AFTER[meaning]


def noted_opening(record: BatchRecord) -> Noted:
    """Return what the audit trail says of a record that was opened, given as it was then."""
    said = {"number": record.number}
    return Noted(row=record, action="record.opened", actor=record.opened_by, at=record.opened_at, said=said)


def noted_signature(made: Signature) -> Noted:
    """Return what the audit trail says of a signature."""
    said = {"meaning": str(made.meaning), "content": made.content_hash, "comment": made.comment}
    return Noted(row=made, action=f"record.{made.meaning}", actor=made.signer, at=made.signed_at, said=said)


def noted_status(record: BatchRecord, before: str, by: Signature) -> Noted:
    """Return what the audit trail says of the status that a record has by a signature."""
    said = {"was": str(before), "now": str(record.status)}
    return Noted(row=record, action="record.status", actor=by.signer, at=by.signed_at, said=said)


def noted_resolution(made: Resolution, title: str) -> Noted:
    """Return what the audit trail says of a decision about a deviation."""
    said = {"key": made.key, "title": title, "decision": str(made.decision), "comment": made.comment}
    return Noted(row=made, action="deviation.resolved", actor=made.resolved_by, at=made.resolved_at, said=said)


def _refuse_out_of_turn(
    record: BatchRecord, found: Assembled, stands: Standing, meaning: Signature.Meaning, comment: str
) -> None:
    if meaning == _Meaning.PREPARED:
        if record.work_order.status not in _OVER or record.work_order.runs.filter(ended_at__isnull=True).exists():
            raise Conflict("The order is not over yet; complete it first.")
        if stands.signatures and not comment:
            raise Invalid("It was signed before: say what changed.", field="comment")
        return
    if not stands.signatures:
        raise Conflict("Nobody prepared the record yet.")
    if meaning == _Meaning.REJECTED:
        if record.status == _Status.RELEASED:
            raise Conflict("It is released; put the lots on hold instead.")
        if not comment:
            raise Invalid("Say why.", field="comment")
        return
    before = _BEFORE[meaning]
    if stands.holds(before) is None:
        if stands.changed_since_signed:
            raise Conflict("The record changed since it was signed; it has to be prepared again.", code="changed")
        raise Conflict(f"It has to be {before.value} first.")
    if found.open_exceptions:
        raise Conflict(f"{len(found.open_exceptions)} deviations are not resolved.", code="deviations")


def _refuse_own_work(
    record: BatchRecord, found: Assembled, stands: Standing, meaning: Signature.Meaning, signer: User
) -> None:
    """Four eyes: nobody judges their own work, nor what they signed before, as far as the site's policy says."""
    if meaning == _Meaning.PREPARED:
        return
    if signer.pk in found.workers:
        raise Invalid("Your own work is in this record; somebody else has to sign.", field="meaning")
    policy = SigningPolicy.objects.filter(site=record.site).first() or SigningPolicy()
    barred = {
        _Meaning.REVIEWED: [] if policy.reviewer_may_have_prepared else [_Meaning.PREPARED],
        _Meaning.APPROVED: [] if policy.approver_may_have_signed else [_Meaning.PREPARED, _Meaning.REVIEWED],
        _Meaning.RELEASED: [_Meaning.PREPARED, *([] if policy.releaser_may_have_approved else [_Meaning.APPROVED])],
    }.get(meaning, [_Meaning.PREPARED])
    for earlier in stands.signatures:
        if earlier.pk in stands.holding and earlier.signer_id == signer.pk and earlier.meaning in barred:
            raise Invalid(f"You signed it as {earlier.meaning}; somebody else has to sign.", field="meaning")


@transaction.atomic
def open_deviation(
    *, record: BatchRecord, title: str, severity: str, actor: User, now: datetime, detail: str = ""
) -> Deviation:
    """Note that something was not as it should be."""
    if not title.strip():
        raise Invalid("Say what was not as it should be.", field="title")
    if record.status == _Status.REJECTED:
        raise Conflict("The record was rejected; that is final.")
    made = Deviation.objects.create(
        record=record, severity=severity, title=title.strip(), detail=detail.strip(), opened_by=actor, opened_at=now
    )
    said = {"severity": severity, "title": made.title}
    note(made, site=record.site, action="deviation.opened", actor=actor, now=now, said=said)
    return made


def resolve(*, record: BatchRecord, key: str, decision: str, comment: str, actor: User, now: datetime) -> Resolution:
    """Decide about a deviation as it is now; when it says something else later, it is open again.

    The same decision again returns the first. Raises NotFound for none of that key, Conflict when somebody decided
    otherwise already, Invalid without a comment or when the own work is in the record.
    """
    found = assemble(record, now=now)
    one = next((one for one in found.exceptions if one.finding.key == key), None)
    if one is None:
        raise NotFound("The record has no such deviation now.", field="key")
    made = new_resolution(record, found, one.finding, decision=decision, comment=comment, actor=actor, at=now)
    with transaction.atomic():
        locked = BatchRecord.objects.select_for_update(of=("self",)).get(pk=record.pk)
        if locked.status == _Status.REJECTED:
            raise Conflict("The record was rejected; that is final.")
        before = Resolution.objects.filter(record=record, key=key, finding_hash=made.finding_hash).first()
        if before is not None:
            if (before.resolved_by_id, before.decision, before.comment) == (actor.pk, decision, made.comment):
                return before
            raise Conflict(f"{before.resolved_name} decided about it already.")
        made.save(force_insert=True)
        note_all([noted_resolution(made, one.finding.title)], site=record.site)
    return made


def new_resolution(
    record: BatchRecord, found: Assembled, finding: Finding, *, decision: str, comment: str, actor: User, at: datetime
) -> Resolution:
    """Return the decision, not stored yet, that somebody may take about a deviation of a record.

    Raises as `resolve`.
    """
    if not comment.strip():
        raise Invalid("Say why.", field="comment")
    if actor.pk in found.workers:
        raise Invalid("Your own work is in this record; somebody else has to decide.", field="key")
    return Resolution(
        record=record,
        key=finding.key,
        finding_hash=digest(finding_content(finding)),
        decision=decision,
        comment=comment.strip(),
        resolved_by=actor,
        resolved_name=str(actor)[:300],
        resolved_at=at,
    )


def broken_signatures() -> Iterator[Broken]:
    """Yield the signatures whose snapshot is not what was signed, and records whose status no signature made."""
    for signature in Signature.objects.order_by("id").iterator(chunk_size=50):
        name = f"signature {signature.pk}"
        if not fits(signature.snapshot, signature.snapshot_hash):
            yield Broken("batchrecords", name, "its snapshot is not what was signed")
        content = signature.snapshot.get("content") if isinstance(signature.snapshot, dict) else None
        if not fits(content, signature.content_hash):
            yield Broken("batchrecords", name, "its content is not what was signed")
    for record in BatchRecord.objects.order_by("id").iterator(chunk_size=500):
        last = record.signatures.order_by("-id").first()
        expected = _STATUS_AFTER.get(last.meaning) if last else _Status.IN_PROGRESS
        if record.status != expected:
            yield Broken("batchrecords", f"record {record.number}", f"it is {record.status}, and no signature says so")
