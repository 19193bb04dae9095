"""The pages of stops: the worklist, the timeline, and a stop that is explained, split and merged."""

import csv
from datetime import timedelta

import pytest

from downtime.models import StateCorrection
from screens.stops import key_of
from screens.tests.supervised import THAT_DAY, Plant, at
from tests.factories import (
    make_reason,
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


# --- worklist ---


def test_worklist_lists_the_longest_first_and_explains_several_at_once(boss, plant):
    url = plant.url("stops", line=plant.line.code, **THAT_DAY)
    page = boss.get(url)
    rows = page.context["page"].object_list
    assert [row.stop.duration for row in rows] == [timedelta(minutes=30), timedelta(minutes=5)]
    newest = boss.get(f"{url}&order=newest").context["page"].object_list
    assert [row.stop.start for row in newest] == [at(4), at(2)]
    names = [choice.name for choice in page.context["picker"].others]
    assert names == ["Label jam", "Off"]
    answer = boss.post(url, {"stop": [row.key for row in rows], "reason": plant.jam.pk})
    assert answer.status_code == 302
    assert [word.reason for word in StateCorrection.objects.all()] == [plant.jam, plant.jam]
    after = boss.get(url)
    assert after.context["page"].paginator.count == 0
    assert "2 stops: Label jam" in after.content.decode()
    listed = boss.get(f"{url}&show=all")
    assert listed.context["page"].paginator.count == 2
    assert [choice.name for choice in listed.context["picker"].favourites] == ["Label jam"]


def test_refused_words_keep_what_was_ticked_and_typed(boss, plant):
    url = plant.url("stops", line=plant.line.code, **THAT_DAY)
    keys = [row.key for row in boss.get(url).context["page"].object_list]
    elsewhere = make_reason("unplanned", name="Elsewhere", operator_selectable=False)
    answer = boss.post(url, {"stop": keys, "reason": elsewhere.pk, "note": "by the gripper"})
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "not offered" in text
    assert 'value="by the gripper"' in text
    assert text.count("checked") == 2
    assert boss.post(url, {"reason": plant.jam.pk}).status_code == 400
    assert boss.post(url, {"stop": keys, "reason": "x"}).status_code == 400
    assert boss.post(url, {"stop": ["1-2"], "reason": plant.jam.pk}).status_code == 404


def test_worklist_of_a_file_has_the_same_stops(boss, plant):
    answer = boss.get(plant.url("stops", line=plant.line.code, format="csv", **THAT_DAY))
    rows = list(csv.DictReader(answer.getvalue().decode("utf-8-sig").splitlines()))
    assert [(row["seconds"], row["starts_at"], row["reason"]) for row in rows] == [
        ("1800", "2026-03-02T07:00:00Z", "Stand"),
        ("300", "2026-03-02T09:00:00Z", "Stand"),
    ]


# --- timeline and a single stop ---


def test_timeline_draws_segments_orders_and_stops_to_tap(boss, plant):
    page = boss.get(plant.of_line("timeline", **THAT_DAY))
    (row,) = page.context["rows"]
    assert [(bar.x, bar.width, bar.is_unexplained) for bar in row.stands] == [
        ("250.00", "62.50", True),
        ("500.00", "10.41", True),
    ]
    assert plant.order.order_number in page.context["runs"][0].title
    stop = boss.get(row.stands[0].url)
    assert stop.context["stop"].duration == timedelta(minutes=30)


def test_a_stop_is_split_by_typing_a_time_and_merged_again(boss, plant):
    url, other = plant.stop_url(), make_reason("planned", name="Cleaning")
    # As people read a clock, not as machines write a moment.
    assert 'id="split-hint">Between 0' in boss.get(url).content.decode()
    answer = boss.post(
        url,
        {
            "action": "split", "stop": key_of(plant.stop()), "at": "08:10:00", "reason": plant.jam.pk,
            "second": other.pk, "note": "Two things.",
        },
    )  # fmt: skip
    assert answer.status_code == 302
    first, second = plant.stop(2.1), plant.stop(2.4)
    assert (first.duration, first.reason_id) == (timedelta(minutes=10), plant.jam.pk)
    assert (second.start, second.reason_id) == (at(2) + timedelta(minutes=10), other.pk)
    page = boss.get(answer.url)
    (neighbour,) = page.context["neighbours"]
    assert neighbour.is_before
    merged = boss.post(
        answer.url,
        {
            "action": "merge",
            "stop": page.context["key"],
            "until": neighbour.key,
            "reason": plant.jam.pk,
            "note": "One.",
        },
    )
    assert merged.status_code == 302
    assert plant.stop(2.4).duration == timedelta(minutes=30)
    taken_back = boss.post(url, {"action": "withdraw", "stop": key_of(plant.stop()), "note": "No."})
    assert taken_back.status_code == 302
    assert plant.stop().reason_id == plant.stands.pk
    # Nothing was overwritten.
    assert StateCorrection.objects.count() == 4


def test_a_refused_split_keeps_what_was_typed(boss, plant):
    url = plant.stop_url()
    body = {"action": "split", "stop": key_of(plant.stop()), "note": "Two things.", "reason": plant.jam.pk}
    for typed in ("23:00", "soon", "", "2026-03-02T08:00:00", "99:99"):
        answer = boss.post(url, {**body, "at": typed})
        assert answer.status_code == 400
        assert "inside the stop" in answer.content.decode()
        assert f'value="{typed}"' in answer.content.decode()
    assert "Two things." in answer.content.decode()
    assert boss.post(url, {"action": "explode", "stop": "x"}).status_code == 400
    assert boss.post(url, {**body, "stop": "1-2-3-4", "at": "08:10"}).status_code == 404
    assert StateCorrection.objects.count() == 0


def test_an_old_view_of_a_stop_is_refused(boss, plant):
    url, key = plant.stop_url(), key_of(plant.stop())
    body = {"action": "explain", "stop": key, "reason": plant.jam.pk}
    assert boss.post(url, body).status_code == 302
    answer = boss.post(url, {**body, "note": "again"})
    assert (answer.status_code, "look again" in answer.content.decode()) == (409, True)


def test_operators_explain_what_nobody_did_and_viewers_nothing(client, plant):
    client.force_login(make_user("erp", site=plant.site))
    body = {"action": "explain", "stop": key_of(plant.stop()), "reason": plant.jam.pk}
    assert client.post(plant.stop_url(), body).status_code == 403
    client.force_login(make_user("operator", site=plant.site))
    assert client.post(plant.stop_url(), body).status_code == 302
    again = {**body, "stop": key_of(plant.stop()), "note": "mine"}
    assert client.post(plant.stop_url(), again).status_code == 302
    client.force_login(make_user("operator", site=plant.site))
    assert client.post(plant.stop_url(), {**again, "stop": key_of(plant.stop())}).status_code == 403


def test_parts_of_a_page_are_pages_where_no_script_fetches_them(boss, plant):
    for part, whole in (
        (f"{plant.stop_url()}cause/", plant.stop_url()),
        (plant.url("supervise-panels", site=plant.site.code), plant.url("supervise", site=plant.site.code)),
    ):
        page = boss.get(part).content.decode()
        assert "<h1>" in page, part
        assert '<main id="content"' in page, part
        assert f'href="{whole}"' in page, part
        fetched = boss.get(part, headers={"x-requested-with": "fetch"})
        assert "<html" not in fetched.content.decode(), part
        assert "X-Requested-With" in fetched["Vary"], part
