"""A job shop at work: orders come, five an hour at most are started, and each goes from machine to machine. Pure.

It goes on from its beginning to whatever moment is asked for; the same seed and faults make the same past, always.
"""

import heapq
import itertools
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from random import Random

from simulator.shop.jobs import HOUR, Job, jobs_of_hour
from simulator.shop.plan import ShopPlan
from simulator.shop.work_calendar import WorkCalendar
from simulator.shop.working import MS, Fault, Stretch, Task, Work, do

TRANSPORT = timedelta(minutes=6)
DECIDES_AFTER = timedelta(minutes=2)
"""So long after the full hour, and one after the other, the foreman starts orders."""
_PLANNED_SPEED = Decimal("0.82")
"""What a planner expects of the ideal speed, having seen the past."""


class _Event(IntEnum):
    """What happens at one moment, in this order."""

    DONE = 0
    READY = 1
    MAY_START = 2
    FAULT = 3
    HOUR = 4


@dataclass(slots=True, eq=False)
class StepWork:
    """A step of an order: where and when it is planned, and what became of it so far."""

    order: "Order"
    number: int
    machine: str
    planned_start: datetime
    planned_end: datetime
    pieces: int = 0
    work: Work | None = None

    @property
    def code(self) -> str:
        """The operation's code."""
        return self.order.job.part.steps[self.number].kind


@dataclass(slots=True, eq=False)
class Order:
    """An order that was started, with its steps; `ended_at` is when the last of them was."""

    job: Job
    released_at: datetime
    steps: list[StepWork] = field(default_factory=list)
    ended_at: datetime | None = None

    @property
    def good(self) -> int:
        """How many pieces were good in the end; 0 before."""
        last = self.steps[-1].work
        return last.good if last is not None else 0


class ShopFloor:
    """A job shop from `begins_at` (a full hour, UTC) on."""

    def __init__(self, plan: ShopPlan, *, seed: int, begins_at: datetime, faults: Iterable[Fault] = ()) -> None:
        self.plan, self.seed, self.begins_at = plan, seed, begins_at
        self.calendar = WorkCalendar(plan, begins_at)
        self.until = begins_at
        self.jobs: list[Job] = []
        self.orders: list[Order] = []
        self.works: dict[str, list[StepWork]] = {machine: [] for machine in plan.machines}
        self.repairs: dict[str, list[Stretch]] = {machine: [] for machine in plan.machines}
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        self._events: list[tuple[datetime, int, int, object]] = []
        self._numbers = itertools.count()
        self._waiting: list[Job] = []
        self._queues: dict[str, list[StepWork]] = {machine: [] for machine in plan.machines}
        self._busy: dict[str, datetime] = {}
        self._planned_until = dict.fromkeys(plan.machines, begins_at)
        for fault in faults:
            self.faults[fault.machine].append(fault)
            self._add(fault.at, _Event.FAULT, fault)
        self._add(begins_at, _Event.HOUR, begins_at)

    def run(self, until: datetime) -> None:
        """Let the shop work up to a moment, included."""
        while self._events and self._events[0][0] <= until:
            at, kind, _, what = heapq.heappop(self._events)
            self._happen(at, _Event(kind), what)
        self.until = max(self.until, until)

    def works_between(self, machine: str, after: datetime, until: datetime) -> list[StepWork]:
        """Return the work of a machine that touches [after, until], in order."""
        works = self.works[machine]
        first = bisect_right(works, after, key=_end_of)
        last = bisect_right(works, until, key=_start_of)
        return works[first:last]

    def _add(self, at: datetime, kind: _Event, what: object) -> None:
        heapq.heappush(self._events, (at, int(kind), next(self._numbers), what))

    def _happen(self, at: datetime, kind: _Event, what: object) -> None:
        match kind, what:
            case _Event.HOUR, datetime():
                self._hour(at)
            case _Event.READY, StepWork():
                self._queues[what.machine].append(what)
                self._try(what.machine, at)
            case _Event.MAY_START, str():
                self._try(what, at)
            case _Event.DONE, StepWork():
                self._done(what, at)
            case _Event.DONE, str():
                del self._busy[what]
                self._try(what, at)
            case _Event.FAULT, Fault():
                self._fail_idle(what, at)

    # --- orders ---

    def _hour(self, hour: datetime) -> None:
        """Start the most urgent of the orders that wait, if anybody is there to; and take new ones in."""
        if self.calendar.shift_at(hour) is not None:
            self._waiting.sort(key=lambda job: (job.priority, job.due_at, job.number))
            chosen = self._waiting[: self.plan.at_most_started]
            del self._waiting[: self.plan.at_most_started]
            for number, job in enumerate(chosen):
                self._start(job, hour + DECIDES_AFTER * (number + 1))
        jobs = jobs_of_hour(self.plan, hour, seed=self.seed)
        self.jobs.extend(jobs)
        self._waiting.extend(jobs)
        self._add(hour + HOUR, _Event.HOUR, hour + HOUR)

    def _start(self, job: Job, at: datetime) -> None:
        order = Order(job, at)
        earliest = at + TRANSPORT
        for number, step in enumerate(job.part.steps):
            machines = [code for code, _ in self.plan.kind(step.kind).machines]
            machine = min(machines, key=lambda code: (max(self._planned_until[code], earliest), code))
            start = self.calendar.next_working(max(self._planned_until[machine], earliest))
            run = int(job.quantity * step.seconds * 1000 / _PLANNED_SPEED) // 1000 * 1000
            end = self.calendar.after_working(start, (job.setups[number] + run) * MS)
            order.steps.append(StepWork(order, number, machine, start, end))
            self._planned_until[machine] = end
            earliest = end + TRANSPORT
        self.orders.append(order)
        order.steps[0].pieces = job.quantity
        self._add(at + TRANSPORT, _Event.READY, order.steps[0])

    def _done(self, step: StepWork, at: datetime) -> None:
        order, work = step.order, step.work
        del self._busy[step.machine]
        if step.number + 1 < len(order.steps) and work is not None:
            following = order.steps[step.number + 1]
            following.pieces = work.good
            self._add(at + TRANSPORT, _Event.READY, following)
        else:
            order.ended_at = at
        self._try(step.machine, at)

    # --- machines ---

    def _try(self, machine: str, at: datetime) -> None:
        """Begin the most urgent step that waits for a machine, if it is free and somebody works."""
        if machine in self._busy or not self._queues[machine]:
            return
        starts = self.calendar.next_working(at)
        if starts > at:
            self._add(starts, _Event.MAY_START, machine)
            return
        step = min(
            self._queues[machine], key=lambda one: (one.order.job.priority, one.planned_start, one.order.job.number)
        )
        self._queues[machine].remove(step)
        job = step.order.job
        rng = Random(f"{self.seed}|{job.number}|{step.code}")
        ideal = int(job.part.steps[step.number].seconds * 1000)
        cycle = int(ideal * rng.uniform(1.03, 1.14))
        task = Task(job.setups[step.number], step.pieces, cycle, self.plan.kind(step.code).habits)
        step.work = do(task, at, self.calendar, self.faults[machine], rng)
        self.works[machine].append(step)
        self._busy[machine] = step.work.end
        self._planned_until[machine] = max(self._planned_until[machine], step.work.end)
        self._add(step.work.end, _Event.DONE, step)

    def _fail_idle(self, fault: Fault, at: datetime) -> None:
        """Let a machine that has nothing to do be broken; one that works has the fault in its work."""
        machine = fault.machine
        if machine in self._busy:
            return
        end = at + timedelta(minutes=fault.minutes)
        self.repairs[machine].append(Stretch(at, end, fault.reason, fault.detail))
        self._busy[machine] = end
        self._add(end, _Event.DONE, machine)


def _start_of(step: StepWork) -> datetime:
    assert step.work is not None
    return step.work.start


def _end_of(step: StepWork) -> datetime:
    assert step.work is not None
    return step.work.end
