"""Steps of operations: what is allowed, what stands against a start, and what happens to the order and its line."""

from datetime import timedelta

import pytest

from core.errors import Conflict, Invalid
from downtime.services import NewState, record_states
from execution.models import ExecutionPolicy, OperationRun, OperationStep
from execution.readiness import machines_for, reasons_against
from execution.services import (
    finish_operation,
    hold_operation,
    pause_operation,
    record_operation_run,
    resume_operation,
    skip_operation,
    start_operation,
    unhold_operation,
)
from execution.tests.floor import AT, NOW, make_floor, make_order, minutes, stored, taken
from labor.models import SkillNeed
from quality.nonconformances import About, raise_nonconformance
from tests.factories import make_employee, make_line, make_lot, make_machine, make_product, make_reason, make_skill
from workorders import placing
from workorders.models import OrderMaterial, Run, WorkOrder
from workorders.services import refuse_work

pytestmark = pytest.mark.django_db


def test_start_pause_resume_finish_leaves_the_spans_and_the_order_in_progress():
    floor = make_floor("CUT", "WELD")
    cut = floor.operations["CUT"]
    start_operation(operation=cut, taken=taken(0))
    pause_operation(operation=cut, taken=taken(30, reason="Lunch"))
    resume_operation(operation=cut, taken=taken(60))
    done = finish_operation(operation=cut, taken=taken(90))
    spans = [(run.started_at, run.ended_at, run.ending) for run in OperationRun.objects.order_by("started_at")]
    assert spans == [(minutes(0), minutes(30), "paused"), (minutes(60), minutes(90), "finished")]
    cut = stored(cut)
    assert (cut.status, cut.actual_start_at, cut.actual_end_at) == ("completed", minutes(0), minutes(90))
    assert cut.work_order.status == "in_progress"
    assert not done.offers_completion


def test_finishing_the_last_operation_offers_completion_and_does_not_complete():
    floor = make_floor("CUT")
    start_operation(operation=floor.first, taken=taken(0))
    assert finish_operation(operation=floor.first, taken=taken(5)).offers_completion
    assert WorkOrder.objects.get().status == "in_progress"


def test_illegal_step_says_what_is_allowed():
    floor = make_floor("CUT")
    with pytest.raises(Conflict, match="can be done: start, skip, hold"):
        finish_operation(operation=floor.first, taken=taken(0))
    start_operation(operation=floor.first, taken=taken(0))
    with pytest.raises(Conflict, match="can be done: start, pause, finish, hold"):
        skip_operation(operation=floor.first, taken=taken(1, reason="x"))
    pause_operation(operation=floor.first, taken=taken(2))
    with pytest.raises(Conflict, match="nobody works on it; what can be done: start, resume, finish, hold"):
        pause_operation(operation=floor.first, taken=taken(3))


def test_a_retry_with_the_same_key_has_one_effect_and_another_step_under_it_is_refused():
    floor = make_floor("CUT")
    first = start_operation(operation=floor.first, taken=taken(0, idempotency_key="k"))
    again = start_operation(operation=floor.first, taken=taken(0, idempotency_key="k"))
    assert (first.is_new, again.is_new, first.step) == (True, False, again.step)
    assert (OperationRun.objects.count(), OperationStep.objects.count()) == (1, 1)
    with pytest.raises(Conflict, match="under the key"):
        pause_operation(operation=floor.first, taken=taken(5, idempotency_key="k"))


def test_the_future_and_an_end_before_the_start_are_refused():
    floor = make_floor("CUT")
    with pytest.raises(Invalid, match="future"):
        start_operation(operation=floor.first, taken=taken(10, now=AT))
    start_operation(operation=floor.first, taken=taken(10))
    with pytest.raises(Invalid, match="ends after that"):
        pause_operation(operation=floor.first, taken=taken(10))


def test_several_people_work_on_one_operation_and_nobody_twice():
    floor = make_floor("CUT")
    ewa, jan = (make_employee(site=floor.machine.line.area.site) for _ in range(2))
    start_operation(operation=floor.first, taken=taken(0, employee=ewa))
    start_operation(operation=floor.first, taken=taken(1, employee=jan))
    with pytest.raises(Conflict, match="already"):
        start_operation(operation=floor.first, taken=taken(2, employee=jan))
    pause_operation(operation=floor.first, taken=taken(3, employee=jan))
    assert list(OperationRun.objects.filter(ended_at=None).values_list("employee", flat=True)) == [ewa.pk]


def test_production_ends_ones_own_set_up():
    floor = make_floor("CUT")
    start_operation(operation=floor.first, taken=taken(0), kind="setup")
    start_operation(operation=floor.first, taken=taken(10))
    assert list(OperationRun.objects.order_by("id").values_list("kind", "ending")) == [
        ("setup", "producing"),
        ("production", ""),
    ]


def test_predecessor_has_to_be_finished_or_skipped_unless_they_may_overlap():
    floor = make_floor("CUT", "WELD")
    weld = floor.operations["WELD"]
    with pytest.raises(Conflict, match=r"10 .* has to be finished first"):
        start_operation(operation=weld, taken=taken(0))
    skip_operation(operation=floor.first, taken=taken(0, reason="Bought in"))
    start_operation(operation=weld, taken=taken(1))
    overlapping = make_floor("CUT", "WELD", overlap_allowed=True)
    assert start_operation(operation=overlapping.operations["WELD"], taken=taken(0)).is_new


def test_what_is_contained_of_an_order_is_a_reason_against_its_operations():
    floor = make_floor("CUT", "WELD")
    weld = floor.operations["WELD"]
    about = About(work_order=floor.order, operation_code="CUT")
    raise_nonconformance(site=floor.order.line.area.site, title="Burrs.", said=about, actor=floor.user, raised_at=AT)
    operations = [stored(floor.first), stored(weld)]
    reasons = reasons_against(operations, now=NOW, machines=machines_for(operations))
    assert [reason.text for reason in reasons[floor.first.pk]] == ["NCR-000001 blocks it: Burrs."]
    assert "quality_hold" not in {reason.code for reason in reasons[weld.pk]}
    # What the list says, the step says, too.
    with pytest.raises(Conflict, match="NCR-000001 blocks it: Burrs"):
        start_operation(operation=floor.first, taken=taken(0))


def test_inspection_of_the_predecessor_has_to_pass():
    floor = make_floor("CUT", "WELD", inspection_required=True)
    start_operation(operation=floor.first, taken=taken(0))
    finish_operation(operation=floor.first, taken=taken(5))
    with pytest.raises(Conflict, match=r"inspection after .* is still to be made"):
        start_operation(operation=floor.operations["WELD"], taken=taken(6))
    floor.order.operations.filter(code="CUT").update(inspection_status="failed")
    with pytest.raises(Conflict, match="failed; ask quality"):
        start_operation(operation=floor.operations["WELD"], taken=taken(6))
    floor.order.operations.filter(code="CUT").update(inspection_status="passed")
    assert start_operation(operation=floor.operations["WELD"], taken=taken(6)).is_new


def test_hold_stops_work_and_unhold_lets_it_go_on():
    floor = make_floor("CUT")
    start_operation(operation=floor.first, taken=taken(0))
    with pytest.raises(Invalid, match="Say why"):
        hold_operation(operation=floor.first, taken=taken(5))
    hold_operation(operation=floor.first, taken=taken(5, reason="Crack found"))
    assert OperationRun.objects.get().ending == "held"
    with pytest.raises(Conflict, match="can be done: unhold"):
        resume_operation(operation=floor.first, taken=taken(6))
    unhold_operation(operation=floor.first, taken=taken(7))
    resume_operation(operation=floor.first, taken=taken(8))
    assert stored(floor.first).status == "in_progress"


def test_order_on_hold_is_not_worked_on():
    floor = make_floor("CUT")
    WorkOrder.objects.update(status="on_hold")
    with pytest.raises(Conflict, match="is on hold") as refusal:
        start_operation(operation=floor.first, taken=taken(0))
    with pytest.raises(Conflict) as of_orders:
        refuse_work(floor.order)
    assert (refusal.value.message, refusal.value.code) == (of_orders.value.message, "on_hold")


@pytest.mark.parametrize(("rule", "starts", "warned"), [("refuse", False, 0), ("warn", True, 1), ("ignore", True, 0)])
def test_missing_material_is_as_the_site_decides(rule, starts, warned):
    floor = make_floor("CUT")
    ExecutionPolicy.objects.create(site=floor.machine.line.area.site, missing_material=rule)
    steel = make_product(name="Steel")
    OrderMaterial.objects.create(
        work_order=floor.order, position=10, product=steel, operation=floor.first, quantity_required=5, unit=steel.unit
    )
    if not starts:
        with pytest.raises(Conflict, match=r"Steel is missing: 5 .* needed, 0 there"):
            start_operation(operation=floor.first, taken=taken(0))
        return
    assert len(start_operation(operation=floor.first, taken=taken(0)).warnings) == warned


@pytest.mark.parametrize(("rule", "starts", "warned"), [("refuse", False, 0), ("warn", True, 1), ("ignore", True, 0)])
def test_machine_that_is_down_is_as_the_site_decides(rule, starts, warned):
    floor = make_floor("CUT")
    ExecutionPolicy.objects.create(site=floor.machine.line.area.site, machine_down=rule)
    jam = make_reason("unplanned", name="Jam")
    record_states([NewState(floor.machine.pk, AT - timedelta(minutes=5), jam.pk)], recorded_at=AT)
    if not starts:
        with pytest.raises(Conflict, match="is down since 2026-03-02 08:55: Jam"):
            start_operation(operation=floor.first, taken=taken(0))
        return
    assert len(start_operation(operation=floor.first, taken=taken(0)).warnings) == warned


def test_planned_maintenance_stands_against_a_start_until_it_is_cancelled():
    floor = make_floor("CUT")
    line = floor.machine.line
    ExecutionPolicy.objects.create(site=line.area.site, machine_down="refuse")
    entry, _ = placing.place(
        line=line, kind="maintenance", planned_start_at=minutes(-30), planned_end_at=minutes(30), actor=None
    )
    with pytest.raises(Conflict, match="Maintenance is planned on"):
        start_operation(operation=floor.first, taken=taken(0))
    placing.cancel(entry=entry, actor=None)
    assert start_operation(operation=floor.first, taken=taken(0)).is_new


def test_lot_on_hold_and_missing_certificate_refuse():
    floor = make_floor("CUT")
    site = floor.machine.line.area.site
    ewa = make_employee(site=site)
    SkillNeed.objects.create(skill=make_skill(name="Laser"), machine=floor.machine)
    with pytest.raises(Conflict, match="no valid certificate for: Laser"):
        start_operation(operation=floor.first, taken=taken(0, employee=ewa))
    lot = make_lot(number="L7")
    lot.work_order = floor.order
    lot.status = "hold"
    lot.save()
    with pytest.raises(Conflict, match="Quality holds what this order made: lot L7"):
        start_operation(operation=floor.first, taken=taken(0))


def test_the_lines_run_starts_with_the_first_operation_stays_in_pauses_and_ends_with_the_last():
    floor = make_floor("CUT", "WELD")
    start_operation(operation=floor.first, taken=taken(0))
    run = Run.objects.get()
    assert (run.line_id, run.work_order_id, run.started_at, run.ended_at) == (
        floor.machine.line_id,
        floor.order.pk,
        minutes(0),
        None,
    )
    pause_operation(operation=floor.first, taken=taken(10))
    finish_operation(operation=floor.first, taken=taken(20))
    run.refresh_from_db()
    assert run.ended_at is None
    start_operation(operation=floor.operations["WELD"], taken=taken(30))
    finish_operation(operation=floor.operations["WELD"], taken=taken(40))
    run.refresh_from_db()
    assert run.ended_at == minutes(40)


def test_parallel_order_leaves_the_run_and_takes_it_over_when_the_first_rests():
    floor = make_floor("CUT")
    other = make_order("CUT", machine=floor.machine)
    start_operation(operation=floor.first, taken=taken(0))
    start_operation(operation=other.operations.get(), taken=taken(10))
    assert Run.objects.count() == 1
    pause_operation(operation=floor.first, taken=taken(20))
    spans = [(run.work_order_id, run.started_at, run.ended_at) for run in Run.objects.order_by("started_at")]
    assert spans == [(floor.order.pk, minutes(0), minutes(20)), (other.pk, minutes(20), None)]


def test_an_order_that_is_paused_gives_the_line_to_the_next_that_starts():
    floor = make_floor("CUT")
    other = make_order("CUT", machine=floor.machine)
    start_operation(operation=floor.first, taken=taken(0))
    pause_operation(operation=floor.first, taken=taken(10))
    start_operation(operation=other.operations.get(), taken=taken(20))
    assert [run.work_order_id for run in Run.objects.order_by("started_at")] == [floor.order.pk, other.pk]


def test_an_operation_on_another_line_of_the_site_runs_that_line():
    here = make_machine()
    there = make_machine(line=make_line(area=here.line.area), is_constraint=True)
    floor = make_floor("CUT", "WELD", machine=here)
    weld = floor.operations["WELD"]
    weld.machine = there
    weld.save()
    skip_operation(operation=floor.first, taken=taken(0, reason="Bought in"))
    start_operation(operation=weld, taken=taken(1))
    assert Run.objects.get().line == there.line
    with pytest.raises(Invalid, match="is not done at"):
        start_operation(operation=weld, taken=taken(2), machine=here)


def test_recorded_work_needs_no_order_of_work_and_no_readiness_and_overlaps_are_refused():
    floor = make_floor("CUT", "WELD")
    weld = floor.operations["WELD"]
    done = record_operation_run(operation=weld, machine=floor.machine, started_at=minutes(0), taken=taken(30))
    assert (done.step.from_status, done.step.to_status) == ("pending", "in_progress")
    with pytest.raises(Conflict, match="recorded for that time"):
        record_operation_run(operation=weld, machine=floor.machine, started_at=minutes(20), taken=taken(40))
    record_operation_run(operation=weld, machine=floor.machine, started_at=minutes(30), taken=taken(50), finishes=True)
    assert (stored(weld).status, stored(weld).actual_end_at) == ("completed", minutes(50))
    late = record_operation_run(operation=weld, machine=floor.machine, started_at=minutes(60), taken=taken(70))
    assert (late.step.to_status, stored(weld).actual_end_at) == ("completed", minutes(70))
    assert not Run.objects.exists()
    assert WorkOrder.objects.get().status == "in_progress"
