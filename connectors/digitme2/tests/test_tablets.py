"""What tablets say, from their first call to the end of a job."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from connectors.digitme2 import services, views
from connectors.digitme2.tests.plant import PASSWORD, make_plant
from connectors.models import Tablet
from core.intervals import Interval
from counts.models import CountHistory
from downtime.models import StateCorrection
from oee.reason_times import losses
from oee.selectors import report
from products.models import IdealRate
from tests.factories import make_count_tag, make_ideal_rate, make_machine, make_product, make_shift, make_work_order
from workorders.models import Run, WorkOrder

pytestmark = pytest.mark.django_db
T1 = {"device_uuid": "t-1"}
END = {**T1, "quantity_good": "10", "rejects": "2"}


@pytest.fixture
def plant():
    return make_plant()


@pytest.fixture
def session(plant):
    plant.log_in()
    return plant


def start(plant, number="J-1", **body):
    return plant.post("/android-start-job", {**T1, "job_number": number, "ideal_cycle_time": "3", **body})


def test_first_call_registers_the_tablet_once(plant):
    for _ in range(2):
        answer = plant.check()
    assert answer["state"] == "no_user"
    assert "t-1" in answer["machine"]
    assert answer["device_name"] == Tablet.objects.get().name
    assert plant.client.get("/check-state").status_code == 400
    assert plant.client.get("/check-state", {"device_uuid": "a\0b"}).status_code == 400


def test_tablets_are_not_registered_without_end(plant, monkeypatch):
    monkeypatch.setattr(services, "MOST_TABLETS", 1)
    plant.check()
    assert plant.client.get("/check-state", {"device_uuid": "t-2"}).status_code == 409
    assert plant.check()["state"] == "no_user"


def test_log_in_leads_to_no_job_and_log_out_back(session):
    answer = session.check()
    assert (answer["state"], answer["user_name"]) == ("no_job", session.operator.username)
    assert list(answer["requested_data"]) == ["job_number", "ideal_cycle_time", "start_time"]
    assert session.post("/android-logout", T1).json() == {"success": True}
    assert session.check()["state"] == "no_user"
    assert session.post("/android-logout", T1).json() == {"success": False, "reason": "User is logged out"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"password": "wrong"}, 200),
        ({"user_id": 999_999}, 200),
        ({"password": None}, 400),
        ({"user_id": "me"}, 400),
        ({"device_uuid": "t-9"}, 404),
    ],
)
def test_bad_log_in_is_refused(plant, body, status):
    plant.tablet()
    answer = plant.post("/android-login", {**T1, "user_id": plant.operator.pk, "password": PASSWORD, **body})
    assert (answer.status_code, answer.json()["success"]) == (status, False)
    assert plant.check()["state"] == "no_user"


def test_wrong_passwords_lock_the_person_out(plant, settings):
    plant.tablet()
    body = {**T1, "user_id": plant.operator.pk, "password": "wrong"}
    for _ in range(settings.AXES_FAILURE_LIMIT):
        plant.post("/android-login", body)
    answer = plant.post("/android-login", {**body, "password": PASSWORD})
    assert "Too many" in answer.json()["reason"]
    assert Tablet.objects.get().user is None


def test_tablet_without_a_machine_lets_nobody_in(plant):
    plant.check()
    answer = plant.post("/android-login", {**T1, "user_id": plant.operator.pk, "password": PASSWORD})
    assert answer.json() == {"success": False, "reason": "No assigned machine"}


def test_person_is_at_one_tablet_unless_several_are_allowed(session):
    session.log_in("t-2")
    assert session.check("t-1")["state"] == "no_user"
    session.options(several_sessions=True)
    session.log_in("t-1")
    assert {session.check(uuid)["state"] for uuid in ("t-1", "t-2")} == {"no_job"}


def test_person_whose_role_was_taken_away_is_logged_out(session):
    session.operator.memberships.all().delete()
    assert start(session).status_code == 401
    assert session.check()["state"] == "no_user"


def test_start_makes_order_run_rate_and_state(session):
    assert start(session).json() == {"success": True}
    run = Run.objects.get()
    assert (run.work_order.order_number, run.work_order.line) == ("J-1", session.machine.line)
    assert run.work_order.status == "in_progress"
    rate = IdealRate.objects.get()
    assert (rate.machine, rate.product, rate.value) == (session.machine, run.work_order.product, 3)
    assert rate.valid_from == run.started_at
    assert session.states() == [session.reasons[1].code]
    answer = session.check()
    assert (answer["state"], answer["job_number"], answer["machine_id"]) == ("active_job", "J-1", 1)
    assert (answer["current_activity_code_id"], answer["current_machine_state"]) == (1, 1)
    assert [code["activity_code_id"] for code in answer["activity_codes"]] == [1, 2, 3, 5]


@pytest.mark.parametrize(
    ("job_input", "body", "seconds"),
    [
        ("cycle_time_minutes", {"ideal_cycle_time": 0.5}, 30),
        ("cycle_time_hours", {"ideal_cycle_time": "1"}, 3600),
        ("parts_per_minute", {"ideal_cycle_time": 7}, Fraction(60, 7)),
        ("planned_qty_minutes", {"planned_quantity": "120", "planned_time": "60"}, 30),
        ("cycle_time_seconds", {"ideal_cycle_time": None, "planned_quantity": 5, "planned_time": 1}, None),
    ],
)
def test_pace_is_what_the_machine_asks_for(plant, job_input, body, seconds):
    plant.options(job_input=job_input)
    plant.log_in()
    answer = plant.post("/android-start-job", {**T1, "job_number": "J-1", **body})
    if seconds is None:
        assert (answer.status_code, answer.json()["field"]) == (400, "ideal_cycle_time")
        return
    assert IdealRate.objects.get().ideal_cycle_time == seconds
    target = WorkOrder.objects.get().target_quantity
    assert target == (120 if job_input == "planned_qty_minutes" else 1)


def test_job_without_a_pace_does_not_go_at_the_last_ones(session):
    start(session)
    session.post("/android-end-job", END)
    session.options(job_input="no_cycle_time")
    assert start(session, "J-2").status_code == 200
    rate = IdealRate.objects.get()
    assert rate.valid_until == Run.objects.get(work_order__order_number="J-2").started_at


def test_engineers_rate_stays_and_a_missing_one_is_filled_in(session):
    product = make_product()
    make_ideal_rate(product=product, machine=session.machine, value=Decimal(9))
    make_work_order(order_number="J-1", line=session.machine.line, product=product)
    make_work_order(order_number="J-2", line=session.machine.line, product=make_product())
    start(session, "J-1")
    session.post("/android-end-job", END)
    start(session, "J-2")
    assert sorted(rate.value for rate in IdealRate.objects.all()) == [3, 9]
    assert WorkOrder.objects.get(order_number="J-1").status == "in_progress"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"job_number": None}, "job_number"),
        ({"job_number": " "}, "job_number"),
        ({"job_number": "x" * 65}, "job_number"),
        ({"job_number": ["J"]}, "job_number"),
        ({"ideal_cycle_time": 0}, "ideal_cycle_time"),
        ({"ideal_cycle_time": -3}, "ideal_cycle_time"),
        ({"ideal_cycle_time": "fast"}, "ideal_cycle_time"),
        ({"start_time": "25:00"}, "start_time"),
        ({"device_uuid": None}, "device_uuid"),
    ],
)
def test_bad_start_names_the_field_and_leaves_nothing(session, body, field):
    refused = start(session, **body)
    assert (refused.status_code, refused.json()["field"]) == (400, field)
    assert not Run.objects.exists()
    assert not WorkOrder.objects.exists()


def test_second_active_job_is_a_409(session):
    start(session)
    refused = start(session, "J-2")
    assert (refused.status_code, refused.json()["field"]) == (409, "job_number")
    assert Run.objects.count() == 1
    assert not WorkOrder.objects.filter(order_number="J-2").exists()


def test_order_of_another_line_or_one_that_is_closed_is_a_409(session):
    make_work_order(order_number="J-1", line=make_machine().line)
    make_work_order(order_number="J-2", line=session.machine.line, status="closed")
    assert [start(session, number).status_code for number in ("J-1", "J-2")] == [409, 409]
    assert not Run.objects.exists()


def test_start_time_is_the_sites_clock_and_reaches_back(session):
    zone = session.machine.line.area.site.zone
    began = datetime.now(UTC) - timedelta(minutes=30)
    assert start(session, start_time=began.astimezone(zone).strftime("%H:%M")).status_code == 200
    assert Run.objects.get().started_at == began.replace(second=0, microsecond=0)


def test_job_that_follows_in_the_same_minute_begins_after_the_one_before(session):
    start(session)
    session.post("/android-end-job", END)
    zone = session.machine.line.area.site.zone
    now = datetime.now(UTC)
    minute = now.astimezone(zone).strftime("%H:%M")
    assert start(session, "J-2", start_time=minute).status_code == 200
    first, second = Run.objects.order_by("started_at")
    # The clock may have gone on to the next minute between the two.
    assert second.started_at == max(first.ended_at, now.replace(second=0, microsecond=0))
    early = (datetime.now(UTC) - timedelta(minutes=9)).astimezone(zone).strftime("%H:%M")
    session.post("/android-end-job", {**END, "quantity_good": 1})
    assert start(session, "J-3", start_time=early).status_code in (200, 409)


def test_calls_without_a_session_change_nothing(plant):
    plant.tablet()
    assert start(plant).status_code == 401
    assert plant.post("/android-end-job", END).status_code == 401
    assert plant.post("/android-update-quantity", END).status_code == 401
    for path in ("/android-update", "/pausable-pause-job", "/pausable-resume-job", "/pausable-android-update"):
        assert plant.post(path, {**T1, "activity_code_id": 2, "downtime_reason": "Jam"}).json()["success"] is False
    assert plant.states() == []


def test_update_changes_the_activity(session):
    start(session)
    answer = session.post("/android-update", {**T1, "activity_code_id": 5})
    assert answer.json() == {"success": True, "colour": "#123456"}
    assert session.check()["current_activity_code_id"] == 5
    assert session.post("/android-update", {**T1, "activity_code_id": 77}).status_code == 404
    assert session.post("/android-update", T1).status_code == 400
    session.post("/android-end-job", END)
    assert session.post("/android-update", {**T1, "activity_code_id": 1}).status_code == 409


def test_quantities_add_up(session):
    assert session.post("/android-update-quantity", END).status_code == 409
    start(session)
    session.post("/android-update-quantity", END)
    answer = session.post("/android-update-quantity", {**T1, "quantity_good": 5, "rejects": 0}).json()
    assert (answer["quantity_produced"], answer["quantity_rejects"]) == (15, 2)
    assert answer["success"] is True
    assert {row.source for row in CountHistory.objects.all()} == {f"digitme2:{session.connector.code}"}


def test_quantity_with_a_time_is_counted_once(session):
    start(session)
    body = {**END, "timestamp": datetime.now(UTC).isoformat()}
    for _ in range(2):
        assert session.post("/android-update-quantity", body).json()["quantity_produced"] == 10
    assert session.post("/android-update-quantity", {**body, "quantity_good": 11}).status_code == 409


@pytest.mark.parametrize("path", ["/android-update-quantity", "/android-end-job"])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"quantity_good": -1}, "quantity_good"),
        ({"rejects": "-1"}, "rejects"),
        ({"rejects": None}, "rejects"),
        ({"quantity_good": "NaN"}, "quantity_good"),
        ({"quantity_good": 1e300}, "quantity_good"),
        ({"quantity_good": "0.0000001"}, "quantity_good"),
        ({"quantity_good": []}, "quantity_good"),
    ],
)
def test_bad_quantity_names_the_field_and_counts_nothing(session, path, body, field):
    start(session)
    refused = session.post(path, {**END, **body})
    assert (refused.status_code, refused.json()["field"]) == (400, field)
    assert not CountHistory.objects.exists()
    assert session.check()["state"] == "active_job"


def test_machine_without_one_tag_for_the_pieces_says_so_and_the_job_goes_on(session):
    start(session)
    make_count_tag(machine=session.machine)
    refused = session.post("/android-end-job", END)
    assert (refused.status_code, refused.json()["field"]) == (409, "quantity_good")
    assert session.check()["state"] == "active_job"
    assert session.post("/android-end-job", {**END, "quantity_good": 0}).status_code == 200


def test_end_is_stored_once_however_often_it_is_said(session):
    start(session)
    for _ in range(3):
        assert session.post("/android-end-job", END).json() == {"success": True}
    assert sorted(CountHistory.objects.values_list("value", flat=True)) == [2, 10]
    assert session.states() == [session.reasons[1].code, session.reasons[2].code]
    assert WorkOrder.objects.get().status == "completed"
    other = session.post("/android-end-job", {**END, "quantity_good": 11})
    assert (other.status_code, other.json()["reason"]) == (409, "There is no active job.")


def test_end_outside_the_shifts_closes_the_machine(session):
    zone = session.machine.line.area.site.zone
    local = datetime.now(UTC).astimezone(zone)
    begins, ends = ((local + timedelta(hours=hours)).time().replace(microsecond=0) for hours in (5, 6))
    make_shift(site=session.connector.site, start_time=begins, end_time=ends)
    start(session)
    session.post("/android-end-job", END)
    assert session.states()[-1] == session.reasons[3].code


def test_ended_job_can_be_started_again(session):
    for _ in range(2):
        assert start(session).status_code == 200
        assert session.post("/android-end-job", END).status_code == 200
    assert Run.objects.filter(work_order__order_number="J-1").count() == 2
    assert CountHistory.objects.count() == 4


def test_pause_is_explained_while_it_lasts_and_when_it_ends(plant):
    plant.options(workflow="pausable")
    plant.log_in()
    start(plant)
    assert plant.post("/pausable-pause-job", T1).json() == {"success": True}
    assert plant.check()["state"] == "paused"
    assert plant.post("/pausable-android-update", {**T1, "activity_code_id": 5}).json() == {"success": True}
    assert plant.check()["current_activity_code_id"] == 5
    body = {**T1, "downtime_reason": "Jam", "notes": "The label stuck."}
    assert plant.post("/pausable-resume-job", body).json() == {"success": True}
    assert plant.check()["state"] == "active_job"
    up, down, jam = (plant.reasons[number].code for number in (1, 2, 5))
    assert plant.states() == [up, down, jam, up]
    last = StateCorrection.objects.first()
    assert (last.reason, last.comment, last.corrected_by) == (plant.reasons[5], "The label stuck.", plant.operator)
    assert not last.replaces_running


def test_bad_resume_is_refused(plant):
    plant.log_in()
    assert plant.post("/pausable-resume-job", {**T1, "downtime_reason": "Jam"}).status_code == 409
    start(plant)
    plant.post("/pausable-pause-job", T1)
    assert plant.post("/pausable-resume-job", T1).json()["field"] == "downtime_reason"
    assert plant.post("/pausable-resume-job", {**T1, "downtime_reason": "Weather"}).status_code == 404
    assert plant.post("/pausable-android-update", {**T1, "activity_code_id": 1}).status_code == 409
    assert not StateCorrection.objects.exists()


def test_running_total_tells_what_was_counted(plant):
    plant.options(workflow="running_total")
    plant.log_in()
    start(plant)
    plant.post("/android-update-quantity", END)
    answer = plant.check()
    assert (answer["workflow_type"], answer["current_quantity"]) == ("running_total", 10)
    assert answer["last_update"] == pytest.approx(datetime.now(UTC).timestamp(), abs=30)


def test_tablet_at_a_machine_that_its_key_does_not_cover_is_unassigned(plant):
    plant.log_in()
    plant.options(machine_ids=f"1 = {plant.machine.code}")
    Tablet.objects.update(machine=make_machine())
    assert plant.check()["state"] == "no_user"
    assert start(plant).status_code == 404


class Clock(datetime):
    """The clock that calls are answered by."""

    at = datetime(2026, 3, 2, 9, tzinfo=UTC)

    @classmethod
    def now(cls, tz=None):
        return cls.at


def test_whole_session_gives_the_oee_of_its_facts(plant, monkeypatch):
    """Ten minutes up, two minutes of a jam, eight minutes up; 100 pieces of 6 s, 10 of them bad."""
    monkeypatch.setattr(views, "datetime", Clock)
    plant.options(workflow="pausable", job_input="planned_qty_minutes")

    def say(minute, path, **body):
        monkeypatch.setattr(Clock, "at", datetime(2026, 3, 2, 9, minute, tzinfo=UTC))
        assert plant.post(path, {**T1, **body}).json()["success"] is True

    assert plant.check()["state"] == "no_user"
    plant.log_in()
    assert plant.check()["state"] == "no_job"
    say(0, "/android-start-job", job_number="J-1", planned_quantity="200", planned_time="20")
    assert plant.check()["state"] == "active_job"
    say(10, "/pausable-pause-job")
    assert plant.check()["state"] == "paused"
    say(12, "/pausable-resume-job", downtime_reason="Jam", notes="It jammed.")
    assert plant.check()["state"] == "active_job"
    say(16, "/android-update-quantity", quantity_good="40", rejects="0")
    say(20, "/android-end-job", quantity_good="50", rejects="10")
    monkeypatch.setattr(Clock, "at", Clock.at + timedelta(seconds=1))
    assert plant.check()["state"] == "no_job"
    say(21, "/android-logout")
    assert plant.check()["state"] == "no_user"

    run = Run.objects.get()
    assert (run.started_at.minute, run.ended_at.minute) == (0, 20)
    later = run.ended_at + timedelta(hours=1)
    kpis = report([plant.machine], Interval(run.started_at, run.ended_at), now=later).kpis
    assert float(kpis.availability) == pytest.approx(18 / 20)
    assert float(kpis.effectiveness) == pytest.approx(100 * 6 / (18 * 60))
    assert kpis.quality_ratio == Fraction(9, 10)
    (stop,) = losses([plant.machine], Interval(run.started_at, run.ended_at), now=later)
    assert (stop.reason_id, stop.duration) == (plant.reasons[5].pk, timedelta(minutes=2))
    assert plant.states() == [plant.reasons[number].code for number in (1, 2, 1, 2)]


def test_assigning_a_machine_leaves_the_session_alone(session, admin_client):
    tablet = Tablet.objects.get()
    path = f"/admin/connectors/tablet/{tablet.pk}/change/"
    assert admin_client.get("/admin/connectors/tablet/").status_code == 200
    assert admin_client.get(path).status_code == 200
    answer = admin_client.post(path, {"name": "At the filler", "machine": session.machine.pk})
    assert answer.status_code == 302
    assert session.check()["user_name"] == session.operator.username
    foreign = admin_client.post(path, {"name": "At the filler", "machine": make_machine().pk})
    assert "another site" in foreign.content.decode()
