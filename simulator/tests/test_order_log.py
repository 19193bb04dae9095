"""A work log becomes orders, steps, spans, quantities and labour by stated rules; made-up files, one rule each."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from core.errors import Conflict, Invalid
from core.master_data import save
from execution.models import OperationRun, OperationStep, ProductionReport
from execution.selectors import machine_time_of, progress_of_operations
from labor.models import Attendance, LaborEntry
from labor.services import record_attendance, record_labor
from tests.factories import make_employee, make_line, make_machine, make_product, make_user, make_work_order
from workorders.models import Operation, WorkOrder
from workorders.selectors import made
from workorders.services import add_operation, release_order

pytestmark = pytest.mark.django_db
HEAD = "Case ID,Activity,Resource,Start Timestamp,Complete Timestamp,Work Order  Qty,Part Desc.,Worker ID,Report Type,Qty Completed,Qty Rejected,Qty for MRB,Rework"
DAY = datetime(2012, 1, 30, tzinfo=UTC)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def at(clock):
    hours, minutes = clock.split(":")
    return DAY + timedelta(hours=int(hours), minutes=int(minutes))


def row(start, end, *, case="Case 1", step="Turn", machine="Lathe 1", qty=10, part="Cable Head", worker="ID1", kind="D",
        good=0, rejected=0, mrb=0, rework=""):  # fmt: skip
    stamps = (f"2012/01/30 {clock}:00.000" for clock in (start, end))
    return ",".join(map(str, (case, step, machine, *stamps, qty, part, worker, kind, good, rejected, mrb, rework)))


@pytest.fixture
def load(tmp_path):
    """Import rows into the line SHOP, and return what the command said."""

    def do(*rows, line="SHOP", create=True, **options):
        path = tmp_path / "log.csv"
        path.write_text("\n".join((HEAD, *rows)) + "\n", encoding="utf-8")
        said = StringIO()
        options = {"reconcile": True, **options}
        call_command(
            "import_work_log", path, mapping="job-shop-work-log", line=line, create=create, stdout=said, **options
        )
        return said.getvalue()

    make_line(code="SHOP")
    return do


def spans(**of):
    return list(OperationRun.objects.filter(**of).order_by("started_at").values_list("kind", "started_at", "ended_at"))


def stored():
    return [
        kind.objects.count()
        for kind in (WorkOrder, Operation, OperationRun, OperationStep, ProductionReport, LaborEntry, Attendance)
    ]


def test_rows_become_an_order_with_its_steps_spans_quantities_and_labour(load):
    said = load(
        row("08:00", "08:30", kind="S"),
        row("08:30", "10:00", good=6, rejected=1),
        row("10:00", "11:00", step="Check", machine="Bench", worker="ID2", good=6, mrb=2),
    )
    assert "differences: 0" in said
    order = WorkOrder.objects.get(order_number="Case 1")
    assert (order.status, order.target_quantity, order.product.name) == ("in_progress", 10, "Cable Head")
    turn, check = order.operations.order_by("sequence")
    assert [(one.sequence, one.code, one.name, one.machine.name) for one in (turn, check)] == [
        (10, "TURN", "Turn", "Lathe 1"),
        (20, "CHECK", "Check", "Bench"),
    ]
    assert (turn.status, turn.actual_start_at) == ("in_progress", at("08:00"))
    assert spans(operation=turn) == [
        ("setup", at("08:00"), at("08:30")),
        ("production", at("08:30"), at("10:00")),
    ]
    reports = ProductionReport.objects.order_by("occurred_at", "id")
    assert [(one.good, one.scrap, one.scrap_reason and one.scrap_reason.code) for one in reports] == [
        (6, 1, "REJECTED"),
        (6, 2, "MRB"),
    ]
    assert [entry.kind for entry in LaborEntry.objects.order_by("started_at")] == ["setup", "direct", "direct"]
    assert [(one.started_at, one.ended_at) for one in Attendance.objects.order_by("started_at")] == [
        (at("08:00"), at("10:00")),
        (at("10:00"), at("11:00")),
    ]
    assert (made(order, now=NOW).good, made(order, now=NOW).scrap) == (6, 3)


def test_importing_again_changes_nothing_and_a_longer_file_adds_only_its_new_rows(load):
    rows = [row("08:00", "09:00", good=3, rejected=1, mrb=1), row("09:00", "09:30", kind="B"), row("09:30", "10:00")]
    load(*rows)
    before = stored()
    said = load(*rows)
    assert "new 0, known 3, refused 0" in said
    assert stored() == before
    said = load(*rows, row("10:00", "11:00", good=2))
    assert "new 1, known 3, refused 0" in said
    assert "differences: 0" in said
    # The day of the longer file is another one than what is stored.
    assert "another attendance" in said


def test_rows_that_repeat_another_are_left_out_and_counted(load):
    said = load(row("08:00", "09:00", good=3), row("08:00", "09:00", good=3))
    assert "1 rows repeat another (line 3)" in said
    assert ProductionReport.objects.get().good == 3


def test_row_without_a_length_keeps_its_quantity_without_a_span(load):
    said = load(row("08:00", "08:00", good=3), row("09:00", "09:00"))
    assert "line 2: No length" in said
    assert "line 3: No length and no quantity" in said
    assert "differences: 0" in said
    assert not OperationRun.objects.exists()
    assert not LaborEntry.objects.exists()
    assert (ProductionReport.objects.get().good, Operation.objects.get().status) == (3, "in_progress")


def test_rows_of_the_same_work_that_overlap_are_one_span_and_their_quantities_add_up(load):
    said = load(row("08:00", "09:00", good=3), row("08:30", "10:00", good=4), row("08:00", "09:00", good=1, rejected=1))
    assert "3 rows overlap others of the same work and are 1 spans" in said
    assert spans() == [("production", at("08:00"), at("10:00"))]
    assert sum(one.good for one in ProductionReport.objects.all()) == 8
    assert "differences: 0" in said


def test_set_up_that_overlaps_production_of_the_same_work_takes_the_rest(load):
    assert "differences: 0" in load(
        row("08:00", "12:00", kind="S"), row("09:00", "10:00", good=1), row("13:00", "13:30", kind="S"),
        row("12:50", "14:00", good=2),
    )  # fmt: skip
    assert spans() == [
        ("setup", at("08:00"), at("09:00")),
        ("production", at("09:00"), at("10:00")),
        ("setup", at("10:00"), at("12:00")),
        ("production", at("12:50"), at("14:00")),
    ]


def test_pool_has_a_span_for_each_worker_and_its_time_is_apportioned(load):
    assert "differences: 0" in load(
        row("08:00", "10:00", machine="Packing", worker="ID1"),
        row("08:00", "10:00", machine="Packing", worker="ID2"),
        row("09:00", "10:00", machine="Packing", worker="ID3", case="Case 2"),
    )
    runs = list(OperationRun.objects.all())
    assert len(runs) == 3
    one, two = Operation.objects.order_by("work_order__order_number")
    # From nine to ten two orders share the place, however many people stand there.
    assert machine_time_of(runs, now=NOW) == {one.pk: Fraction(5400), two.pk: Fraction(1800)}


def test_breakdown_is_a_pause_with_its_reason_and_no_span(load):
    assert "differences: 0" in load(row("08:00", "09:00", good=1), row("09:00", "09:40", kind="B"))
    assert spans() == [("production", at("08:00"), at("09:00"))]
    steps = OperationStep.objects.filter(action__in=("pause", "resume")).order_by("occurred_at")
    assert [(one.action, one.occurred_at, one.reason) for one in steps] == [
        ("pause", at("09:00"), "Breakdown (Lathe 1)"),
        ("resume", at("09:40"), "Breakdown (Lathe 1)"),
    ]
    assert LaborEntry.objects.get(kind="maintenance").ended_at == at("09:40")


def test_pieces_of_a_row_of_rework_are_reworked_not_made_again(load):
    assert "differences: 0" in load(row("08:00", "09:00", good=5), row("09:00", "10:00", good=2, rework="Y"))
    operation = Operation.objects.select_related("work_order__product__unit").get()
    found = progress_of_operations([operation], now=NOW)[operation.pk].made
    assert (found.good, found.rework) == (5, 2)


def test_more_than_the_order_asks_for_is_kept_and_said(load):
    said = load(row("08:00", "09:00", good=12))
    assert "made more than their order asks for: 1" in said
    assert ProductionReport.objects.get().good == 12


def test_rows_that_do_not_fit_are_refused_with_their_line_and_the_rest_is_imported(load):
    said = load(
        row("08:00", "09:00", good=1),
        row("10:00", "09:00"),
        row("08:00", "09:00", kind="X"),
        row("25:00", "26:00"),
        row("08:00", "09:00", good=-1),
        row("08:00", "09:00", good="many"),
        row("09:00", "10:00", part="Bolt"),
        row("08:00", "09:00", case="Case 2", qty=0),
        row("08:00", "09:00", step=" "),
        row("11:00", "12:00", good="1e13"),
    )
    for line, why in (
        (3, "Ends before it starts"), (4, "kind of work 'X'"), (5, "does not match format"), (6, "'-1' is no quantity"),
        (7, "A number is not one"), (8, "Case 1 makes Cable Head (line 2), not Bolt"), (9, "not greater than zero"),
        (10, "Names no step"), (11, "is no quantity"),
    ):  # fmt: skip
        assert any(f"refused: line {line}: " in one and why in one for one in said.splitlines()), (line, why)
    assert OperationRun.objects.count() == 1
    assert "differences: 0" in said


def test_orders_that_are_over_or_another_products_refuse_their_rows(load):
    load(row("08:00", "09:00", good=1))
    WorkOrder.objects.update(status="closed")
    make_work_order(order_number="Case 2", line=make_line(), product=make_product())
    said = load(row("10:00", "11:00", good=1), row("10:00", "11:00", case="Case 2", good=1))
    assert "refused: line 2: Order Case 1 is closed" in said
    assert "refused: line 3: There is an order Case 2 already" in said
    assert "differences: 0" not in said


def test_what_the_plant_lacks_is_listed_and_nothing_is_written(load):
    with pytest.raises(CommandError, match=r"machine LATHE-1(.|\n)*product CABLE-HEAD(.|\n)*employee ID1"):
        load(row("08:00", "09:00"), create=False)
    assert not WorkOrder.objects.exists()
    with pytest.raises(CommandError, match="no line 'NONE'"):
        load(row("08:00", "09:00"), line="NONE")
    with pytest.raises(CommandError, match="no user 'nobody'"):
        load(row("08:00", "09:00"), user="nobody")


def test_differences_are_found_and_counted(load):
    load(row("08:00", "09:00", good=1), row("09:00", "10:00", good=1))
    entry = LaborEntry.objects.first()
    entry.delete()
    said = load(row("08:00", "09:00", good=1), row("09:00", "10:00", good=1), only_reconcile=True)
    assert "1≠2" in said
    assert "differences: 3" in said


# --- the services that it needs ---


def test_steps_are_added_to_released_orders_only_each_code_and_place_once():
    machine, user = make_machine(), make_user()
    order = make_work_order(line=machine.line)
    with pytest.raises(Conflict, match="not released"):
        add_operation(work_order=order, code="CUT", name="Cut", actor=user)
    order = release_order(work_order=order, at=DAY)
    first = add_operation(work_order=order, code="CUT", name="Cut", actor=user, machine=machine)
    second = add_operation(work_order=order, code="WELD", name="Weld", actor=user)
    assert [(one.sequence, one.planned_quantity, one.counting_source) for one in (first, second)] == [
        (10, order.target_quantity, "operator"),
        (20, order.target_quantity, "operator"),
    ]
    assert second.history.get().history_user == user
    with pytest.raises(Conflict, match="has a step CUT already"):
        add_operation(work_order=order, code="CUT", name="Again", actor=user)
    with pytest.raises(Conflict, match="another step at 20"):
        add_operation(work_order=order, code="X", name="X", actor=user, sequence=20)
    with pytest.raises(Invalid, match="another site"):
        add_operation(work_order=order, code="X", name="X", actor=user, machine=make_machine())
    WorkOrder.objects.update(status="completed")
    with pytest.raises(Conflict, match="nothing more is done"):
        add_operation(work_order=order, code="X", name="X", actor=user)


def test_added_steps_outlive_a_change_of_the_orders_quantity():
    order = release_order(work_order=make_work_order(line=make_line()), at=DAY)
    add_operation(work_order=order, code="CUT", name="Cut", actor=make_user())
    order.refresh_from_db()
    order.target_quantity = Decimal(77)
    save(order)
    assert order.operations.get().code == "CUT"


def test_labour_of_the_past_is_written_whole_once_by_its_key():
    employee, user = make_employee(), make_user()
    said = {
        "employee": employee, "kind": "indirect", "started_at": at("08:00"), "ended_at": at("09:00"), "actor": user,
        "recorded_at": NOW,
    }  # fmt: skip
    entry, is_new = record_labor(**said, idempotency_key="k")
    assert (is_new, entry.ended_at) == (True, at("09:00"))
    assert record_labor(**said, idempotency_key="k") == (entry, False)
    with pytest.raises(Conflict, match="another request"):
        record_labor(**{**said, "kind": "training"}, idempotency_key="k")
    # Nobody is clocked in by it, and it may overlap.
    assert record_labor(**{**said, "kind": "training"})[1]
    assert not Attendance.objects.exists()
    for wrong in ({"ended_at": at("08:00")}, {"recorded_at": at("08:30")}):
        with pytest.raises(Invalid):
            record_labor(**{**said, **wrong})


def test_attendance_of_the_past_is_written_once_and_never_twice_at_once():
    said = {"employee": make_employee(), "actor": make_user(), "recorded_at": NOW}
    day, is_new = record_attendance(started_at=at("08:00"), ended_at=at("16:00"), **said)
    assert is_new
    assert record_attendance(started_at=at("08:00"), ended_at=at("16:00"), **said) == (day, False)
    with pytest.raises(Conflict, match="another attendance"):
        record_attendance(started_at=at("15:00"), ended_at=at("17:00"), **said)
    assert record_attendance(started_at=at("16:00"), ended_at=at("17:00"), **said)[1]
