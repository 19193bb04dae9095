"""Data quality: every share is exact, what leaves no fact is tallied in its delivery, and unknown is no number."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from threading import Barrier, Thread

import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts.keys import DeviceScope
from core.intervals import Interval
from downtime.services import NewGap, record_gaps
from enterprise.models import Machine, Shift
from ingest import directory
from ingest.services import Delivery, accept
from oee.closing import close_shift
from oee.data_quality import QualityPart, data_quality, score_of, score_text
from oee.models import DeliveryTally
from tests.factories import make_count_tag, make_machine, make_reason, make_shift, make_user

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 3, 2, tzinfo=UTC)
NOW = DAY + timedelta(days=1)
SHIFT = Interval(DAY + timedelta(hours=5), DAY + timedelta(hours=13))
TROUBLES = ("duplicates", "conflicts", "future", "refused")


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


@pytest.fixture(autouse=True)
def _forget_names():
    for names in (directory.tags, directory.machines, directory.reasons, directory.constraint_machines):
        names.forget()


@pytest.fixture
def machine() -> Machine:
    machine = make_machine()
    make_shift(site=machine.line.area.site)
    return Machine.objects.select_related("line__area__site").get(pk=machine.pk)


def deliver(machine: Machine, *items: object, recorded_at: datetime = NOW) -> None:
    scope = DeviceScope(source="key", site_id=machine.line.area.site_id, machine_ids=frozenset([machine.pk]))
    accept(Delivery(items, scope), recorded_at=recorded_at)


def count(tag, hours, value=1):
    return {"tag": tag.tag_path, "at": at(hours).isoformat(), "value": value}


def state(machine, hours, reason):
    return {"machine": machine.code, "at": at(hours).isoformat(), "state": reason.code}


def tallies(machine):
    rows = DeliveryTally.objects.filter(machine=machine).order_by("starts_at")
    return {row.starts_at: tuple(getattr(row, name) for name in TROUBLES) for row in rows}


def quality(machine, now=NOW):
    return data_quality([(machine, SHIFT, None)], now=now)[0]


def share(of, code):
    return next(part.share for part in of.parts if part.code == code)


def test_a_clean_delivery_tallies_nothing(machine):
    tag, run = make_count_tag(machine=machine), make_reason()
    deliver(machine, count(tag, 6), count(tag, 7), state(machine, 5, run))
    assert not DeliveryTally.objects.exists()


def test_what_leaves_no_fact_is_tallied_by_machine_and_hour(machine):
    tag, run, stop = make_count_tag(machine=machine), make_reason(), make_reason("unplanned")
    deliver(machine, count(tag, 6.1), count(tag, 6.2), state(machine, 7.5, run))
    deliver(machine, count(tag, 6.1), count(tag, 6.2), count(tag, 6.3))
    deliver(machine, count(tag, 6.1, 2), state(machine, 7.5, stop), state(machine, 7.5, run))
    deliver(machine, count(tag, 6.4, -1), {"tag": tag.tag_path, "at": "yesterday", "value": 1})
    deliver(machine, count(tag, 24 + 5))
    assert tallies(machine) == {at(6): (2, 1, 0, 1), at(7): (1, 1, 0, 0), NOW: (0, 0, 1, 1)}


def test_items_of_machines_that_the_sender_may_not_speak_of_are_nobodys(machine):
    foreign = make_count_tag()
    deliver(machine, count(foreign, 6), count(foreign, 6, -1), {"tag": "\ud800", "at": "", "value": -1}, 7, {})
    deliver(machine, {"machine": ["x"], "at": at(6).isoformat()}, {"tag": "a\0", "at": {}, "value": None})
    assert not DeliveryTally.objects.exists()


def test_shares_are_exact_and_the_score_is_their_weighted_mean(machine):
    tag, run, stop = make_count_tag(machine=machine), make_reason(), make_reason("unplanned")
    soon = at(5) + timedelta(minutes=1)
    deliver(machine, state(machine, 5, run), recorded_at=soon)
    deliver(machine, count(tag, 6), recorded_at=at(6) + timedelta(seconds=2))
    deliver(machine, count(tag, 7), recorded_at=at(7) - timedelta(seconds=3))
    deliver(machine, state(machine, 9, stop), state(machine, 10, run), recorded_at=at(10.5))
    silent = make_reason("unplanned", explains=False)
    deliver(machine, state(machine, 12.25, silent), recorded_at=at(12.25))
    deliver(machine, state(machine, 12.5, run), recorded_at=at(12.5))
    deliver(machine, count(tag, 7), count(tag, 7, 5))
    record_gaps([NewGap(machine.pk, at(11), at(12), "The buffer ran over", "key")], recorded_at=NOW)
    found = quality(machine)
    # An hour of eight is not known; of an hour and a quarter of stops, the quarter has a reason that says nothing.
    assert share(found, "coverage") == Fraction(7, 8)
    assert share(found, "explained_stops") == Fraction(4, 5)
    assert share(found, "taken") == Fraction(7, 8)
    # Of seven facts, one came before it happened, and two came 30 and 90 minutes after.
    assert (found.clock.facts, found.clock.ahead, found.clock.late) == (7, 1, 2)
    assert share(found, "on_time") == Fraction(4, 7)
    assert found.clock.median_delay == timedelta(seconds=2)
    assert found.clock.shortest_delay == timedelta(seconds=-3)
    assert share(found, "delivered_once") == Fraction(7, 8)
    assert share(found, "decided_counters") is None
    assert share(found, "without_gaps") == Fraction(7, 8)
    weighted = (
        40 * Fraction(7, 8)
        + 20 * Fraction(4, 5)
        + 15 * Fraction(7, 8)
        + 10 * Fraction(4, 7)
        + 5 * Fraction(7, 8)
        + 5 * Fraction(7, 8)
    )
    assert found.score == 100 * weighted / 95
    assert found.stops.unexplained_share == Fraction(1, 5)


def test_a_perfect_shift_has_a_hundred_and_one_that_nobody_planned_has_none(machine):
    deliver(machine, state(machine, 5, make_reason()), recorded_at=at(5))
    deliver(machine, state(machine, 13, make_reason("unplanned")), recorded_at=at(13))
    assert quality(machine).score == 100
    night = Interval(at(14), at(20))
    assert data_quality([(machine, night, None)], now=NOW)[0].score is None
    assert data_quality([(machine, SHIFT, None)], now=at(4))[0].score is None


def test_a_machine_that_says_nothing_scores_what_silence_is_worth(machine):
    found = quality(machine)
    assert share(found, "coverage") == 0
    assert share(found, "on_time") is None
    assert score_text(found.score) == score_text(Fraction(100 * 5, 45))


def test_held_steps_count_by_their_counters(machine):
    wild = make_count_tag(machine=machine, mode="running", fastest_rate=Decimal(1))
    calm = make_count_tag(machine=machine, mode="running")
    deliver(machine, count(wild, 6, 0), count(wild, 6.001, 10**6), count(calm, 6, 0), count(calm, 7, 5))
    found = quality(machine)
    assert (found.held_steps, share(found, "decided_counters")) == (1, Fraction(1, 2))


def test_score_is_rounded_half_to_even():
    part = QualityPart("coverage", 1, "", Fraction(1, 3))
    assert score_text(score_of([part])) == "33.33"
    assert score_of([QualityPart("coverage", 1, "", None), QualityPart("taken", 1, "", Fraction(1))]) is None


def test_undecided_items_are_open_points_of_their_machines_shift(machine):
    tag, other = make_count_tag(machine=machine), make_count_tag()
    deliver(machine, count(tag, 6, -1), count(tag, 14, -1), count(other, 6, -1), {"tag": tag.tag_path})
    closing = close_shift(
        place=machine.line,
        shift_id=_shift(machine),
        shift_date=date(2026, 3, 2),
        actor=make_user("supervisor"),
        now=NOW,
    )
    (points,) = [point for point in closing.open_points if point["kind"] == "quarantined_item"]
    assert [(item["machine"], item["at"]) for item in points["items"]] == [(machine.code, at(6).isoformat())]


def _shift(machine):
    return Shift.objects.get(site=machine.line.area.site).pk


@pytest.mark.django_db(transaction=True)
def test_two_writers_of_the_same_tallies_neither_lose_a_count_nor_wait_in_a_circle():
    machines = [make_machine() for _ in range(4)]
    tags = [make_count_tag(machine=machine) for machine in machines]
    items = [count(tag, hours) for tag in tags for hours in (6, 7, 8)]
    site = machines[0].line.area.site_id
    scope = DeviceScope(source="key", site_id=site, machine_ids=frozenset(machine.pk for machine in machines))
    accept(Delivery(items, scope), recorded_at=NOW)
    barrier, failures, rounds = Barrier(2), [], 15

    def repeat(order):
        try:
            barrier.wait(10)
            for _ in range(rounds):
                accept(Delivery(order, scope), recorded_at=NOW)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [Thread(target=repeat, args=(order,)) for order in (items, items[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert set(DeliveryTally.objects.values_list("duplicates", flat=True)) == {2 * rounds}
    assert DeliveryTally.objects.count() == len(items)


# --- REST ---


def test_rest_answers_each_machine_and_shift_with_its_parts(machine):
    make_machine(line=machine.line, position=2)
    deliver(machine, state(machine, 5, make_reason()), recorded_at=at(5))
    client = APIClient()
    client.force_authenticate(make_user("operator", site=machine.line.area.site))
    asked = {"line": machine.line.code, "date": "2026-03-02"}
    answer = client.get("/oee/data-quality/", asked)
    assert answer.status_code == 200
    rows = {row["machine"]: row for row in answer.data["results"]}
    assert len(rows) == 2
    assert rows[machine.pk]["score"] == "100.00"
    assert rows[machine.pk]["median_delay_seconds"] == "0.000000"
    assert {part["code"]: part["weight"] for part in rows[machine.pk]["parts"]} == {
        "coverage": 40,
        "explained_stops": 20,
        "taken": 15,
        "on_time": 10,
        "delivered_once": 5,
        "decided_counters": 5,
        "without_gaps": 5,
    }
    assert client.get("/oee/data-quality/", {**asked, "shift": _shift(machine)}).data["count"] == 2
    assert "date" in client.get("/oee/data-quality/", {"line": machine.line.pk}).data
    assert "line" in client.get("/oee/data-quality/", {"date": "2026-03-02"}).data
    foreign = make_machine()
    assert client.get("/oee/data-quality/", {"machine": foreign.pk, "date": "2026-03-02"}).status_code == 400
