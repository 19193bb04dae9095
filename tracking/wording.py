"""What comes next for a unit and why something cannot be done, in words that an operator uses."""

from core.errors import Conflict
from enterprise.models import Machine
from tracking.derivation import Known
from tracking.models import UnitEvent, UnitStage
from tracking.state import TERMINAL, StageState, UnitStatus


def refuse_closed(known: Known) -> None:
    """Raise Conflict for a unit that nothing may be done to."""
    unit, status = known.unit, known.state.status
    if status == UnitStatus.ON_HOLD:
        last = unit.events.filter(kind=UnitEvent.Kind.HOLD).select_related("decided_by").first()
        why = f": {last.reason} ({last.decided_by})" if last else ""
        raise Conflict(f"{unit} is on hold{why}. Put it aside; a supervisor or quality releases it.", code="on_hold")
    if status in TERMINAL:
        raise Conflict(f"{unit} is {status.replace('_', ' ')}; nothing more is done to it.", code=str(status))


def where(stage: UnitStage) -> str:
    """Say where a stage is done, as it is called on the floor; "" where that is not laid down."""
    if stage.machine:
        return stage.machine.name
    if stage.machine_class:
        return f"any of {stage.machine_class.name}"
    return stage.line.name if stage.line else ""


def is_done_at(stage: UnitStage, station: Machine) -> bool:
    """Say whether a stage is done at a machine; one that names no place is done anywhere."""
    if stage.machine_id is not None:
        return stage.machine_id == station.pk
    if stage.machine_class_id is not None:
        return stage.machine_class_id == station.machine_class_id
    return stage.line_id is None or stage.line_id == station.line_id


def what_is_due(known: Known) -> str:
    """Say what comes next for a unit, in an operator's words."""
    due = known.due
    if due is None:
        return f"{known.unit} has all its stages behind it."
    place = where(due)
    state = known.state.stages[due.pk].state
    stop = " is NOT OK: it goes to rework, or quality lets it pass" if state == StageState.NOT_OK else " comes next"
    return f"{known.unit}: {due.name}{f' at {place}' if place else ''}{stop}."


def wrong_station(known: Known, stage: UnitStage, station: Machine) -> Conflict:
    """Return the refusal of a stage at a station where it is not done."""
    place = where(stage)
    return Conflict(
        f"Not here ({station.name}). {known.unit}: {stage.name} comes next, at {place}.",
        field="stage",
        code="wrong_station",
        facts={"due": stage.code, "where": place},
    )
