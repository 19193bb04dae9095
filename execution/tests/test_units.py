"""Serial units report the operations of their order: good where they came through, scrap where they were lost."""

from datetime import timedelta
from uuid import uuid4

import pytest

from execution.models import ProductionReport, ScrapReason
from execution.selectors import progress_of
from execution.tests.floor import AT, NOW, make_order
from tests.factories import make_user
from tracking import creating, services
from tracking.services import By
from workorders.models import WorkOrder

pytestmark = pytest.mark.django_db


def by(reason="", minutes=0):
    return By(make_user("quality"), AT + timedelta(minutes=minutes), str(uuid4()), reason)


def make_units(order, *serials):
    return creating.create_units(serials=serials, order=order, actor=make_user(), at=AT)


def complete(unit, *stages, minutes=0):
    for number, stage in enumerate(stages):
        services.complete_stage(unit=unit, stage=stage, by=by(minutes=minutes + number))


def made(order):
    order = WorkOrder.objects.select_related("product__unit", "unit", "line__area").get(pk=order.pk)
    progress = progress_of([order], now=NOW)[order.pk]
    operations = {one.operation.code: (one.made.good, one.made.scrap) for one in progress.operations}
    return operations, (progress.made.good, progress.made.scrap)


def test_unit_that_came_through_is_a_good_piece_of_its_operation_and_begins_it():
    order = make_order("SORT", "WELD", quantity=2)
    first, second = make_units(order, "1", "2")
    complete(first, "SORT", "WELD", minutes=1)
    complete(second, "SORT", minutes=5)
    assert made(order) == ({"SORT": (2, 0), "WELD": (1, 0)}, (1, 0))
    operation = order.operations.get(code="SORT")
    assert (operation.status, operation.actual_start_at) == ("in_progress", AT + timedelta(minutes=1))
    assert WorkOrder.objects.get(pk=order.pk).status == "in_progress"
    report = ProductionReport.objects.get(operation=operation, occurred_at=AT + timedelta(minutes=5))
    assert (report.good, report.note) == (1, "Unit 2.")


def test_reworked_unit_is_one_good_piece_of_an_operation():
    order = make_order("SORT", quantity=1)
    (unit,) = make_units(order, "1")
    complete(unit, "SORT")
    services.send_to_rework(unit=unit, to_stage="SORT", by=by("Again", 1))
    complete(unit, "SORT", minutes=2)
    assert made(order) == ({"SORT": (1, 0)}, (1, 0))


def test_scrapped_unit_is_scrap_where_it_was_due_and_needs_no_reason_of_the_list():
    ScrapReason.objects.create(code="SCRATCH", name="Scratched")
    order = make_order("SORT", "WELD", quantity=1)
    (unit,) = make_units(order, "1")
    complete(unit, "SORT")
    services.scrap(unit=unit, by=by("Dropped", 3))
    assert made(order) == ({"SORT": (1, 0), "WELD": (0, 1)}, (0, 1))
    assert ProductionReport.objects.get(scrap=1).note == "Unit 1. Dropped"


@pytest.mark.parametrize("reworked_to", ["", "SORT", "WELD"])
def test_finished_unit_that_is_scrapped_is_no_good_piece_of_the_order_any_more(reworked_to):
    order = make_order("SORT", "WELD", quantity=1)
    (unit,) = make_units(order, "1")
    complete(unit, "SORT", "WELD")
    if reworked_to:
        services.send_to_rework(unit=unit, to_stage=reworked_to, by=by("Again", 5))
    services.scrap(unit=unit, by=by("Cracked", 6))
    assert made(order) == ({"SORT": (1, 0), "WELD": (0, 1)}, (0, 1))


def test_what_a_machine_counts_is_not_reported_by_units():
    order = make_order("SORT", source="machine", quantity=2)
    first, second = make_units(order, "1", "2")
    complete(first, "SORT")
    services.scrap(unit=second, by=by("Dropped", 1))
    assert not ProductionReport.objects.exists()


def test_of_what_machine_and_people_count_units_report_the_scrap():
    order = make_order("SORT", source="both", quantity=2)
    first, second = make_units(order, "1", "2")
    complete(first, "SORT")
    services.scrap(unit=second, by=by("Dropped", 1))
    assert [(row.good, row.scrap) for row in ProductionReport.objects.all()] == [(0, 1)]


@pytest.mark.parametrize("status", ["closed", "cancelled"])
def test_unit_of_an_order_that_is_over_is_scrapped_and_the_orders_work_stays(status):
    order = make_order("SORT", quantity=1)
    (unit,) = make_units(order, "1")
    complete(unit, "SORT")
    WorkOrder.objects.filter(pk=order.pk).update(status=status)
    services.scrap(unit=unit, by=by("Cracked", 6))
    unit.refresh_from_db()
    assert unit.status == "scrapped"
    assert [(row.good, row.scrap) for row in ProductionReport.objects.all()] == [(1, 0)]
