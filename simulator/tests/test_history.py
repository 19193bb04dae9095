"""A past in bulk: the rows that the services would have written, the same each time, and of one piece."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F, Sum

from accounts.models import User
from andon.models import AndonCall
from batchrecords.assembly import assemble, standing
from batchrecords.models import BatchRecord, Signature
from batchrecords.services import WITH_PLACE
from batchrecords.verification import broken_anywhere
from core import master_data
from core.intervals import Interval
from downtime.models import StateHistory
from enterprise.models import Line, Machine
from execution.bulk import load_done
from execution.models import OperationRun
from labor.bulk import Presence, Work, load_hours
from labor.models import Attendance, Employee, LaborEntry
from labor.services import record_attendance, record_labor
from maintenance.models import MaintenanceOrder
from maintenance.selectors import stop_of
from materials.backflush import OnShortage, backflush_of_order
from materials.bulk import Made, Received, Shipped, load_movements
from materials.lots import NewLot
from materials.models import Container, Kind, Location, MaterialLot, MaterialTransaction, Stock
from materials.services import produce, receive, scrap, ship
from oee.selectors import report, run_report
from products.models import Product
from quality.bulk import Found, Inspected, load_inspections
from quality.models import InspectionPlan
from quality.results import Said, record_results
from quality.services import What, finish_inspection, open_inspection
from simulator.bookings import book
from simulator.expectations import expected_of
from simulator.facts import StateFact
from simulator.feed import LineFeed
from simulator.history import generate
from simulator.history_facts import Past
from simulator.history_quality import Laboratory
from simulator.line_day import simulate_day
from simulator.making import FINISHED, STORE
from simulator.plant_digest import digest_of
from simulator.services import create_people, devices_memory, keep_orders, new_order
from simulator.vistula import GLASS, VISTULA
from simulator.working_time import order_slots
from workorders.bulk import load_orders
from workorders.life import close, complete
from workorders.models import Customer, Operation, Run, Schedule, Step, WorkOrder
from workorders.services import start_run

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 12, 5, 0, tzinfo=UTC)
DAY = date(2026, 3, 11)
SMALL = replace(
    VISTULA,
    lines=(GLASS,),
    products=tuple(replace(product, has_record=True) for product in VISTULA.products),
    crews=tuple(replace(crew, members=crew.members[:2]) for crew in VISTULA.crews if crew.line == "GLASS"),
)
PAST = Past(SMALL, DAY, 1, 1)
GOOD, REJECTED = Decimal(5000), Decimal(40)


@pytest.fixture
def people(plant):
    create_people(VISTULA, plant, reset_passwords=False)
    return {user.username: user for user in User.objects.all()}


def contents() -> dict[str, str]:
    """Return the hash of each kind of row."""
    return {what: sha for what, _, sha in digest_of()}


class Written:
    """An order, a person's shift, what was used, made and inspected: by the services, or in bulk."""

    def __init__(self, actor: User) -> None:
        self.actor = actor
        self.line = Line.objects.select_related("area__site").get(code="GLASS")
        self.machine = Machine.objects.select_related("line__area__site").get(code="GLASS-FILLER")
        self.slot = order_slots(SMALL, GLASS, PAST.window)[1]
        self.product = Product.objects.select_related("unit").get(code=self.slot.product)
        self.person = Employee.objects.select_related("site").get(code="1007")
        self.store, self.finished = (
            Location.objects.select_related("site").get(code=code) for code in (STORE, FINISHED)
        )
        customer, _ = Customer.objects.get_or_create(code="hotel-wawel", defaults={"name": "Hotel Wawel"})
        closed_at = self.slot.end + timedelta(hours=1)
        self.new = new_order(self.line, self.slot, self.product, customer, now=NOW, closed_at=closed_at)
        Laboratory(SMALL, self.line.area.site, seed=1, since=PAST.window.start)
        self.shipped_at = self.slot.end + timedelta(hours=2)

    @property
    def came(self) -> datetime:
        return self.slot.start - timedelta(minutes=30)

    def lots(self) -> list[tuple[str, str, Decimal]]:
        """What was delivered: two lots of a material, so that the first to expire goes first."""
        return [("CROWN", "C-2", Decimal(3000)), ("CROWN", "C-1", Decimal(9000))] + [
            (code, f"{code}-1", Decimal(50_000))
            for code, *_ in SMALL.product(self.slot.product).bill
            if code not in ("CROWN", "WATER")
        ]

    def expiry(self, number: str) -> date:
        return DAY + timedelta(days=20 if number == "C-2" else 40)

    def one_by_one(self) -> None:
        """Write everything by services."""
        new, actor, at = self.new, self.actor, self.slot.end
        order = WorkOrder(
            order_number=new.number,
            description=new.description,
            line=self.line,
            product=self.product,
            target_quantity=new.quantity,
            planned_start_at=new.planned_start_at,
            planned_end_at=new.planned_end_at,
            status=WorkOrder.Status.SCHEDULED,
            lot_number=new.number,
            customer=new.customer,
            sales_order=new.sales_order,
            priority=new.priority,
            due_at=new.due_at,
        )
        order.step = Step(at=new.planned_at, actor=actor)
        master_data.save(order)
        entry = Schedule(line=self.line, work_order=order, planner=actor)
        entry.planned_start_at, entry.planned_end_at = new.planned_start_at, new.planned_end_at
        master_data.save(entry)
        start, end = self.slot.start, self.slot.end
        start_run(work_order=order, line=self.line, schedule=entry, started_at=start, ended_at=end, actor=actor)
        by: Any = {"actor": actor, "occurred_at": at, "recorded_at": at}
        came: Any = {"actor": actor, "occurred_at": self.came, "recorded_at": self.came}
        for code, number, quantity in self.lots():
            delivered = NewLot(number=number, status="released", made_date=DAY, expiry_date=self.expiry(number))
            product = Product.objects.get(code=code)
            receive(product=product, quantity=quantity, to_location=self.store, lot=delivered, **came)
        backflush_of_order(
            work_order=order,
            produced_quantity=GOOD + REJECTED,
            location=self.store,
            on_shortage=OnShortage.TAKE,
            **by,
        )
        made: Any = {"product": self.product, "work_order": order, **by}
        lot = produce(quantity=GOOD, to_location=self.finished, lot=NewLot(number=new.number), **made).transaction.lot
        assert lot is not None
        assert new.closed_at is not None
        scrap(quantity=REJECTED, lot=lot, reason="Rejected", **made)
        later: Any = {"actor": actor, "occurred_at": self.shipped_at, "recorded_at": self.shipped_at, "reason": "Away"}
        ship(product=self.product, quantity=GOOD, from_location=self.finished, lot=lot, **later)
        complete(work_order=order, at=at, actor=actor)
        record_attendance(employee=self.person, started_at=self.came, ended_at=end, actor=actor, recorded_at=end)
        record_labor(
            employee=self.person,
            kind="direct",
            started_at=start,
            ended_at=end,
            actor=actor,
            recorded_at=end,
            work_order=order,
            operation="FILLER",
            machine=self.machine,
            quantity_produced=GOOD,
            standard_seconds=Decimal(3000),
        )
        self._inspect_one_by_one(order, lot)
        close(work_order=order, at=new.closed_at, actor=actor)

    def _inspect_one_by_one(self, order: WorkOrder, lot: MaterialLot) -> None:
        one = self._inspected(order, lot)
        what = What(work_order=order, machine=self.machine, lot=lot)
        inspection, _ = open_inspection(
            plan=one.plan, what=what, actor=self.actor, opened_at=one.opened_at, rule=one.rule
        )
        said = [
            Said(
                characteristic=row.characteristic,
                sample=row.sample,
                value=row.value,
                verdict=row.verdict,
                occurred_at=row.at,
            )
            for row in one.found
        ]
        record_results(inspection=inspection, results=said, actor=self.actor, recorded_at=one.finished_at)
        finish_inspection(inspection=inspection, actor=self.actor, finished_at=one.finished_at)

    def at_once(self) -> None:
        """Write everything in bulk."""
        (order,) = load_orders([self.new], actor=self.actor)
        deeds = [
            Received(
                at=self.came,
                product=Product.objects.get(code=code),
                quantity=quantity,
                place=self.store,
                lot=NewLot(number=number, made_date=DAY, expiry_date=self.expiry(number)),
            )
            for code, number, quantity in self.lots()
        ]
        made = Made(
            at=self.slot.end,
            order=order,
            good=GOOD,
            rejected=REJECTED,
            store=self.store,
            place=self.finished,
            reject_reason="Rejected",
        )
        shipped = Shipped(at=self.shipped_at, order=order, place=self.finished, reason="Away")
        assert load_movements([made, *deeds], actor=self.actor).shortages == {}
        load_movements([shipped], actor=self.actor)
        start, end = self.slot.start, self.slot.end
        load_hours(
            [Presence(employee=self.person, started_at=self.came, ended_at=end)],
            [
                Work(
                    employee=self.person,
                    kind="direct",
                    started_at=start,
                    ended_at=end,
                    machine=self.machine,
                    work_order=order,
                    operation="FILLER",
                    quantity_produced=GOOD,
                    standard_seconds=Decimal(3000),
                )
            ],
            actor=self.actor,
        )
        load_inspections([self._inspected(order, MaterialLot.objects.get(work_order=order))], actor=self.actor)

    def _inspected(self, order: WorkOrder, lot: MaterialLot) -> Inspected:
        plan = InspectionPlan.objects.get(code="VB-FINAL")
        torque, label = plan.characteristics.select_related("unit").order_by("position")
        opened_at = self.slot.end + timedelta(minutes=5)
        found = [
            Found(characteristic=of, sample=sample, at=opened_at + timedelta(minutes=sample), **said)
            for sample in range(1, 6)
            for of, said in (
                (torque, {"value": Decimal("2.30" if sample == 4 else "1.60")}),
                (label, {"verdict": "ok"}),
            )
        ]
        return Inspected(
            plan=plan,
            rule=plan.rules.get(),
            machine=self.machine,
            work_order=order,
            lot=lot,
            sample_size=5,
            opened_at=opened_at,
            finished_at=opened_at + timedelta(minutes=8),
            found=found,
        )


def test_rows_written_at_once_are_those_that_the_services_write_one_by_one(people):
    found = []
    for how in (Written.one_by_one, Written.at_once):
        with transaction.atomic():
            how(Written(people["supervisor"]))
            found.append(contents())
            transaction.set_rollback(True)
    assert {what for what in found[0] if found[0][what] != found[1].get(what)} == set()
    assert {"workorders.Operation", "materials.GenealogyLink", "labor.LaborEntry", "quality.Result"} <= set(found[1])


def test_operations_that_were_done_are_completed_over_their_order_s_time(people):
    written = Written(people["supervisor"])
    (order,) = load_orders([written.new], actor=written.actor)
    span = Interval(written.slot.start, written.slot.end)
    operations = list(order.operations.order_by("sequence"))
    load_done(operations, {order.pk: span}, actor=written.actor)
    assert set(order.operations.values_list("status", "actual_start_at", "actual_end_at")) == {
        (Operation.Status.COMPLETED, span.start, span.end)
    }
    runs = OperationRun.objects.filter(operation__work_order=order)
    assert runs.filter(machine=F("operation__machine"), started_at=span.start, ended_at=span.end).count() == len(
        GLASS.machines
    )


def test_a_past_is_the_same_each_time_and_of_one_piece(people):
    def write() -> dict[str, str]:
        generate(PAST, people=people, progress=lambda line: None, processes=0)
        return contents()

    with transaction.atomic():
        first = write()
        transaction.set_rollback(True)
    # The rows have other keys this time.
    assert write() == first
    _pieces_are_the_same_everywhere()
    _people_worked_while_they_were_there()
    _stops_are_those_of_the_machines()
    _help_came_while_machines_stood()
    _records_are_signed_by_three_people_and_hold()
    _live_goes_on_where_it_ends(people["supervisor"])
    assert not Stock.objects.filter(quantity__lt=0, product__lot_controlled=True).exists()


def _pieces_are_the_same_everywhere() -> None:
    done = Run.objects.filter(ended_at__lte=PAST.end, started_at__gte=PAST.window.start)
    assert done.count() > 5
    for run in done.select_related("work_order__product", "line__area__site"):
        order, made = run.work_order, run_report(run, now=NOW + timedelta(days=1)).sums.quantities
        lot = MaterialLot.objects.get(work_order=order)
        moved = dict(lot.transactions.values_list("kind").annotate(sum=Sum("quantity")))
        reported = order.labor_entries.aggregate(good=Sum("quantity_produced"), reject=Sum("quantity_rejected"))
        assert made.good == moved["produce"] == reported["good"]
        assert made.scrap == moved["scrap"] == reported["reject"]
        assert order.status in (WorkOrder.Status.COMPLETED, WorkOrder.Status.CLOSED)


def _people_worked_while_they_were_there() -> None:
    assert Attendance.objects.count() == 4
    for entry in LaborEntry.objects.all():
        assert Attendance.objects.filter(
            employee=entry.employee, started_at__lte=entry.started_at, ended_at__gte=entry.ended_at
        ).exists()


def _stops_are_those_of_the_machines() -> None:
    machine = Machine.objects.select_related("line__area__site").get(code="GLASS-FILLER")
    expected = expected_of(SMALL, simulate_day(SMALL, GLASS, DAY, seed=1, readings={}))
    times = report([machine], PAST.window, now=NOW + timedelta(days=1)).sums.times
    assert times.actual_production_time == expected.running * 1000
    assert (times.actual_unit_delay_time + times.actual_unit_setup_time) == expected.lost * 1000
    assert StateHistory.objects.filter(machine=machine).exists()


def _help_came_while_machines_stood() -> None:
    calls = AndonCall.objects.select_related("machine__line__area__site")
    assert calls.exists()
    for call in calls:
        assert call.status == AndonCall.Status.FIXED
        stop = stop_of(call.machine, call.called_at, now=NOW)
        assert call.steps.latest("occurred_at").occurred_at <= stop.until
    orders = MaintenanceOrder.objects.select_related("machine__line__area__site")
    assert set(orders.values_list("status", flat=True)) == {MaintenanceOrder.Status.FINISHED}
    for order in orders:
        assert order.started_at is not None
        assert order.finished_at is not None
        stop = stop_of(order.machine, order.started_at, now=NOW)
        assert stop.start <= (order.down_since or order.started_at) <= order.finished_at <= stop.until
        if order.stop_at is not None:
            assert stop.start <= order.stop_at < stop.until
        else:
            assert order.plan_id is not None


def _records_are_signed_by_three_people_and_hold() -> None:
    lots = MaterialLot.objects.filter(work_order__customer__isnull=False)
    records = BatchRecord.objects.select_related(*WITH_PLACE)
    assert {record.lot_id for record in records} == set(lots.values_list("pk", flat=True))
    for record in records:
        found = assemble(record, now=NOW)
        signatures = list(record.signatures.order_by("id"))
        assert all(standing(found).holds(one.meaning) for one in signatures)
        assert len({one.signer_id for one in signatures}) == min(len(signatures), 3)
        assert len(signatures) < 2 or not found.open_exceptions
    assert Signature.objects.filter(meaning="reviewed").exists()
    assert list(broken_anywhere()) == []
    packed = Container.objects.values("contents__lot").annotate(sum=Sum("contents__quantity"))
    made = MaterialTransaction.objects.filter(kind=Kind.PRODUCE, lot__in=lots).values_list("lot", "quantity")
    assert {row["contents__lot"]: row["sum"] for row in packed} == dict(made)


def _live_goes_on_where_it_ends(supervisor: User) -> None:
    """What would be sent and booked again is there already."""
    progress = devices_memory(SMALL, GLASS, now=NOW, history_days=7)
    assert progress.from_day == DAY
    feed = LineFeed(SMALL, GLASS, progress, seed=1)
    ((day, facts),) = [(day, facts) for day, facts in feed.backlog(NOW - timedelta(seconds=1))]
    states = {(fact.machine, fact.at) for fact in facts if isinstance(fact, StateFact)}
    assert day == DAY
    assert states == set(StateHistory.objects.values_list("machine__code", "occurred_at"))
    shortly_before = NOW - timedelta(minutes=10)
    assert keep_orders(SMALL, PAST.window, now=shortly_before) == 0
    assert book(SMALL, PAST.window, actor=supervisor, now=shortly_before, refused=set(), most=1000) == 0
