"""Work on operations over REST and on its page: rights by site, idempotent, bounded."""

import pytest
from rest_framework.test import APIClient

from execution.models import OperationRun, OperationStep, ParameterReading, ProductionReport
from execution.tests.floor import make_floor, make_order
from tests.factories import make_count_tag, make_machine, make_unit, make_user
from workorders.models import OrderParameter, WorkOrder

pytestmark = pytest.mark.django_db


def client_of(role, machine):
    client = APIClient()
    client.force_authenticate(make_user(role, site=machine.line.area.site))
    return client


@pytest.fixture
def floor():
    return make_floor("CUT", "WELD")


@pytest.fixture
def operator(floor):
    return client_of("operator", floor.machine)


def test_operator_starts_reports_and_finishes_with_one_effect_each(floor, operator):
    path = f"/execution/operation/{floor.first.pk}"
    for expected in (201, 200):
        started = operator.post(f"{path}/start", {"idempotency_key": "s1"})
        assert started.status_code == expected, started.data
    body = {"operation": floor.first.pk, "good": "12", "scrap": "1", "idempotency_key": "r1"}
    for expected in (201, 200):
        reported = operator.post("/execution/report", body)
        assert reported.status_code == expected, reported.data
    finished = operator.post(f"{path}/finish/", {})
    assert (finished.status_code, finished.data["offers_completion"]) == (201, False)
    assert (OperationRun.objects.count(), ProductionReport.objects.count()) == (1, 1)
    shown = operator.get(f"/operation/{floor.first.pk}").data
    assert (shown["completed_quantity"], shown["rejected_quantity"], shown["status"]) == (
        "12.000000",
        "1.000000",
        "completed",
    )
    progress = operator.get(f"/execution/progress/?work_order={floor.order.pk}").data
    assert [row["good"] for row in progress["operations"]] == ["12.000000", "0.000000"]


def test_report_is_taken_back_by_whoever_made_it_or_may_correct(floor, operator):
    operator.post(f"/execution/operation/{floor.first.pk}/start", {})
    report = operator.post("/execution/report", {"operation": floor.first.pk, "good": 5}).data
    other = client_of("operator", floor.machine)
    path = f"/execution/report/{report['id']}/reverse"
    assert other.post(path, {"note": "x"}).status_code == 403
    assert operator.post(path, {"note": "Miscounted"}).status_code == 201
    assert client_of("supervisor", floor.machine).post(path, {"note": "x"}).status_code == 409
    assert operator.get("/execution/report").data["results"][0]["good"] == "-5.000000"


def test_illegal_step_is_a_409_that_says_what_is_allowed(floor, operator):
    refused = operator.post(f"/execution/operation/{floor.first.pk}/finish", {})
    assert refused.status_code == 409
    assert "can be done: start, skip, hold" in str(refused.data["operation"])


def test_another_sites_operation_does_not_exist_and_others_need_the_right(floor):
    path = f"/execution/operation/{floor.first.pk}"
    assert client_of("operator", make_machine()).post(f"{path}/start", {}).status_code == 404
    assert client_of("engineer", floor.machine).post(f"{path}/start", {}).status_code == 403
    operator = client_of("operator", floor.machine)
    assert operator.post(f"{path}/hold", {"reason": "Guard is open"}).status_code == 201
    assert operator.post(f"{path}/unhold", {}).status_code == 403
    assert client_of("quality", floor.machine).post(f"{path}/unhold", {}).status_code == 201
    foreign = client_of("operator", make_machine())
    assert foreign.post("/execution/report", {"operation": floor.first.pk, "good": 1}).status_code == 400
    assert foreign.get(f"/execution/dispatch/?line={floor.machine.line_id}").status_code == 400


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"good": -1}, "good"),
        ({"good": "1e30"}, "good"),
        ({"good": 1, "colour": "red"}, "colour"),
        ({"counter_start": 5}, "counter_end"),
        ({"good": 1, "occurred_at": "2031-01-01T00:00:00Z"}, "at"),
        ({"good": 1, "unit": "nonsense"}, "unit"),
        ({"good": 1, "idempotency_key": "a b"}, "idempotency_key"),
        ({}, "good"),
    ],
)
def test_bad_report_is_a_400_naming_the_field(floor, operator, body, field):
    operator.post(f"/execution/operation/{floor.first.pk}/start", {})
    refused = operator.post("/execution/report", {"operation": floor.first.pk, **body})
    assert (refused.status_code, list(refused.data)) == (400, [field])


def test_report_that_is_sent_again_with_the_header_is_one_report(floor, operator):
    operator.post(f"/execution/operation/{floor.first.pk}/start", {})
    for _ in range(2):
        body, headers = {"operation": floor.first.pk, "good": 4}, {"Idempotency-Key": "tablet-1"}
        assert operator.post("/execution/report", body, headers=headers).status_code == 201
    assert len(operator.get("/execution/report").data["results"]) == 1


def test_recorded_run_brings_its_quantities(floor, operator):
    body = {
        "operation": floor.first.pk,
        "machine": floor.machine.pk,
        "started_at": "2026-03-02T08:00:00Z",
        "ended_at": "2026-03-02T09:00:00Z",
        "good": 3,
        "finishes": True,
        "idempotency_key": "row",
    }
    assert [operator.post("/execution/run", body).status_code for _ in range(2)] == [201, 200]
    assert operator.post("/execution/run", {**body, "idempotency_key": "other"}).status_code == 409
    assert operator.get(f"/operation/{floor.first.pk}").data["completed_quantity"] == "3.000000"
    assert operator.get(f"/execution/run?operation={floor.first.pk}").data["results"][0]["ending"] == "finished"


def test_list_of_work_is_in_order_with_reasons(floor, operator):
    urgent = make_order("CUT", machine=floor.machine)
    WorkOrder.objects.filter(pk=urgent.pk).update(priority=1)
    operator.post(f"/execution/operation/{floor.first.pk}/start", {})
    rows = operator.get(f"/execution/dispatch/?machine={floor.machine.pk}").data["operations"]
    assert [(row["order_number"], row["code"], row["is_running"], row["is_ready"]) for row in rows] == [
        (floor.order.order_number, "CUT", True, True),
        (urgent.order_number, "CUT", False, True),
        (floor.order.order_number, "WELD", False, False),
    ]
    assert rows[2]["reasons"][0]["code"] == "predecessor"
    assert operator.get("/execution/dispatch/").status_code == 400


def test_queries_of_the_list_do_not_grow_with_it(floor, operator, django_assert_max_num_queries):
    tag = make_count_tag(machine=floor.machine)
    for _ in range(5):
        make_order("CUT", "WELD", machine=tag.machine, source="machine")
    with django_assert_max_num_queries(40):
        answer = operator.get(f"/execution/dispatch/?line={floor.machine.line_id}")
    assert len(answer.data["operations"]) == 12


def test_reading_outside_of_its_bounds_is_kept_and_listed(floor, operator):
    oven = OrderParameter.objects.create(
        operation=floor.first, code="T", name="Oven", target=80, minimum=75, maximum=85, unit=make_unit("°C")
    )
    for minute, value in ((0, "86"), (1, "80")):
        body = {"parameter": oven.pk, "value": value, "occurred_at": f"2026-03-02T08:0{minute}:00Z"}
        assert [operator.post("/execution/reading", body).status_code for _ in range(2)] == [201, 200]
    assert operator.post("/execution/reading", {**body, "value": "1"}).status_code == 409
    deviating = operator.get("/execution/reading?deviates=true").data["results"]
    assert [(row["value"], row["deviates"]) for row in deviating] == [("86.000000", True)]
    assert ParameterReading.objects.count() == 2


def test_page_lists_the_work_and_its_forms_have_one_effect(floor, client):
    user = make_user("operator", site=floor.machine.line.area.site)
    client.force_login(user)
    assert "Choose a line or a machine" in client.get("/dispatch/").content.decode()
    path = f"/dispatch/?line={floor.machine.line_id}"
    page = client.get(path).content.decode()
    assert floor.order.order_number in page
    assert "has to be finished first" in page
    form = {"operation": floor.first.pk, "key": "abc", "action": "start"}
    assert [client.post(path, form).status_code for _ in range(2)] == [302, 302]
    report = {"operation": floor.first.pk, "key": "abd", "action": "report", "good": "4", "scrap": "1"}
    assert client.post(path, report).status_code == 302
    assert (OperationStep.objects.count(), ProductionReport.objects.get().good) == (1, 4)
    refused = client.post(path, {**form, "key": "abe"})
    assert (refused.status_code, "already" in refused.content.decode()) == (409, True)
    stranger = make_user("operator", site=make_machine().line.area.site)
    client.force_login(stranger)
    assert floor.order.order_number not in client.get(path).content.decode()
    assert client.post(path, form).status_code == 404
