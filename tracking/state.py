"""Derive where a unit is from what was recorded of it: pure, without database and clock.

Facts are replayed in the order of (moment, key), so the order of their arrival does not matter. A rework loop begins a
new round of its stage and of what follows; a round keeps nothing of the one before it. Within a round the latest value
of a field counts, and clearing is a value like others.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

OK, NOT_OK, NA = "ok", "not_ok", "na"


class FieldKind(StrEnum):
    """What is filled in."""

    OK_NOK = "ok_nok"
    NUMBER = "number"
    TEXT = "text"
    CHOICE = "choice"
    PHOTO = "photo"
    COMPONENT = "component"
    PERSON = "person"
    TIMESTAMP = "timestamp"


class StageState(StrEnum):
    """How a stage of a unit stands."""

    OPEN = "open"
    PROCESSING = "processing"
    OK = "ok"
    NOT_OK = "not_ok"
    AS_IS = "as_is"


DONE = frozenset({StageState.OK, StageState.AS_IS})


class UnitStatus(StrEnum):
    """How a unit stands."""

    NOT_STARTED = "not_started"
    IN_PROCESS = "in_process"
    ON_HOLD = "on_hold"
    FINISHED = "finished"
    DISPATCHED = "dispatched"
    SCRAPPED = "scrapped"


TERMINAL = frozenset({UnitStatus.DISPATCHED, UnitStatus.SCRAPPED})


class EventKind(StrEnum):
    """What was recorded of a unit."""

    ENTRY = "entry"
    COMPLETE = "complete"
    REWORK = "rework"
    USE_AS_IS = "use_as_is"
    HOLD = "hold"
    RELEASE = "release"
    SCRAP = "scrap"
    DISPATCH = "dispatch"


CellKey = tuple[int, str]
"""A field's id and a sub-unit's position ("" = the unit as a whole)."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value that a stage's form asks for; limits are inclusive, None = none."""

    key: CellKey
    kind: str
    required: bool = True
    minimum: Decimal | None = None
    maximum: Decimal | None = None


@dataclass(frozen=True, slots=True)
class StageShape:
    """A stage of a unit, by its id; `cells` is empty where a stage has no form."""

    pk: int
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """A fact about a unit. `cell` and `value` are an entry's; a value of None clears."""

    at: datetime
    key: str
    kind: str
    stage: int | None = None
    cell: CellKey | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """A round of a stage: when it began and was completed (None = it is not), and what came of it."""

    stage: int
    round: int
    result: str
    started_at: datetime | None
    completed_at: datetime | None


@dataclass(slots=True)
class StageNow:
    """A stage in its current round."""

    shape: StageShape
    round: int = 1
    cells: dict[CellKey, str] = field(default_factory=dict)
    is_completed: bool = False
    accepted: frozenset[tuple[CellKey, str]] = frozenset()
    """The bad values that quality let pass."""
    started_at: datetime | None = None
    done_at: datetime | None = None

    @property
    def bad(self) -> list[CellKey]:
        """The fields that are NOT OK or outside their limits, and were not let pass."""
        return [key for key in self.deviating if (key, self.cells[key]) not in self.accepted]

    @property
    def deviating(self) -> list[CellKey]:
        """The fields that are NOT OK or outside their limits, let pass or not."""
        return [cell.key for cell in self.shape.cells if is_bad(cell, self.cells.get(cell.key))]

    @property
    def missing(self) -> list[CellKey]:
        """What must be filled in and is not."""
        return [cell.key for cell in self.shape.cells if cell.required and cell.key not in self.cells]

    @property
    def state(self) -> StageState:
        """How it stands, from its values and decisions."""
        if self.bad:
            return StageState.NOT_OK
        known = self.shape.cells
        is_full = bool(known) and all(cell.key in self.cells for cell in known)
        if is_full or (self.is_completed and not self.missing):
            return StageState.AS_IS if self.deviating else StageState.OK
        return StageState.OPEN if self.started_at is None else StageState.PROCESSING


@dataclass(frozen=True, slots=True)
class UnitState:
    """What follows from all facts of a unit."""

    status: UnitStatus
    stages: Mapping[int, StageNow]
    passes: tuple[Pass, ...]
    due: int | None
    """The stage that comes next; None = all are done."""
    rework_count: int
    finished_at: datetime | None

    @property
    def is_blocked(self) -> bool:
        """Whether a NOT OK stands that nobody decided about."""
        return any(stage.state == StageState.NOT_OK for stage in self.stages.values())


def is_bad(cell: Cell, value: str | None) -> bool:
    """Say whether a value makes its stage NOT OK."""
    if value is None:
        return False
    if cell.kind == FieldKind.OK_NOK:
        return value == NOT_OK
    if cell.kind != FieldKind.NUMBER:
        return False
    try:
        number = Decimal(value)
    except InvalidOperation:
        return True
    too_low = cell.minimum is not None and number < cell.minimum
    return too_low or (cell.maximum is not None and number > cell.maximum)


def replay(shapes: Sequence[StageShape], events: Iterable[Event]) -> UnitState:
    """Return the state of a unit whose stages are given in their order."""
    stages = {shape.pk: StageNow(shape) for shape in shapes}
    order = [shape.pk for shape in shapes]
    closed: list[Pass] = []
    reworks = 0
    standing: UnitStatus | None = None
    for event in sorted(events, key=lambda event: (event.at, event.key)):
        stage = stages.get(event.stage) if event.stage is not None else None
        if event.kind == EventKind.REWORK and event.stage is not None:
            reworks += 1
            for pk in order[order.index(event.stage) :]:
                stages[pk] = _next_round(stages[pk], closed)
        elif stage is not None:
            _apply(stage, event)
        else:
            standing = _standing(standing, event.kind)
    due = next((pk for pk in order if stages[pk].state not in DONE), None)
    finished = None if due is not None else max((s.done_at for s in stages.values() if s.done_at), default=None)
    status = standing or _status(stages, due, reworks)
    passes = [*closed, *(_pass(stage) for stage in stages.values() if stage.started_at is not None)]
    if status == UnitStatus.SCRAPPED:
        # What was being worked on when it was scrapped has not come through.
        passes = [
            replace(one, result=StageState.NOT_OK) if one.result == StageState.PROCESSING else one for one in passes
        ]
    return UnitState(status, stages, tuple(passes), due, reworks, finished)


def _status(stages: Mapping[int, StageNow], due: int | None, reworks: int) -> UnitStatus:
    if due is None:
        return UnitStatus.FINISHED
    begun = reworks or any(stage.started_at is not None for stage in stages.values())
    return UnitStatus.IN_PROCESS if begun else UnitStatus.NOT_STARTED


def _standing(standing: UnitStatus | None, kind: str) -> UnitStatus | None:
    """Return what is decided about the unit as a whole; what is scrapped or dispatched stays so."""
    if standing in TERMINAL:
        return standing
    decided = {
        EventKind.HOLD: UnitStatus.ON_HOLD,
        EventKind.RELEASE: None,
        EventKind.SCRAP: UnitStatus.SCRAPPED,
        EventKind.DISPATCH: UnitStatus.DISPATCHED,
    }
    return decided.get(EventKind(kind), standing)


def _apply(stage: StageNow, event: Event) -> None:
    if event.kind == EventKind.ENTRY and event.cell is not None:
        if event.value is None:
            stage.cells.pop(event.cell, None)
        else:
            stage.cells[event.cell] = event.value
    elif event.kind == EventKind.COMPLETE:
        stage.is_completed = True
    elif event.kind == EventKind.USE_AS_IS:
        stage.accepted = frozenset((key, stage.cells[key]) for key in stage.deviating)
    stage.started_at = stage.started_at or event.at
    if stage.state not in DONE:
        stage.done_at = None
    elif stage.done_at is None:
        stage.done_at = event.at


def _next_round(stage: StageNow, closed: list[Pass]) -> StageNow:
    """Begin a stage anew; what was only begun has not been a pass yet."""
    if stage.state in {StageState.OPEN, StageState.PROCESSING}:
        return StageNow(stage.shape, stage.round)
    closed.append(_pass(stage))
    return StageNow(stage.shape, stage.round + 1)


def _pass(stage: StageNow) -> Pass:
    return Pass(stage.shape.pk, stage.round, stage.state, stage.started_at, stage.done_at)
