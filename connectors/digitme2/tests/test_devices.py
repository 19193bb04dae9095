"""What devices without a screen say and ask."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.digitme2.tests.plant import make_operator, make_plant
from downtime.models import StateHistory
from downtime.services import NewState, record_states
from ingest.models import QuarantinedItem
from tests.factories import make_run, make_user, make_work_order

pytestmark = pytest.mark.django_db
PATH = "/api/machine-state-change"


@pytest.fixture
def plant():
    return make_plant()


def run_job(plant, hours=2):
    started = datetime.now(UTC) - timedelta(hours=hours)
    return make_run(line=plant.machine.line, work_order=make_work_order(line=plant.machine.line), started_at=started)


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ({"machine_state": 1}, 1),
        ({"machine_state": 0}, 2),
        ({"machine_state": 3}, 2),
        ({"activity_code_id": 5}, 5),
        ({"activity_code_id": "5"}, 5),
        ({"machine_state": 1, "activity_code_id": 5}, 5),
        ({"machine_state": 1, "activity_code_id": None, "user_id": None}, 1),
    ],
)
def test_state_change_is_told(plant, body, number):
    run_job(plant)
    answer = plant.post(PATH, {"machine_id": 1, **body})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    fact = StateHistory.objects.get(machine=plant.machine)
    assert (fact.reason, fact.source) == (plant.reasons[number], f"digitme2:{plant.connector.code}")


def test_up_without_a_job_is_a_409_unless_the_plant_allows_it(plant):
    refused = plant.post(PATH, {"machine_id": 1, "machine_state": 1})
    assert refused.status_code == 409
    assert refused.json()["reason"] == "Cannot set a machine to up when there is no active job"
    assert plant.states() == []
    plant.options(up_needs_job=False)
    assert plant.post(PATH, {"machine_id": 1, "machine_state": 1}).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"machine_state": 1}, 400, "machine_id"),
        ({"machine_id": 1}, 400, "machine_state"),
        ({"machine_id": "one", "machine_state": 0}, 400, "machine_id"),
        ({"machine_id": 1.5, "machine_state": 0}, 400, "machine_id"),
        ({"machine_id": -1, "machine_state": 0}, 400, "machine_id"),
        ({"machine_id": True, "machine_state": 0}, 400, "machine_id"),
        ({"machine_id": 10**30, "machine_state": 0}, 400, "machine_id"),
        ({"machine_id": 1, "machine_state": {}}, 400, "machine_state"),
        ({"machine_id": 9, "machine_state": 0}, 404, "machine_id"),
        ({"machine_id": 1, "activity_code_id": 77}, 404, "activity_code_id"),
        ({"machine_id": 1, "machine_state": 0, "timestamp": "2026-03-02T08:00:00"}, 400, "timestamp"),
        ({"machine_id": 1, "machine_state": 0, "timestamp": "soon"}, 400, "timestamp"),
        ({"machine_id": 1, "machine_state": 0, "timestamp": "2200-03-02T08:00:00Z"}, 400, "timestamp"),
    ],
)
def test_bad_state_change_names_the_field(plant, body, status, field):
    refused = plant.post(PATH, body)
    assert (refused.status_code, refused.json()["field"]) == (status, field)
    assert plant.states() == []


@pytest.mark.parametrize("content", ["{", "[1]", "7", '{"machine_id": NaN}', "\xff", "[" * 50_000])
def test_unreadable_body_is_a_400(plant, content):
    answer = plant.client.post(PATH, content.encode("latin-1"), content_type="application/json")
    assert (answer.status_code, answer.json()["success"]) == (400, False)


def test_number_that_breaks_decimals_is_a_400(plant):
    for written in ("1e999", "1e-999", '"Infinity"', '"1e25"', "1" * 5000):
        body = f'{{"machine_id": {written}, "machine_state": 0}}'
        assert plant.client.post(PATH, body, content_type="application/json").status_code == 400


def test_state_with_a_time_is_told_for_then_and_once(plant):
    body = {"machine_id": 1, "machine_state": 0, "timestamp": "2026-03-02T08:00:00+01:00"}
    for _ in range(2):
        assert plant.post(PATH, body).status_code == 200
    assert StateHistory.objects.get().occurred_at == datetime(2026, 3, 2, 7, tzinfo=UTC)
    other = plant.post(PATH, {**body, "machine_state": None, "activity_code_id": 5})
    assert (other.status_code, other.json()["field"]) == (409, "timestamp")
    assert QuarantinedItem.objects.get().code == "conflict"


def test_job_at_the_time_of_the_state_counts(plant):
    run_job(plant, hours=2)
    early = (datetime.now(UTC) - timedelta(hours=3)).isoformat()
    assert plant.post(PATH, {"machine_id": 1, "machine_state": 1, "timestamp": early}).status_code == 409
    within = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert plant.post(PATH, {"machine_id": 1, "machine_state": 1, "timestamp": within}).status_code == 200


def test_person_is_noted_and_an_unknown_number_loses_no_fact(plant):
    plant.post(PATH, {"machine_id": 1, "machine_state": 0, "user_id": plant.operator.pk})
    plant.post(PATH, {"machine_id": 1, "machine_state": 0, "user_id": 999_999})
    details = list(StateHistory.objects.order_by("occurred_at").values_list("detail", flat=True))
    assert details == [f"by {plant.operator}", "by user 999999"]


def test_people_are_those_who_may_run_jobs_here(plant):
    make_user("quality", plant.connector.site)
    make_operator(make_plant(authentication="key").connector.site)
    boss = make_user("supervisor", None, username="boss")
    listed = plant.client.get("/api/users").json()
    assert {user["user_id"]: user["username"] for user in listed} == {
        plant.operator.pk: plant.operator.username,
        boss.pk: "boss",
    }
    assert {user["admin"] for user in listed} == {False}


def test_people_have_the_numbers_of_the_table(plant):
    plant.options(user_ids=f"7 = {plant.operator.username}\n8 = nobody")
    assert [user["user_id"] for user in plant.client.get("/api/users").json()] == [7]


def test_activity_codes_are_listed(plant):
    listed = {code["id"]: code for code in plant.client.get("/api/activity-codes").json()}
    assert list(listed) == [1, 2, 3, 5]
    assert (listed[5]["short_description"], listed[5]["graph_colour"]) == ("Jam", "#123456")


def test_oee_and_durations_of_a_day(plant):
    run_job(plant, hours=24 * 400)
    for hour, number in ((0, 1), (18, 5)):
        at = datetime(2026, 3, 2, hour, tzinfo=UTC) - timedelta(hours=1)
        record_states([NewState(plant.machine.pk, at, plant.reasons[number].pk)], recorded_at=at)
    record_states(
        [NewState(plant.machine.pk, datetime(2026, 3, 2, 23, tzinfo=UTC), plant.reasons[3].pk)],
        recorded_at=datetime.now(UTC),
    )
    query = {"machine_id": 1, "date": "2026-03-02"}
    answer = plant.client.get("/api/oee", query).json()
    assert (answer["machine_id"], answer["date"], answer["availability"]) == (1, "2026-03-02", 0.75)
    assert answer["quality"] is None
    said = plant.client.get("/api/activity-durations", query).json()["durations"]
    assert {row["activity_code_id"]: row["seconds"] for row in said} == {1: 18 * 3600, 5: 6 * 3600}


@pytest.mark.parametrize("path", ["/api/oee", "/api/activity-durations"])
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400),
        ({"machine_id": "x"}, 400),
        ({"machine_id": "9"}, 404),
        ({"machine_id": "1", "date": "today"}, 400),
        ({"machine_id": "1", "date": "0001-01-01"}, 400),
        ({"machine_id": "1", "date": "2199-01-01"}, 200),
        ({"machine_id": "1"}, 200),
    ],
)
def test_question_is_answered_or_refused(plant, path, query, status):
    assert plant.client.get(path, query).status_code == status
