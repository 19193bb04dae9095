"""The pages of a shift's hours and of its hand-over."""

from datetime import timedelta

import pytest

from core import master_data
from oee.models import ClosingRule, HourComment, ShiftClosing, ShiftNote
from screens.tests.supervised import THAT_DAY, Plant, at
from tests.factories import (
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


def test_hour_board_tells_target_good_reject_and_the_main_loss(boss, plant):
    page = boss.get(plant.of_line("hours", **THAT_DAY))
    rows = page.context["board"].rows
    assert len(rows) == 8
    third = rows[2]
    assert (third.target, third.good, third.delta) == (3060, 900, -2160)
    assert (third.loss.name, third.loss.duration) == ("Stand", timedelta(minutes=30))
    assert all(row.wants_comment for row in rows)
    answer = boss.post(plant.of_line("hours", **THAT_DAY), {"hour": third.key, "text": "No labels."})
    assert answer.status_code == 302
    assert HourComment.objects.get().starts_at == at(2)
    assert "No labels." in boss.get(answer.url).content.decode()


def test_a_refused_comment_keeps_what_was_typed(boss, plant):
    url = plant.of_line("hours", **THAT_DAY)
    key = boss.get(url).context["board"].rows[0].key
    for hour, text in ((key, " "), ("x", "Kept."), ("1-1", "Kept."), (key, "x" * 501)):
        answer = boss.post(url, {"hour": hour, "text": text})
        assert answer.status_code == 400
    assert HourComment.objects.count() == 0
    future = key.partition("-")[0] + "-9999999999999999"
    assert boss.post(url, {"hour": future, "text": "x"}).status_code == 400


def test_handover_closes_only_after_the_review(boss, plant):
    url = plant.of_line("handover", **THAT_DAY)
    page = boss.get(url)
    assert [one["stop"].start for one in page.context["stops"]] == [at(2), at(4)]
    refused = boss.post(url, {"action": "close", "comment": "All well."})
    assert (refused.status_code, "Review the balance" in refused.content.decode()) == (409, True)
    assert "All well." in refused.content.decode()
    assert boss.post(url, {"action": "review", "seen": page.context["balance"].seen}).status_code == 400
    assert boss.post(url, {"action": "review", "seen": "0" * 64, "reviewed": "on"}).status_code == 409
    assert (
        boss.post(url, {"action": "review", "seen": page.context["balance"].seen, "reviewed": "on"}).status_code == 302
    )
    assert boss.post(url, {"action": "close", "comment": "All well."}).status_code == 302
    closing = ShiftClosing.objects.get()
    assert (closing.signed_as, closing.comment) == ("Ada Nowak", "All well.")
    assert "Handed over and closed by Ada Nowak" in boss.get(url).content.decode()
    assert boss.post(url, {"action": "close"}).status_code == 409


def test_handover_waits_for_comments_where_the_site_says_so(boss, plant):
    master_data.save(ClosingRule(site=plant.site, needs_hour_comments=True))
    url = plant.of_line("handover", **THAT_DAY)
    seen = boss.get(url).context["balance"].seen
    boss.post(url, {"action": "review", "seen": seen, "reviewed": "on"})
    refused = boss.post(url, {"action": "close"})
    assert "want a comment first: 06:00" in refused.content.decode()
    for row in boss.get(url).context["board"].rows:
        boss.post(url, {"action": "comment", "hour": row.key, "text": "Slow."})
    assert boss.post(url, {"action": "close"}).status_code == 302


def test_days_are_written_as_the_reader_writes_them(boss, plant):
    for language, written in (("en", "Mon 2 Mar"), ("de", "Mo 2. Mär")):
        boss.cookies["django_language"] = language
        for url in (plant.of_line("handover", **THAT_DAY), plant.of_line("timeline", **THAT_DAY), plant.stop_url()):
            assert written in boss.get(url).content.decode(), (language, url)


def test_the_next_shift_sees_the_notes(boss, plant):
    url = plant.of_line("handover", **THAT_DAY)
    assert boss.post(url, {"action": "note", "text": "Roll 3 is worn."}).status_code == 302
    boss.post(url, {"action": "note", "text": "Roll 3 is worn."})
    assert ShiftNote.objects.count() == 1
    assert boss.post(url, {"action": "note", "text": ""}).status_code == 400
    following = boss.get(plant.of_line("handover", date="2026-03-03"))
    assert [note.text for note in following.context["notes_before"]] == ["Roll 3 is worn."]


def test_only_who_may_sign_reviews_and_closes(client, plant):
    url = plant.of_line("handover", **THAT_DAY)
    client.force_login(make_user("operator", site=plant.site))
    assert client.post(url, {"action": "review", "seen": "0" * 64, "reviewed": "on"}).status_code == 403
    assert client.post(url, {"action": "close"}).status_code == 403
    assert client.post(url, {"action": "note", "text": "Seen."}).status_code == 302
    assert client.post(url, {"action": "nothing"}).status_code == 400
