"""Write changeovers down as they happen: begin, next phase, first good piece, finish, correct, approve."""

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from core import master_data
from core.errors import Conflict, Invalid
from core.locks import take_turns
from enterprise.models import Line
from products.models import Product
from workorders.models import (
    Changeover,
    ChangeoverPhase,
    ChangeoverTarget,
    ChangeoverTask,
    ChangeoverTaskDone,
    Run,
    WorkOrder,
)
from workorders.selectors import target_of

MAX_AHEAD = timedelta(minutes=5)
_ORDER = list(ChangeoverPhase.Phase.values)
CORRECTABLE = (
    *("kind", "from_product", "to_product", "work_order", "run", "started_at", "ended_at", "first_good_at"),
    *("pieces_made", "pieces_scrapped", "supervisor", "operators", "inspection", "inspection_note", "improvement_idea"),
)
"""What `correct_changeover` changes."""


@transaction.atomic
def begin_changeover(
    *,
    line: Line,
    kind: str = Changeover.Kind.PRODUCT,
    phase: str = ChangeoverPhase.Phase.TEARDOWN,
    from_product: Product | None = None,
    to_product: Product | None = None,
    work_order: WorkOrder | None = None,
    supervisor: User | None = None,
    operators: str = "",
    started_at: datetime,
    actor: User,
    recorded_at: datetime,
    idempotency_key: str | None = None,
) -> tuple[Changeover, bool]:
    """Begin changing a line over; return the record and whether it is new.

    Without `from_product` it is what the line ran last; without `to_product`, the order's. Raises Conflict while
    another changeover of the line is open, Invalid for an order of another line or a time in the future.
    """
    _refuse_future(started_at, recorded_at, "started_at")
    take_turns("changeover", line.pk)
    if idempotency_key:
        known = Changeover.objects.filter(idempotency_key=idempotency_key).first()
        if known is not None:
            if (known.line_id, known.started_at, known.kind) != (line.pk, started_at, kind):
                raise Conflict("Another changeover was begun under this key; it stays.", field="idempotency_key")
            return known, False
    open_one = Changeover.objects.filter(line=line, ended_at__isnull=True).first()
    if open_one is not None:
        raise Conflict("The line is being changed over already; finish that one first.", field="line")
    if work_order is not None and work_order.line_id != line.pk:
        raise Invalid("The order belongs to another line.", field="work_order")
    if from_product is None:
        last = Run.objects.filter(line=line, started_at__lt=started_at, work_order__product__isnull=False)
        found = last.select_related("work_order__product").order_by("-started_at").first()
        from_product = found.work_order.product if found else None
    if to_product is None and work_order is not None:
        to_product = work_order.product
    record = master_data.save(
        Changeover(
            line=line,
            kind=kind,
            from_product=from_product,
            to_product=to_product,
            work_order=work_order,
            supervisor=supervisor,
            operators=operators,
            target_minutes=_target(line, from_product, to_product),
            started_at=started_at,
            started_by=actor,
            recorded_at=recorded_at,
            idempotency_key=idempotency_key or None,
        )
    )
    master_data.save(ChangeoverPhase(changeover=record, phase=phase, started_at=started_at))
    return record, True


@transaction.atomic
def next_phase(*, changeover: Changeover, phase: str, at: datetime, recorded_at: datetime) -> Changeover:
    """End the phase that lasts and begin a later one at the same moment. A retry changes nothing.

    Raises Conflict for a changeover that is over and for a phase that comes before.
    """
    _refuse_future(at, recorded_at, "at")
    record = _held(changeover)
    known = record.phases.filter(phase=phase).first()
    if known is not None and known.started_at == at:
        return record
    _refuse_over(record)
    if phase not in _ORDER:
        raise Invalid(f"One of {', '.join(_ORDER)}.", field="phase")
    last = record.phases.order_by("-started_at").first()
    if last is not None and _ORDER.index(phase) <= _ORDER.index(last.phase):
        raise Conflict(f"It is in its {last.get_phase_display().lower()} already; that comes later.", field="phase")
    _end_phase(record, at)
    master_data.save(ChangeoverPhase(changeover=record, phase=phase, started_at=at))
    return record


@transaction.atomic
def note_first_good(
    *,
    changeover: Changeover,
    at: datetime,
    recorded_at: datetime,
    pieces_made: Decimal | None = None,
    pieces_scrapped: Decimal | None = None,
) -> Changeover:
    """Note when the first good piece came, and what was made and scrapped up to it. Another moment is a correction."""
    _refuse_future(at, recorded_at, "at")
    record = _held(changeover)
    if record.first_good_at is not None and record.first_good_at != at:
        raise Conflict("Another first good piece is noted; correct that one.", field="at")
    _refuse_approved(record)
    record.first_good_at = at
    if pieces_made is not None:
        record.pieces_made = pieces_made
    if pieces_scrapped is not None:
        record.pieces_scrapped = pieces_scrapped
    return master_data.save(record)


@transaction.atomic
def finish_changeover(
    *,
    changeover: Changeover,
    at: datetime,
    recorded_at: datetime,
    run: Run | None = None,
    inspection: str = "",
    inspection_note: str = "",
    improvement_idea: str = "",
) -> Changeover:
    """End a changeover and its last phase.

    Without `run`, it led to the line's first run since it began, if there is one.

    Raises Conflict when it is over with another end, or when the run has a changeover already.
    """
    _refuse_future(at, recorded_at, "at")
    record = _held(changeover)
    if record.ended_at == at:
        return record
    _refuse_over(record)
    _end_phase(record, at)
    record.ended_at = at
    record.run = run or _run_of(record)
    _refuse_foreign_run(record)
    record.inspection = inspection or record.inspection
    record.inspection_note = inspection_note or record.inspection_note
    record.improvement_idea = improvement_idea or record.improvement_idea
    return master_data.save(record)


@transaction.atomic
def correct_changeover(
    *,
    changeover: Changeover,
    reason: str,
    values: dict[str, Any],
    phases: dict[str, tuple[datetime, datetime | None]] | None = None,
    recorded_at: datetime,
) -> Changeover:
    """Change what was written down, saying why; the history keeps both. `phases` replaces the times of those it names.

    Raises Conflict for one that is approved, Invalid for phases that overlap or do not lie inside the changeover.
    """
    if not reason.strip():
        raise Invalid("Say why.", field="reason")
    record = _held(changeover)
    _refuse_approved(record)
    for name, value in values.items():
        if name not in CORRECTABLE:
            raise Invalid("That is not corrected here.", field=name)
        if name in ("started_at", "ended_at", "first_good_at") and value is not None:
            _refuse_future(value, recorded_at, name)
        setattr(record, name, value)
    if "from_product" in values or "to_product" in values:
        record.target_minutes = _target(record.line, record.from_product, record.to_product)
    _refuse_foreign_run(record)
    record._change_reason = reason[:100]  # type: ignore[attr-defined]
    master_data.save(record)
    stored = {row.phase: row for row in record.phases.all()}
    for name, (start, end) in (phases or {}).items():
        if name not in _ORDER:
            raise Invalid(f"One of {', '.join(_ORDER)}.", field="phases")
        row = stored.setdefault(name, ChangeoverPhase(changeover=record, phase=name))
        row.started_at, row.ended_at = start, end
        row._change_reason = reason[:100]  # type: ignore[attr-defined]
        master_data.save(row)
    _refuse_odd_phases(record)
    return record


@transaction.atomic
def approve_changeover(*, changeover: Changeover, actor: User, approved_at: datetime) -> Changeover:
    """Approve a changeover that is over; it stays as it is from then on.

    Raises Conflict when it is not over or approved by somebody else, Invalid when it is one's own.
    """
    record = _held(changeover)
    if record.approved_by_id == actor.pk:
        return record
    _refuse_approved(record)
    if record.ended_at is None:
        raise Conflict("It is not over yet.", field="ended_at")
    if actor.pk in (record.started_by_id, record.supervisor_id):
        raise Invalid("Somebody else approves what one did.", field="approved_by")
    record.approved_by, record.approved_at = actor, approved_at
    return master_data.save(record)


@transaction.atomic
def record_changeover_task(
    *, run: Run, task: ChangeoverTask, started_at: datetime, ended_at: datetime, actor: User, recorded_at: datetime
) -> tuple[ChangeoverTaskDone, bool]:
    """Append that a task of a changeover was done; return it and whether it is new.

    Raises Invalid for an empty or future span or a task of another line's changeover, Conflict when another end is
    stored for the same beginning.
    """
    if ended_at <= started_at:
        raise Invalid("A task ends after it started.", field="ended_at")
    if ended_at > recorded_at:
        raise Invalid("The time lies in the future.", field="ended_at")
    if task.target.line_id not in (None, run.line_id):
        raise Invalid("The task belongs to a changeover of another line.", field="task")
    done, is_new = ChangeoverTaskDone.objects.get_or_create(
        run=run,
        task=task,
        started_at=started_at,
        defaults={"ended_at": ended_at, "done_by": actor, "recorded_at": recorded_at},
    )
    if done.ended_at != ended_at:
        raise Conflict("Another end is stored for this task; the stored one stays.", field="ended_at")
    return done, is_new


def _held(changeover: Changeover) -> Changeover:
    rows = Changeover.objects.select_for_update(of=("self",)).select_related("line", "from_product", "to_product")
    return rows.get(pk=changeover.pk)


def _target(line: Line, from_product: Product | None, to_product: Product | None) -> Decimal | None:
    targets = ChangeoverTarget.objects.filter(Q(line=line) | Q(line__isnull=True))
    allowed = target_of(targets, from_product.pk if from_product else None, to_product.pk if to_product else None)
    if allowed is None:
        return None
    minutes = Fraction(allowed // timedelta(microseconds=1), 60_000_000)
    return Decimal(round(minutes * 100)).scaleb(-2)


def _run_of(record: Changeover) -> Run | None:
    runs = Run.objects.filter(line=record.line_id, started_at__gte=record.started_at, changeover__isnull=True)
    if record.work_order_id is not None:
        runs = runs.filter(work_order=record.work_order_id)
    return runs.order_by("started_at").first()


def _refuse_foreign_run(record: Changeover) -> None:
    run = record.run
    if run is None:
        return
    if run.line_id != record.line_id:
        raise Invalid("The run is another line's.", field="run")
    if Changeover.objects.filter(run=run).exclude(pk=record.pk).exists():
        raise Conflict("Another changeover led to that run.", field="run")


def _end_phase(record: Changeover, at: datetime) -> None:
    lasting = record.phases.filter(ended_at__isnull=True).first()
    if lasting is None:
        return
    if at <= lasting.started_at:
        raise Invalid(f"Its {lasting.get_phase_display().lower()} began only later.", field="at")
    lasting.ended_at = at
    master_data.save(lasting)


def _refuse_odd_phases(record: Changeover) -> None:
    before = None
    rows = sorted(record.phases.all(), key=lambda row: _ORDER.index(row.phase))
    for row in rows:
        if row.started_at < record.started_at or (
            record.ended_at is not None and (row.ended_at is None or row.ended_at > record.ended_at)
        ):
            raise Invalid(f"Its {row.get_phase_display().lower()} is not inside it.", field="phases")
        if before is not None and (before.ended_at is None or before.ended_at > row.started_at):
            raise Invalid(
                f"{before.get_phase_display()} and {row.get_phase_display().lower()} overlap.", field="phases"
            )
        before = row


def _refuse_over(record: Changeover) -> None:
    _refuse_approved(record)
    if record.ended_at is not None:
        raise Conflict("It is over; correct it instead.", field="ended_at")


def _refuse_approved(record: Changeover) -> None:
    if record.approved_at is not None:
        raise Conflict("It is approved and stays as it is.", field="approved_at")


def _refuse_future(at: datetime, recorded_at: datetime, field: str) -> None:
    if at > recorded_at + MAX_AHEAD:
        raise Invalid("The time lies in the future.", field=field)
