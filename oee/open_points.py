"""What is undecided or unexplained in a shift when somebody signs it: it does not stop them, it is signed with it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from core.exact import plain_number
from core.intervals import Interval, subtract
from core.retention import closed_until
from counts.models import CountTag
from enterprise.models import Machine
from oee.engine import Calendar, Category, Segment
from oee.engine.counters import StepVerdict
from oee.histories import load_counted
from oee.hours import bring_up_to_date, whole_hours
from oee.models import CounterStep
from oee.selectors import timelines
from oee.stops import is_unexplained, unexplaining_reasons

MOST_LISTED = 50


@dataclass(slots=True)
class OpenPoints:
    """Open points of one kind: how many there are, and the first of them."""

    kind: str
    title: str
    count: int = 0
    items: list[dict[str, Any]] = field(default_factory=list)
    is_complete: bool = True

    def add(self, machine: str, at: datetime, what: str) -> None:
        """Count a point, and list it while there is room."""
        self.count += 1
        if len(self.items) < MOST_LISTED:
            self.items.append({"machine": machine, "at": at.astimezone(UTC).isoformat(), "what": what})

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {
            "kind": self.kind,
            "title": self.title,
            "count": self.count,
            "is_complete": self.is_complete,
            "items": self.items,
        }


Source = Callable[[Sequence[Machine], Interval], OpenPoints]
_sources: list[Source] = []


def add_source(source: Source) -> None:
    """Let an app on a higher floor say what is open there; it returns the points of machines over a window."""
    if source not in _sources:
        _sources.append(source)


def open_points(
    machines: Sequence[Machine], window: Interval, *, unexplained_from: timedelta, now: datetime
) -> list[dict[str, Any]]:
    """Return what is open in a window of machines, as it is stored with a closing; kinds without any are left out."""
    found = [
        _held_steps(machines, window, now=now),
        *_long_stretches(machines, window, longest=unexplained_from, now=now),
        *(source(machines, window) for source in _sources),
    ]
    return [points.as_json() for points in found if points.count or not points.is_complete]


def held_steps(
    machines: Sequence[Machine], window: Interval, *, now: datetime
) -> list[tuple[int, datetime, int, str, str]]:
    """Return (machine id, moment, tag id, read before, read after) of the counter steps of a window that are held."""
    ids = [machine.pk for machine in machines]
    hours = whole_hours(window, machines, now=now)
    found: list[tuple[int, datetime, int, str, str]] = []
    if hours is not None:
        bring_up_to_date(ids, hours)
        rows = CounterStep.objects.filter(
            machine__in=ids, occurred_at__gte=hours.start, occurred_at__lt=hours.end, verdict=CounterStep.Verdict.HELD
        )
        found += [
            (r.machine_id, r.occurred_at, r.tag_id, plain_number(r.value_before), plain_number(r.value)) for r in rows
        ]
    for edge in subtract(window, [hours] if hours else []):
        for machine_id, counted in load_counted(machines, edge).items():
            found += [
                (machine_id, step.after.at, tag_id, plain_number(step.before.value), plain_number(step.after.value))
                for tag_id, step in counted.steps
                if step.verdict is StepVerdict.HELD and edge.covers(step.after.at)
            ]
    return sorted(found, key=lambda step: (step[1], step[2]))


def _held_steps(machines: Sequence[Machine], window: Interval, *, now: datetime) -> OpenPoints:
    points = OpenPoints("held_counter_step", "Counter steps that nobody has decided; they count nothing")
    steps = held_steps(machines, window, now=now)
    paths = dict(CountTag.objects.filter(pk__in={step[2] for step in steps}).values_list("id", "tag_path"))
    codes = {machine.pk: machine.code for machine in machines}
    for machine_id, at, tag_id, before, after in steps:
        points.add(codes[machine_id], at, f"{paths.get(tag_id, tag_id)}: {before} → {after}")
    return points


def _long_stretches(
    machines: Sequence[Machine], window: Interval, *, longest: timedelta, now: datetime
) -> tuple[OpenPoints, OpenPoints]:
    """Return the stretches in shifts that stand without a reason, and those without data, of a length and more."""
    minutes = longest // timedelta(minutes=1)
    stops = OpenPoints("unexplained_stop", f"Stops without a reason of {minutes} min and more")
    silent = OpenPoints("no_data", f"Time without data of {minutes} min and more")
    closed = closed_until()
    if closed is not None and window.start < closed:
        # The facts that would draw it are gone.
        stops.is_complete = silent.is_complete = False
        return stops, silent
    reasons = unexplaining_reasons()
    segments = timelines(machines, window, now=now)
    for machine in machines:
        planned = [s for s in segments[machine.pk] if s.calendar is Calendar.SCHEDULED]
        for points, of_kind in (
            (stops, [s for s in planned if is_unexplained(s, reasons)]),
            (silent, [s for s in planned if s.category is Category.NO_DATA]),
        ):
            for start, end in _joined(of_kind):
                if end - start >= longest:
                    points.add(machine.code, start, f"{(end - start) // timedelta(seconds=1)} s")
    return stops, silent


def _joined(segments: Iterable[Segment]) -> list[tuple[datetime, datetime]]:
    """Return stretches, given in order, as spans; those that touch are one."""
    spans: list[tuple[datetime, datetime]] = []
    for segment in segments:
        if spans and spans[-1][1] == segment.start:
            spans[-1] = spans[-1][0], segment.end
        else:
            spans.append((segment.start, segment.end))
    return spans
