"""The supervisor's pages: what they show, what they refuse, whose they are, and how many queries they cost."""

import csv
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from andon.services import Said, call
from core import master_data
from core.intervals import Interval
from counts.services import NewReading, record_readings
from downtime.models import StateCorrection
from downtime.services import NewState, record_states
from enterprise.models import Shift
from oee.handover import leave_note
from oee.models import ClosingRule, HourComment, ShiftClosing, ShiftNote
from oee.stops import stops_of
from screens.stops import key_of
from tests.factories import (
    make_area,
    make_call_type,
    make_count_tag,
    make_ideal_rate,
    make_line,
    make_machine,
    make_product,
    make_reason,
    make_run,
    make_user,
    make_work_order,
)

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)
START = datetime(2026, 3, 2, 5, tzinfo=UTC)
"""06:00 in Warsaw, when the morning shift begins."""
THAT_DAY = {"date": "2026-03-02"}


def at(hours):
    return START + timedelta(hours=hours)


class Plant:
    """A line that ran, jammed without a reason from 08:00 to 08:30 and from 10:00 to 10:05, and ran on until 14:00."""

    def __init__(self, machines=1, stops=0):
        self.line = make_line(name="Bottling")
        self.site = self.line.area.site
        master_data.save(Shift(site=self.site, name="Morning", start_time=time(6), end_time=time(14)))
        self.shift = Shift.objects.get(site=self.site)
        self.runs, self.stands = make_reason(name="Running"), make_reason("unplanned", name="Stand", explains=False)
        self.jam, self.off = make_reason("unplanned", name="Label jam"), make_reason("not_scheduled", name="Off")
        self.product = make_product()
        self.order = make_work_order(product=self.product, line=self.line, due_at=at(10))
        make_run(line=self.line, work_order=self.order, started_at=START, ended_at=at(8))
        self.machines = [self.machine(n) for n in range(machines)]
        self.boss = make_user("supervisor", site=self.site, first_name="Ada", last_name="Nowak")
        for n in range(stops):
            self.say((at(3) + timedelta(minutes=2 * n), self.stands), (at(3) + timedelta(minutes=2 * n + 1), self.runs))

    def machine(self, n):
        machine = make_machine(line=self.line, name=f"Machine {n}", position=n, is_constraint=n == 0)
        make_ideal_rate(product=self.product, machine=machine)
        self.say(
            (START, self.runs), (at(2), self.stands), (at(2.5), self.runs), (at(4), self.stands),
            (at(4) + timedelta(minutes=5), self.runs), (at(8), self.off), machine=machine,
        )  # fmt: skip
        tag = make_count_tag(machine=machine)
        readings = [(at(hour + 0.5), Decimal(900)) for hour in range(8)]
        record_readings([NewReading(tag.pk, machine.pk, False, *one) for one in readings], recorded_at=timezone.now())
        return machine

    def say(self, *states, machine=None):
        machine = machine or self.machines[0]
        record_states(
            [NewState(machine.pk, moment, reason.pk) for moment, reason in states], recorded_at=timezone.now()
        )

    def stop(self, hours=2.1, machine=None):
        moment = at(hours)
        around = Interval(moment, moment + timedelta(seconds=1))
        machine = (
            type(self.machines[0]).objects.select_related("line__area__site").get(pk=(machine or self.machines[0]).pk)
        )
        (stop,) = stops_of([machine], around, now=timezone.now())
        return stop

    def url(self, name, *args, **query):
        return reverse(f"screens:{name}", args=args or None, query=query or None)

    def of_line(self, name, **query):
        return self.url(name, self.line.code, **query)

    def stop_url(self, hours=2.1):
        from core.fact_api import fact_id

        stop = self.stop(hours)
        return self.url("stop", fact_id(stop.machine_id, stop.start))


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
        plant.url("stops-file", line=plant.line.code, **THAT_DAY),
        *(plant.of_line("timeline", span=span, **THAT_DAY) for span in ("shift", "day", "3d", "7d", "30d")),
        plant.stop_url(),
        f"{plant.stop_url()}cause/",
        plant.of_line("hours", **THAT_DAY),
        plant.of_line("handover", **THAT_DAY),
        *(plant.url("pareto", by=by, first="2026-03-01", last="2026-03-03") for by in ("reason", "machine", "shift")),
        plant.url("pareto", by="product", measure="pieces", first="2026-03-01", last="2026-03-03"),
        plant.url("pareto-file", first="2026-03-01", last="2026-03-03"),
        plant.url("waterfall", first="2026-03-01", last="2026-03-03"),
        plant.url("waterfall-file", first="2026-03-01", last="2026-03-03"),
        *(plant.url("plan-actual", by=by, first="2026-03-01", last="2026-03-03") for by in ("day", "line", "order")),
        plant.url("plan-actual-file", first="2026-03-01", last="2026-03-03"),
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
    "order=%00": ("stops", "pareto", "pareto-file", "waterfall", "plan-actual", "handover"),
    "first=x&last=y": ("stops", "stops-file", "pareto", "pareto-file", "waterfall", "plan-actual"),
    "first=9999-12-31&last=0001-01-01": ("stops", "stops-file", "pareto", "pareto-file", "waterfall", "plan-actual"),
    "page=-1": ("supervise", "stops", "board"),
    "by=x&measure=y": ("pareto", "pareto-file", "waterfall"),
    "starts_at=x&ends_at=y": ("stops", "pareto", "waterfall", "timeline"),
    "starts_at=2026-01-01T00:00:00Z&ends_at=2025-01-01T00:00:00Z": ("stops", "pareto", "waterfall", "timeline"),
    "product=abc&reason=99999999999999999999&in_shift=%2B1": ("stops", "stops-file", "pareto", "waterfall"),
    "category=%F0%9F%92%A5&show=all": ("supervise", "floor", "stops", "board", "pareto"),
}
"""What may stand in the address of pages that read it."""


def test_nonsense_in_the_address_never_fails(boss, plant):
    of_line = {"timeline", "hours", "handover"}
    for query, names in NONSENSE.items():
        for name in names:
            url = plant.of_line(name) if name in of_line else plant.url(name)
            assert boss.get(f"{url}?{query}").status_code < 500, f"{url}?{query}"


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
    answer = boss.get(plant.url("stops-file", line=plant.line.code, **THAT_DAY))
    rows = list(csv.DictReader(answer.content.decode("utf-8-sig").splitlines()))
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


# --- hours and hand-over ---


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


# --- losses, plan and actual ---

DAYS = {"first": "2026-03-02", "last": "2026-03-02"}


def test_pareto_by_product_leads_to_the_stops_behind_it(boss, plant):
    page = boss.get(plant.url("pareto", by="product", measure="pieces", **DAYS))
    (row,) = page.context["rows"]
    assert row.name.startswith(plant.product.code)
    assert (row.row.duration, row.row.occurrences) == (timedelta(minutes=35), 2)
    assert row.row.lost_pieces == 35 * 60
    assert page.context["chart"].labels == [row.name]
    behind = boss.get(row.url)
    assert behind.context["page"].paginator.count == 2
    (of_shift,) = boss.get(plant.url("pareto", by="shift", **DAYS)).context["rows"]
    assert boss.get(of_shift.url).context["page"].paginator.count == 2
    (of_reason,) = boss.get(plant.url("pareto", by="reason", **DAYS)).context["rows"]
    assert boss.get(of_reason.url).context["page"].paginator.count == 2


def test_waterfall_adds_up_in_time_and_in_pieces(boss, plant):
    rows = list(csv.DictReader(boss.get(plant.url("waterfall-file", **DAYS)).content.decode("utf-8-sig").splitlines()))
    assert sum(Decimal(row["seconds"]) for row in rows) == 24 * 3600
    pieces = {row["class"]: Decimal(row["pieces"]) for row in rows if row["pieces"]}
    assert pieces["productive"] == 7200
    assert sum(pieces.values()) == 8 * 3600
    assert boss.get(plant.url("waterfall", **DAYS)).context["losses"].has_pieces


def test_plan_and_actual_by_day_line_and_order(boss, plant):
    (day,) = boss.get(plant.url("plan-actual", **DAYS)).context["rows"]
    assert (day.name, day.planned, day.good) == ("2026-03-02", 8 * 3600 * Decimal("0.85"), 7200)
    (line,) = boss.get(plant.url("plan-actual", by="line", **DAYS)).context["rows"]
    assert (line.name, line.delta) == ("Bottling", 7200 - 24480)
    (order,) = boss.get(plant.url("plan-actual", by="order", **DAYS)).context["rows"]
    assert (order.name, order.planned, order.good) == (plant.order.order_number, 1000, 7200)


def test_files_hold_no_formulas(boss, plant):
    type(plant.jam).objects.filter(pk=plant.stands.pk).update(name="=HYPERLINK(1)")
    for name in ("pareto-file", "stops-file"):
        answer = boss.get(plant.url(name, line=plant.line.code, show="all", **DAYS, **THAT_DAY))
        assert "'=HYPERLINK" in answer.content.decode()


def test_choosing_another_site_lets_go_of_the_line_and_area_of_the_last_one(client, plant):
    other = make_machine(line=make_line(name="Elsewhere")).line
    client.force_login(make_user("supervisor"))
    site, line = {"site": other.area.site.code}, {"line": plant.line.code}
    moved = {**site, "area": plant.line.area.code, **line}
    for name, query in (("pareto", moved), ("waterfall", {**site, **line}), ("plan-actual", moved)):
        answer = client.get(plant.url(name, **query, **DAYS))
        assert answer.status_code == 200, name
        assert (answer.context["period"].line, answer.context["period"].lines) == (None, (other,)), name
    chosen = client.get(plant.url("floor", **moved)).context["chosen"]
    assert (chosen.site, chosen.area, chosen.lines) == (other.area.site, None, (other,))


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
        plant.of_line("line"): 20,
        plant.of_line("hours", **THAT_DAY): 20,
        plant.of_line("timeline", **THAT_DAY): 20,
        plant.stop_url(): 26,
        f"{plant.stop_url()}cause/": 26,
        plant.url("overview"): 20,
        plant.url("floor"): 20,
        plant.url("floor", **THAT_DAY): 22,
        plant.url("board"): 21,
        plant.url("supervise"): 21,
        plant.url("stops"): 20,
        plant.url("pareto", **span): 20,
        plant.url("waterfall", **span): 26,
        plant.url("plan-actual", **span): 20,
    }
    counted = {}
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
