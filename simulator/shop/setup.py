"""Make a job shop's master data: places, calendar, machines, parts with routings and bills, crews, tools, plans.

Repeatable.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from core import master_data
from counts.models import CountTag, CountType
from enterprise.models import Area, Enterprise, Line, Machine, MachineClass, Shift, ShiftBreak, Site
from execution.models import ScrapReason
from labor.models import Certificate, Crew, Employee, Skill, SkillNeed
from maintenance.models import Basis, MaintenancePlan, Tool
from maintenance.services import Said, mount_tool
from materials.models import Location
from oee.models import OeePolicy
from products.models import (
    BillOfMaterialLine,
    IdealRate,
    MaterialType,
    Product,
    ProductRevision,
    Routing,
    RoutingOperation,
)
from products.services import ensure_unit, release_revision
from quality.models import Characteristic, DefectCode, InspectionPlan, SamplingRule
from quality.planning import release_plan
from simulator.making import ensure
from simulator.plant import MaterialPlan
from simulator.services import FirstPassword, create_count_types, create_reasons, make_person
from simulator.shop.machine_feed import GOOD, REJECT
from simulator.shop.plan import Kind, Part, ShopPlan, Step, tag_path
from workorders.models import Customer, OrderReason

HELD_SINCE = timedelta(days=400)
UNDER_TOLERANCE = Decimal("0.06")
TARGET_OEE = Decimal("0.55")
HUNDRED = Decimal(100)
DEFECT, SHORT = "OPR-OUT", "OPR-SCRAP"
RUN, FINAL = "RUN", "FINAL"
SCRAP = (("OPR-DIM", "Out of dimension"), ("OPR-SURFACE", "Surface damaged"))
_LIMIT = Decimal("0.030")


def store(plan: ShopPlan) -> str:
    """Return the code of the place that the shop's material is at."""
    return f"{plan.site[0]}-STORE"


def finished(plan: ShopPlan) -> str:
    """Return the code of the place that finished parts are at."""
    return f"{plan.site[0]}-DONE"


def customer_code(plan: ShopPlan, number: int) -> str:
    """Return the code of one of the shop's customers, counted from 1."""
    return f"{plan.site[0]}-C{number}"


def check_plan(plan: ShopPlan, part: Part, which: str) -> str:
    """Return the code of a part's inspection plan: `which` is RUN (while it is made) or FINAL."""
    return f"{part.code}-{which}"


@transaction.atomic
def create_shop(plan: ShopPlan, *, now: datetime) -> tuple[Site, list[FirstPassword]]:
    """Make the shop; what exists already stays as it is. Returns its site, and the people whose passwords are new."""
    since = (now - HELD_SINCE).replace(hour=0, minute=0, second=0, microsecond=0)
    enterprise = ensure(Enterprise, {"code": plan.enterprise[0]}, name=plan.enterprise[1])
    site = ensure(
        Site, {"code": plan.site[0]}, name=plan.site[1], enterprise=enterprise, time_zone=plan.time_zone, locale="en"
    )
    area = ensure(Area, {"code": plan.area[0]}, name=plan.area[1], site=site)
    ensure(OeePolicy, {"site": site, "valid_from": None}, target_oee=TARGET_OEE)
    create_reasons(plan.reasons)
    create_count_types()
    _shifts(plan, site)
    for code, name in ((store(plan), "Material store"), (finished(plan), "Finished parts")):
        ensure(Location, {"code": code}, name=name, site=site)
    for material in plan.materials:
        _material(material)
    for part in plan.parts:
        _part(part)
    for kind in plan.kinds:
        _machines(plan, kind, area, since)
    for part in plan.parts:
        _making(plan, part, since)
    people = _people(plan, site)
    for number, name in enumerate(plan.customers, start=1):
        ensure(Customer, {"code": customer_code(plan, number)}, name=name)
    _words()
    _checks(plan, site, since)
    _crews(plan, site, since)
    _upkeep(plan, site, now)
    return site, people


def _shifts(plan: ShopPlan, site: Site) -> None:
    for shift in plan.shifts:
        if Shift.objects.filter(site=site, name=shift.name).exists():
            continue
        made = master_data.save(
            Shift(
                site=site,
                name=shift.name,
                weekdays=sorted(shift.weekdays),
                start_time=shift.start,
                end_time=shift.end,
            )
        )
        for pause in shift.breaks:
            master_data.save(ShiftBreak(shift=made, name=pause.name, start_time=pause.start, end_time=pause.end))


def _material(plan: MaterialPlan) -> None:
    ensure(
        Product,
        {"code": plan.code},
        name=plan.name,
        unit=ensure_unit(code=plan.unit),
        material_type=MaterialType.COMPONENT if plan.unit == "pcs" else MaterialType.RAW,
        lot_controlled=True,
    )


def _part(part: Part) -> None:
    ensure(
        Product,
        {"code": part.code},
        name=part.name,
        unit=ensure_unit(code="pcs"),
        lot_controlled=True,
        under_tolerance=UNDER_TOLERANCE,
    )


def _machines(plan: ShopPlan, kind: Kind, area: Area, since: datetime) -> None:
    """Make a kind's machines, each a line of its own: so a run says what each of them makes."""
    group = ensure(MachineClass, {"code": f"{plan.site[0]}-{kind.code}"}, name=kind.name)
    steps = [(part, step) for part in plan.parts for step in part.steps if step.kind == kind.code]
    skill = ensure(Skill, {"code": group.code}, name=f"{kind.name} at {plan.enterprise[1]}")
    for code, name in kind.machines:
        line = ensure(Line, {"code": code}, name=name, area=area)
        # A line that is made without a machine is given one, of its own code and name.
        machine = Machine.objects.get(code=code, line=line)
        if machine.machine_class_id is None:
            machine.machine_class = group
            master_data.save(machine)
        ensure(SkillNeed, {"skill": skill, "machine": machine})
        for suffix, role in ((GOOD, CountType.Role.GOOD), (REJECT, CountType.Role.REJECT)):
            count_type = CountType.objects.get(code=role.name)
            ensure(CountTag, {"tag_path": tag_path(code, suffix)}, machine=machine, count_type=count_type)
        for part, step in steps:
            product = Product.objects.get(code=part.code)
            if not IdealRate.objects.filter(product=product, machine=machine).exists():
                unit = IdealRate.Unit.SECONDS_PER_PIECE
                master_data.save(
                    IdealRate(product=product, machine=machine, value=step.seconds, unit=unit, valid_from=since)
                )


def _making(plan: ShopPlan, part: Part, since: datetime) -> None:
    product = Product.objects.get(code=part.code)
    if product.revisions.exists():
        return
    revision = master_data.save(ProductRevision(product=product, code="A", base_quantity=HUNDRED))
    for number, (material, quantity) in enumerate(part.bill, start=1):
        component = Product.objects.get(code=material)
        master_data.save(
            BillOfMaterialLine(
                revision=revision,
                position=number * 10,
                component=component,
                quantity=quantity,
                operation_code=part.steps[0].kind,
            )
        )
    routing = master_data.save(Routing(revision=revision, code="main", name="Machining"))
    for number, step in enumerate(part.steps, start=1):
        _operation(plan, routing, number, step, is_last=number == len(part.steps))
    release_revision(revision=revision, valid_from=since)


def _operation(plan: ShopPlan, routing: Routing, number: int, step: Step, *, is_last: bool) -> None:
    kind = plan.kind(step.kind)
    sources = RoutingOperation.CountingSource
    master_data.save(
        RoutingOperation(
            routing=routing,
            sequence=number * 10,
            code=kind.code,
            name=kind.name,
            machine_class=MachineClass.objects.get(code=f"{plan.site[0]}-{kind.code}"),
            setup_time=Decimal(sum(plan.setup_minutes) * 30) / 3,
            run_time_per_unit=step.seconds,
            crew_size=Decimal("0.5"),
            counts_for_output=is_last,
            counting_source=sources.OPERATOR if kind.people_count else sources.MACHINE,
        )
    )


def _people(plan: ShopPlan, site: Site) -> list[FirstPassword]:
    return [
        make_person(one.username, one.first_name, one.last_name, one.role, site)
        for one in plan.people
        if not User.objects.filter(username=one.username).exists()
    ]


def _words() -> None:
    for code, name in SCRAP:
        ensure(ScrapReason, {"code": code}, name=name)
    ensure(OrderReason, {"code": SHORT}, name="Too many rejected", kind=OrderReason.Kind.QUALITY)
    ensure(DefectCode, {"code": DEFECT}, name="Diameter out of tolerance", category="dimensional", severity="major")


def _checks(plan: ShopPlan, site: Site, since: datetime) -> None:
    """Make the parts' inspection plans; none blocks, so that the shop goes on by itself."""
    kinds = InspectionPlan.Kind
    for part in plan.parts:
        for which, name, kind in ((RUN, "Check while it is made", kinds.IN_PROCESS), (FINAL, "Final", kinds.FINAL)):
            code = check_plan(plan, part, which)
            if InspectionPlan.objects.filter(code=code).exists():
                continue
            product = Product.objects.get(code=part.code)
            made = master_data.save(
                InspectionPlan(
                    code=code, name=f"{name}: {part.name}", kind=kind, site=site, product=product, blocks=False
                )
            )
            master_data.save(SamplingRule(plan=made, kind=SamplingRule.Kind.EACH, sample_size=3))
            master_data.save(
                Characteristic(
                    plan=made,
                    position=10,
                    code="DIA",
                    name="Diameter",
                    nominal=part.diameter,
                    decimals=3,
                    lower_limit=part.diameter - _LIMIT,
                    upper_limit=part.diameter + _LIMIT,
                    unit=ensure_unit(code="mm"),
                )
            )
            master_data.save(
                Characteristic(plan=made, position=20, code="LOOK", name="As the sample", kind="attribute")
            )
            release_plan(plan=made, at=since)


def _crews(plan: ShopPlan, site: Site, since: datetime) -> None:
    skills = list(Skill.objects.filter(code__in=[f"{plan.site[0]}-{kind.code}" for kind in plan.kinds]))
    for crew_plan in plan.crews:
        crew = ensure(Crew, {"code": crew_plan.code}, name=f"{crew_plan.shift} crew", site=site)
        for number, first, last in crew_plan.members:
            person = ensure(
                Employee,
                {"code": number},
                name=f"{first} {last}",
                site=site,
                crew=crew,
                badge=f"{plan.site[0]}-{number}",
                hourly_rate=plan.hourly_rate,
            )
            for skill in skills:
                ensure(Certificate, {"employee": person, "skill": skill}, valid_from=since.date())


def _upkeep(plan: ShopPlan, site: Site, now: datetime) -> None:
    """Make a plan of maintenance for each machine, and mount the tools."""
    actor = User.objects.get(username=plan.people[1].username)
    for place, code in enumerate(plan.machines):
        machine = Machine.objects.get(code=code)
        basis, every = (Basis.RUN_HOURS, Decimal(250)) if place % 2 else (Basis.CALENDAR, Decimal(30))
        ensure(
            MaintenancePlan,
            {"code": f"{code}-SERVICE"},
            name="Lubricate, check guides and coolant",
            machine=machine,
            basis=basis,
            every=every,
            counted_from=now - timedelta(days=3 * place),
            planned_minutes=45,
            instructions="Follow the maker's list; note the coolant's concentration.",
        )
    for tool_plan in plan.tools:
        tool = ensure(Tool, {"code": tool_plan.code}, name=tool_plan.name, site=site, life=Decimal(tool_plan.life))
        said = Said(at=now, recorded_at=now, actor=actor, idempotency_key=f"demo tool {tool_plan.code}")
        mount_tool(tool=tool, machine=Machine.objects.get(code=tool_plan.machine), said=said)


def machines_of(plan: ShopPlan) -> Iterable[Machine]:
    """Return the shop's machines with line, area and site, in order."""
    return Machine.objects.filter(code__in=plan.machines).select_related("line__area__site").order_by("id")
