"""Plain factories: each makes one thing with everything it needs, and takes overrides."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, cast

from accounts.models import DeviceKey, Membership, Role, User
from andon.models import CallType, EscalationStep
from counts.models import CountTag, CountType
from downtime.models import StateReason
from enterprise.models import Area, Enterprise, Line, Machine, Shift, Site
from labels.models import LabelLayout
from labor.models import Crew, Employee, LaborPolicy, Skill
from maintenance.models import MaintenancePlan, Tool
from materials.lots import NewLot
from materials.models import Location, MaterialLot
from materials.services import receive
from products.models import (
    BillOfMaterialLine,
    IdealRate,
    Product,
    ProductRevision,
    Routing,
    RoutingOperation,
    UnitOfMeasure,
)
from quality.models import (
    Calibration,
    Characteristic,
    ControlChart,
    DefectCode,
    Gauge,
    GaugeTag,
    InspectionPlan,
    SamplingRule,
)
from quality.planning import release_plan
from reports.models import WorkbookTemplate
from tracking.creating import create_units
from tracking.models import SerialUnit, StageField, StageForm
from tracking.stage_forms import release_form
from workorders.models import ChangeoverTarget, ChangeoverTask, Customer, OrderReason, Run, Schedule, WorkOrder

_numbers = count(1)

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def _coded(kind: str, overrides: dict[str, Any]) -> dict[str, Any]:
    number = next(_numbers)
    return {"code": f"{kind}-{number}", "name": f"{kind.capitalize()} {number}", **overrides}


def make_enterprise(**overrides: Any) -> Enterprise:
    return Enterprise.objects.create(**_coded("enterprise", overrides))


def make_site(**overrides: Any) -> Site:
    overrides = {"enterprise": overrides.get("enterprise") or make_enterprise(), **overrides}
    return Site.objects.create(**_coded("site", {"time_zone": "Europe/Warsaw", **overrides}))


def make_area(**overrides: Any) -> Area:
    overrides = {"site": overrides.get("site") or make_site(), **overrides}
    return Area.objects.create(**_coded("area", overrides))


def make_line(**overrides: Any) -> Line:
    """Make a line without machines; `make_machine` makes its line too."""
    overrides = {"area": overrides.get("area") or make_area(), **overrides}
    return Line.objects.create(**_coded("line", overrides))


def make_machine(**overrides: Any) -> Machine:
    """Make a machine, the constraint of a line of its own unless told otherwise."""
    if "line" not in overrides:
        overrides = {"line": make_line(), "is_constraint": True, **overrides}
    return Machine.objects.create(**_coded("machine", overrides))


def make_product(**overrides: Any) -> Product:
    return Product.objects.create(**_coded("product", overrides))


def make_unit(code: str, **overrides: Any) -> UnitOfMeasure:
    """Return the unit of a code, made when it is not there; it converts only as a product says."""
    return UnitOfMeasure.objects.get_or_create(code=code, defaults={"name": code, **overrides})[0]


def make_revision(**overrides: Any) -> ProductRevision:
    """Make a draft of a revision."""
    overrides = {"product": overrides.get("product") or make_product(), **overrides}
    return ProductRevision.objects.create(**{"code": f"R{next(_numbers)}", **overrides})


def make_bill_line(revision: ProductRevision, component: Product, quantity: Any = 1, **overrides: Any) -> Any:
    """Add a component at the next position of a bill, past the services: also to what is released."""
    position = 10 * (revision.bill_lines.count() + 1)
    return BillOfMaterialLine.objects.create(
        revision=revision, position=position, component=component, quantity=Decimal(quantity), **overrides
    )


def make_routing(*codes: str, **overrides: Any) -> Routing:
    """Make a routing with an operation of each code, 10, 20, 30 …"""
    overrides = {"revision": overrides.get("revision") or make_revision(), **overrides}
    routing = Routing.objects.create(**{"code": "main", **overrides})
    for number, code in enumerate(codes, start=1):
        make_routing_operation(routing=routing, code=code, sequence=10 * number)
    return routing


def make_routing_operation(**overrides: Any) -> RoutingOperation:
    overrides = {"routing": overrides.get("routing") or make_routing(), **overrides}
    return RoutingOperation.objects.create(**_coded("operation", overrides))


def make_ideal_rate(**overrides: Any) -> IdealRate:
    return IdealRate.objects.create(
        **{"value": Decimal(1), "unit": IdealRate.Unit.SECONDS_PER_PIECE, "valid_from": LONG_AGO, **overrides}
    )


def make_count_tag(**overrides: Any) -> CountTag:
    """Make a tag; `role` names what it counts."""
    role = overrides.pop("role", CountType.Role.GOOD)
    count_type, _ = CountType.objects.get_or_create(code=role, defaults={"name": role.capitalize(), "role": role})
    overrides = {"machine": overrides.get("machine") or make_machine(), **overrides}
    return CountTag.objects.create(**{"tag_path": f"tag/{next(_numbers)}", "count_type": count_type, **overrides})


def make_reason(category: str = StateReason.Category.RUNNING, **overrides: Any) -> StateReason:
    overrides = {"category": category, "is_failure": category == StateReason.Category.UNPLANNED, **overrides}
    reason: StateReason = StateReason.objects.create(**_coded("reason", overrides))
    return reason


def make_shift(**overrides: Any) -> Shift:
    return Shift.objects.create(
        **{"name": "Morning", "start_time": time(6), "end_time": time(14), **overrides},
    )


def make_customer(name: str, **overrides: Any) -> Customer:
    """Return the customer of a name, made when there is none."""
    defaults = {"code": f"customer-{next(_numbers)}", **overrides}
    return Customer.objects.get_or_create(name=name, defaults=defaults)[0]


def make_work_order(**overrides: Any) -> WorkOrder:
    """Make an order; its customer may be given by name."""
    number = next(_numbers)
    if isinstance(overrides.get("customer"), str):
        overrides["customer"] = make_customer(overrides["customer"])
    return WorkOrder.objects.create(**{"order_number": f"WO-{number}", "target_quantity": Decimal(1000), **overrides})


def make_order_reason(kind: str = OrderReason.Kind.QUALITY, **overrides: Any) -> OrderReason:
    """Return the reason of a kind that a plant begins with, made when it is not there."""
    defaults = {"name": kind.capitalize(), "kind": kind, **overrides}
    return OrderReason.objects.get_or_create(code=overrides.pop("code", kind), defaults=defaults)[0]


def make_run(**overrides: Any) -> Run:
    return Run.objects.create(**overrides)


def make_schedule(**overrides: Any) -> Schedule:
    """Plan an hour of a line, for an order of its own unless told otherwise; past the services."""
    overrides = {"line": overrides.get("line") or make_machine().line, **overrides}
    if overrides.get("kind", "production") == "production" and "work_order" not in overrides:
        overrides["work_order"] = make_work_order(line=overrides["line"])
    start = overrides.setdefault("planned_start_at", datetime(2026, 3, 2, 8, tzinfo=UTC))
    return Schedule.objects.create(**{"planned_end_at": start + timedelta(hours=1), **overrides})


def make_location(**overrides: Any) -> Location:
    overrides = {"site": overrides.get("site") or make_site(), **overrides}
    return Location.objects.create(**_coded("location", overrides))


def make_lot(
    quantity: Any = 100, *, location: Location | None = None, product: Product | None = None, **overrides: Any
) -> MaterialLot:
    """Receive a released lot of so much; overrides are those of `NewLot`."""
    actor = overrides.pop("actor", None) or make_user()
    at = overrides.pop("at", LONG_AGO)
    posted = receive(
        product=product or make_product(lot_controlled=True),
        quantity=Decimal(quantity),
        to_location=location or make_location(),
        lot=NewLot(**{"number": f"LOT-{next(_numbers)}", "status": "released", **overrides}),
        actor=actor,
        occurred_at=at,
        recorded_at=at,
    )
    return cast(MaterialLot, posted.transaction.lot)


def make_changeover_target(**overrides: Any) -> ChangeoverTarget:
    return ChangeoverTarget.objects.create(**{"target_minutes": Decimal(20), **overrides})


def make_changeover_task(**overrides: Any) -> ChangeoverTask:
    overrides = {"target": overrides.get("target") or make_changeover_target(), **overrides}
    return ChangeoverTask.objects.create(**{"name": f"Task {next(_numbers)}", **overrides})


def make_user(role: str | None = None, site: Site | None = None, **overrides: Any) -> User:
    """Make a person; with a role at a site, or at every site when none is given."""
    user = User.objects.create(**{"username": f"person-{next(_numbers)}", **overrides})
    if role is not None:
        Membership.objects.create(user=user, role=Role(role), site=site)
    return user


def make_device_key(**overrides: Any) -> tuple[DeviceKey, str]:
    """Return a key and the secret that a device sends."""
    key, secret = DeviceKey.objects.create_key(**{"name": f"key {next(_numbers)}", **overrides})
    return cast(DeviceKey, key), secret


def make_employee(**overrides: Any) -> Employee:
    overrides = {"site": overrides.get("site") or make_site(), **overrides}
    return Employee.objects.create(**_coded("employee", overrides))


def make_crew(**overrides: Any) -> Crew:
    overrides = {"site": overrides.get("site") or make_site(), **overrides}
    return Crew.objects.create(**_coded("crew", overrides))


def make_labor_policy(**overrides: Any) -> LaborPolicy:
    return LaborPolicy.objects.create(**{"site": overrides.get("site") or make_site(), **overrides})


def make_skill(**overrides: Any) -> Skill:
    return Skill.objects.create(**_coded("skill", overrides))


def make_plan(*kinds: str, rules: Any = ({"kind": "each"},), released: bool = True, **overrides: Any) -> InspectionPlan:
    """Make a plan with a characteristic of each kind (a measured value when none is given), in force since long ago."""
    number = next(_numbers)
    plan = InspectionPlan.objects.create(**{"code": f"plan-{number}", "name": f"Plan {number}", **overrides})
    for place, kind in enumerate(kinds or ("variable",), start=1):
        make_characteristic(plan=plan, kind=kind, position=place)
    for rule in rules:
        SamplingRule.objects.create(plan=plan, **rule)
    return release_plan(plan=plan, at=LONG_AGO) if released else plan


def make_characteristic(**overrides: Any) -> Characteristic:
    """Make a characteristic of a plan; a measured value is 10 ± 1 unless told otherwise."""
    kind = overrides.get("kind", "variable")
    limits: dict[str, Any] = {}
    if kind == "variable":
        limits = {"nominal": Decimal(10), "lower_limit": Decimal(9), "upper_limit": Decimal(11)}
    elif kind == "choice":
        limits = {"choices": ["red", "blue"], "accepted": ["blue"]}
    overrides = {"plan": overrides.get("plan") or make_plan(released=False), **limits, **overrides}
    return Characteristic.objects.create(**_coded("characteristic", overrides))


def make_gauge(*, calibrated: bool = True, **overrides: Any) -> Gauge:
    """Make a gauge, calibrated from long ago until 2030."""
    overrides = {"site": overrides.get("site") or make_site(), **overrides}
    gauge = Gauge.objects.create(**_coded("gauge", overrides))
    if calibrated:
        Calibration.objects.create(
            gauge=gauge,
            calibrated_at=LONG_AGO,
            valid_until=datetime(2030, 1, 1, tzinfo=UTC),
            recorded_by=make_user(),
            recorded_at=LONG_AGO,
        )
    return gauge


def make_gauge_tag(**overrides: Any) -> GaugeTag:
    overrides = {
        "machine": overrides.get("machine") or make_machine(),
        "characteristic": overrides.get("characteristic") or make_plan().characteristics.get(),
        **overrides,
    }
    return GaugeTag.objects.create(**{"tag_path": f"gauge/{next(_numbers)}", **overrides})


def make_control_chart(**overrides: Any) -> ControlChart:
    overrides = {
        "site": overrides.get("site") or make_site(),
        "characteristic": overrides.get("characteristic") or make_plan().characteristics.get(),
        **overrides,
    }
    return ControlChart.objects.create(**_coded("chart", overrides))


def make_defect_code(**overrides: Any) -> DefectCode:
    return DefectCode.objects.create(**_coded("defect", {"category": "visual", **overrides}))


def make_stage_form(product: Product, code: str, *fields: dict[str, Any], **overrides: Any) -> StageForm:
    """Make a stage form with fields, released unless told otherwise; a field is given by its values."""
    draft = overrides.pop("draft", False)
    form = StageForm.objects.create(**{"product": product, "operation_code": code, "name": code.title(), **overrides})
    for number, values in enumerate(fields, start=1):
        StageField.objects.create(**{"form": form, "sequence": 10 * number, "label": values["code"].title(), **values})
    return form if draft or not fields else release_form(form=form)


def make_serial_unit(serial: str = "", **overrides: Any) -> SerialUnit:
    """Make a unit of a product with a stage A and a stage B, an OK / NOT OK field in each, unless told otherwise."""
    if "order" not in overrides and "product" not in overrides:
        product = make_product()
        for number, code in enumerate(("A", "B"), start=1):
            make_stage_form(product, code, {"code": "check"}, sequence=10 * number)
        overrides["product"] = product
    if "order" not in overrides:
        overrides.setdefault("site", make_site())
    overrides = {"actor": overrides.pop("actor", None) or make_user(), "at": LONG_AGO, **overrides}
    return create_units(serials=[serial or f"S-{next(_numbers)}"], **overrides)[0]


def make_label_layout(**overrides: Any) -> LabelLayout:
    """Make a layout for packs at every site, 50 × 30 mm, unless told otherwise."""
    overrides = {
        "labels_what": "pack",
        "width_mm": Decimal(50),
        "height_mm": Decimal(30),
        "base_url": "https://mes.example/",
        "payload": "{base}/entry/{code:url}",
        "text_lines": ["{code}", "{date}"],
        **overrides,
    }
    return LabelLayout.objects.create(**_coded("layout", overrides))


def make_workbook_template(**overrides: Any) -> WorkbookTemplate:
    """Make a template for work orders at every site, without a file yet."""
    return WorkbookTemplate.objects.create(**_coded("workbook", {"source": "work_order", **overrides}))


def make_call_type(*minutes_and_roles: tuple[int, str], **overrides: Any) -> CallType:
    """Make a type of call; each pair says after how many minutes which role has to know."""
    call_type = CallType.objects.create(**_coded("call-type", overrides))
    for minutes, role in minutes_and_roles:
        EscalationStep.objects.create(call_type=call_type, after_minutes=minutes, role=role)
    return call_type


def make_maintenance_plan(**overrides: Any) -> MaintenancePlan:
    """Make a plan of every 100 run hours, counted from long ago, unless told otherwise."""
    overrides = {"machine": overrides.get("machine") or make_machine(), "counted_from": LONG_AGO, **overrides}
    return MaintenancePlan.objects.create(**_coded("plan", {"every": Decimal(100), **overrides}))


def make_tool(**overrides: Any) -> Tool:
    """Make a tool that lasts 1,000 pieces, unless told otherwise."""
    overrides = {"site": overrides.get("site") or make_site(), **overrides}
    return Tool.objects.create(**_coded("tool", {"life": Decimal(1000), **overrides}))
