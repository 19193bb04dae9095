"""What the demo plant's people book: lots that come, are used in their order and go on;
hours that follow the shifts.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import User
from andon.models import AndonCall
from batchrecords.models import BatchRecord
from core.intervals import Interval
from counts.models import CountTag
from counts.services import NewReading, record_readings
from downtime.models import StateReason
from downtime.services import NewState, record_states
from enterprise.models import Machine
from labels.models import Label
from labor.models import Absence, Attendance, Employee, LaborEntry
from maintenance.models import MaintenanceOrder, ToolMounting
from materials.models import Container, GenealogyLink, Kind, MaterialLot, MaterialTransaction
from simulator.beside import fill
from simulator.bookings import book
from simulator.deliveries import deliveries, quantity_of
from simulator.services import CLOSED_AFTER, create_people
from simulator.vistula import VISTULA
from simulator.working_time import day_window
from workorders.models import Changeover, OrderMaterial, WorkOrder

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 11, 22, 30, tzinfo=UTC)
WINDOW = Interval(NOW - timedelta(days=1), NOW)
# With one person in each crew: what people book, they book one by one.
SMALL = replace(VISTULA, crews=tuple(replace(crew, members=crew.members[:1]) for crew in VISTULA.crews))


def test_a_delivery_covers_the_orders_until_the_next_one_in_whole_packages():
    for delivery in deliveries(VISTULA, WINDOW):
        quantity = quantity_of(VISTULA, delivery)
        assert quantity % delivery.material.package == 0
    total = {d.material.code: quantity_of(VISTULA, d) for d in deliveries(VISTULA, WINDOW)}
    assert total["CAP-26"] > 0
    assert "WATER" not in total


@pytest.fixture
def supervisor(plant):
    create_people(VISTULA, plant, reset_passwords=False)
    return User.objects.get(username="supervisor")


def booked(supervisor: User, refused: set[str] | None = None, most: int = 1000) -> int:
    """Book the day."""
    return book(SMALL, WINDOW, actor=supervisor, now=NOW, refused=set() if refused is None else refused, most=most)


def count_and_go_on(order: WorkOrder, pieces: int) -> None:
    """Let the constraint's counter of an order's line say so many pieces, and a state follow the order."""
    run = order.runs.get()
    machine = Machine.objects.get(line=order.line, is_constraint=True)
    tag = CountTag.objects.get(machine=machine, tag_path__endswith="/good", mode="delta")
    at = run.started_at + timedelta(hours=1)
    record_readings([NewReading(tag.pk, machine.pk, False, at, pieces)], recorded_at=NOW)
    go_on(order)


def go_on(order: WorkOrder) -> None:
    """Let a state follow an order on its line."""
    machine = Machine.objects.get(line=order.line, is_constraint=True)
    reason = StateReason.objects.get(code="CLEAN-CIP")
    ended_at = order.runs.get().ended_at
    assert ended_at is not None
    record_states([NewState(machine.pk, ended_at, reason.pk)], recorded_at=NOW)


def test_hours_follow_the_shifts_and_are_booked_once(supervisor):
    assert booked(supervisor) > 0
    there = Attendance.objects.count()
    assert there > 0
    entries = LaborEntry.objects.select_related("work_order__line", "employee__crew")
    on_orders = [entry for entry in entries if entry.kind in LaborEntry.ON_ORDERS]
    assert on_orders
    assert all(entry.employee.crew.code.startswith(entry.work_order.line.code) for entry in on_orders)
    assert {entry.kind for entry in entries} == {"direct", "setup", "meeting", "break", "indirect"}
    ended = [entry for entry in entries if entry.ended_at]
    assert ended
    assert Attendance.objects.filter(ended_at__isnull=True).count() <= 2
    booked(supervisor)
    assert (Attendance.objects.count(), LaborEntry.objects.count()) == (there, len(entries))


def test_an_order_whose_lot_is_in_stock_is_closed_after_a_while(supervisor):
    booked(supervisor)
    first = WorkOrder.objects.filter(status="completed", line__code="GLASS").order_by("planned_end_at").first()
    for order in WorkOrder.objects.filter(status="completed", planned_end_at__lte=first.planned_end_at):
        count_and_go_on(order, 5000) if order == first else go_on(order)
    booked(supervisor)
    assert WorkOrder.objects.get(pk=first.pk).status == WorkOrder.Status.CLOSED
    closed_at = first.status_changes.get(to_status="closed").changed_at
    assert closed_at == first.runs.get().ended_at + CLOSED_AFTER
    # What is not in stock, or ended just now, waits.
    assert WorkOrder.objects.filter(status="closed").count() == 1
    assert booked(supervisor) == 0


def test_an_order_is_booked_when_its_machines_have_reported_and_its_lot_tells_where_it_came_from(supervisor):
    booked(supervisor)
    assert not MaterialTransaction.objects.filter(kind=Kind.PRODUCE).exists()
    # Of the whole plant, the earliest order goes first.
    ended = WorkOrder.objects.filter(status="completed").order_by("planned_end_at")
    glass = ended.filter(line__code="GLASS").first()
    for order in ended.filter(planned_end_at__lte=glass.planned_end_at):
        if order == glass:
            count_and_go_on(order, 5000)
        else:
            go_on(order)
    booked(supervisor)
    lot = MaterialLot.objects.get(number=glass.order_number)
    assert lot.stock.get().quantity == 5000
    used = {f.product.code: f.quantity for f in MaterialTransaction.objects.filter(work_order=glass, kind=Kind.CONSUME)}
    for code, per_thousand, _ in VISTULA.product(glass.product.code).bill:
        assert used[code] == per_thousand * 5
    assert GenealogyLink.objects.filter(output_lot=lot).count() == len(used) - 1  # water has no lots
    facts = MaterialTransaction.objects.count()
    booked(supervisor)
    assert MaterialTransaction.objects.count() == facts


def test_an_order_without_materials_or_counts_is_left_alone_and_stands_in_nobodys_way(supervisor, caplog):
    booked(supervisor)
    first, second = WorkOrder.objects.filter(status="completed", line__code="GLASS").order_by("planned_end_at")[:2]
    OrderMaterial.objects.filter(work_order=first).delete()
    for order in WorkOrder.objects.filter(status="completed", planned_end_at__lte=second.planned_end_at):
        count_and_go_on(order, 5000) if order in (first, second) else go_on(order)
    booked(supervisor)
    assert MaterialLot.objects.get(work_order__isnull=False).number == second.order_number
    assert booked(supervisor) == 0
    assert not caplog.records


def test_what_is_refused_is_said_once_and_not_tried_again(supervisor, caplog):
    ill = Employee.objects.filter(crew__code__startswith="GLASS").order_by("code").first()
    Absence.objects.create(employee=ill, first_date=WINDOW.start.date(), last_date=WINDOW.end.date())
    refused = set()
    booked(supervisor, refused)
    said = [record.getMessage() for record in caplog.records]
    assert any("is absent that day" in one for one in said)
    assert all(ill.code in one for one in said)
    assert len(refused) == len(said)
    booked(supervisor, refused)
    assert len(caplog.records) == len(said)
    assert not Attendance.objects.filter(employee=ill).exists()


def test_days_that_are_over_are_booked_whole_the_newest_first(supervisor):
    days = Interval(day_window(VISTULA, NOW.date() - timedelta(days=1)).start, NOW)
    for _ in range(2):
        assert book(SMALL, days, actor=supervisor, now=NOW, refused=set(), most=1) == 1
    there = Attendance.objects.all()
    assert there.count() == 5
    assert not there.filter(ended_at__isnull=True).exists()
    assert LaborEntry.objects.filter(kind="direct").exists()
    # What follows is of the day that goes on.
    book(SMALL, days, actor=supervisor, now=NOW, refused=set(), most=1)
    assert there.filter(ended_at__isnull=True, started_at__gte=NOW - timedelta(days=1)).count() == 1


def test_beside_the_orders_every_room_has_something_once(supervisor, caplog):
    booked(supervisor)
    for order in WorkOrder.objects.filter(status="completed"):
        count_and_go_on(order, 5000) if order.line.code == "GLASS" else go_on(order)
    booked(supervisor)
    assert fill(VISTULA, now=NOW) == 6
    kinds = (AndonCall, MaintenanceOrder, ToolMounting, Changeover, Container, Label, BatchRecord)
    made = [kind.objects.count() for kind in kinds]
    assert all(made)
    assert fill(VISTULA, now=NOW) == 0
    assert [kind.objects.count() for kind in kinds] == made
    assert not caplog.records
