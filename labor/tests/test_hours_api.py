"""Crew plans, the board, timesheets, efficiency, corrections and approval over REST: who may, and what is told."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labor import services
from labor.models import CrewAssignment, LaborEntry
from tests.factories import (
    make_area,
    make_crew,
    make_employee,
    make_labor_policy,
    make_line,
    make_machine,
    make_shift,
    make_site,
    make_user,
    make_work_order,
)

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 2, 5, tzinfo=UTC)
DAY = "2026-03-02"


def at(hours):
    return START + timedelta(hours=hours)


@pytest.fixture
def site():
    return make_site()


@pytest.fixture
def order(site):
    return make_work_order(line=make_machine(line=make_line(area=make_area(site=site))).line)


@pytest.fixture
def ewa(site):
    crew = make_crew(site=site)
    CrewAssignment.objects.create(crew=crew, shift=make_shift(site=site), first_date="2026-01-05")
    return make_employee(site=site, crew=crew, badge="B-1", hourly_rate=30)


@pytest.fixture
def entry(ewa, order):
    entry = services.start_work(employee=ewa, kind="direct", at=at(0), actor=None, work_order=order)
    services.stop_work(entry=entry, at=at(2))
    services.clock_out(employee=ewa, at=at(9))
    return services.LaborEntry.objects.get()


@pytest.fixture
def supervisor(client, site):
    client.force_login(make_user("supervisor", site))
    return client


@pytest.fixture
def operator(client, site):
    client.force_login(make_user("operator", site))
    return client


def post(client, path, **body):
    return client.post(path, body, content_type="application/json")


def test_retry_of_each_entry_has_one_effect_and_one_answer(operator, site, ewa, order):
    who = {"site": site.code, "badge": "B-1"}
    came = [post(operator, "/labor/clock-in/", **who, idempotency_key="in") for _ in range(2)]
    started = [post(operator, "/labor/start/", **who, work_order=order.pk, idempotency_key="start") for _ in range(2)]
    entry = started[0].json()["id"]
    stopped = [
        post(operator, "/labor/stop/", **who, entry=entry, quantity_produced="3", idempotency_key="stop")
        for _ in range(2)
    ]
    went = [post(operator, "/labor/clock-out/", **who, idempotency_key="out") for _ in range(2)]
    for pair in (came, started, stopped, went):
        assert pair[0].status_code in (200, 201)
        assert pair[0].json() == pair[1].json()
    operator_id = int(operator.session["_auth_user_id"])
    assert (came[0].json()["recorded_by"], stopped[0].json()["ended_by"]) == (operator_id, operator_id)
    other = post(operator, "/labor/stop/", **who, entry=entry, quantity_produced="4", idempotency_key="stop")
    assert (other.status_code, "idempotency_key" in other.json()) == (409, True)


def test_work_of_somebody_else_is_not_ended(operator, site, ewa, order):
    jan = make_employee(site=site, badge="B-2")
    entry = services.start_work(employee=jan, kind="direct", at=at(0), actor=None, work_order=order)
    assert post(operator, "/labor/stop/", site=site.code, badge="B-1", entry=entry.pk).status_code == 409
    # Without saying who they are, only the log-in that began it ends it.
    assert post(operator, f"/labor/entry/{entry.pk}/stop/").status_code == 403
    entry.recorded_by_id = int(operator.session["_auth_user_id"])
    entry.save()
    assert post(operator, f"/labor/entry/{entry.pk}/stop/", employee=ewa.pk).status_code == 409
    assert post(operator, f"/labor/entry/{entry.pk}/stop/", employee=jan.pk).status_code == 200


def test_future_is_refused(operator, site, ewa):
    refused = post(operator, "/labor/clock-in/", site=site.code, badge="B-1", at="2999-01-01T00:00:00Z")
    assert (refused.status_code, "at" in refused.json()) == (400, True)


def test_board_tells_states_and_not_why_somebody_is_absent(operator, client, site, ewa):
    ewa.absences.create(kind="sick", first_date=DAY, last_date=DAY)
    query = {"site": site.code, "date": DAY}
    (person,) = operator.get("/labor/board/", query).json()["shifts"][0]["people"]
    assert (person["state"], person["absence"], "hourly_rate" in person) == ("absent", None, False)
    client.force_login(make_user("supervisor", site))
    assert client.get("/labor/board/", query).json()["shifts"][0]["people"][0]["absence"] == "sick"


def test_timesheet_tells_everybody_their_own(operator, client, site, ewa, entry):
    query = {"site": site.code, "first_date": DAY, "last_date": DAY}
    assert operator.get("/labor/timesheet/", query).json() == {"days": []}
    ewa.user = make_user("operator", site)
    ewa.save()
    client.force_login(ewa.user)
    (own,) = client.get("/labor/timesheet/", query).json()["days"]
    assert (own["attendance_seconds"], own["overtime_seconds"], "cost" in own) == ("32400", "3600", False)
    client.force_login(make_user("supervisor", site))
    (day,) = client.get("/labor/timesheet/", query).json()["days"]
    assert day["cost"] == "270"
    long = {**query, "first_date": "2020-01-01"}
    assert "last_date" in client.get("/labor/timesheet/", long).json()


def test_efficiency_by_what_is_asked(supervisor, site, entry):
    query = {"site": site.code, "starts_at": at(0).isoformat(), "ends_at": at(10).isoformat()}
    assert supervisor.get("/labor/efficiency/", query).json() == {
        "by": "crew",
        "all": None,
        "groups": [],
        "hidden": 1,
    }
    make_labor_policy(site=site, shows_persons=True)
    (group,) = supervisor.get("/labor/efficiency/", {**query, "by": "order"}).json()["groups"]
    assert (group["on_orders_seconds"], group["worker_efficiency"], group["cost"]) == ("7200", None, "60")
    refused = supervisor.get("/labor/efficiency/", {**query, "by": "star sign"})
    assert (refused.status_code, "by" in refused.json()) == (400, True)


def work_of(site, order, people):
    for _ in range(people):
        one = make_employee(site=site)
        entry = services.start_work(employee=one, kind="direct", at=at(0), actor=None, work_order=order)
        services.stop_work(entry=entry, at=at(2))


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/labor/to-approve/", {"date": DAY}),
        ("/labor/efficiency/", {"by": "line", "starts_at": at(0).isoformat(), "ends_at": at(10).isoformat()}),
    ],
)
def test_queries_do_not_grow_with_people(supervisor, site, order, path, query, django_assert_max_num_queries):
    asked = {"site": site.code, **query}
    work_of(site, order, 3)
    supervisor.get(path, asked)
    with CaptureQueriesContext(connection) as of_three:
        assert supervisor.get(path, asked).status_code == 200
    work_of(site, order, 3)
    with django_assert_max_num_queries(len(of_three)):
        found = supervisor.get(path, asked).json()
    assert len(found.get("entries", ())) == 6 or found["groups"][0]["people"] == 6


def test_corrected_then_approved(supervisor, site, entry):
    (waiting,) = supervisor.get("/labor/to-approve/", {"site": site.code, "date": DAY}).json()["entries"]
    assert (waiting["id"], waiting["oddities"]) == (entry.pk, [])
    path = f"/labor/entry/{entry.pk}/correct/"
    assert "reason" in post(supervisor, path, quantity_produced="5").json()
    body = {"quantity_produced": "5", "reason": "Counted again", "seen": waiting["version"]}
    assert post(supervisor, path, **body).json()["quantity_produced"] == "5.000000"
    assert post(supervisor, path, **body).status_code == 409
    late = post(supervisor, path, reason="x", ended_at=at(-1).isoformat())
    assert late.status_code == 400
    assert post(supervisor, "/labor/approve/", entries=[entry.pk]).json() == {"approved": 1}
    assert post(supervisor, "/labor/approve/", entries=[entry.pk]).json() == {"approved": 0}
    assert post(supervisor, path, reason="x", quantity_produced="6").status_code == 409
    attendance = entry.employee.attendances.get()
    corrected = post(
        supervisor, f"/labor/attendance/{attendance.pk}/correct/", reason="Left early", ended_at=at(8).isoformat()
    )
    assert corrected.json()["ended_at"].startswith("2026-03-02T13:00:00")


@pytest.mark.parametrize("path", ["/labor/approve/", "/labor/entry/{}/correct/", "/labor/crew-rotation/"])
def test_operators_may_not(operator, ewa, entry, path):
    body = {"entries": [entry.pk], "reason": "x", "crew": ewa.crew_id, "shifts": [make_shift(site=ewa.site).pk]}
    answer = post(operator, path.format(entry.pk), **body, first_date=DAY)
    assert answer.status_code == 403, answer.json()
    assert operator.get("/labor/to-approve/", {"site": ewa.site.code, "date": DAY}).status_code == 403


def test_things_of_another_site_do_not_exist(client, ewa, entry):
    client.force_login(make_user("supervisor", make_site()))
    assert post(client, f"/labor/entry/{entry.pk}/correct/", reason="x").status_code == 404
    assert post(client, f"/labor/entry/{10**30}/correct/", reason="x").status_code == 404
    assert post(client, "/labor/approve/", entries=[entry.pk]).status_code == 400
    for path in ("board", "timesheet", "efficiency", "to-approve"):
        assert client.get(f"/labor/{path}/", {"site": ewa.site.code}).status_code == 400
    assert LaborEntry.objects.get().approved_at is None


def test_rotation_makes_an_assignment_for_each_shift(supervisor, site, ewa):
    shifts = [make_shift(site=site).pk, make_shift(site=site).pk]
    crew = make_crew(site=site)
    made = post(supervisor, "/labor/crew-rotation/", crew=crew.pk, shifts=shifts, first_date="2026-03-04").json()
    assert [(one["first_date"], one["every_weeks"]) for one in made] == [("2026-03-04", 2), ("2026-03-09", 2)]
    again = post(supervisor, "/labor/crew-rotation/", crew=crew.pk, shifts=shifts, first_date="2026-03-04")
    assert (again.status_code, crew.assignments.count()) == (400, 2)
