"""What a plant's people called for in its past, and how its machines were kept up: all of it while the machines stood.

A failure that lasts is called for; one that lasts longer is repaired by a maintenance order about that stop. What plans
ask for is done while the line is cleaned, so that it costs no time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from accounts.models import User
from andon.bulk import NewCall
from andon.bulk import Taken as StepOfCall
from andon.models import AndonStep, CallType
from enterprise.models import Machine
from maintenance.bulk import NewMaintenance
from maintenance.bulk import Taken as StepOfUpkeep
from maintenance.models import Basis, MaintenancePlan, MaintenanceStep
from simulator.history_facts import Past
from simulator.line_day import LineDay
from simulator.plant import CLEANING
from simulator.upkeep import MAINTENANCE, MATERIAL
from simulator.working_time import DAY
from workorders.models import WorkOrder

_CALLED_FROM, _REPAIRED_FROM = timedelta(minutes=6), timedelta(minutes=15)
_CALLED, _SERVICED = AndonStep.Kind, MaintenanceStep.Kind
# What is called for when a machine stands for a reason, by how the reason's code begins.
_CALLS = {"FAIL-": MAINTENANCE, "SUPPLY-": MATERIAL}
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Stood:
    """A machine stood for one reason, in the words of its controller."""

    code: str
    reason: str
    detail: str
    start: datetime
    end: datetime


class Upkeep:
    """Who calls and who repairs in a plant: calls, repairs and what plans ask for, day by day."""

    def __init__(
        self,
        past: Past,
        machines: Mapping[str, Machine],
        call_types: Mapping[str, CallType],
        people: Mapping[str, User],
    ) -> None:
        """`people` by user name; what would be after the past is left out."""
        self._machines, self._call_types, self._seed, self._until = machines, call_types, past.seed, past.end
        self._operator, self._engineer, self._supervisor = (
            people[name] for name in ("operator", "engineer", "supervisor")
        )
        plans = MaintenancePlan.objects.filter(basis=Basis.CALENDAR, machine__in=machines.values())
        self._plans = list(plans.select_related("machine").order_by("code"))
        self._due_at = {plan.pk: plan.counted_from + int(plan.every) * DAY for plan in self._plans}

    def calls(self, day: LineDay, orders: Mapping[str, WorkOrder]) -> Iterator[NewCall]:
        """Yield the calls of a line's day, over when the machine ran again."""
        for stood in _stops(day):
            code = next((code for begin, code in _CALLS.items() if stood.reason.startswith(begin)), None)
            if code is None or stood.end - stood.start < _CALLED_FROM or stood.end > self._until:
                continue
            rng = self._rng("call", stood)
            length = stood.end - stood.start
            times = sorted(stood.start + length * rng.uniform(0.15, 0.6) for _ in range(2))
            kinds = (_CALLED.ACKNOWLEDGED, _CALLED.ARRIVED, _CALLED.FIXED)
            helper = self._engineer if code == MAINTENANCE else self._supervisor
            slot = next((slot for slot in day.slots if slot.start <= stood.start < slot.end), None)
            yield NewCall(
                call_type=self._call_types[code],
                machine=self._machines[stood.code],
                at=_second(stood.start + length * rng.uniform(0.03, 0.12)),
                actor=self._operator,
                note=stood.detail,
                work_order=orders.get(slot.number) if slot else None,
                steps=[
                    StepOfCall(kind=kind, at=_second(at), actor=helper)
                    for kind, at in zip(kinds, (*times, stood.end), strict=True)
                ],
            )

    def repairs(self, day: LineDay) -> Iterator[NewMaintenance]:
        """Yield the maintenance orders after the day's failures, each about its stop; the machine is down meanwhile."""
        starts = [slot.start for slot in day.slots]
        for stood in _stops(day):
            length = stood.end - stood.start
            if not stood.reason.startswith("FAIL-") or length < _REPAIRED_FROM or stood.end > self._until:
                continue
            rng = self._rng("repair", stood)
            asked, begun = stood.start + length * rng.uniform(0.1, 0.2), stood.start + length * rng.uniform(0.25, 0.5)
            steps = [StepOfUpkeep(kind=_SERVICED.STARTED, at=_second(begun), actor=self._engineer)]
            if not any(stood.start <= start < stood.end for start in starts):
                # An order that began meanwhile would not have been let begin on a machine that is down.
                steps.insert(0, StepOfUpkeep(kind=_SERVICED.DOWN, at=_second(asked), actor=self._operator))
            steps.append(
                StepOfUpkeep(
                    kind=_SERVICED.FINISHED, at=_second(stood.end), actor=self._engineer, note="Repaired; runs again."
                )
            )
            yield NewMaintenance(
                machine=self._machines[stood.code],
                title=stood.detail or "Machine stands",
                at=_second(asked),
                actor=self._operator,
                stop_at=stood.start,
                steps=steps,
            )

    def services(self, day: LineDay) -> Iterator[NewMaintenance]:
        """Yield what plans of so many days asked for, done at the first cleaning of the line after it was due.

        The days are asked for in their order.
        """
        for stood in _stops(day, CLEANING):
            for plan in self._plans:
                due_at = self._due_at[plan.pk]
                if plan.machine.code == stood.code and due_at < stood.start and stood.end <= self._until:
                    done = _second(stood.end - _MINUTE)
                    self._due_at[plan.pk] = done + int(plan.every) * DAY
                    yield NewMaintenance(
                        machine=self._machines[stood.code],
                        plan=plan,
                        at=due_at,
                        actor=None,
                        steps=[
                            StepOfUpkeep(
                                kind=_SERVICED.PLANNED, at=due_at, actor=self._engineer, planned_for=stood.start
                            ),
                            StepOfUpkeep(
                                kind=_SERVICED.STARTED, at=_second(stood.start + _MINUTE), actor=self._engineer
                            ),
                            StepOfUpkeep(
                                kind=_SERVICED.FINISHED, at=done, actor=self._engineer, note="Nothing was worn."
                            ),
                        ],
                    )

    def _rng(self, what: str, stood: _Stood) -> Random:
        return Random(f"{self._seed}|{what}|{stood.code}|{stood.start.isoformat()}")


def _stops(day: LineDay, *reasons: str) -> Iterator[_Stood]:
    """Yield the stretches of a line's day in which a machine stood, but those that the day cuts; of some reasons,
    or of all.
    """
    for code, timeline in day.timelines.items():
        for before, one, after in zip(timeline, timeline[1:], timeline[2:], strict=False):
            # What a break or an order's change interrupted is no stop of one reason.
            is_whole = before.is_running and after.is_running
            if not one.is_running and (one.reason in reasons or (not reasons and is_whole)):
                start, end = (day.window.start + timedelta(milliseconds=at) for at in (one.start, one.end))
                yield _Stood(code, one.reason, one.detail, start, end)


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)
