"""What operations and orders have made: by people, by machines, by both; in any order of facts; never twice."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict, Invalid
from core.intervals import Interval
from execution.apportion import Work, machine_time, shares_of
from execution.models import OperationRun, ScrapReason
from execution.reporting import reverse_report
from execution.selectors import machine_time_of, person_time_of, progress_of, progress_of_operations
from execution.services import finish_operation, pause_operation, record_operation_run, start_operation
from execution.taking import Quantities
from execution.tests.floor import AT, NOW, count, made, make_floor, make_order, minutes, report, stored, taken
from live.selectors import line_statuses
from materials.services import produce
from products.models import ProductUnit
from tests.factories import (
    make_count_tag,
    make_employee,
    make_location,
    make_machine,
    make_product,
    make_unit,
    make_user,
)
from workorders.life import Quantities as Confirmed
from workorders.life import confirm
from workorders.models import WorkOrder
from workorders.selectors import has_begun
from workorders.selectors import made as made_by_order

pytestmark = pytest.mark.django_db


def order_good(order, now=NOW):
    stored_order = WorkOrder.objects.select_related("product__unit", "unit", "line").get(pk=order.pk)
    return progress_of([stored_order], now=now)[order.pk].made.good


def test_people_report_good_and_scrap_with_a_reason_in_one_action():
    floor = make_floor("CUT")
    crack = ScrapReason.objects.create(code="crack", name="Crack")
    start_operation(operation=floor.first, taken=taken(0))
    with pytest.raises(Invalid, match="Say why it was scrapped"):
        report(floor.first, 10, 2)
    report(floor.first, 10, 2, scrap_reason=crack)
    report(floor.first, 5, rework=1)
    assert made(floor.first) == (15, 2, 1)
    assert order_good(floor.order) == 15


def test_nothing_is_reported_of_what_nobody_has_begun_or_of_nothing():
    floor = make_floor("CUT")
    with pytest.raises(Conflict, match="Nobody has begun"):
        report(floor.first, 10)
    start_operation(operation=floor.first, taken=taken(0))
    with pytest.raises(Invalid, match="good pieces, scrap or rework"):
        report(floor.first)


def test_two_readings_of_a_hand_counter_give_the_quantity():
    floor = make_floor("CUT")
    start_operation(operation=floor.first, taken=taken(0))
    report(floor.first, scrap=3, counter_start=Decimal(1000), counter_end=Decimal(1050))
    assert made(floor.first) == (47, 3, 0)
    for readings, message in (((5, 4), "not below"), ((5, 6), "more scrap")):
        with pytest.raises(Invalid, match=message):
            report(floor.first, scrap=3, counter_start=Decimal(readings[0]), counter_end=Decimal(readings[1]))


def test_a_report_is_taken_back_once_and_a_retry_reports_once():
    floor = make_floor("CUT")
    start_operation(operation=floor.first, taken=taken(0))
    first = report(floor.first, 10, idempotency_key="r1")
    assert report(floor.first, 10, idempotency_key="r1") == first
    with pytest.raises(Conflict, match="under the key"):
        report(floor.first, 11, idempotency_key="r1")
    reverse_report(report=first, actor=make_user(), recorded_at=NOW, note="Miscounted")
    with pytest.raises(Conflict, match="already"):
        reverse_report(report=first, actor=make_user(), recorded_at=NOW, note="Again")
    assert made(floor.first) == (0, 0, 0)


def test_a_report_in_another_unit_is_exact_in_the_orders():
    product = make_product()
    case = make_unit("case")
    ProductUnit.objects.create(product=product, unit=case, base_quantity=Decimal(12))
    floor = make_floor("CUT", product=product)
    start_operation(operation=floor.first, taken=taken(0))
    report(floor.first, 2, unit=case)
    report(floor.first, 1)
    assert made(floor.first) == (25, 0, 0)
    with pytest.raises(Invalid, match="Nothing says how many"):
        report(floor.first, 2, unit=make_unit("barrel"))


def test_the_machines_counts_within_the_runs_are_what_was_made_and_live_says_the_same():
    machine = make_machine()
    good, reject = make_count_tag(machine=machine), make_count_tag(machine=machine, role="reject")
    floor = make_floor("CUT", machine=machine, source="")
    assert floor.first.counting_source == "machine"
    start_operation(operation=floor.first, taken=taken(10))
    pause_operation(operation=floor.first, taken=taken(100))
    start_operation(operation=floor.first, taken=taken(200))
    count(good, (5, 1000), (10, 3), (70, 4), (99, 5), (100, 2000), (250, 6))
    count(reject, (50, 1), (150, 500))
    assert made(floor.first) == (18, 1, 0)
    count(good, (80, 7))
    assert made(floor.first) == (25, 1, 0)
    assert order_good(floor.order) == 25
    line = machine.line_id
    assert line_statuses([line], now=NOW)[line].order.good == 25
    with pytest.raises(Invalid, match="The machine counts this operation"):
        report(floor.first, 10)


def test_what_people_sort_out_of_the_machines_good_is_taken_out_of_it_in_any_order():
    results = set()
    for machine_first in (True, False):
        machine = make_machine()
        tag = make_count_tag(machine=machine, mode="running")
        floor = make_floor("CUT", machine=machine, source="both")
        start_operation(operation=floor.first, taken=taken(0))
        steps = [lambda t=tag: count(t, (0, 100), (60, 150)), lambda f=floor: report(f.first, scrap=4, rework=1)]
        for step in steps if machine_first else reversed(steps):
            step()
        with pytest.raises(Invalid, match="report scrap and rework"):
            report(floor.first, 1)
        results.add(made(floor.first))
    assert results == {(45, 4, 1)}


def test_a_machine_without_counters_leaves_it_unknown():
    floor = make_floor("CUT", source="machine")
    start_operation(operation=floor.first, taken=taken(0))
    assert made(floor.first)[0] is None
    assert order_good(floor.order) is None


def test_counts_of_parallel_operations_are_shared_by_expected_rate_and_add_up():
    machine = make_machine()
    tag = make_count_tag(machine=machine)
    one = make_floor("CUT", machine=machine, source="machine", run_time_per_unit=Decimal(10))
    two = make_order("CUT", machine=machine, source="machine", run_time_per_unit=Decimal(20)).operations.get()
    start_operation(operation=one.first, taken=taken(0))
    start_operation(operation=two, taken=taken(30))
    finish_operation(operation=one.first, taken=taken(90))
    count(tag, (10, 6), (40, 10), (100, 7))
    assert made(one.first)[0] == 6 + Fraction(20, 3)
    assert made(two)[0] == 7 + Fraction(10, 3)


def test_order_has_made_what_counts_for_it_or_the_last_operation():
    floor = make_floor("CUT", "WELD", overlap_allowed=True)
    for code, good in (("CUT", 30), ("WELD", 20)):
        start_operation(operation=floor.operations[code], taken=taken(0))
        report(floor.operations[code], good)
    assert order_good(floor.order) == 20
    floor.order.operations.filter(code="CUT").update(counts_for_output=True)
    assert order_good(floor.order) == 30


def test_recorded_work_brings_its_pieces_and_more_than_ordered_is_shown():
    floor = make_floor("CUT", quantity=5)
    said = {"started_at": minutes(0), "quantities": Quantities(good=Decimal(7), scrap=Decimal(1))}
    for _ in range(2):
        record_operation_run(
            operation=floor.first, machine=floor.machine, taken=taken(30, idempotency_key="row-1"), **said
        )
    progress = progress_of_operations([stored(floor.first)], now=NOW)[floor.first.pk]
    assert (progress.made.good, progress.made.scrap, progress.beyond, progress.remaining) == (7, 1, 2, 0)
    assert OperationRun.objects.count() == 1


def test_time_of_a_machine_and_of_a_person_is_shared_evenly_and_adds_up():
    machine = make_machine()
    ewa = make_employee(site=machine.line.area.site)
    operations = [make_order("CUT", machine=machine).operations.get() for _ in range(2)]
    record_operation_run(operation=operations[0], machine=machine, started_at=minutes(0), taken=taken(60, employee=ewa))
    record_operation_run(
        operation=operations[1], machine=machine, started_at=minutes(30), taken=taken(90, employee=ewa)
    )
    expected = {operations[0].pk: 2700, operations[1].pk: 2700}
    assert machine_time_of(list(OperationRun.objects.all()), now=NOW) == expected
    assert person_time_of(ewa.pk, Interval(AT, NOW), now=NOW) == expected


_works = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 2), st.integers(0, 40), st.integers(1, 20), st.integers(0, 3)),
    max_size=8,
)


@given(_works)
def test_shares_cover_the_time_that_anything_ran_and_add_up_to_one(rows):
    works = [
        Work(operation, machine, Interval(minutes(start), minutes(start + length)), Fraction(rate) if rate else None)
        for operation, machine, start, length, rate in rows
    ]
    shares = shares_of(works)
    assert all(sum(share.parts.values()) == 1 for share in shares)
    busy = {(work.machine_id, minute) for work in works for minute in range(60) if work.span.covers(minutes(minute))}
    assert sum(share.span.microseconds for share in shares) == len(busy) * 60_000_000
    assert sum(machine_time(works).values()) == len(busy) * 60


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(5)))
def test_any_order_of_facts_ends_in_the_same_numbers(order):
    machine = make_machine()
    tag = make_count_tag(machine=machine)
    floor = make_floor("CUT", machine=machine, source="both")
    facts = [
        lambda: record_operation_run(operation=floor.first, machine=machine, started_at=minutes(0), taken=taken(70)),
        lambda: record_operation_run(operation=floor.first, machine=machine, started_at=minutes(100), taken=taken(130)),
        lambda: count(tag, (30, 20), (99, 1000)),
        lambda: count(tag, (110, 5), (30, 20)),
        lambda: record_operation_run(
            operation=floor.first,
            machine=machine,
            started_at=minutes(140),
            taken=taken(150, idempotency_key=f"k{tag.pk}"),
            quantities=Quantities(scrap=Decimal(2)),
        ),
    ]
    for number in order:
        facts[number]()
    assert made(floor.first) == (23, 2, 0)
    assert stored(floor.first).actual_start_at == minutes(0)


def test_progress_of_many_operations_costs_no_more_queries(django_assert_max_num_queries):
    machine = make_machine()
    tag = make_count_tag(machine=machine)
    for _ in range(6):
        operation = make_order("CUT", machine=machine, source="machine").operations.get()
        start_operation(operation=operation, taken=taken(0))
    count(tag, (10, 6))
    operations = [stored(operation) for operation in type(operation).objects.all()]
    progress_of_operations(operations, now=NOW)
    with django_assert_max_num_queries(16):
        found = progress_of_operations(operations, now=NOW + timedelta(minutes=1))
    assert sum(one.made.good for one in found.values()) == 6


def test_what_an_order_made_is_asked_of_its_operations_before_the_ledger_and_after_what_was_confirmed():
    floor = make_floor("CUT", "WELD", "PACK")
    cut, weld, pack = floor.operations.values()
    assert made_by_order(floor.order, now=NOW).source == ""
    store = make_location(site=floor.machine.line.area.site)
    user = make_user()
    said = {"occurred_at": AT, "recorded_at": NOW, "actor": user, "work_order": floor.order}
    produce(product=floor.order.product, quantity=Decimal(30), to_location=store, **said)
    assert made_by_order(floor.order, now=NOW).source == "ledger"
    for operation, good in ((cut, 9), (weld, 7), (pack, 3)):
        record_operation_run(operation=operation, machine=floor.machine, started_at=minutes(0), taken=taken(5))
        report(operation, good, 1)
    found = made_by_order(floor.order, now=NOW)
    assert (found.good, found.scrap, found.rework, found.source) == (3, 3, 0, "operations")
    type(weld).objects.filter(pk=weld.pk).update(counts_for_output=True)
    assert made_by_order(floor.order, now=NOW).good == 7
    confirm(work_order=floor.order, quantities=Confirmed(good=Decimal(4)), at=NOW, actor=user)
    assert (made_by_order(floor.order, now=NOW).good, made_by_order(floor.order, now=NOW).source) == (
        4,
        "confirmations",
    )


def test_work_on_an_operation_is_work_on_its_order():
    floor = make_floor("CUT", "WELD")
    assert not has_begun(floor.order, now=NOW)
    record_operation_run(operation=floor.first, machine=floor.machine, started_at=minutes(0), taken=taken(10))
    WorkOrder.objects.update(status="released")
    assert has_begun(WorkOrder.objects.get(pk=floor.order.pk), now=NOW)
