"""Typed execution steps: what an operation asks for, what was entered, and what stands in the way of finishing it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.audit import note
from accounts.models import User
from accounts.signing import Confirmed
from batchrecords.models import BatchRecord, Resolution, StepEntry, StepKind, StepTemplate
from batchrecords.services import open_record
from core.audit_chain import written
from core.errors import Conflict, Invalid
from core.master_data import follows
from core.uploads import PDF, read_document
from products.models import ProductRevision
from workorders.gates import before_finishing
from workorders.models import Operation, WorkOrder
from workorders.record_sections import CRITICAL, MAJOR, MINOR, Finding, Section, contributes, text

LARGEST_PHOTO = 4 * 1024 * 1024
_AHEAD = timedelta(minutes=5)
_OPEN = (WorkOrder.Status.RELEASED, WorkOrder.Status.SCHEDULED, WorkOrder.Status.IN_PROGRESS)


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody enters: the part that the step's kind asks for. `second` is who confirmed with both components."""

    number: Decimal | None = None
    said: str = ""
    time: datetime | None = None
    photo: bytes | None = None
    second: Confirmed | None = None


@transaction.atomic
def enter_step(
    *,
    operation: Operation,
    template: StepTemplate,
    answer: Answer,
    actor: User,
    occurred_at: datetime,
    now: datetime,
    comment: str = "",
) -> StepEntry:
    """Record that a step was done. A later entry of the same step counts instead; both stay readable.

    Raises Invalid with the field at fault: an answer of another kind, or beyond the limits without a comment; Conflict
    when the order is not being worked on.
    """
    if template.operation_id != operation.template_id:
        raise Invalid("That step is none of this operation.", field="template")
    if operation.work_order.status not in _OPEN:
        raise Conflict(f"The order is {operation.work_order.get_status_display().lower()}.")
    if occurred_at > now + _AHEAD:
        raise Invalid("That is in the future.", field="occurred_at")
    columns = _columns(template, answer, actor)
    within, comment = _is_within(template, answer), comment.strip()
    if not within and not comment:
        raise Invalid("It is not as it should be: say why, and what was done.", field="comment")
    record = open_record(order=operation.work_order, actor=actor, now=now)
    entry = StepEntry.objects.create(
        operation=operation,
        template=template,
        asked=_asked(template),
        **columns,
        is_within=within,
        comment=comment[:1000],
        occurred_at=occurred_at,
        recorded_at=now,
        entered_by=actor,
        entered_name=str(actor)[:300],
    )
    said = {"step": template.code, "answer": answered(entry), "within": within}
    note(entry, site=record.site, action="step.entered", actor=actor, now=now, said=said)
    return entry


def _asked(template: StepTemplate) -> dict[str, Any]:
    names = ("code", "kind", "prompt", "unit", "choices", "choices_within", "is_required", "is_critical", "beyond")
    limits = {name: written(getattr(template, name)) for name in ("minimum", "maximum")}
    return {**{name: getattr(template, name) for name in names}, **limits}


def _columns(template: StepTemplate, answer: Answer, actor: User) -> dict[str, Any]:
    """Return what is stored of an answer; refuse one that the step does not ask for."""
    kind = template.kind
    if kind == StepKind.NUMBER:
        if answer.number is None or not answer.number.is_finite():
            raise Invalid("Give the number.", field="number")
        if abs(answer.number) >= 10**12 or answer.number != round(answer.number, 6):
            raise Invalid("Give at most 12 digits before and 6 after the point.", field="number")
        return {"number": answer.number}
    if kind == StepKind.CHOICE:
        if answer.said not in template.choices:
            raise Invalid(f"Choose one of: {', '.join(template.choices)}.", field="said")
        return {"said": answer.said}
    if kind == StepKind.TEXT:
        if not answer.said.strip():
            raise Invalid("Write it down.", field="said")
        return {"said": answer.said.strip()}
    if kind == StepKind.TIME:
        if answer.time is None:
            raise Invalid("Give the time.", field="time")
        return {"time": answer.time}
    if kind == StepKind.PHOTO:
        return _photo(answer.photo)
    if kind == StepKind.PERSON:
        if answer.second is None or answer.second.user.pk == actor.pk:
            raise Invalid("Another person has to confirm it, with name and password.", field="second")
        return {"second_person": answer.second.user}
    return {}


def _photo(photo: bytes | None) -> dict[str, Any]:
    if not photo:
        raise Invalid("Take a photo.", field="photo")
    if len(photo) > LARGEST_PHOTO:
        raise Invalid("A photo has at most 4 MiB.", field="photo")
    found = read_document(photo, field="photo")
    if found.content_type == PDF:
        raise Invalid("Take a photo: JPEG, PNG or WebP.", field="photo")
    return {"photo": found.content, "photo_type": found.content_type.removeprefix("image/")}


def _is_within(template: StepTemplate, answer: Answer) -> bool:
    if template.kind == StepKind.NUMBER:
        assert answer.number is not None
        return (template.minimum is None or answer.number >= template.minimum) and (
            template.maximum is None or answer.number <= template.maximum
        )
    if template.kind == StepKind.CHOICE and template.choices_within:
        return answer.said in template.choices_within
    return True


def answered(entry: StepEntry) -> str:
    """Return what was entered, as the record says it."""
    if entry.number is not None:
        return f"{text(entry.number)} {entry.asked['unit']}".strip()
    if entry.photo is not None:
        return f"photo, SHA-256 {written(entry.photo)}"
    if entry.second_person is not None:
        return f"confirmed by {entry.second_person}"
    return entry.said or text(entry.time) or "read and confirmed"


def _limits(asked: dict[str, Any]) -> str:
    if asked["kind"] == StepKind.NUMBER:
        return f"{asked['minimum'] or '…'} – {asked['maximum'] or '…'} {asked['unit']}".strip()
    return ", ".join(asked["choices_within"])


def key_of(entry: StepEntry) -> str:
    """Return the key of the deviation that an entry beyond its limits opens."""
    return f"step:{entry.pk}"


@contributes("steps", "Execution steps", 35)
def steps_section(order: WorkOrder, now: datetime) -> Section:
    """Return what was entered at the order's operations, with the limits of then, and what is missing."""
    section = Section(("Operation", "Step", "Asked", "Limits", "Entered", "Within", "At", "By", "Comment"))
    rows = StepEntry.objects.filter(operation__work_order=order).select_related(
        "operation", "second_person", "template"
    )
    done: set[tuple[int, int]] = set()
    for entry in rows.order_by("operation__sequence", "template__position", "id"):
        asked, place = entry.asked, (entry.operation_id, entry.template_id)
        section.add(
            entry.operation.code,
            asked["code"],
            asked["prompt"],
            _limits(asked),
            answered(entry),
            entry.is_within,
            entry.occurred_at,
            entry.entered_name,
            entry.comment,
        )
        section.workers |= {entry.entered_by_id, *([entry.second_person_id] if entry.second_person_id else [])}
        where = f"{entry.operation.code}, {asked['code']}"
        if not entry.is_within:
            severity = CRITICAL if asked["is_critical"] else MINOR if asked["beyond"] == "comment" else MAJOR
            title = f"{where}: {answered(entry)} is not within {_limits(asked)}"
            section.findings.append(
                Finding(key_of(entry), "out_of_limit", severity, title, entry.comment, entry.occurred_at)
            )
        elif place in done:
            title = f"{where} was entered again"
            section.findings.append(Finding(f"step.again:{entry.pk}", "again", MINOR, title, "", entry.occurred_at))
        done.add(place)
    for operation in order.operations.order_by("sequence", "id"):
        for template in missing_steps(operation, done):
            title = f"{operation.code}: step {template.code} was not done"
            key = f"step.missing:{operation.pk}:{template.pk}"
            severity = CRITICAL if template.is_critical else MAJOR
            if order.status not in _OPEN:
                section.findings.append(Finding(key, "missing_step", severity, title, template.prompt))
    return section


def missing_steps(operation: Operation, done: set[tuple[int, int]] | None = None) -> list[StepTemplate]:
    """Return the required steps of an operation of which there is no entry, in their order."""
    if operation.template_id is None:
        return []
    if done is None:
        entries = StepEntry.objects.filter(operation=operation)
        done = {(operation.pk, template_id) for template_id in entries.values_list("template_id", flat=True)}
    required = StepTemplate.objects.filter(operation=operation.template_id, is_required=True)
    return [template for template in required.order_by("position", "id") if (operation.pk, template.pk) not in done]


@before_finishing
def refuse_unfinished_steps(operation: Operation, now: datetime) -> None:
    """Raise Conflict while a required step is missing, or while one that stops the work is beyond its limits."""
    missing = missing_steps(operation)
    if missing:
        raise Conflict(
            f"Do these steps first: {', '.join(template.code for template in missing)}.",
            code="steps_missing",
            facts={"steps": [template.pk for template in missing]},
        )
    last = {entry.template_id: entry for entry in StepEntry.objects.filter(operation=operation).order_by("id")}
    for entry in last.values():
        if entry.is_within or entry.asked["beyond"] != StepTemplate.Beyond.STOP:
            continue
        records = BatchRecord.objects.filter(work_order=operation.work_order_id)
        if not Resolution.objects.filter(record__in=records, key=key_of(entry)).exists():
            raise Conflict(
                f"Step {entry.asked['code']} is beyond its limits; the deviation has to be resolved first.",
                code="deviation_open",
            )


@follows(StepTemplate)
def step_changed(*, before: StepTemplate | None, after: StepTemplate | None) -> None:
    """Refuse to change the steps of what is released, or of what was entered already."""
    for template in (before, after):
        if template is None:
            continue
        if template.operation.routing.revision.status != ProductRevision.Status.DRAFT:
            raise Conflict("The revision is released; make a new one, and change the steps there.")
