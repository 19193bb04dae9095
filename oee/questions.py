"""What a report is asked about: which machines, which window, which part of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.errors import NotFound
from core.intervals import Interval, intersect
from enterprise.models import Machine
from oee.scopes import machines_of, production_day, shift_on
from oee.slicing import EVERYTHING, Part
from workorders.models import Run

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Question:
    """The machines whose sums are asked for, over which window, and which part of what they did in it."""

    machines: list[Machine]
    window: Interval
    part: Part = EVERYTHING


def question_of(asked: dict[str, Any], *, now: datetime) -> Question:
    """Return what validated parameters ask for (`ReportQuerySerializer`). Raises NotFound where there is nothing.

    A run is asked about where its line is counted and for as long as it took; a place and a window narrow that.
    """
    if "run" in asked:
        return _of_run(asked["run"], asked, now=now)
    machines = machines_of(asked["place"])
    if not machines:
        raise NotFound("There is no active machine there.")
    window = _window(asked, machines[0])
    if "product" not in asked:
        return Question(machines, window)
    runs = Run.objects.filter(work_order__product=asked["product"], started_at__lt=window.end)
    return Question(machines, window, Part(run_ids=frozenset(runs.values_list("id", flat=True))))


def _of_run(run: Run, asked: dict[str, Any], *, now: datetime) -> Question:
    window = Interval(run.started_at, max(run.ended_at or now, run.started_at + _MOMENT))
    if "starts_at" in asked and "ends_at" in asked:
        narrowed = intersect(window, Interval(asked["starts_at"], asked["ends_at"]))
        if narrowed is None:
            raise NotFound("The run was not open in that window.", field="run")
        window = narrowed
    return Question(machines_of(asked.get("place", run.line)), window, Part(run_ids=frozenset([run.pk])))


def _window(asked: dict[str, Any], machine: Machine) -> Interval:
    if "shift" in asked:
        shift = shift_on(machine, asked["shift"].pk, asked["date"])
        if shift is None:
            raise NotFound("That shift does not take place there on that day.")
        return shift.interval
    if "date" in asked:
        return production_day(machine, asked["date"])
    return Interval(asked["starts_at"], asked["ends_at"])
