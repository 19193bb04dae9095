"""Stops over REST: lists that are bounded, words that take the right role, errors that name the field."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from downtime.models import ReasonRule
from downtime.services import NewState, record_states
from tests.factories import make_machine, make_reason, make_shift, make_user

pytestmark = pytest.mark.django_db


class Plant:
    """A machine that stood for ten minutes an hour ago, and nobody knows why."""

    def __init__(self) -> None:
        self.now = timezone.now().replace(microsecond=0)
        self.machine = make_machine()
        self.site = self.machine.line.area.site
        self.run, self.stopped = make_reason(), make_reason("unplanned", explains=False)
        self.jam, self.lunch = make_reason("unplanned"), make_reason("planned")
        self.start, self.end = self.now - timedelta(minutes=60), self.now - timedelta(minutes=50)
        states = [(self.start - timedelta(hours=1), self.run), (self.start, self.stopped), (self.end, self.run)]
        record_states([NewState(self.machine.pk, at, reason.pk, "E-7") for at, reason in states], recorded_at=self.now)

    def span(self, **more):
        span = {"machine": self.machine.pk, "starts_at": self.start.isoformat(), "ends_at": self.end.isoformat()}
        return {**span, "seen_correction_id": 0, **more}

    def as_(self, role, site=None):
        client = APIClient()
        client.force_authenticate(make_user(role, site or self.site))
        return client


@pytest.fixture
def plant():
    return Plant()


def stops(client, **query):
    answer = client.get("/downtime/stop/", query)
    assert answer.status_code == 200, answer.data
    return answer.json()["results"]


def test_stops_of_a_place_are_listed_newest_first_in_pages(plant):
    record_states([NewState(plant.machine.pk, plant.now - timedelta(minutes=5), plant.jam.pk)], recorded_at=plant.now)
    client = plant.as_("operator")
    line = plant.machine.line
    for place in ({"machine": plant.machine.pk}, {"line": line.code}, {"area": line.area_id}, {"site": plant.site.pk}):
        latest, first = stops(client, **place)
        assert (latest["reason"], latest["ends_at"], latest["is_unexplained"]) == (plant.jam.pk, None, False)
        assert (first["reason"], first["seconds"], first["is_unexplained"]) == (plant.stopped.pk, 600.0, True)
    page = client.get("/downtime/stop/", {"line": line.pk, "page_size": 1, "page": 2}).json()
    assert (page["count"], [stop["reason"] for stop in page["results"]]) == (2, [plant.stopped.pk])
    (unexplained,) = stops(client, line=line.pk, unexplained="true")
    assert unexplained["reason"] == plant.stopped.pk
    (jammed,) = stops(client, line=line.pk, reason=plant.jam.code)
    assert jammed["reason"] == plant.jam.pk
    assert stops(client, line=line.pk, category="planned") == []


def test_time_outside_the_shifts_needs_no_explanation(plant):
    tomorrow = (plant.now + timedelta(days=2)).isoweekday()
    make_shift(site=plant.site, weekdays=[tomorrow])
    client = plant.as_("operator")
    assert len(stops(client, machine=plant.machine.pk)) == 1
    assert stops(client, machine=plant.machine.pk, unexplained="true") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "line"),
        ({"line": "nowhere"}, "line"),
        ({"starts_at": "2026-03-02T10:00:00"}, "starts_at"),
        ({"starts_at": "2026-03-02T10:00:00Z", "ends_at": "2026-03-02T10:00:00Z"}, "ends_at"),
        ({"starts_at": "9000-03-02T10:00:00Z", "ends_at": "9000-03-03T10:00:00Z"}, "starts_at"),
        ({"ends_at": "0001-01-01T10:00:00Z"}, "ends_at"),
        ({"starts_at": "2020-03-02T10:00:00Z"}, "ends_at"),
        ({"category": "lazy"}, "category"),
        ({"unexplained": "perhaps"}, "unexplained"),
        ({"reason": "999999999999999999999"}, "reason"),
    ],
)
def test_bad_query_names_its_field(plant, query, field):
    place = {} if field == "line" else {"machine": plant.machine.pk}
    answer = plant.as_("operator").get("/downtime/stop/", {**place, **query})
    assert answer.status_code == 400
    assert field in answer.json()


def test_operator_explains_with_one_tap_and_another_operator_does_not_change_it(plant):
    first, second, supervisor = plant.as_("operator"), plant.as_("operator"), plant.as_("supervisor")
    answer = first.post("/downtime/stop/explain/", plant.span(reason=plant.jam.code))
    assert answer.status_code == 201, answer.data
    (said,) = answer.json()
    assert (said["before"], said["reason"], said["comment"]) == ([plant.stopped.pk], plant.jam.pk, "")
    (stop,) = stops(first, machine=plant.machine.pk)
    assert stop["newest_correction_id"] == said["id"]
    again = plant.span(reason=plant.lunch.pk, comment="It was lunch", seen_correction_id=said["id"])
    assert second.post("/downtime/stop/explain/", again).status_code == 403
    assert supervisor.post("/downtime/stop/explain/", {**again, "seen_correction_id": 0}).status_code == 409
    assert supervisor.post("/downtime/stop/explain/", {**again, "comment": ""}).json().keys() == {"comment"}
    assert plant.as_("quality").post("/downtime/stop/explain/", again).status_code == 201
    words = first.get("/downtime/stop/words/", {k: v for k, v in plant.span().items() if k != "seen_correction_id"})
    assert [word["reason"] for word in words.json()] == [plant.jam.pk, plant.lunch.pk]


def test_split_merge_and_withdraw_over_rest(plant):
    client = plant.as_("supervisor")
    middle = (plant.start + timedelta(minutes=5)).isoformat()
    split = plant.span(moments=[middle], reasons=[plant.jam.pk, plant.lunch.pk], comment="Two things")
    answer = client.post("/downtime/stop/split/", split)
    assert answer.status_code == 201, answer.data
    assert [stop["reason"] for stop in stops(client, machine=plant.machine.pk)] == [plant.lunch.pk, plant.jam.pk]
    newest = answer.json()[-1]["id"]
    merge = plant.span(reason=plant.lunch.pk, comment="One thing", seen_correction_id=newest)
    newest = client.post("/downtime/stop/merge/", merge).json()[-1]["id"]
    assert len(stops(client, machine=plant.machine.pk)) == 1
    back = client.post("/downtime/stop/withdraw/", plant.span(comment="No", seen_correction_id=newest))
    assert back.status_code == 201
    (stop,) = stops(client, machine=plant.machine.pk)
    assert stop["reason"] == plant.stopped.pk


@pytest.mark.parametrize(
    ("action", "more", "field"),
    [
        ("explain", {}, "reason"),
        ("explain", {"reason": None}, "reason"),
        ("explain", {"seen_correction_id": -1}, "seen_correction_id"),
        ("explain", {"machine": 10**30}, "machine"),
        ("explain", {"ends_at": "yesterday"}, "ends_at"),
        ("split", {"moments": [], "reasons": []}, "moments"),
        ("split", {"moments": ["2020-01-01T00:00:00Z"], "reasons": [None, None]}, "moments"),
        ("merge", {"reason": "nothing"}, "reason"),
        ("withdraw", {"comment": "Nothing was said"}, "starts_at"),
    ],
)
def test_bad_word_names_its_field(plant, action, more, field):
    answer = plant.as_("supervisor").post(f"/downtime/stop/{action}/", plant.span(**more))
    assert answer.status_code == 400
    assert field in answer.json()


def test_other_sites_stops_do_not_exist(plant):
    stranger = plant.as_("supervisor", make_machine().line.area.site)
    assert stranger.get("/downtime/stop/", {"machine": plant.machine.pk}).status_code == 400
    answer = stranger.post("/downtime/stop/explain/", plant.span(reason=plant.jam.pk))
    assert (answer.status_code, list(answer.json())) == (400, ["machine"])
    assert plant.as_("erp").post("/downtime/stop/explain/", plant.span(reason=plant.jam.pk)).status_code == 403
    assert APIClient().get("/downtime/stop/", {"machine": plant.machine.pk}).status_code == 401


def test_correction_without_a_reason_takes_back_and_rules_are_master_data(plant):
    supervisor, engineer = plant.as_("supervisor"), plant.as_("engineer")
    supervisor.post("/downtime/stop/explain/", plant.span(reason=plant.jam.pk))
    span = {"machine": plant.machine.pk, "starts_at": plant.start.isoformat(), "ends_at": plant.end.isoformat()}
    answer = supervisor.post("/downtime/state-correction/", {**span, "reason": None, "comment": "Wrong"})
    assert answer.status_code == 201, answer.data
    body = {"machine": plant.machine.pk, "name": "Jam", "detail_text": "E-7", "reason": plant.jam.pk}
    assert supervisor.post("/downtime/reason-rule/", body).status_code == 403
    made = engineer.post("/downtime/reason-rule/", body)
    assert made.status_code == 201, made.data
    (stop,) = stops(supervisor, machine=plant.machine.pk)
    assert stop["reason"] == plant.jam.pk
    assert engineer.post("/downtime/reason-rule/", {**body, "detail_text": ""}).status_code == 400
    assert engineer.delete(f"/downtime/reason-rule/{made.json()['id']}/").status_code == 204
    assert not ReasonRule.objects.exists()


def test_reasons_can_be_asked_for_by_what_a_machine_offers(plant):
    engineer, other = plant.as_("engineer"), make_machine()
    place = engineer.post("/downtime/reason-place/", {"reason": plant.lunch.pk, "machine": plant.machine.pk})
    assert place.status_code == 201, place.data
    everyone = APIClient()
    everyone.force_authenticate(make_user("engineer"))
    codes = {r["code"] for r in everyone.get("/downtime/state-reason/", {"offered_at": other.pk}).json()["results"]}
    assert plant.jam.code in codes
    assert plant.lunch.code not in codes
    unseen = engineer.get("/downtime/state-reason/", {"offered_at": other.pk}).json()["results"]
    assert unseen == []
