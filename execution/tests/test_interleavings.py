"""Whatever people press, in whatever order: what is stored stays consistent."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import DomainError
from execution.models import OperationRun, OperationStep, ProductionReport
from execution.reporting import report_production, reverse_report
from execution.selectors import progress_of_operations
from execution.services import (
    finish_operation,
    hold_operation,
    pause_operation,
    resume_operation,
    skip_operation,
    start_operation,
    unhold_operation,
)
from execution.taking import Quantities
from execution.tests.floor import NOW, make_floor, stored, taken
from tests.factories import make_employee
from workorders.models import Run, WorkOrder

pytestmark = pytest.mark.django_db

STEPS = {
    "start": start_operation,
    "pause": pause_operation,
    "resume": resume_operation,
    "finish": finish_operation,
    "hold": hold_operation,
    "unhold": unhold_operation,
    "skip": skip_operation,
}
LEADS_TO = {
    "pending": {"in_progress", "skipped", "on_hold"},
    "in_progress": {"in_progress", "completed", "on_hold"},
    "on_hold": {"pending", "in_progress"},
}
_presses = st.lists(
    st.tuples(
        st.sampled_from([*STEPS, "report", "reverse", "start", "start", "report"]),
        st.sampled_from(["CUT", "WELD"]),
        st.sampled_from([0, 1, 2]),
        st.booleans(),
    ),
    max_size=14,
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_presses)
def test_any_presses_leave_spans_quantities_and_statuses_consistent(presses):
    floor = make_floor("CUT", "WELD", overlap_allowed=True)
    site = floor.machine.line.area.site
    people = [None, make_employee(site=site), make_employee(site=site)]
    expected = {"CUT": 0, "WELD": 0}
    for number, (press, code, who, again) in enumerate(presses):
        operation = floor.operations[code]
        said = taken(number, employee=people[who], reason="why", idempotency_key=f"{operation.pk}-{number}")
        for _ in range(2 if again else 1):
            before = OperationStep.objects.count(), ProductionReport.objects.count()
            try:
                if press == "report":
                    _, is_new = report_production(
                        operation=operation, quantities=Quantities(good=Decimal(number + 1)), taken=said
                    )
                    expected[code] += (number + 1) * is_new
                elif press == "reverse":
                    last = ProductionReport.objects.filter(operation=operation, reverses=None, reversed_by=None).last()
                    if last is not None:
                        reverse_report(report=last, actor=floor.user, recorded_at=NOW, note="Wrong")
                        expected[code] -= last.good
                else:
                    STEPS[press](operation=operation, taken=said)
            except DomainError:
                assert (OperationStep.objects.count(), ProductionReport.objects.count()) == before
    for step in OperationStep.objects.filter(operation__work_order=floor.order):
        assert step.to_status in LEADS_TO[step.from_status]
    for code, operation in floor.operations.items():
        now = stored(operation)
        assert progress_of_operations([now], now=NOW)[operation.pk].made.good == expected[code]
        spans = OperationRun.objects.filter(operation=operation).order_by("employee", "started_at")
        for one, other in pairwise(spans):
            assert one.employee_id != other.employee_id or one.ended_at <= other.started_at
        is_running = spans.filter(ended_at=None).exists()
        assert not is_running or now.status == "in_progress"
        assert (now.status == "completed") == (now.actual_end_at is not None)
    open_runs = Run.objects.filter(work_order=floor.order, ended_at=None)
    if OperationRun.objects.filter(operation__work_order=floor.order, ended_at=None).exists():
        assert open_runs.exists()
    order = WorkOrder.objects.get(pk=floor.order.pk)
    assert order.status == (
        "in_progress" if OperationRun.objects.filter(operation__work_order=order).exists() else "released"
    )
