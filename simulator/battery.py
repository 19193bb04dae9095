"""The battery-pack demo plant: cells become modules, two modules become a pack, and a pack goes through eight stages.

Some packs are set up in every state that a unit can be in. All is written through the services, as people would.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.models import Role, User
from core import master_data
from enterprise.models import Area, Enterprise, Line, Machine, Shift, Site
from products.models import BillOfMaterialLine, Product, ProductRevision, Routing, RoutingOperation
from products.services import ensure_unit, release_revision
from simulator.making import ensure
from simulator.services import FirstPassword, make_person
from tracking import creating, services
from tracking.models import SerialUnit, StageField, StageForm
from tracking.services import By, Entry
from tracking.stage_forms import release_form
from workorders.models import WorkOrder
from workorders.services import release_order

SITE = "BPK"
CELLS_PER_MODULE = 4
STAGES = (
    ("CELL-SORT", "Cell sorting"),
    ("MODULE-ASSY", "Module assembly"),
    ("PRE-ENCAP", "Pre-encapsulation"),
    ("WIRE-BOND", "Wire bonding"),
    ("POST-ENCAP", "Post-encapsulation"),
    ("EOL-TEST", "EOL testing"),
    ("PACK-ASSY", "Pack assembly"),
    ("DISPATCH", "Ready for dispatch"),
)
CYCLES = dict(zip((code for code, _ in STAGES), (12, 18, 6, 9, 15, 20, 25, 4), strict=True))
"""How many minutes a stage takes a technician, from the first field to the last."""
THROUGH = (8, 8, 8, 5, 5, 3, 2, 2, 1, 0, 0, 0)
"""How many stages each of the first order's packs has passed at once, at the first try."""
FAILED = {"EOL-TEST": 1}
"""How many packs more did not pass a stage at the first try; one that is let pass as it is has not been tested to the
end.
"""
TICK = timedelta(seconds=30)
PEOPLE = (
    ("technician.bpk", "Tara", "Technik", Role.OPERATOR),
    ("quality.bpk", "Quentin", "Check", Role.QUALITY),
    ("supervisor.bpk", "Sunniva", "Line", Role.SUPERVISOR),
)


@dataclass(frozen=True, slots=True)
class Check:
    """A field of a stage's form in the demo."""

    code: str
    label: str
    kind: str = "ok_nok"
    each: bool = False
    minimum: str | None = None
    maximum: str | None = None
    unit: str | None = None
    by_quality: bool = False
    required: bool = True
    good: str = "ok"
    help: str = ""


_QC = Check("QC", "Released by quality", by_quality=True)
_REMARKS = Check("REMARKS", "Remarks", kind="text", required=False, good="")
FORMS: dict[str, tuple[Check, ...]] = {
    "CELL-SORT": (
        Check("SPREAD", "Voltage spread of the sorted cells", "number", True, "0", "0.010", "V", good="0.006"),
        Check("RESISTANCE", "Resistance class is one", each=True, help="All cells of a module are of one class."),
        Check("SLEEVE", "Sleeves undamaged", each=True),
        _QC,
    ),
    "MODULE-ASSY": (
        Check("POLARITY", "Polarity as drawn", each=True),
        Check("TORQUE", "Torque of the clamp", "number", True, "4.5", "5.5", "Nm", good="5.0"),
        _QC,
    ),
    "PRE-ENCAP": (
        Check("CLEAN", "Surface clean and dry", each=True),
        Check("SENSORS", "Sensors seated", each=True),
        _QC,
    ),
    "WIRE-BOND": (
        Check("PULL", "Pull force of the weakest bond", "number", True, "0.30", None, "N", good="0.42"),
        Check("BONDS", "All bonds there", each=True),
        _QC,
    ),
    "POST-ENCAP": (Check("CURED", "Cured without bubbles", each=True), _QC),
    "EOL-TEST": (
        Check("OCV", "Open-circuit voltage", "number", True, "14.2", "14.8", "V", good="14.5"),
        Check("ISOLATION", "Isolation resistance", "number", True, "100", None, "MΩ", good="550"),
        Check("COMMS", "Answers on the bus", each=True),
        _QC,
    ),
    "PACK-ASSY": (
        Check("HOUSING", "Housing closed and sealed"),
        Check("LABEL", "Label", "choice", good="EU"),
        _QC,
    ),
    "DISPATCH": (Check("PAPERS", "Papers complete"), Check("PACKED", "Packed"), _QC),
}


@dataclass(frozen=True, slots=True)
class Made:
    """What the demo made: where, how many units, and whose passwords are new."""

    site: Site
    units: int
    people: list[FirstPassword]


@transaction.atomic
def create_battery_plant(*, now: datetime) -> Made:
    """Make the plant, its products, forms, people and units; what exists already stays as it is."""
    shop, people = open_shop(now=now)
    site = shop.site
    if not SerialUnit.objects.filter(site=site).exists():
        shop.work()
    return Made(site, SerialUnit.objects.filter(site=site).count(), people)


@transaction.atomic
def open_shop(*, now: datetime) -> tuple["Shop", list[FirstPassword]]:
    """Make the plant, its products, forms and people, but no unit; return who works there since a day ago."""
    site, line = _places()
    cell, module, pack = _products(line, now)
    people = _people(site)
    return Shop(site, line, cell, module, pack, now - timedelta(days=1)), people


def _places() -> tuple[Site, Line]:
    enterprise = ensure(Enterprise, {"code": "MORAVA"}, name="Morava Storage")
    site = ensure(
        Site, {"code": SITE}, name="Brno packs", enterprise=enterprise, time_zone="Europe/Prague", locale="en"
    )
    area = ensure(Area, {"code": "BPK-HALL"}, name="Pack hall", site=site)
    line = ensure(Line, {"code": "BPK-L1"}, name="Pack line", area=area)
    for number, (code, name) in enumerate(STAGES, start=1):
        ensure(Machine, {"code": f"BPK-{code}"}, name=f"{name} station", line=line, position=number)
    for name, start, end in (("Early", time(6), time(14)), ("Late", time(14), time(22))):
        ensure(
            Shift,
            {"site": site, "name": name},
            start_time=start,
            end_time=end,
            weekdays=[1, 2, 3, 4, 5],
        )
    return site, line


def _products(line: Line, now: datetime) -> tuple[Product, Product, Product]:
    cell = ensure(Product, {"code": "BPK-CELL"}, name="Cell 21700", material_type="component")
    module = ensure(Product, {"code": "BPK-MODULE"}, name="Module 4S", material_type="sub_assembly")
    pack = ensure(Product, {"code": "BPK-PACK"}, name="Pack 8S", material_type="finished")
    since = now - timedelta(days=30)
    if not module.revisions.exists():
        _release(module, cell, CELLS_PER_MODULE, (("STACK", "Stacking", None),), since)
    if not pack.revisions.exists():
        machines = {machine.code: machine for machine in line.machines.all()}
        _release(pack, module, 2, tuple((code, name, machines[f"BPK-{code}"]) for code, name in STAGES), since)
    if not StageForm.objects.filter(product__in=[cell, module, pack]).exists():
        _form(
            cell,
            "INCOMING",
            "Incoming test",
            (
                Check("VOLTAGE", "Voltage", "number", minimum="3.45", maximum="3.65", unit="V", good="3.55"),
                Check("IR", "Internal resistance", "number", maximum="18", unit="mΩ", good="14.2"),
            ),
            [],
        )
        slots = [str(number) for number in range(1, CELLS_PER_MODULE + 1)]
        stack = _form(module, "STACK", "Stacking", (Check("ORDER", "Stacked as drawn"),), slots, draft=True)
        _scan(stack, "CELL", "Cell", cell)
        for number, (code, name) in enumerate(STAGES, start=1):
            form = _form(pack, code, name, (*FORMS[code], _REMARKS), ["X", "Y"], sequence=10 * number, draft=True)
            if code == "MODULE-ASSY":
                _scan(form, "MODULE", "Module", module)
            else:
                release_form(form=form)
    return cell, module, pack


def _release(
    product: Product,
    part: Product,
    quantity: int,
    operations: tuple[tuple[str, str, Machine | None], ...],
    at: datetime,
) -> None:
    revision = master_data.save(ProductRevision(product=product, code="A"))
    routing = master_data.save(Routing(revision=revision, code="main"))
    for number, (code, name, machine) in enumerate(operations, start=1):
        master_data.save(RoutingOperation(routing=routing, sequence=10 * number, code=code, name=name, machine=machine))
    master_data.save(BillOfMaterialLine(revision=revision, position=10, component=part, quantity=Decimal(quantity)))
    release_revision(revision=revision, valid_from=at)


def _form(
    product: Product,
    code: str,
    name: str,
    checks: tuple[Check, ...],
    positions: list[str],
    *,
    sequence: int = 10,
    draft: bool = False,
) -> StageForm:
    form = master_data.save(
        StageForm(product=product, operation_code=code, name=name, positions=positions, sequence=sequence)
    )
    for number, check in enumerate(checks, start=1):
        master_data.save(
            StageField(
                form=form,
                sequence=10 * number,
                code=check.code,
                label=check.label,
                kind=check.kind,
                per_position=check.each,
                required=check.required,
                filled_by="quality" if check.by_quality else "technician",
                minimum=Decimal(check.minimum) if check.minimum else None,
                maximum=Decimal(check.maximum) if check.maximum else None,
                unit=ensure_unit(code=check.unit) if check.unit else None,
                choices=["EU", "UK", "US"] if check.kind == "choice" else [],
                help=check.help,
            )
        )
    return form if draft else release_form(form=form)


def _scan(form: StageForm, code: str, label: str, part: Product) -> None:
    master_data.save(
        StageField(form=form, sequence=5, code=code, label=label, kind="component", per_position=True, component=part)
    )
    release_form(form=form)


def _people(site: Site) -> list[FirstPassword]:
    made = []
    for username, first_name, last_name, role in PEOPLE:
        if User.objects.filter(username=username).exists():
            continue
        made.append(make_person(username, first_name, last_name, role, site))
    return made


@dataclass(frozen=True, slots=True)
class ExpectedStage:
    """What the MES must find of a stage: first passes with a result, good ones, and the minutes of each good one."""

    code: str
    passes: int
    good: int
    minutes: int

    def __str__(self) -> str:
        share = f"{Decimal(self.good) / self.passes:.1%}" if self.passes else "–"
        return f"{self.code:<12} {self.minutes:>2} min  first-pass yield {share} ({self.good} of {self.passes})"


def expected_stages() -> list[ExpectedStage]:
    """Return what the first order's packs come to, by stage; worked out from how they are made and not from what is
    stored.
    """
    good = [sum(through > place for through in THROUGH) for place in range(len(STAGES))]
    return [
        ExpectedStage(code, one + FAILED.get(code, 0), one, CYCLES[code])
        for (code, _), one in zip(STAGES, good, strict=True)
    ]


class Shop:
    """The people of a day: who fills in what, minute by minute."""

    def __init__(self, site: Site, line: Line, cell: Product, module: Product, pack: Product, begins: datetime) -> None:
        self._site, self._line = site, line
        self._cell, self._module, self._pack = cell, module, pack
        self._now = begins
        self._technician, self._quality, self._supervisor = (
            User.objects.get(username=username) for username, *_ in PEOPLE
        )
        self._number = 0

    @property
    def site(self) -> Site:
        """Where they work."""
        return self._site

    def make_pack(self, order_number: str) -> SerialUnit:
        """Make one pack for an order of its own, with a NOT OK at its test that is reworked, and dispatch it."""
        order = master_data.save(
            WorkOrder(order_number=order_number, line=self._line, product=self._pack, target_quantity=Decimal(1))
        )
        release_order(work_order=order, at=self._tick(), actor=self._supervisor)
        serials = creating.serials_of(pattern="BP/{YY}-####", count=1, product=self._pack, at=self._now, order=order)
        (pack,) = creating.create_units(serials=serials, order=order, actor=self._supervisor, at=self._tick())
        for code, _ in STAGES:
            if code == "EOL-TEST":
                self._enter(pack, code, {("OCV", "X"): "14.5", ("OCV", "Y"): "13.9"})
                by = self._by(self._quality, "Connector of module Y was not seated; seated and tested again")
                services.send_to_rework(unit=pack, to_stage=code, by=by)
            self._pass(pack, code)
        services.dispatch(unit=pack, by=self._by(self._technician))
        pack.refresh_from_db()
        return pack

    def work(self) -> None:
        """Make twelve packs of an order, in every state that a unit can be in."""
        order = master_data.save(
            WorkOrder(
                order_number="BPK-1001",
                line=self._line,
                product=self._pack,
                target_quantity=Decimal(12),
                description="Packs for stock",
            )
        )
        release_order(work_order=order, at=self._tick(), actor=self._supervisor)
        serials = creating.serials_of(pattern="BP/{YY}-####", count=12, product=self._pack, at=self._now, order=order)
        packs = creating.create_units(serials=serials, order=order, actor=self._supervisor, at=self._tick())
        all_stages = [code for code, _ in STAGES]
        for pack, through in zip(packs, THROUGH, strict=True):
            for code in all_stages[:through]:
                self._pass(pack, code)
        dispatched, _, reworked, not_ok, as_is, processing, held, scrapped, *_ = packs
        services.dispatch(unit=dispatched, by=self._by(self._technician))
        services.send_to_rework(
            unit=reworked, to_stage="WIRE-BOND", by=self._by(self._quality, "Bond lifted in transport")
        )
        self._pass(reworked, "WIRE-BOND")
        self._enter(not_ok, "EOL-TEST", {("OCV", "X"): "14.5", ("OCV", "Y"): "13.9"})
        self._enter(as_is, "EOL-TEST", {("ISOLATION", "X"): "97"})
        services.use_as_is(unit=as_is, stage="EOL-TEST", by=self._by(self._quality, "Within the customer's deviation"))
        self._enter(processing, "WIRE-BOND", {("PULL", "X"): "0.41", ("BONDS", "X"): "ok"})
        services.hold(unit=held, by=self._by(self._technician, "Waits for sealing paste"))
        services.scrap(
            unit=scrapped, by=self._by(self._supervisor, "Housing crushed"), replacement=f"{scrapped.serial}-R"
        )

    def _tick(self) -> datetime:
        self._now += TICK
        return self._now

    def _by(self, actor: User, reason: str = "") -> By:
        self._number += 1
        return By(actor, self._tick(), f"demo-{self._number}", reason)

    def _enter(
        self, unit: SerialUnit, stage: str, values: dict[tuple[str, str], str], actor: User | None = None
    ) -> None:
        at = self._tick()
        entries = []
        for (field, position), value in values.items():
            self._number += 1
            entries.append(Entry(field, value, f"demo-{self._number}", position))
        services.enter(unit=unit, stage=stage, entries=entries, actor=actor or self._technician, recorded_at=at)

    def _pass(self, unit: SerialUnit, stage: str) -> None:
        """Fill in a stage of a pack: the technician's fields, then those of quality."""
        values: dict[tuple[str, str], str] = {}
        for check in FORMS[stage]:
            if not check.by_quality:
                values |= {(check.code, position): check.good for position in (("X", "Y") if check.each else ("",))}
        if stage == "MODULE-ASSY":
            for position in ("X", "Y"):
                values["MODULE", position] = self.new_module(f"{unit.serial}-{position}").serial
        self._enter(unit, stage, values)
        self._now += timedelta(minutes=CYCLES[stage]) - 2 * TICK
        self._enter(unit, stage, {("QC", ""): "ok"}, self._quality)
        services.complete_stage(unit=unit, stage=stage, by=self._by(self._technician))

    def new_module(self, name: str) -> SerialUnit:
        cells = creating.create_units(
            serials=[f"C-{name}-{number}" for number in range(1, CELLS_PER_MODULE + 1)], **self._of(self._cell)
        )
        for cell in cells:
            self._enter(cell, "INCOMING", {("VOLTAGE", ""): "3.55", ("IR", ""): "14.2"})
        (module,) = creating.create_units(serials=[f"M-{name}"], **self._of(self._module))
        scans = {("CELL", str(number)): cell.serial for number, cell in enumerate(cells, start=1)}
        self._enter(module, "STACK", {**scans, ("ORDER", ""): "ok"})
        return module

    def _of(self, product: Product) -> dict[str, Any]:
        return {"product": product, "site": self._site, "actor": self._technician, "at": self._tick()}
