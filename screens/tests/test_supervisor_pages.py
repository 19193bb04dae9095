"""The supervisor's pages: what they show, what they refuse, whose they are, and how many queries they cost."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from andon.services import Said, call
from downtime.models import StateCorrection
from oee.handover import leave_note
from screens.stops import key_of
from screens.tests.supervised import DAY, THAT_DAY, Plant
from tests.factories import (
    make_area,
    make_call_type,
    make_line,
    make_machine,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant():
    return Plant()


@pytest.fixture
def boss(client, plant):
    client.force_login(plant.boss)
    return client


def pages(plant):
    return [
        plant.url("supervise"),
        plant.url("supervise-panels"),
        plant.url("floor"),
        plant.url("floor", **THAT_DAY),
        plant.url("floor-fragments"),
        plant.url("stops"),
        plant.url("stops", line=plant.line.code, **THAT_DAY),
        plant.url("stops", show="all", period="720"),
        *(plant.of_line("timeline", span=span, **THAT_DAY) for span in ("shift", "day", "3d", "7d", "30d")),
        plant.stop_url(),
        f"{plant.stop_url()}cause/",
        plant.of_line("hours", **THAT_DAY),
        plant.of_line("handover", **THAT_DAY),
        *(plant.url("pareto", by=by, first="2026-03-01", last="2026-03-03") for by in ("reason", "machine", "shift")),
        plant.url("pareto", by="product", measure="pieces", first="2026-03-01", last="2026-03-03"),
        plant.url("waterfall", first="2026-03-01", last="2026-03-03"),
        *(plant.url("plan-actual", by=by, first="2026-03-01", last="2026-03-03") for by in ("day", "line", "order")),
        plant.url("board"),
        plant.url("board", plant.line.area.code),
        plant.url("board-fragments", plant.line.area.code),
    ]


def test_every_page_answers_whoever_may_and_sends_others_to_log_in(client, plant):
    for url in pages(plant):
        assert client.get(url).status_code == 302, url
    client.force_login(plant.boss)
    for url in pages(plant):
        assert client.get(url).status_code == 200, url
    client.force_login(make_user("operator", site=plant.site))
    for url in pages(plant):
        assert client.get(url).status_code == 200, url


def test_another_sites_line_is_not_there(client, plant):
    client.force_login(make_user("supervisor", site=make_machine().line.area.site))
    for name in ("timeline", "hours", "handover"):
        assert client.get(plant.of_line(name)).status_code == 404
        assert client.post(plant.of_line(name), {"action": "note", "text": "x"}).status_code in (404, 405)
    assert client.get(plant.url("board", plant.line.area.code)).status_code == 404
    assert client.get(plant.stop_url()).status_code == 404
    for name in ("floor", "stops", "pareto", "waterfall", "plan-actual", "supervise"):
        assert plant.line.name not in client.get(plant.url(name)).content.decode()
        narrowed = client.get(plant.url(name, line=plant.line.code, site=plant.site.code))
        assert narrowed.status_code == 404
    posted = client.post(plant.url("stops"), {"stop": key_of(plant.stop()), "reason": plant.jam.pk})
    assert posted.status_code == 404
    assert StateCorrection.objects.count() == 0


NONSENSE = {
    "date=x&shift=y": ("floor", "stops", "supervise", "timeline", "hours", "handover"),
    "date=0001-01-01": ("floor", "stops", "pareto", "timeline", "hours", "handover"),
    "date=9999-12-31&shift=99999999999999999999": ("floor", "stops", "timeline", "hours", "handover"),
    "date=2026-02-31": ("floor", "stops", "timeline", "hours", "handover"),
    "span=century": ("floor", "timeline"),
    "period=-1": ("stops", "pareto", "waterfall", "plan-actual"),
    "order=%00": ("stops", "pareto", "waterfall", "plan-actual", "handover"),
    "first=x&last=y": ("stops", "pareto", "waterfall", "plan-actual"),
    "first=9999-12-31&last=0001-01-01": ("stops", "pareto", "waterfall", "plan-actual"),
    "page=-1": ("supervise", "stops", "board"),
    "by=x&measure=y": ("pareto", "waterfall"),
    "starts_at=x&ends_at=y": ("stops", "pareto", "waterfall", "timeline"),
    "starts_at=2026-01-01T00:00:00Z&ends_at=2025-01-01T00:00:00Z": ("stops", "pareto", "waterfall", "timeline"),
    "product=abc&reason=99999999999999999999&in_shift=%2B1": ("stops", "pareto", "waterfall"),
    "category=%F0%9F%92%A5&show=all": ("supervise", "floor", "stops", "board", "pareto"),
}
"""What may stand in the address of pages that read it."""


def test_nonsense_in_the_address_never_fails(boss, plant):
    of_line = {"timeline", "hours", "handover"}
    for query, names in NONSENSE.items():
        for name in names:
            url = plant.of_line(name) if name in of_line else plant.url(name)
            for form in ("", "&format=csv", "&format=xlsx", "&format=x"):
                answer = boss.get(f"{url}?{query}{form}")
                answer.getvalue()
                assert answer.status_code < 500, f"{url}?{query}{form}"


@pytest.mark.parametrize(
    "key", ["x", "1-2", "-", "1-", "99999999999999999999-1", "1-99999999999999999999", "1-999999999999999999"]
)
def test_a_stop_that_is_none_is_not_there(boss, plant, key):
    assert boss.get(plant.url("stop", key)).status_code == 404


# --- line overview ---


def test_floor_of_a_past_shift_counts_what_nobody_explained(boss, plant):
    page = boss.get(plant.url("floor", **THAT_DAY))
    ((line, status),) = page.context["rows"]
    (machine,) = status.machines
    assert (line, machine.unexplained, status.shift.name) == (plant.line, 2, "Morning")
    assert status.good == 7200
    # As wide as the shift: half an hour of eight.
    assert ("unplanned", 62.5) in [(one.category, one.width) for one in machine.segments]
    assert [tick.label for tick in status.ticks] == ["06", "07", "08", "09", "10", "11", "12", "13"]
    assert "data-live-socket" not in page.content.decode()


def test_floor_of_a_day_without_that_shift_says_so(boss, plant):
    page = boss.get(plant.url("floor", date="2026-03-02", shift="Night"))
    assert "No such shift on that day." in page.content.decode()


# --- landing page and board ---


def test_landing_page_lists_what_is_late_and_what_waits(boss, plant):
    type(plant.order).objects.filter(pk=plant.order.pk).update(status="in_progress")
    text = boss.get(plant.url("supervise-panels")).content.decode()
    assert plant.order.order_number in text
    assert "overdue" in text


def test_board_of_an_area_shows_its_lines_alone(boss, plant):
    other = make_machine(line=make_line(name="Other hall", area=make_area(site=plant.site)))
    text = boss.get(plant.url("board", plant.line.area.code)).content.decode()
    assert "Bottling" in text
    assert "Other hall" not in text
    assert "Other hall" in boss.get(plant.url("board")).content.decode()
    fragments = boss.get(plant.url("board-fragments", other.line.area.code)).json()
    assert [line["id"] for line in fragments["lines"]] == [other.line_id]
    assert boss.get(plant.url("board-fragments"), {"only": "calls"}).json()["lines"] == []


def test_open_calls_stand_on_the_board_the_landing_page_and_the_handover(boss, plant):
    said = Said(at=timezone.now(), recorded_at=timezone.now(), actor=plant.boss)
    call(call_type=make_call_type(name="Forklift"), machine=plant.machines[0], said=said)
    call(call_type=make_call_type(name="Elsewhere"), machine=make_machine(), said=said)
    for url in (plant.url("board"), plant.url("supervise"), plant.of_line("handover", **THAT_DAY)):
        text = boss.get(url).content.decode()
        assert "Forklift" in text, url
        assert "Elsewhere" not in text, url
    fetched = boss.get(plant.url("board-fragments", plant.line.area.code), {"only": "calls"}).json()
    assert "Forklift" in fetched["calls"]


def test_pages_read_the_facts_once(boss, plant):
    plant.machine(1)
    span = {"first": "2026-03-01", "last": "2026-03-03"}
    most = {
        plant.of_line("handover", **THAT_DAY): 37,
        plant.of_line("line"): 22,
        plant.of_line("hours", **THAT_DAY): 20,
        plant.of_line("timeline", **THAT_DAY): 20,
        plant.stop_url(): 26,
        f"{plant.stop_url()}cause/": 26,
        plant.url("overview"): 22,
        plant.url("floor"): 22,
        plant.url("floor", **THAT_DAY): 22,
        plant.url("board"): 23,
        plant.url("supervise"): 23,
        plant.url("stops"): 20,
        plant.url("pareto", **span): 20,
        plant.url("waterfall", **span): 26,
        plant.url("plan-actual", **span): 20,
    }
    counted = {}
    # In the middle of a shift, whenever this runs: outside of one, pages ask for less.
    with time_machine.travel((timezone.now() + timedelta(days=1)).replace(hour=9)):
        for url in most:
            boss.get(url)
            with CaptureQueriesContext(connection) as caught:
                assert boss.get(url).status_code == 200, url
            counted[url] = len(caught)
    assert {url: number for url, number in counted.items() if number > most[url]} == {}, counted


def test_number_of_queries_does_not_grow_with_the_data(client):
    small, large = Plant(machines=2), Plant(machines=4, stops=20)
    counted = []
    for plant in (small, large):
        client.force_login(plant.boss)
        leave_note(
            line=plant.line,
            shift_id=plant.shift.pk,
            shift_date=DAY,
            text="x",
            author=plant.boss,
            recorded_at=timezone.now(),
        )
        numbers = []
        for url in pages(plant):
            client.get(url)
            with CaptureQueriesContext(
                connection,
            ) as caught:
                assert client.get(url).status_code == 200
            numbers.append((url, len(caught)))
            print(url, len(caught))
        counted.append(numbers)
    for (name, few), (_name, many) in zip(*counted, strict=True):
        assert many <= few + 1, (name, few, many)
