"""What is due, and the gates in the services: orders, operations, lots."""

from decimal import Decimal

import pytest

from core import master_data
from core.errors import Conflict, Invalid
from core.intervals import Interval
from counts.services import NewReading, record_readings
from downtime.services import NewState, record_states
from execution.services import finish_operation, start_operation
from execution.taking import Taken
from quality.figures import certificate, inspected_in, pareto
from quality.gates import Step, gate, require
from quality.nonconformances import (
    About,
    change_nonconformance,
    raise_nonconformance,
    record_defect,
)
from quality.selectors import due, due_at
from quality.services import decide_inspection
from quality.tests.bench import AT, Bench, minutes
from tests.factories import (
    make_count_tag,
    make_defect_code,
    make_line,
    make_location,
    make_lot,
    make_machine,
    make_plan,
    make_product,
    make_reason,
)
from workorders.models import WorkOrder
from workorders.services import start_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def bench():
    return Bench()


def since(bench, order, at):
    return [(one.plan.code, one.since) for one in due(work_order=order, now=minutes(at))]


def test_each_order_is_due_once_from_its_run(bench):
    plan = make_plan(rules=[{"kind": "each", "overdue_minutes": 30}])
    order = bench.order()
    assert since(bench, order, 5) == []
    bench.run(order)
    (one,) = due_at([bench.site], now=minutes(29))
    assert (one.since, one.overdue_at, one.is_overdue) == (AT, minutes(30), False)
    assert due(machine=bench.machine, now=minutes(30))[0].is_overdue
    bench.begin(plan, 40, work_order=order)
    assert since(bench, order, 60) == []


def test_every_so_many_minutes_counts_from_the_last_inspection(bench):
    plan = make_plan(rules=[{"kind": "every_minutes", "every": 60}])
    order = bench.order()
    bench.run(order)
    assert since(bench, order, 59) == []
    assert since(bench, order, 60) == [(plan.code, minutes(60))]
    bench.inspect(plan, 10, at=65, work_order=order)
    assert since(bench, order, 124) == []
    assert since(bench, order, 125) == [(plan.code, minutes(125))]


def test_every_so_many_pieces_is_due_with_the_piece_that_completes_them(bench):
    plan = make_plan(rules=[{"kind": "every_pieces", "every": 100}])
    order = bench.order()
    bench.run(order)
    tag = make_count_tag(machine=bench.machine)
    made = [NewReading(tag.pk, bench.machine.pk, False, minutes(place), 40, "test") for place in (1, 2, 3, 4)]
    record_readings(list(reversed(made)), recorded_at=minutes(9))
    assert since(bench, order, 3) == []
    assert since(bench, order, 10) == [(plan.code, minutes(3))]
    bench.inspect(plan, 10, at=3.5, work_order=order)
    assert since(bench, order, 10) == []


def test_after_a_changeover_and_after_a_long_stop(bench):
    first = make_plan(kind="first_piece", rules=[{"kind": "after_changeover"}])
    stop = make_plan(rules=[{"kind": "after_stop", "every": 10}])
    bench.run(bench.order(), -60, -30)
    same = bench.order()
    bench.run(same, -20, -10)
    other = make_product()
    order = bench.order()
    WorkOrder.objects.filter(pk=order.pk).update(product=other)
    order.refresh_from_db()
    assert since(bench, same, -9) == []
    bench.run(order)
    assert since(bench, order, 1) == [(first.code, AT)]
    running, jam = make_reason("running"), make_reason("unplanned")
    states = ((0, running), (5, jam), (10, running), (20, jam), (31, running))
    record_states(
        [NewState(bench.machine.pk, minutes(at), reason.pk, "", "t") for at, reason in states], recorded_at=minutes(40)
    )
    assert (stop.code, minutes(31)) in since(bench, order, 40)


def test_first_piece_blocks_the_series_until_it_is_released(bench):
    plan = make_plan(kind="first_piece", rules=[{"kind": "after_changeover"}], operation_code="TURN")
    order = bench.order()
    bench.run(order)
    turn = bench.operation(order, "TURN", 10, actual_start_at=AT)
    assert gate(step=Step.START, operation=turn, now=minutes(1)) == []
    with pytest.raises(Conflict, match=f"{plan.name} is due since"):
        require(step=Step.SERIES, operation=turn, now=minutes(1))
    failed = bench.inspect(plan, 12, at=1, work_order=order, operation_code="TURN")
    with pytest.raises(Conflict, match="failed"):
        require(step=Step.SERIES, operation=turn, now=minutes(9))
    turn.refresh_from_db()
    assert turn.inspection_status == "failed"
    bench.inspect(plan, 10, at=10, work_order=order, operation_code="TURN")
    require(step=Step.SERIES, operation=turn, now=minutes(20))
    turn.refresh_from_db()
    assert (turn.inspection_status, failed.status) == ("passed", "failed")


def test_next_operation_waits_for_the_one_before(bench):
    plan = make_plan(operation_code="A")
    order = bench.order()
    one, two = bench.operation(order, "A", 10), bench.operation(order, "B", 20)
    assert gate(step=Step.START, operation=one, now=AT) == []
    assert [reason.kind for reason in gate(step=Step.START, operation=two, now=AT)] == ["due"]
    bench.begin(plan, 1, work_order=order, operation_code="A")
    assert [reason.kind for reason in gate(step=Step.FINISH, operation=one, now=minutes(2))] == ["open"]


def test_plan_that_does_not_block_is_due_but_stops_nobody(bench):
    make_plan(operation_code="A", blocks=False)
    order = bench.order()
    bench.run(order)
    one = bench.operation(order, "A", 10, actual_start_at=AT)
    assert due(operation=one, now=minutes(1))
    assert gate(step=Step.FINISH, operation=one, now=minutes(1)) == []


def test_order_is_not_completed_past_its_final_inspection(bench):
    plan = make_plan(kind="final")
    order = bench.order(status="in_progress", under_tolerance=Decimal(1))
    bench.run(order, 0, 1)

    def complete():
        order.refresh_from_db()
        order.status = "completed"
        return master_data.save(order)

    with pytest.raises(Conflict, match=f"{plan.name} is due"):
        complete()
    bench.inspect(plan, 10, work_order=order)
    assert complete().status == "completed"


def test_contained_order_does_not_run(bench):
    order = bench.order(status="released")
    ncr, _ = raise_nonconformance(
        site=bench.site, title="Cracks", said=About(work_order=order), actor=bench.ewa, raised_at=AT
    )
    with pytest.raises(Conflict, match="NCR-000001 blocks it: Cracks"):
        start_run(line=bench.line, work_order=order, started_at=minutes(1))
    change_nonconformance(nonconformance=ncr, is_contained=False, actor=bench.ewa, at=minutes(2))
    start_run(line=bench.line, work_order=order, started_at=minutes(3))


def test_gate_of_an_operation_costs_the_same_after_many_others(bench, django_assert_max_num_queries):
    order = bench.order(status="in_progress")
    for number in range(1, 9):
        make_plan(code=f"P{number}", operation_code=f"OP{number}")
        last = bench.operation(order, f"OP{number}", number, machine=bench.machine, actual_start_at=AT)
    with django_assert_max_num_queries(12):
        assert len(gate(step=Step.START, operation=last, now=minutes(1))) == 7


# --- figures ---


def test_pareto_adds_up_and_a_retry_counts_once(bench):
    scratch, dent = make_defect_code(code="SCRATCH"), make_defect_code(code="DENT")
    for number, (code, quantity) in enumerate(((scratch, 6), (dent, 1), (scratch, 2), (dent, 1), (scratch, 2))):
        for _ in range(2):
            record_defect(
                code=code,
                site=bench.site,
                said=About(machine=bench.machine),
                quantity=quantity,
                actor=bench.olek,
                detected_at=minutes(number),
                recorded_at=minutes(9),
                idempotency_key=f"d{number}",
            )
    bars = pareto([bench.site], Interval(AT, minutes(4)))
    assert [(bar.key, bar.quantity, bar.cumulative) for bar in bars] == [
        ("SCRATCH", 8, 8 / Decimal(10)),
        ("DENT", 2, 1),
    ]
    with pytest.raises(Invalid):
        record_defect(
            code=dent,
            site=bench.site,
            said=About(machine=make_machine()),
            actor=bench.olek,
            detected_at=AT,
            recorded_at=AT,
        )


def test_yield_of_inspections_counts_units_not_results(bench):
    plan = make_plan()
    bench.inspect(plan, 10, 12, 10, 10, machine=bench.machine)
    found = inspected_in([bench.machine.pk], Interval(AT, minutes(6)))
    assert (found.units, found.nonconforming) == (4, 1)
    assert inspected_in([bench.machine.pk], Interval(AT, minutes(5))).units == 0


def test_certificate_says_what_the_last_inspections_of_a_lot_found(bench):
    lot = make_lot(10, location=make_location(site=bench.site), at=AT, status="quarantine")
    assert certificate(lot, now=AT).passed is None
    plan = make_plan(kind="incoming")
    failed = bench.inspect(plan, 12, 10, lot=lot)
    assert certificate(lot, now=AT).passed is False
    decide_inspection(inspection=failed, result="conditional_pass", reason="ok", actor=bench.ewa, decided_at=minutes(9))
    found = certificate(lot, now=AT)
    assert (found.passed, found.lines[0].mean, found.lines[0].is_good) == (True, 11, False)


def test_due_list_costs_the_same_for_many_orders(bench, django_assert_max_num_queries):
    make_plan()
    for _ in range(5):
        line = make_line(area=bench.line.area)
        order = bench.order()
        WorkOrder.objects.filter(pk=order.pk).update(line=line)
        order.refresh_from_db()
        from tests.factories import make_run

        make_run(line=line, work_order=order, started_at=AT)
    with django_assert_max_num_queries(8):
        assert len(due_at([bench.site], now=minutes(1))) == 5


def test_work_on_the_floor_asks_the_gate(bench):
    plan = make_plan(operation_code="TURN")
    order = bench.order(status="released")
    turn = bench.operation(order, "TURN", 10, machine=bench.machine)

    def taken(at):
        return Taken(at=minutes(at), recorded_at=minutes(at), actor=bench.olek)

    ncr, _ = raise_nonconformance(
        site=bench.site, title="Cracks", said=About(work_order=order), actor=bench.ewa, raised_at=AT
    )
    with pytest.raises(Conflict, match="NCR-000001 blocks it"):
        start_operation(operation=turn, taken=taken(1))
    change_nonconformance(nonconformance=ncr, is_contained=False, actor=bench.ewa, at=minutes(2))
    start_operation(operation=turn, taken=taken(3))
    with pytest.raises(Conflict, match=f"{plan.name} is due"):
        finish_operation(operation=turn, taken=taken(4))
    bench.inspect(plan, 10, at=5, work_order=order, operation_code="TURN")
    finish_operation(operation=turn, taken=taken(20))
    turn.refresh_from_db()
    assert (turn.status, turn.inspection_status) == ("completed", "passed")
