"""What people do with serial units. Every action appends a fact; where the unit is then follows from all of them.

Each takes a key that its sender made up: the same again has one effect, another request under it is refused.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import cast

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.models import User
from core.errors import Conflict, Invalid
from core.locks import take_turns
from core.uploads import PDF, read_document
from enterprise.models import Machine
from labor.models import Employee
from tracking import reported
from tracking.assembling import assemble as _build_in
from tracking.assembling import lock, refuse_unfit
from tracking.assembling import remove as _take_out
from tracking.assembling import replace_part as _replace
from tracking.creating import create_units
from tracking.derivation import Known, derive, fields_of, know, tell_progress
from tracking.models import (
    SerialUnit,
    StageEntry,
    StageField,
    StagePhoto,
    UnitEvent,
    UnitStage,
)
from tracking.state import DONE, NA, NOT_OK, OK, TERMINAL, Cell, StageState, UnitStatus, is_bad
from tracking.wording import is_done_at, refuse_closed, what_is_due, where, wrong_station

MOST_ENTRIES = 200
MAX_AHEAD = timedelta(minutes=5)
LONGEST_VALUE = 500
_Kind = StageField.Kind
_Event = UnitEvent.Kind


# --- what is filled in ---


@dataclass(frozen=True, slots=True)
class Entry:
    """A value for a field of a stage; None clears it. `occurred_at` is when it was filled in, not when it arrived."""

    field: str
    value: str | None
    key: str
    position: str = ""
    occurred_at: datetime | None = None
    reason: str = ""


@transaction.atomic
def enter(
    *,
    unit: SerialUnit,
    stage: str,
    entries: Sequence[Entry],
    actor: User,
    recorded_at: datetime,
    station: Machine | None = None,
) -> Known:
    """Fill in fields of the stage that is due, or correct those of one that is done; saves merge.

    A value that stands in a stage that is done, or that is NOT OK, is changed by supervisors and quality only, with a
    reason. Raises Conflict for a stage that is not due, saying which one is and where; for a unit on hold or over; for
    a key that was used for something else. Raises Invalid for a value that does not fit its field.
    """
    if not 1 <= len(entries) <= MOST_ENTRIES:
        raise Invalid(f"From 1 to {MOST_ENTRIES} entries are taken at once.", field="entries")
    if _scans(unit, entries):
        # A scan builds something in; who does that takes turns before units are locked.
        take_turns("tracking.assembly", unit.site_id)
    (unit,) = lock(unit)
    fresh = _not_yet_known(unit, stage, entries)
    known = know(unit)
    if not fresh:
        return known
    at_stage = stage_called(known, stage)
    refuse_closed(known)
    _refuse_wrong_stage(known, at_stage, station)
    asked = {field.code: (field, positions) for field, positions in fields_of(at_stage)}
    for entry in sorted(fresh, key=lambda one: (one.occurred_at or recorded_at, one.key)):
        if entry.field not in asked or entry.position not in asked[entry.field][1]:
            asked_for = f"{entry.field[:32]} {entry.position[:16]}".strip()
            raise Invalid(f"{at_stage.name} does not ask for '{asked_for}'.", field="field")
        _write_entry(known, at_stage, asked[entry.field][0], entry, actor, recorded_at)
    known = derive(unit)
    for entry in fresh:
        field = asked[entry.field][0]
        if field.kind == _Kind.COMPONENT and field.component_id is not None:
            _put_in_place(known, at_stage, field, entry, actor, recorded_at)
    tell_progress(known, actor=actor, at=recorded_at)
    return known


def _scans(unit: SerialUnit, entries: Sequence[Entry]) -> bool:
    """Say whether an entry is a scan of a component that is a unit itself."""
    codes = {entry.field for entry in entries}
    scans = StageField.objects.filter(kind=_Kind.COMPONENT, component__isnull=False, form__product=unit.product_id)
    return scans.filter(code__in=codes).exists()


def _not_yet_known(unit: SerialUnit, stage: str, entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that are not stored yet. Raises Conflict for a key that was used for something else."""
    for entry in entries:
        if not 0 < len(entry.key) <= 80 or not entry.key.isprintable():
            raise Invalid("A key is a text of 1 to 80 characters.", field="key")
    if len({entry.key for entry in entries}) != len(entries):
        raise Invalid("Each entry has a key of its own.", field="key")
    stored = {
        row.idempotency_key: row
        for row in StageEntry.objects.filter(
            unit=unit, idempotency_key__in=[entry.key for entry in entries]
        ).select_related("field", "stage")
    }
    for entry in entries:
        row = stored.get(entry.key)
        if row is None:
            continue
        said = (stage, entry.field, entry.position, _as_stored(unit, row.field, entry.value))
        if said != (row.stage.code, row.field.code, row.position, row.value):
            raise Conflict("The key was used for another entry.", field="key")
    return [entry for entry in entries if entry.key not in stored]


def _as_stored(unit: SerialUnit, field: StageField, said: str | None) -> str | None:
    if said is None or field.kind not in (_Kind.OK_NOK, _Kind.NUMBER, _Kind.TIMESTAMP):
        return None if said is None else said.strip()
    return normal_value(unit, field, said)


def _write_entry(
    known: Known, stage: UnitStage, field: StageField, entry: Entry, actor: User, recorded_at: datetime
) -> None:
    if field.filled_by == StageField.FilledBy.QUALITY and not actor.may("add", "unit_check", known.unit.site_id):
        raise PermissionDenied(f"'{field.label}' is filled in by quality.")
    at = entry.occurred_at or recorded_at
    if at > recorded_at + MAX_AHEAD:
        raise Invalid("The time lies in the future.", field="occurred_at")
    # A clock that is a little fast must not carry an entry past a decision that follows it.
    at = min(at, recorded_at)
    value = None if entry.value is None else normal_value(known.unit, field, entry.value)
    now = known.state.stages[stage.pk]
    stands = now.cells.get((field.pk, entry.position))
    if stands is not None and stands != value:
        _refuse_correction(known, now.state, field, stands, entry, actor)
    StageEntry.objects.create(
        unit=known.unit,
        stage=stage,
        field=field,
        position=entry.position,
        value=value,
        reason=entry.reason.strip()[:500],
        entered_by=actor,
        occurred_at=at,
        recorded_at=recorded_at,
        idempotency_key=entry.key,
    )


def _refuse_correction(
    known: Known, state: StageState, field: StageField, stands: str, entry: Entry, actor: User
) -> None:
    """Refuse to change what stands where that needs a reason and the right to correct."""
    cell = Cell((field.pk, entry.position), field.kind, True, field.minimum, field.maximum)
    if state not in DONE and not is_bad(cell, stands):
        return
    what = "NOT OK stands here" if is_bad(cell, stands) else "The stage is done"
    if not actor.may("change", "unit", known.unit.site_id):
        raise PermissionDenied(f"{what}; a supervisor or quality corrects it, or sends the unit to rework.")
    if not entry.reason.strip():
        raise Invalid(f"{what}; say why it is changed.", field="reason")


def _put_in_place(known: Known, stage: UnitStage, field: StageField, entry: Entry, actor: User, at: datetime) -> None:
    """Build in what the latest scan says; take out what was there before."""
    unit = known.unit
    value = known.state.stages[stage.pk].cells.get((field.pk, entry.position))
    position = f"{field.code} {entry.position}".strip()
    there = SerialUnit.objects.filter(parent=unit, parent_position=position).first()
    if (there.serial if there else None) == value:
        return
    key = f"entry-{entry.key}"
    reason = entry.reason.strip() or "Another part was scanned"
    if value is None:
        _take_out(parent=unit, position=position, reason=reason, actor=actor, at=at, idempotency_key=key)
        return
    child = SerialUnit.objects.get(product=cast(int, field.component_id), serial=value)
    if there is None:
        _build_in(parent=unit, position=position, child=child, actor=actor, at=at, idempotency_key=key)
    else:
        _replace(parent=unit, position=position, child=child, reason=reason, actor=actor, at=at, idempotency_key=key)


_WORDS = {OK: OK, "nok": NOT_OK, NOT_OK: NOT_OK, "n/a": NA, NA: NA}


def normal_value(unit: SerialUnit, field: StageField, said: str) -> str:
    """Return a value as it is stored. Raises Invalid, naming the field, for one that does not fit it."""
    value = said.strip()
    name = field.code

    def no(words: str) -> Invalid:
        return Invalid(f"{field.label}: {words}", field=name)

    if not value:
        raise no("fill in a value, or clear it.")
    if len(value) > LONGEST_VALUE or "\0" in value:
        raise no(f"at most {LONGEST_VALUE} characters.")
    match field.kind:
        case _Kind.OK_NOK:
            word = _WORDS.get(value.lower().replace(" ", "_").replace("__", "_"))
            if word is None:
                raise no("OK, NOT OK or N/A.")
            return word
        case _Kind.NUMBER:
            return _number(value, no("a number, such as 3.65."))
        case _Kind.CHOICE:
            if value not in field.choices:
                raise no(f"one of {', '.join(field.choices)}.")
        case _Kind.PHOTO:
            if not value.isdecimal() or len(value) > 18 or not unit.photos.filter(pk=int(value)).exists():
                raise no("upload the picture first.")
        case _Kind.PERSON:
            if not Employee.objects.filter(site=unit.site_id, code=value, is_active=True).exists():
                raise no(f"nobody here has the personnel number {value[:64]}.")
        case _Kind.TIMESTAMP:
            return _moment(unit, value, no("a date and time, such as 2026-03-02T08:00."))
        case _Kind.COMPONENT:
            _refuse_component(unit, field, value, no)
    return value


def _number(value: str, no: Invalid) -> str:
    try:
        number = Decimal(value.replace(",", "."))
    except InvalidOperation:
        raise no from None
    exponent = number.as_tuple().exponent
    if not number.is_finite() or abs(number) >= Decimal(10) ** 12 or not isinstance(exponent, int) or exponent < -12:
        raise no
    return f"{number:f}"


def _moment(unit: SerialUnit, value: str, no: Invalid) -> str:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=unit.site.zone)
        return moment.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise no from None


def _refuse_component(unit: SerialUnit, field: StageField, value: str, no: object) -> None:
    if field.component_id is None:
        return
    child = SerialUnit.objects.filter(product=field.component_id, serial=value).select_related("parent").first()
    if child is None or child.site_id != unit.site_id:
        raise Invalid(f"{field.label}: there is no {field.component} {value[:100]} here.", field=field.code)
    if child.parent_id == unit.pk:
        return
    try:
        refuse_unfit(unit, child)
    except Conflict as refusal:
        raise Conflict(f"{field.label}: {refusal.message}", field=field.code) from None


@transaction.atomic
def keep_photo(*, unit: SerialUnit, content: bytes, actor: User, at: datetime) -> StagePhoto:
    """Keep a picture of a unit, to be named by a photo field; the same picture again is the same one."""
    found = read_document(content)
    if found.content_type == PDF:
        raise Invalid("Choose a picture (JPEG, PNG or WebP).", field="file")
    digest = hashlib.sha256(found.content).hexdigest()
    (unit,) = lock(unit)
    kept = StagePhoto.objects.filter(unit=unit, digest=digest).first()
    return kept or StagePhoto.objects.create(
        unit=unit,
        content=found.content,
        content_type=found.content_type,
        digest=digest,
        taken_by=actor,
        recorded_at=at,
    )


# --- refusals ---


def stage_called(known: Known, code: str) -> UnitStage:
    """Return a stage of a unit by its code. Raises Invalid for one that it does not go through."""
    found = next((stage for stage in known.stages if stage.code == code), None)
    if found is None:
        raise Invalid(f"{known.unit} does not go through '{code[:32]}'.", field="stage")
    return found


def _refuse_wrong_stage(known: Known, stage: UnitStage, station: Machine | None) -> None:
    due = known.due
    is_done = known.state.stages[stage.pk].state in DONE
    before_due = due is None or (stage.sequence, stage.pk) < (due.sequence, due.pk)
    if stage.pk != known.state.due and not (is_done and before_due):
        raise Conflict(
            f"{stage.name} is not due yet. {what_is_due(known)}",
            field="stage",
            code="wrong_stage",
            facts={"due": due.code if due else None, "where": where(due) if due else ""},
        )
    if station is not None and not is_done_at(stage, station):
        raise wrong_station(known, stage, station)


# --- decisions ---


@dataclass(frozen=True, slots=True)
class By:
    """Who decides, when, and under which key."""

    actor: User
    at: datetime
    key: str
    reason: str = ""


def _answered(unit: SerialUnit, kind: str, by: By, stage: str = "") -> bool:
    """Say whether a decision was taken before under its key. Raises Conflict for a key used for something else."""
    if not 0 < len(by.key) <= 80 or not by.key.isprintable():
        raise Invalid("A key is a text of 1 to 80 characters.", field="key")
    stored = UnitEvent.objects.filter(unit=unit, idempotency_key=by.key).select_related("stage").first()
    if stored is None:
        return False
    if (stored.kind, stored.stage.code if stored.stage else "") != (kind, stage):
        raise Conflict("The key was used for another decision.", field="key")
    return True


def _decide(known: Known, kind: str, by: By, stage: UnitStage | None = None) -> Known:
    event = UnitEvent.objects.create(
        unit=known.unit,
        kind=kind,
        stage=stage,
        reason=by.reason.strip()[:500],
        decided_by=by.actor,
        occurred_at=by.at,
        idempotency_key=by.key,
    )
    reported.happened(event)
    known = derive(known.unit)
    tell_progress(known, actor=by.actor, at=by.at, reason=by.reason.strip())
    return known


def _need_reason(by: By, words: str) -> None:
    if not by.reason.strip():
        raise Invalid(words, field="reason")


@transaction.atomic
def complete_stage(*, unit: SerialUnit, stage: str, by: By, station: Machine | None = None) -> Known:
    """Say that the stage that is due is done. Raises Invalid naming what must be filled in, Conflict for a NOT OK."""
    (unit,) = lock(unit)
    if _answered(unit, _Event.COMPLETE, by, stage):
        return know(unit)
    known = know(unit)
    at_stage = stage_called(known, stage)
    refuse_closed(known)
    now = known.state.stages[at_stage.pk]
    if now.state in DONE:
        raise Conflict(f"{at_stage.name} is done already. {what_is_due(known)}", field="stage", code="done_already")
    _refuse_wrong_stage(known, at_stage, station)
    labels = {field.pk: field.label for field, _ in fields_of(at_stage)}
    if now.missing:
        lacking = ", ".join(f"{labels[field]} {position}".strip() for field, position in now.missing[:5])
        more = f" and {len(now.missing) - 5} more" if len(now.missing) > 5 else ""
        raise Invalid(f"Fill in first: {lacking}{more}.", field="stage")
    if now.bad:
        raise Conflict(what_is_due(known), field="stage", code="not_ok")
    return _decide(known, _Event.COMPLETE, by, at_stage)


@transaction.atomic
def send_to_rework(*, unit: SerialUnit, to_stage: str, by: By) -> Known:
    """Send a unit back to a stage that it has begun: that stage and all after it are gone through again."""
    _need_reason(by, "Say why it is reworked.")
    (unit,) = lock(unit)
    if _answered(unit, _Event.REWORK, by, to_stage):
        return know(unit)
    known = know(unit)
    at_stage = stage_called(known, to_stage)
    refuse_closed(known)
    _refuse_part(unit, "reworked")
    _refuse_packed(unit, "reworked")
    if known.state.stages[at_stage.pk].state == StageState.OPEN:
        raise Conflict(f"{at_stage.name} has not begun; there is nothing to rework.", field="stage")
    return _decide(known, _Event.REWORK, by, at_stage)


@transaction.atomic
def use_as_is(*, unit: SerialUnit, stage: str, by: By) -> Known:
    """Let pass, by quality, what is NOT OK at a stage now; what becomes NOT OK later is not let pass by it."""
    _need_reason(by, "Say why it may be used as it is.")
    (unit,) = lock(unit)
    if _answered(unit, _Event.USE_AS_IS, by, stage):
        return know(unit)
    known = know(unit)
    at_stage = stage_called(known, stage)
    refuse_closed(known)
    if not known.state.stages[at_stage.pk].bad:
        raise Conflict(f"Nothing is NOT OK at {at_stage.name}.", field="stage")
    return _decide(known, _Event.USE_AS_IS, by, at_stage)


def _refuse_packed(unit: SerialUnit, what: str) -> None:
    # Of a container that is shipped, the units are dispatched with it.
    if unit.container is not None and not (what == "dispatched" and unit.container.status == "shipped"):
        raise Conflict(f"{unit} is packed in {unit.container}; take it out there before it is {what}.")


def _refuse_part(unit: SerialUnit, what: str) -> None:
    if unit.parent_id is not None:
        raise Conflict(f"{unit} is part of {unit.parent}; take it out before it is {what}.", code="is_part")


@transaction.atomic
def hold(*, unit: SerialUnit, by: By) -> Known:
    """Stop a unit: nothing is done to it until it is released."""
    _need_reason(by, "Say why it is put on hold.")
    (unit,) = lock(unit)
    if _answered(unit, _Event.HOLD, by):
        return know(unit)
    known = know(unit)
    refuse_closed(known)
    return _decide(known, _Event.HOLD, by)


@transaction.atomic
def release(*, unit: SerialUnit, by: By) -> Known:
    """Let a unit that is on hold go on from where it was."""
    (unit,) = lock(unit)
    if _answered(unit, _Event.RELEASE, by):
        return know(unit)
    known = know(unit)
    if known.state.status != UnitStatus.ON_HOLD:
        raise Conflict(f"{unit} is not on hold.")
    return _decide(known, _Event.RELEASE, by)


@transaction.atomic
def scrap(*, unit: SerialUnit, by: By, replacement: str = "") -> tuple[Known, SerialUnit | None]:
    """Give a unit up; with a serial number for `replacement`, make another one for its order in its place.

    Its parts stay in its as-built structure and may be taken out of it. What it passed stays as it is; the replacement
    has first passes of its own.
    """
    _need_reason(by, "Say why it is scrapped.")
    # Serials before units, as wherever both are taken.
    take_turns("tracking.serials", unit.product_id)
    (unit,) = lock(unit)
    if _answered(unit, _Event.SCRAP, by):
        return know(unit), SerialUnit.objects.filter(replaces=unit).first()
    known = know(unit)
    if known.state.status in TERMINAL:
        refuse_closed(known)
    _refuse_part(unit, "scrapped")
    _refuse_packed(unit, "scrapped")
    known = _decide(known, _Event.SCRAP, by)
    if not replacement:
        return known, None
    if SerialUnit.objects.filter(product=unit.product_id, serial=replacement.strip()).exists():
        raise Conflict(f"{unit.product.name} has a unit {replacement.strip()} already.", field="replacement")
    (made,) = create_units(
        serials=[replacement],
        actor=by.actor,
        at=by.at,
        order=unit.order,
        product=unit.product,
        site=unit.site,
        replaces=unit,
    )
    return known, made


@transaction.atomic
def dispatch(*, unit: SerialUnit, by: By) -> Known:
    """Send a finished unit out. Raises Conflict for one that is not ready, saying what comes next."""
    (unit,) = lock(unit)
    if _answered(unit, _Event.DISPATCH, by):
        return know(unit)
    known = know(unit)
    refuse_closed(known)
    _refuse_part(unit, "dispatched")
    _refuse_packed(unit, "dispatched")
    if known.state.status != UnitStatus.FINISHED:
        raise Conflict(f"It is not ready to be dispatched. {what_is_due(known)}", code="not_ready")
    return _decide(known, _Event.DISPATCH, by)


@transaction.atomic
def rebuild_unit(*, unit: SerialUnit) -> Known:
    """Derive anew what is kept beside a unit."""
    (unit,) = lock(unit)
    return derive(unit)
