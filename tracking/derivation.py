"""Keep beside a unit what follows from its facts: status, stages, passages. Written only where it differs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import User
from tracking.models import SerialUnit, StageEntry, StageField, StagePassage, UnitEvent, UnitStage
from tracking.progress import Progress, tell
from tracking.state import (
    DONE,
    Cell,
    Event,
    EventKind,
    StageShape,
    UnitState,
    UnitStatus,
    replay,
)
from workorders.models import Operation


@dataclass(frozen=True, slots=True)
class Known:
    """A unit with its stages in order, the fields of their forms, and the state that follows from the facts."""

    unit: SerialUnit
    stages: list[UnitStage]
    state: UnitState

    def stage(self, pk: int | None) -> UnitStage | None:
        """Return one of its stages."""
        return next((stage for stage in self.stages if stage.pk == pk), None)

    @property
    def due(self) -> UnitStage | None:
        """The stage that comes next; None when all are done."""
        return self.stage(self.state.due)


def fields_of(stage: UnitStage) -> list[tuple[StageField, tuple[str, ...]]]:
    """Return the fields of a stage's form in order, each with the positions that it is filled in for."""
    if stage.form is None:
        return []
    positions = tuple(stage.form.positions)
    fields = sorted(stage.form.fields.all(), key=lambda field: (field.sequence, field.pk))
    return [(field, positions if field.per_position else ("",)) for field in fields]


def shape_of(stage: UnitStage) -> StageShape:
    """Return a stage as the engine knows it."""
    return StageShape(
        stage.pk,
        tuple(
            Cell((field.pk, position), field.kind, field.required, field.minimum, field.maximum)
            for field, positions in fields_of(stage)
            for position in positions
        ),
    )


def know(unit: SerialUnit) -> Known:
    """Read a unit's facts and replay them."""
    (known,) = know_all([unit])
    return known


def know_all(units: Sequence[SerialUnit]) -> list[Known]:
    """Read the facts of units and replay them, in as many queries as for one."""
    stages: dict[int, list[UnitStage]] = {unit.pk: [] for unit in units}
    rows = UnitStage.objects.filter(unit__in=stages).select_related("form", "line", "machine", "machine_class")
    for stage in rows.prefetch_related("form__fields").order_by("sequence", "id"):
        stages[stage.unit_id].append(stage)
    events = _events(list(stages))
    return [
        Known(unit, stages[unit.pk], replay([shape_of(stage) for stage in stages[unit.pk]], events[unit.pk]))
        for unit in units
    ]


def _events(units: Sequence[int]) -> dict[int, list[Event]]:
    found: dict[int, list[Event]] = {pk: [] for pk in units}
    entries = StageEntry.objects.filter(unit__in=units).values_list(
        "unit_id", "occurred_at", "idempotency_key", "stage_id", "field_id", "position", "value"
    )
    for unit, at, key, stage, field, position, value in entries.order_by():
        found[unit].append(Event(at, key, EventKind.ENTRY, stage, (field, position), value))
    decided = UnitEvent.objects.filter(unit__in=units).values_list(
        "unit_id", "occurred_at", "idempotency_key", "kind", "stage_id"
    )
    for unit, at, key, kind, stage in decided.order_by():
        found[unit].append(Event(at, key, kind, stage))
    return found


def derive(unit: SerialUnit) -> Known:
    """Bring what is kept beside a unit up to date with its facts. The unit is locked by whoever calls."""
    known = know(unit)
    state = known.state
    _write(
        unit,
        status=state.status,
        is_blocked=state.is_blocked and state.status != UnitStatus.SCRAPPED,
        rework_count=state.rework_count,
        finished_at=state.finished_at,
    )
    # At most one stage is due at a time, so the mark is taken away before it is given.
    for stage in sorted(known.stages, key=lambda stage: stage.pk == state.due):
        now = state.stages[stage.pk]
        _write(stage, state=now.state, round=now.round, is_due=stage.pk == state.due)
    _write_passages(known)
    return known


def _write(row: Any, **values: Any) -> None:
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        row.save(update_fields=changed)


def _write_passages(known: Known) -> None:
    wanted = {(one.stage, one.round): one for one in known.state.passes}
    for row in StagePassage.objects.filter(stage__unit=known.unit):
        one = wanted.pop((row.stage_id, row.round), None)
        if one is None or one.started_at is None:
            row.delete()
        else:
            _write(row, started_at=one.started_at, completed_at=one.completed_at, result=one.result)
    StagePassage.objects.bulk_create(
        StagePassage(
            stage_id=one.stage,
            round=one.round,
            started_at=one.started_at,
            completed_at=one.completed_at,
            result=one.result,
        )
        for one in wanted.values()
        if one.started_at is not None
    )


def tell_progress(known: Known, *, actor: User, at: datetime, reason: str = "") -> None:
    """Tell whoever books operations what a unit did, each thing once however often it is reworked."""
    news: list[tuple[UnitStage, bool, datetime]] = []
    for stage in known.stages:
        now = known.state.stages[stage.pk]
        if now.state in DONE and not stage.reported_good:
            _write(stage, reported_good=True)
            news.append((stage, False, now.done_at or at))
    if known.state.status == UnitStatus.SCRAPPED:
        # Reworked or not, it is lost at the last stage that it reached: it is one piece less there, and none twice.
        lost_at = [stage for stage in known.stages if stage.reported_good or stage.pk == known.state.due][-1]
        if not lost_at.reported_scrap:
            _write(lost_at, reported_scrap=True)
            news.append((lost_at, True, at))
    unit = known.unit
    if unit.order_id is None or not news:
        return
    rows = Operation.objects.filter(work_order=unit.order_id).select_related("work_order", "machine__line__area")
    operations = {row.code: row for row in rows}
    for stage, is_scrap, moment in news:
        if stage.code in operations:
            tell(Progress(unit, operations[stage.code], is_scrap, actor, moment, at, reason))
