"""What quality did at the demo plant before anybody looked: gauges, plans, charts with a baseline, inspections,
non-conformances.

All is written through the services, as people would have; once, and what exists already stays as it is.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from django.db import transaction

from accounts.models import User
from core import master_data
from enterprise.models import Machine, Site
from materials.lots import NewLot
from materials.models import Location
from materials.services import receive
from products.models import Product
from products.services import ensure_unit
from quality import charting, corrective_actions, dispositions, nonconformances
from quality.calibrations import record_calibration
from quality.measurements import NewMeasurement, record_measurements
from quality.models import (
    Characteristic,
    ControlChart,
    CorrectiveAction,
    DefectCode,
    Gauge,
    GaugeTag,
    Inspection,
    InspectionPlan,
    NonConformance,
    SamplingRule,
)
from quality.nonconformances import About
from quality.planning import release_plan
from quality.results import Said, record_results
from quality.services import What, decide_inspection, finish_inspection, open_inspection
from simulator.gauging import readings, scale_tag
from simulator.making import STORE, ensure
from simulator.plant import PlantPlan
from workorders.models import WorkOrder

BACK = timedelta(days=3)
"""So far back the charts go; their first day is what they learned from."""
LEARNED = timedelta(days=1)
BETWEEN_READINGS = timedelta(minutes=15)
INSPECTIONS, LABEL_SAMPLE, TORQUE_SAMPLE = 12, 2, 5
DEFECTS = (
    ("CAP-LOOSE", "Cap loose", "assembly", "major", "machine", 11),
    ("LABEL-SKEW", "Label skewed", "visual", "minor", "machine", 17),
    ("FILL-LOW", "Filled too low", "dimensional", "major", "method", 7),
    ("SCRATCH", "Bottle scratched", "visual", "minor", "material", 5),
    ("LEAK", "Leaks under pressure", "functional", "critical", "material", 2),
    ("CODE-MISSING", "Date code missing", "visual", "major", "man", 3),
)


@dataclass(slots=True)
class _Room:
    """The people and things of quality, and when everything began."""

    plant: PlantPlan
    site: Site
    now: datetime
    seed: int
    people: dict[str, User] = field(default_factory=dict)
    gauges: dict[str, Gauge] = field(default_factory=dict)

    @property
    def begins(self) -> datetime:
        return (self.now - BACK).replace(minute=0, second=0, microsecond=0)

    def ago(self, **length: Any) -> datetime:
        return self.now - timedelta(**length)


@transaction.atomic
def create_quality(plant: PlantPlan, site: Site, *, now: datetime, seed: int) -> bool:
    """Make it; say whether it was new. Needs the plant's people and the orders of the past days."""
    if InspectionPlan.objects.filter(code="VB-FILL").exists():
        return False
    room = _Room(plant, site, now, seed)
    for plan in plant.people:
        room.people[plan.role] = User.objects.get(username=plan.username)
    _gauges(room)
    fill, check = _plans(room)
    _scales(room, fill)
    _inspections(room, check)
    _incoming(room)
    _nonconformances(room)
    return True


def _gauges(room: _Room) -> None:
    """Make gauges: in order, soon due, and one whose calibration is over."""
    for code, name, left in (
        ("VB-SCALE-PET", "Scale, PET filler", 210),
        ("VB-SCALE-GLASS", "Scale, glass filler", 180),
        ("VB-TORQUE", "Torque meter", 9),
        ("VB-PH", "pH meter, laboratory", -2),
    ):
        gauge = ensure(Gauge, {"code": code}, name=name, site=room.site, interval_days=365)
        record_calibration(
            gauge=gauge,
            calibrated_at=room.ago(days=365 - left),
            valid_until=room.ago(days=-left),
            result="good",
            certificate=f"C-{code[3:]}-1",
            calibrated_by="Metrology service",
            actor=room.people["engineer"],
            recorded_at=room.now,
        )
        room.gauges[code] = gauge


def _plans(room: _Room) -> tuple[Characteristic, InspectionPlan]:
    """Make and release the plans; none of them blocks, so that the demo's orders run on by themselves."""
    since = room.begins - timedelta(days=30)

    def plan(code: str, name: str, kind: str, rule: dict[str, Any], *of: dict[str, Any], **more: Any) -> InspectionPlan:
        made = ensure(InspectionPlan, {"code": code}, name=name, kind=kind, site=room.site, blocks=False, **more)
        master_data.save(SamplingRule(plan=made, **rule))
        for place, one in enumerate(of, start=1):
            master_data.save(Characteristic(plan=made, position=10 * place, **one))
        return release_plan(plan=made, at=since)

    fill = plan(
        "VB-FILL",
        "Fill volume by scale",
        InspectionPlan.Kind.AUDIT,
        {"kind": "each"},
        {
            "code": "FILL",
            "name": "Deviation of the content",
            "nominal": Decimal(0),
            "decimals": 2,
            "lower_limit": Decimal(-4),
            "upper_limit": Decimal(4),
            "unit": ensure_unit(code="ml"),
        },
    )
    check = plan(
        "VB-HOURLY",
        "Hourly check",
        InspectionPlan.Kind.IN_PROCESS,
        {"kind": "every_minutes", "every": 60, "overdue_minutes": 30, "sample_size": TORQUE_SAMPLE},
        {
            "code": "TORQUE",
            "name": "Opening torque of the cap",
            "nominal": Decimal("1.6"),
            "decimals": 2,
            "lower_limit": Decimal("1.1"),
            "upper_limit": Decimal("2.1"),
            "unit": ensure_unit(code="Nm"),
            "needs_gauge": True,
        },
        {"code": "LABEL", "name": "Label straight and complete", "kind": "attribute", "severity": "minor"},
        instructions="Five bottles in a row, from the belt behind the labeller.",
    )
    plan(
        "VB-FIRST",
        "First bottles after a changeover",
        InspectionPlan.Kind.FIRST_PIECE,
        {"kind": "after_changeover", "overdue_minutes": 45},
        {"code": "CODE", "name": "Date code readable", "kind": "attribute", "severity": "critical"},
    )
    plan(
        "VB-INCOMING",
        "Incoming caps and labels",
        InspectionPlan.Kind.INCOMING,
        {"kind": "aql", "aql": Decimal("1.0"), "overdue_minutes": 480},
        {"code": "LOOK", "name": "As the sample", "kind": "attribute"},
    )
    return fill.characteristics.get(), check


def _scales(room: _Room, of: Characteristic) -> None:
    """Let the scales' readings of some days be there, and the charts that learned from the first of them."""
    for line in room.plant.lines:
        machine = Machine.objects.get(code=line.constraint.code)
        gauge = room.gauges[f"VB-SCALE-{line.code}"]
        tag = ensure(GaugeTag, {"tag_path": scale_tag(line)}, machine=machine, characteristic=of, gauge=gauge)
        chart = ensure(
            ControlChart,
            {"code": f"VB-FILL-{line.code}"},
            name=f"Fill volume, {line.name}",
            site=room.site,
            machine=machine,
            characteristic=of,
            kind=ControlChart.Kind.I_MR,
        )
        found = readings(line, room.begins, room.now, seed=room.seed, every=BETWEEN_READINGS)
        record_measurements(
            [
                NewMeasurement(tag.pk, machine.pk, of.pk, gauge.pk, of.unit_id, one.at, one.value, "", "demo")
                for one in found
            ],
            recorded_at=room.now,
        )
        _learn(room, chart)


def _learn(room: _Room, chart: ControlChart) -> None:
    charting.set_baseline(
        of=chart,
        name="First day",
        starts_at=room.begins,
        learned_from=room.begins,
        learned_until=room.begins + LEARNED,
        actor=room.people["engineer"],
        set_at=room.now,
    )


def _inspections(room: _Room, plan: InspectionPlan) -> None:
    """Let people have inspected the PET filler, several times a day; one failed and was decided about, one is open."""
    rng = Random(f"{room.seed}|inspections")
    line = room.plant.lines[0]
    machine = Machine.objects.get(code=line.constraint.code)
    torque, label = plan.characteristics.order_by("position")
    actor = room.people["operator"]
    step = (room.now - room.begins) / (INSPECTIONS + 1)
    for number in range(INSPECTIONS + 1):
        opened = room.begins + step * number + timedelta(minutes=1)
        inspection, _ = open_inspection(
            plan=plan, what=What(machine=machine), actor=actor, opened_at=opened, sample_size=TORQUE_SAMPLE
        )
        if number == INSPECTIONS:
            break
        is_bad = number == INSPECTIONS - 3
        said = []
        for sample in range(1, TORQUE_SAMPLE + 1):
            at = opened + timedelta(minutes=sample)
            value = Decimal(round((rng.gauss(1.6, 0.09) + (0.62 if is_bad and sample > 3 else 0)) * 100)).scaleb(-2)
            said.append(
                Said(
                    characteristic=torque,
                    sample=sample,
                    value=value,
                    gauge=room.gauges["VB-TORQUE"],
                    occurred_at=at,
                )
            )
            said.append(Said(characteristic=label, sample=sample, verdict="ok", occurred_at=at))
        finished = opened + timedelta(minutes=8)
        record_results(inspection=inspection, results=said, actor=actor, recorded_at=finished)
        finish_inspection(inspection=inspection, actor=actor, finished_at=finished)
        if is_bad:
            decide_inspection(
                inspection=inspection,
                result=Inspection.Outcome.CONDITIONAL_PASS,
                reason="Opens hard, but holds; the customer accepts it for this day.",
                actor=room.people["supervisor"],
                decided_at=finished + timedelta(minutes=30),
            )
    chart = ensure(
        ControlChart,
        {"code": "VB-TORQUE-PET"},
        name="Opening torque, PET line",
        site=room.site,
        machine=machine,
        characteristic=torque,
        kind=ControlChart.Kind.XBAR_R,
        subgroup_size=TORQUE_SAMPLE,
    )
    _learn(room, chart)


def _incoming(room: _Room) -> None:
    """Let a lot of caps wait for its inspection, longer than it should."""
    plan = next(one for one in room.plant.materials if one.has_lots and one.unit == "pcs")
    receive(
        product=Product.objects.get(code=plan.code),
        quantity=plan.package,
        to_location=Location.objects.get(code=STORE, site=room.site),
        lot=NewLot(number=f"{plan.code}-Q1", status="quarantine", supplier=plan.supplier),
        actor=room.people["operator"],
        occurred_at=room.ago(hours=9),
        recorded_at=room.ago(hours=9),
    )


def _nonconformances(room: _Room) -> None:
    """Let defects have been found, and non-conformances be open, looked into, waiting for an action, and closed."""
    rng = Random(f"{room.seed}|defects")
    machines = [Machine.objects.get(code=line.constraint.code) for line in room.plant.lines]
    orders = list(
        WorkOrder.objects.filter(line__area__site=room.site, status=WorkOrder.Status.COMPLETED)
        .select_related("product")
        .order_by("-planned_end_at", "pk")[:2]
    )
    order = orders[0] if orders else None
    people = room.people
    raised: dict[str, NonConformance] = {}
    for code, title, ago, severity, quantity, about in (
        ("open", "Date code missing on a pallet", 3, "major", 48, About(machine=machines[0])),
        ("looked", "Labels skewed after the reel change", 9, "minor", None, About(machine=machines[0])),
        ("waits", "Caps open too hard", 30, "major", 240, About(machine=machines[0])),
        ("closed", "Bottles filled too low", 66, "major", 120, About(work_order=order, machine=machines[1])),
        ("late", "Leaks found in the pressure test", 60, "critical", 6, About(machine=machines[1])),
    ):
        raised[code], _ = nonconformances.raise_nonconformance(
            site=room.site,
            title=title,
            said=about,
            severity=severity,
            quantity=None if quantity is None else Decimal(quantity),
            containment="Set aside and marked.",
            is_contained=code in {"open", "late"},
            actor=people["operator"],
            raised_at=room.ago(hours=ago),
        )
    by_defect = {"CODE-MISSING": "open", "LABEL-SKEW": "looked", "CAP-LOOSE": "waits", "FILL-LOW": "closed"}
    for code, name, category, severity, cause, times in DEFECTS:
        kind = ensure(DefectCode, {"code": code}, name=name, category=category, severity=severity)
        for number in range(times):
            at = room.ago(hours=2 + rng.randrange(66))
            nonconformances.record_defect(
                code=kind,
                site=room.site,
                said=About(machine=machines[rng.randrange(len(machines))]),
                quantity=rng.randint(1, 4),
                cause=cause if number % 3 else "",
                nonconformance=raised.get(by_defect.get(code, "late")) if number == 0 else None,
                actor=people["operator"],
                detected_at=at,
                recorded_at=at,
            )
    _followed(room, raised)


def _followed(room: _Room, raised: dict[str, NonConformance]) -> None:
    people, change = room.people, nonconformances.change_nonconformance
    change(
        nonconformance=raised["looked"],
        status="investigating",
        cause="machine",
        actor=people["supervisor"],
        at=room.now,
    )
    for code, days, owner in (("waits", 5, "engineer"), ("late", -1, "supervisor"), ("closed", -2, "supervisor")):
        due = room.ago(days=-days).date()
        change(
            nonconformance=raised[code],
            cause="machine",
            root_cause="Found in the log of the machine.",
            actor=people["supervisor"],
            at=room.ago(hours=50),
        )
        action = corrective_actions.add_action(
            nonconformance=raised[code],
            description={"waits": "Change the capper's clutches", "late": "Check the seals of a lot on arrival"}.get(
                code, "Clean the level probes every shift"
            ),
            kind=CorrectiveAction.Kind.PREVENTIVE if code == "late" else CorrectiveAction.Kind.CORRECTIVE,
            owner=people[owner],
            due_date=due,
            check_date=due,
        )
        if code == "closed":
            _close(room, raised[code], action)
    # Half of what was set aside is decided about.
    _dispose(room, raised["waits"], "use_as_is", 120, "Opens with some force; holds.")


def _close(room: _Room, ncr: NonConformance, action: CorrectiveAction) -> None:
    people, at = room.people, room.ago(hours=20)
    _dispose(room, ncr, "rework", 80, "Filled up by hand.")
    _dispose(room, ncr, "use_as_is", 40, "Within the tolerance of the single bottle.")
    corrective_actions.finish_action(
        action=action, note="In the cleaning plan.", actor=people["supervisor"], done_at=at
    )
    corrective_actions.check_action(
        action=action, verdict="effective", note="None since.", actor=people["engineer"], checked_at=at
    )
    nonconformances.approve_nonconformance(nonconformance=ncr, actor=people["engineer"], approved_at=at)
    nonconformances.close_nonconformance(nonconformance=ncr, actor=people["engineer"], closed_at=at)


def _dispose(room: _Room, ncr: NonConformance, kind: str, quantity: int, reason: str) -> None:
    at = room.ago(hours=24)
    dispositions.dispose(
        nonconformance=ncr,
        kind=kind,
        quantity=Decimal(quantity),
        reason=reason,
        makes_order=False,
        actor=room.people["supervisor"],
        decided_at=at,
        recorded_at=at,
    )
