"""What a plant's quality people did in its past: two inspections of each order, the defects that were found,
what failed.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from accounts.models import User
from core import master_data
from enterprise.models import Machine, Site
from materials.models import MaterialLot
from products.services import ensure_unit
from quality import corrective_actions, nonconformances
from quality.bulk import Found, Inspected, NewDefect, load_defects, load_inspections
from quality.models import Characteristic, CorrectiveAction, DefectCode, Inspection, InspectionPlan, SamplingRule
from quality.nonconformances import About
from quality.planning import release_plan
from quality.services import decide_inspection
from simulator.inspecting import DEFECTS
from simulator.making import ensure
from simulator.plant import PlantPlan
from simulator.working_time import DAY, OrderSlot
from workorders.models import WorkOrder

SAMPLE = 5
# A fault of the line shows in few inspections, and there in most bottles.
_FAILS, _THEN_BAD = 0.05, 0.5
_TORQUE, _SPREAD, _OFF = 1.6, 0.09, 0.75
_TAKES, _AFTER_END = timedelta(minutes=8), timedelta(minutes=5)
_PER_MILLION = 1_100
"""Defects that people find and note, of a million pieces made."""
_FOLLOWED = 0.12
"""So many of the inspections that fail lead to a non-conformance with an action; the others are decided about."""

Done = tuple[OrderSlot, WorkOrder, tuple[int, int]]
"""An order that is done, with what it made: good and rejected pieces."""


class Laboratory:
    """The plans of a plant's inspections, and what comes of them day by day."""

    def __init__(self, plant: PlantPlan, site: Site, *, seed: int, since: datetime) -> None:
        self._plant, self._site, self._seed = plant, site, seed
        self._running = self._plan("VB-RUN", "Check of a running order", InspectionPlan.Kind.IN_PROCESS, since)
        self._final = self._plan("VB-FINAL", "Final inspection of a lot", InspectionPlan.Kind.FINAL, since)
        self._of_plan: dict[int, tuple[Characteristic, Characteristic]] = {}
        self._rules: dict[int, SamplingRule] = {}
        self._codes = [
            ensure(DefectCode, {"code": code}, name=name, category=category, severity=severity)
            for code, name, category, severity, _, _ in DEFECTS
        ]

    def _plan(self, code: str, name: str, kind: str, since: datetime) -> InspectionPlan:
        known = InspectionPlan.objects.filter(code=code).order_by("version").first()
        if known is not None:
            return known
        plan = master_data.save(InspectionPlan(code=code, name=name, kind=kind, site=self._site, blocks=False))
        master_data.save(SamplingRule(plan=plan, kind=SamplingRule.Kind.EACH, sample_size=SAMPLE))
        master_data.save(
            Characteristic(
                plan=plan,
                position=10,
                code="TORQUE",
                name="Opening torque of the cap",
                nominal=Decimal("1.6"),
                decimals=2,
                lower_limit=Decimal("1.1"),
                upper_limit=Decimal("2.1"),
                unit=ensure_unit(code="Nm"),
            )
        )
        label = {"code": "LABEL", "name": "Label straight and complete", "kind": "attribute", "severity": "minor"}
        master_data.save(Characteristic(plan=plan, position=20, **label))
        return release_plan(plan=plan, at=since - DAY)

    def write(
        self,
        done: Sequence[Done],
        lots: Mapping[int, MaterialLot],
        machines: Mapping[str, Machine],
        *,
        actor: User,
        supervisor: User,
        until: datetime,
    ) -> int:
        """Write what was inspected and found of orders that are done; return how many rows."""
        inspected: list[Inspected] = []
        defects: list[NewDefect] = []
        for slot, order, (good, reject) in done:
            machine = machines[self._plant.line(order.line.code).constraint.code]
            lot = lots.get(order.pk)
            middle = slot.start + (slot.end - slot.start) / 2
            inspected.append(self._inspected(self._running, slot, order, machine, None, _whole_second(middle)))
            if lot is not None and slot.end + _AFTER_END + _TAKES <= until:
                inspected.append(self._inspected(self._final, slot, order, machine, lot, slot.end + _AFTER_END))
            defects += self._defects(slot, order, machine, lot, good + reject)
        inspections = load_inspections(inspected, actor=actor)
        load_defects(defects, site=self._site, actor=actor)
        for one in inspections:
            if one.status == Inspection.Status.FAILED:
                self._decide(one, actor, supervisor, until)
        return len(inspections) + sum(len(one.found) for one in inspected) + len(defects)

    def _inspected(
        self,
        plan: InspectionPlan,
        slot: OrderSlot,
        order: WorkOrder,
        machine: Machine,
        lot: MaterialLot | None,
        opened_at: datetime,
    ) -> Inspected:
        rng = Random(f"{self._seed}|{plan.code}|{slot.number}")
        fails = rng.random() < _FAILS
        bad = {sample for sample in range(1, SAMPLE + 1) if fails and rng.random() < _THEN_BAD}
        bad |= {1} if fails else set()
        torque, label = self._characteristics(plan)
        found = []
        for sample in range(1, SAMPLE + 1):
            at = opened_at + timedelta(minutes=sample)
            off = _OFF if sample in bad else 0.0
            value = Decimal(round((min(max(rng.gauss(0, _SPREAD), -0.3), 0.3) + _TORQUE + off) * 100)).scaleb(-2)
            found.append(Found(characteristic=torque, sample=sample, at=at, value=value))
            found.append(Found(characteristic=label, sample=sample, at=at, verdict="ok"))
        return Inspected(
            plan=plan,
            rule=self._rule(plan),
            machine=machine,
            work_order=order,
            lot=lot,
            sample_size=SAMPLE,
            opened_at=opened_at,
            finished_at=opened_at + _TAKES,
            found=found,
        )

    def _characteristics(self, plan: InspectionPlan) -> tuple[Characteristic, Characteristic]:
        if plan.pk not in self._of_plan:
            torque, label = plan.characteristics.select_related("unit").order_by("position")
            self._of_plan[plan.pk] = torque, label
        return self._of_plan[plan.pk]

    def _rule(self, plan: InspectionPlan) -> SamplingRule:
        if plan.pk not in self._rules:
            self._rules[plan.pk] = plan.rules.get()
        return self._rules[plan.pk]

    def _defects(
        self, slot: OrderSlot, order: WorkOrder, machine: Machine, lot: MaterialLot | None, pieces: int
    ) -> Iterator[NewDefect]:
        rng = Random(f"{self._seed}|defects|{slot.number}")
        left = round(pieces * _PER_MILLION * rng.uniform(0.5, 1.5) / 1_000_000)
        weights = [times for *_, times in DEFECTS]
        while left > 0:
            (place,) = rng.choices(range(len(DEFECTS)), weights)
            quantity = min(rng.randint(4, 15), left)
            left -= quantity
            at = slot.start + timedelta(seconds=rng.randrange(int((slot.end - slot.start).total_seconds())))
            cause = DEFECTS[place][4] if rng.random() < 0.7 else ""
            yield NewDefect(
                code=self._codes[place],
                machine=machine,
                work_order=order,
                quantity=quantity,
                at=at,
                cause=cause,
                lot=lot,
            )

    def _decide(self, failed: Inspection, actor: User, supervisor: User, until: datetime) -> None:
        """Let somebody look into what failed, or decide about it; what would come after the end is left open."""
        rng = Random(f"{self._seed}|decision|{failed.plan.code}|{failed.work_order}")
        finished = failed.finished_at or failed.opened_at
        if rng.random() < _FOLLOWED:
            self._follow(failed, actor, supervisor, finished, until)
        elif finished + timedelta(minutes=40) <= until:
            decide_inspection(
                inspection=failed,
                result=Inspection.Outcome.REWORK_REQUIRED,
                reason="Sorted; the capping heads were set.",
                actor=supervisor,
                decided_at=finished + timedelta(minutes=40),
            )

    def _follow(self, failed: Inspection, actor: User, supervisor: User, at: datetime, until: datetime) -> None:
        raised, _ = nonconformances.raise_nonconformance(
            site=self._site,
            title="Caps open too hard",
            said=About(
                inspection=failed,
                work_order=failed.work_order,
                machine=failed.machine,
                product=failed.product,
                lot=failed.lot,
            ),
            severity="major",
            quantity=None,
            containment="Set aside and marked.",
            is_contained=False,
            actor=actor,
            raised_at=at,
        )
        steps = [at + timedelta(hours=hours) for hours in (4, 26, 50, 60)]
        if steps[0] > until:
            return
        nonconformances.change_nonconformance(
            nonconformance=raised,
            cause="machine",
            root_cause="Clutches of the capping heads worn.",
            actor=supervisor,
            at=steps[0],
        )
        due: date = steps[2].date()
        action = corrective_actions.add_action(
            nonconformance=raised,
            description="Change the clutches of the capping heads",
            kind=CorrectiveAction.Kind.CORRECTIVE,
            owner=supervisor,
            due_date=due,
            check_date=due,
        )
        if steps[1] <= until:
            corrective_actions.finish_action(action=action, note="Changed.", actor=supervisor, done_at=steps[1])
        if steps[2] <= until:
            corrective_actions.check_action(
                action=action, verdict="effective", note="None since.", actor=actor, checked_at=steps[2]
            )
        if steps[3] <= until:
            nonconformances.approve_nonconformance(nonconformance=raised, actor=actor, approved_at=steps[3])
            nonconformances.close_nonconformance(nonconformance=raised, actor=actor, closed_at=steps[3])


def _whole_second(at: datetime) -> datetime:
    return at.replace(microsecond=0)
