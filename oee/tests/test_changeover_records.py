"""Changeovers written down as they happen, beside what was counted of the same ones."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import InternalError, transaction
from django.db.utils import DatabaseError
from rest_framework.test import APIClient

from core.errors import Conflict, Invalid
from counts.models import CountHistory
from oee.changeover_records import beside_counts
from tests.factories import (
    make_changeover_target,
    make_count_tag,
    make_machine,
    make_product,
    make_run,
    make_user,
    make_work_order,
)
from workorders import changeovers
from workorders.models import Changeover

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
NOW = AT + timedelta(days=1)


def minutes(number):
    return AT + timedelta(minutes=number)


class Plant:
    def __init__(self):
        self.machine = make_machine()
        self.line = self.machine.line
        self.cola, self.lemon = make_product(), make_product()
        self.old = make_work_order(line=self.line, product=self.cola)
        self.new = make_work_order(line=self.line, product=self.lemon)
        make_run(line=self.line, work_order=self.old, started_at=minutes(-120), ended_at=minutes(0))
        make_changeover_target(line=self.line, from_product=self.cola, to_product=self.lemon, target_minutes=25)
        self.anna = make_user("operator", site=self.line.area.site)
        self.boss = make_user("supervisor", site=self.line.area.site)

    def begin(self, **more):
        return changeovers.begin_changeover(
            **{
                "line": self.line,
                "work_order": self.new,
                "started_at": minutes(1),
                "actor": self.anna,
                "recorded_at": NOW,
                **more,
            }
        )[0]

    def done(self):
        record = self.begin()
        changeovers.next_phase(changeover=record, phase="setup", at=minutes(10), recorded_at=NOW)
        changeovers.next_phase(changeover=record, phase="trial_run", at=minutes(25), recorded_at=NOW)
        self.run = make_run(line=self.line, work_order=self.new, started_at=minutes(26))
        return changeovers.finish_changeover(changeover=record, at=minutes(32), inspection="passed", recorded_at=NOW)


@pytest.fixture
def plant():
    return Plant()


def test_phases_follow_each_other_and_the_run_is_found(plant):
    record = plant.done()
    assert [(row.phase, row.started_at, row.ended_at) for row in record.phases.all()] == [
        ("teardown", minutes(1), minutes(10)),
        ("setup", minutes(10), minutes(25)),
        ("trial_run", minutes(25), minutes(32)),
    ]
    assert (record.from_product, record.to_product, record.run) == (plant.cola, plant.lemon, plant.run)
    assert (record.target_minutes, record.inspection) == (25, "passed")


def test_counted_times_stand_beside_the_written_ones(plant):
    tag = make_count_tag(machine=plant.machine)
    for number in (-3, 30):
        CountHistory.objects.create(tag=tag, occurred_at=minutes(number), value=Decimal(1), recorded_at=NOW)
    record = Changeover.objects.select_related("line__area__site", "run").get(pk=plant.done().pk)
    (told,) = beside_counts([record], now=NOW)
    assert (told.counted.started_at, told.counted.ended_at) == (minutes(-3), minutes(30))
    assert (told.first_good_at, told.first_good_from) == (minutes(30), "counted")
    assert (told.duration, told.over_target) == (timedelta(minutes=29), timedelta(minutes=4))
    changeovers.note_first_good(changeover=record, at=minutes(28), pieces_made=Decimal(9), recorded_at=NOW)
    record.refresh_from_db()
    (told,) = beside_counts([record], now=NOW)
    assert (told.first_good_at, told.first_good_from, record.pieces_made) == (minutes(28), "written", 9)
    assert told.counted.ended_at == minutes(30)


def test_a_line_is_changed_over_once_at_a_time_and_a_retry_has_one_effect(plant):
    first = plant.begin(idempotency_key="c-1")
    assert plant.begin(idempotency_key="c-1") == first
    with pytest.raises(Conflict):
        plant.begin(started_at=minutes(5), idempotency_key="c-1")
    with pytest.raises(Conflict):
        plant.begin(started_at=minutes(5))
    for _ in range(2):
        changeovers.next_phase(changeover=first, phase="setup", at=minutes(10), recorded_at=NOW)
    assert first.phases.count() == 2
    with pytest.raises(Conflict):
        changeovers.next_phase(changeover=first, phase="teardown", at=minutes(12), recorded_at=NOW)
    with pytest.raises(Invalid):
        changeovers.next_phase(changeover=first, phase="trial_run", at=minutes(10), recorded_at=NOW)


def test_nobody_approves_what_they_did_and_approved_it_stays(plant):
    record = plant.begin()
    with pytest.raises(Conflict):
        changeovers.approve_changeover(changeover=record, actor=plant.boss, approved_at=NOW)
    changeovers.finish_changeover(changeover=record, at=minutes(32), recorded_at=NOW)
    with pytest.raises(Invalid):
        changeovers.approve_changeover(changeover=record, actor=plant.anna, approved_at=NOW)
    for _ in range(2):
        record = changeovers.approve_changeover(changeover=record, actor=plant.boss, approved_at=NOW)
    assert record.approved_by == plant.boss
    with pytest.raises(Conflict):
        changeovers.correct_changeover(changeover=record, reason="x", values={"operators": "me"}, recorded_at=NOW)
    with pytest.raises((InternalError, DatabaseError)), transaction.atomic():
        Changeover.objects.filter(pk=record.pk).update(operators="me")


def test_correction_keeps_its_reason_and_refuses_phases_that_overlap(plant):
    record = plant.done()
    changeovers.correct_changeover(
        changeover=record,
        reason="Clock was wrong.",
        values={"operators": "Ewa, Jan"},
        phases={"setup": (minutes(11), minutes(24))},
        recorded_at=NOW,
    )
    assert record.history.first().history_change_reason == "Clock was wrong."
    assert record.phases.get(phase="setup").started_at == minutes(11)
    with pytest.raises(Invalid) as refusal:
        changeovers.correct_changeover(
            changeover=record, reason="x", values={}, phases={"setup": (minutes(5), minutes(24))}, recorded_at=NOW
        )
    assert refusal.value.field == "phases"


def test_rest_from_begin_to_approval(plant):
    api, boss = APIClient(), APIClient()
    api.force_authenticate(plant.anna)
    boss.force_authenticate(plant.boss)
    body = {"line": plant.line.code, "work_order": plant.new.pk, "started_at": minutes(1).isoformat()}
    made = api.post("/changeover/", body)
    assert (made.status_code, made.data["from_product"]) == (201, plant.cola.pk)
    one = f"/changeover/{made.data['id']}"
    assert api.post("/changeover/", body).status_code == 409
    assert api.post(f"{one}/next-phase/", {"phase": "setup", "at": minutes(9).isoformat()}).status_code == 200
    assert api.post(f"{one}/next-phase/", {"phase": "lunch"}).data.keys() == {"phase"}
    assert (
        api.post(
            f"{one}/first-good/", {"at": minutes(20).isoformat(), "pieces_made": 12, "pieces_scrapped": 13}
        ).status_code
        == 400
    )
    noted = api.post(f"{one}/first-good/", {"at": minutes(20).isoformat(), "pieces_made": 12, "pieces_scrapped": 3})
    assert (noted.data["seconds"], noted.data["over_target_seconds"]) == (19 * 60.0, -6 * 60.0)
    assert api.post(f"{one}/finish/", {"at": minutes(22).isoformat(), "inspection": "passed"}).status_code == 200
    assert api.post(f"{one}/approve/").status_code == 403
    assert api.post(f"{one}/correct/", {"reason": "x"}).status_code == 403
    assert boss.post(f"{one}/correct/", {"reason": "x", "improvement_idea": "Two trolleys."}).status_code == 200
    assert boss.post(f"{one}/approve/").data["approved_by"] == plant.boss.username
    assert boss.post(f"{one}/correct/", {"reason": "x", "operators": "y"}).status_code == 409
    assert [row["id"] for row in api.get("/changeover/", {"line": plant.line.pk}).data["results"]] == [made.data["id"]]
    foreign = APIClient()
    foreign.force_authenticate(make_user("supervisor", site=make_machine().line.area.site))
    assert foreign.get(f"{one}/").status_code == 404
