"""Closed shifts: frozen whatever comes later, signed, chained, and never changed silently."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from threading import Barrier, Thread

import pgtrigger
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from rest_framework.test import APIClient

from core import master_data
from core.errors import Conflict, Invalid, NotFound
from core.intervals import Interval
from core.models import Retention
from core.retention import Closed
from counts.models import CountTag
from counts.services import NewReading, record_readings
from downtime.services import NewState, correct_state, record_states
from enterprise.models import CalendarException, Line, Machine, Shift
from oee.closing import (
    accept_difference,
    bring_checks_up_to_date,
    close_due,
    close_shift,
    closing_of,
    current_closings,
    was_and_now,
)
from oee.closing_chain import broken_links
from oee.frozen_numbers import numbers_over
from oee.models import ClosingCheck, ClosingRule, OeePolicy, ShiftClosing
from oee.services import rebuild
from products.models import IdealRate
from tests.factories import (
    make_count_tag,
    make_ideal_rate,
    make_machine,
    make_product,
    make_reason,
    make_run,
    make_shift,
    make_user,
    make_work_order,
)

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 3, 2, tzinfo=UTC)
NOW = DAY + timedelta(days=2)
DATE = date(2026, 3, 2)


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


class Plant:
    """A machine that ran the morning shift of 2 March in Warsaw (05–13 UTC) but for an hour, and made 1,000 pieces."""

    def __init__(self) -> None:
        machine = make_machine()
        self.shift = make_shift(site=machine.line.area.site)
        self.product = make_product()
        self.rate = make_ideal_rate(machine=machine, product=self.product, value=Decimal(10))
        make_run(
            line=machine.line, work_order=make_work_order(line=machine.line, product=self.product), started_at=at(4)
        )
        self.machine = Machine.objects.select_related("line__area__site").get(pk=machine.pk)
        self.line: Line = self.machine.line
        self.tag: CountTag = make_count_tag(machine=machine)
        self.run, self.jam = make_reason("running"), make_reason("unplanned")
        self.boss = make_user("supervisor", first_name="Ada", last_name="Nowak")
        self.say(self.run, 5)
        self.say(self.jam, 8)
        self.say(self.run, 9)
        self.count(6, 1000)

    def say(self, reason, hours, recorded_at=NOW):
        record_states([NewState(self.machine.pk, at(hours), reason.pk)], recorded_at=recorded_at)

    def count(self, hours, value, tag=None):
        tag = tag or self.tag
        reading = NewReading(tag.pk, tag.machine_id, tag.mode == "running", at(hours), Decimal(value))
        record_readings([reading], recorded_at=NOW)

    def close(self, now=NOW, **overrides) -> ShiftClosing:
        wanted = {"place": self.line, "shift_id": self.shift.pk, "shift_date": DATE, "actor": self.boss, **overrides}
        return close_shift(now=now, **wanted)


@pytest.fixture
def plant() -> Plant:
    return Plant()


def oee(closing: ShiftClosing) -> str:
    return str(closing.numbers["kpis"]["oee"])


def changed(closing: ShiftClosing, now=NOW) -> dict[str, tuple]:
    return {c.name: (c.was, c.now, c.difference) for c in was_and_now(closing, now=now).changes}


def test_closing_freezes_and_signs_the_numbers(plant):
    closing = plant.close(comment=" All well. ")
    assert closing.numbers["elements"]["actual_production_time"] == 7 * 3600 * 1_000_000
    assert Fraction(1000 * 10, 8 * 3600) == Fraction(25, 72)
    assert oee(closing) == "0.347222222222"
    assert (closing.revision, closing.meaning, closing.comment) == (1, "closed", "All well.")
    assert (closing.signed_as, closing.closed_by, closing.closed_at) == ("Ada Nowak", plant.boss, NOW)
    assert (closing.starts_at, closing.ends_at) == (at(5), at(13))
    assert [(loss["code"], loss["microseconds"]) for loss in closing.numbers["losses"]] == [
        (plant.jam.code, 3600 * 1_000_000)
    ]
    assert not was_and_now(closing, now=NOW).differs


def test_a_shift_that_is_not_over_or_not_there_or_closed_is_refused(plant):
    with pytest.raises(Conflict, match="not over"):
        plant.close(now=at(12.99))
    with pytest.raises(NotFound):
        plant.close(shift_date=date(1990, 1, 1), shift_id=plant.shift.pk + 1)
    plant.close()
    with pytest.raises(Conflict, match="Ada Nowak"):
        plant.close()
    # The machine's own closing is another one than its line's.
    assert plant.close(place=plant.machine).sequence == 1


LATE = [
    lambda plant: plant.say(plant.jam, 10),
    lambda plant: plant.say(plant.run, 10.5),
    lambda plant: plant.count(11, 200),
]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_late_facts_show_the_same_difference_in_any_order(plant, order):
    closing = plant.close()
    frozen = closing.numbers
    for index in order:
        LATE[index](plant)
        was_and_now(closing, now=NOW)
    found = changed(closing)
    assert found["actual_production_time"] == (7 * 3600_000_000, 6 * 3600_000_000 + 1800_000_000, -1800_000_000)
    assert found["good_quantity"] == ("1000", "1200", "200")
    assert found[f"{plant.jam.name} (unplanned), occurrences"] == (1, 2, 1)
    assert Fraction(found["oee"][1]).limit_denominator(1000) == Fraction(1200 * 10, 8 * 3600)
    assert ShiftClosing.objects.get(pk=closing.pk).numbers == frozen


def test_frozen_numbers_survive_facts_calendar_rates_policies_and_rebuild(plant):
    closing = plant.close()
    before = ShiftClosing.objects.values().get(pk=closing.pk)
    plant.say(plant.jam, 10)
    plant.shift.end_time = time(15)
    master_data.save(plant.shift)
    rate = IdealRate.objects.get()
    rate.value = Decimal(12)
    master_data.save(rate)
    master_data.save(OeePolicy(site=plant.line.area.site, target_oee=Decimal("0.9")))
    rebuild(now=NOW)
    assert ShiftClosing.objects.values().get(pk=closing.pk) == before
    assert broken_links(plant.line) == []
    assert {"oee", "target_oee", "actual_production_time", "ideal_time"} <= set(changed(closing))
    # The signed window stays the signed one, whatever the calendar says now.
    now = was_and_now(closing, now=NOW).numbers["elements"]
    assert now["actual_production_time"] + now["actual_unit_delay_time"] == 8 * 3600_000_000


def test_a_deleted_shift_leaves_its_closing(plant):
    closing = plant.close()
    plant.say(plant.jam, 12)
    master_data.delete(Shift.objects.get())
    closing = ShiftClosing.objects.select_related("line").get(pk=closing.pk)
    assert closing.shift_name == "Morning"
    assert changed(closing)
    assert accept_difference(closing=closing, comment="Moved.", actor=plant.boss, now=NOW).revision == 2


def test_accepting_appends_a_revision_with_its_own_signature(plant):
    first = plant.close()
    with pytest.raises(Conflict, match="Nothing differs"):
        accept_difference(closing=first, comment="No need.", actor=plant.boss, now=NOW)
    plant.count(11, 200)
    seen = was_and_now(first, now=NOW).seen
    with pytest.raises(Invalid):
        accept_difference(closing=first, comment=" ", actor=plant.boss, now=NOW)
    plant.count(12, 1)
    with pytest.raises(Conflict, match="changed again"):
        accept_difference(closing=first, comment="Late counts.", actor=plant.boss, now=NOW, seen=seen)
    seen = was_and_now(first, now=NOW).seen
    second = accept_difference(closing=first, comment="Late counts.", actor=plant.boss, now=NOW, seen=seen)
    assert (second.revision, second.supersedes, second.meaning) == (2, first, "accepted")
    assert second.numbers["elements"]["good_quantity"] == "1201"
    assert second.previous_hash == first.content_hash
    assert closing_of(plant.line, plant.shift.pk, DATE) == second
    assert not was_and_now(second, now=NOW).differs
    with pytest.raises(Conflict, match="revision 2"):
        accept_difference(closing=first, comment="Again.", actor=plant.boss, now=NOW)
    assert broken_links(plant.line) == []


def test_the_database_refuses_to_change_or_delete_a_closing(plant):
    closing = plant.close()
    ClosingCheck.objects.all().delete()
    rows = ShiftClosing.objects.filter(pk=closing.pk)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(comment="x")
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.delete()


@pytest.mark.parametrize("field", ["numbers", "comment", "signed_as", "open_points", "closed_at"])
def test_the_chain_shows_a_changed_row(plant, field):
    first = plant.close()
    plant.close(shift_date=date(2026, 3, 1))
    plant.close(shift_date=date(2026, 2, 28))
    new = {
        "numbers": {**first.numbers, "kpis": {**first.numbers["kpis"], "oee": "0.999000000000"}},
        "comment": "Perfect.",
        "signed_as": "Somebody else",
        "open_points": [{"kind": "none"}],
        "closed_at": NOW + timedelta(microseconds=1),
    }[field]
    with pgtrigger.ignore("oee.ShiftClosing:shift_closing_append_only"):
        ShiftClosing.objects.filter(pk=first.pk).update(**{field: new})
    assert [link.closing_id for link in broken_links(plant.line)] == [first.pk]
    with pytest.raises(CommandError, match="1 links"):
        call_command("verify_closings")


def test_the_chain_shows_a_row_that_is_missing_or_signed_anew(plant):
    first = plant.close()
    second, third = (plant.close(shift_date=date(2026, 2, day)) for day in (27, 28))
    with pgtrigger.ignore("oee.ShiftClosing:shift_closing_append_only"):
        # Even with a hash that fits the forged content, the next one was signed on another.
        ShiftClosing.objects.filter(pk=first.pk).update(content_hash="0" * 64)
        assert {link.closing_id for link in broken_links(plant.line)} == {first.pk, second.pk}
        second.delete()
    assert third.pk in {link.closing_id for link in broken_links(plant.line)}


def test_the_chain_shows_that_its_end_was_cut_off(plant):
    plant.close()
    second = plant.close(shift_date=date(2026, 2, 28))
    assert broken_links(plant.line) == []
    with pgtrigger.ignore("oee.ShiftClosing:shift_closing_append_only"):
        second.delete()
    assert [link.problem for link in broken_links(plant.line)] == ["row 2: cut off at the end"]
    with pgtrigger.ignore("oee.ShiftClosing:shift_closing_append_only"):
        ShiftClosing.objects.all().delete()
    with pytest.raises(CommandError, match="1 links"):
        call_command("verify_closings")


def test_open_points_do_not_stop_closing_and_are_stored(plant):
    # A step that no rollover and no restart explains, and half an hour each without a reason and without data.
    tag = make_count_tag(machine=plant.machine, mode="running", fastest_rate=Decimal(1))
    plant.count(6, 0, tag)
    plant.count(6.001, 1_000_000, tag)
    stopped, unknown = make_reason("unplanned", explains=False), make_reason("no_data")
    for hours, reason in ((10, unknown), (10.5, plant.run), (11, stopped), (11.5, plant.run), (12, stopped)):
        plant.say(reason, hours)
    plant.say(plant.run, 12.05)
    points = {point["kind"]: point for point in plant.close().open_points}
    assert points["held_counter_step"]["items"][0]["what"] == f"{tag.tag_path}: 0 → 1000000"
    assert points["unexplained_stop"]["items"] == [
        {"machine": plant.machine.code, "at": at(11).isoformat(), "what": "1800 s"}
    ]
    assert [item["at"] for item in points["no_data"]["items"]] == [at(10).isoformat()]


def test_rule_closes_what_is_due_and_signs_as_the_rule(plant):
    site = plant.line.area.site
    assert close_due(now=NOW) == 0
    master_data.save(ClosingRule(site=site, close_after_hours=4, first_date=DATE))
    assert close_due(now=at(16.99)) == 0
    assert close_due(now=at(17)) == 1
    assert close_due(now=at(17)) == 0
    closing = current_closings().get()
    assert (closing.closed_by, closing.meaning, closing.shift_date) == (None, "by_rule", DATE)
    assert closing.signed_as == f"Rule of {site}: 4 h after the shift's end"
    # A pass that comes days later loses no day.
    assert close_due(now=NOW + timedelta(days=3)) == 4


def test_lists_know_which_closings_differ_without_computing_them(plant):
    closing = plant.close()
    other = plant.close(shift_date=date(2026, 2, 27))
    assert bring_checks_up_to_date(now=NOW) == 2
    assert bring_checks_up_to_date(now=NOW) == 0
    plant.say(plant.jam, 12.5)
    assert bring_checks_up_to_date(now=NOW) == 1
    differs = dict(ClosingCheck.objects.values_list("closing", "differs"))
    assert differs == {closing.pk: True, other.pk: False}
    correct_state(
        machine=plant.machine,
        starts_at=at(12.5),
        ends_at=at(13),
        reason=plant.run,
        comment="It ran.",
        actor=plant.boss,
        recorded_at=NOW,
        replaces_running=True,
    )
    bring_checks_up_to_date(now=NOW)
    assert not ClosingCheck.objects.get(closing=closing).differs


@pytest.mark.parametrize("how", ["holiday", "policy", "rate", "constraint"])
def test_edits_of_master_data_show_in_lists(plant, how):
    closing = plant.close()
    bring_checks_up_to_date(now=NOW)
    if how == "holiday":
        master_data.save(CalendarException(site=plant.line.area.site, date=DATE, name="Holiday"))
    elif how == "policy":
        master_data.save(OeePolicy(site=plant.line.area.site, target_oee=Decimal("0.9")))
    elif how == "rate":
        plant.rate.value = Decimal(9)
        master_data.save(plant.rate)
    else:
        plant.machine.is_constraint = False
        master_data.save(plant.machine)
        master_data.save(Machine(line=plant.line, code="new", name="New", is_constraint=True, position=2))
    bring_checks_up_to_date(now=NOW)
    assert ClosingCheck.objects.get(closing=closing).differs


def test_silence_that_shows_only_after_the_closing_is_found(plant):
    plant.machine.no_signal_timeout = 3600
    master_data.save(plant.machine)
    plant.say(plant.run, 12.5)
    closing = plant.close(now=at(13))
    bring_checks_up_to_date(now=at(13))
    assert not ClosingCheck.objects.get().differs
    bring_checks_up_to_date(now=at(15))
    assert ClosingCheck.objects.get().differs
    assert "no_data_time" in changed(closing, at(15))


def test_a_closed_shift_stays_comparable_when_its_facts_are_pruned(plant):
    plant.shift.start_time, plant.shift.end_time = time(6, 30), time(14, 30)
    master_data.save(plant.shift)
    closing = plant.close()
    # All hours are stored before their facts go.
    call_command("rebuild")
    Retention.objects.create(keep_months=1, closed_until=datetime(2026, 4, 1, tzinfo=UTC))
    assert not was_and_now(closing, now=NOW).differs
    plant.shift.end_time = time(14, 45)
    master_data.save(plant.shift)
    # The calendar of now cuts the last hour where nobody can tell its parts apart any more.
    with pytest.raises(Closed):
        numbers_over([plant.machine], Interval(closing.starts_at, closing.ends_at), now=NOW)
    assert not was_and_now(closing, now=NOW).differs
    assert bring_checks_up_to_date(now=NOW) >= 0


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_close_a_shift_at_once_one_is_told():
    plant = Plant()
    barrier, outcomes = Barrier(2), []

    def close():
        try:
            barrier.wait(10)
            plant.close()
            outcomes.append("closed")
        except Conflict:
            outcomes.append("conflict")
        finally:
            connection.close()

    threads = [Thread(target=close) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["closed", "conflict"]
    assert ShiftClosing.objects.count() == 1


def test_the_keeper_closes_and_compares(plant, capsys):
    master_data.save(ClosingRule(site=plant.line.area.site, close_after_hours=0))
    call_command("keep_hours", once=True)
    assert "Closed" in capsys.readouterr().out


# --- REST ---


@pytest.fixture
def api(plant):
    client = APIClient()
    client.force_authenticate(plant.boss)
    return client


def body(plant):
    return {"line": plant.line.code, "shift": plant.shift.pk, "date": "2026-03-02"}


def test_rest_closes_compares_and_accepts(api, plant):
    made = api.post("/oee/shift-closing/", body(plant))
    assert made.status_code == 201, made.data
    assert api.post("/oee/shift-closing/", body(plant)).status_code == 409
    one = f"/oee/shift-closing/{made.data['id']}"
    assert api.get(one).data["differs"] is False
    plant.count(11, 200)
    listed = api.get("/oee/shift-closing/", {"differs": True, "line": plant.line.pk}).data["results"]
    assert [(row["id"], row["differs"]) for row in listed] == [(made.data["id"], True)]
    looked = api.get(one).data
    good = next(row for row in looked["comparisons"] if row["name"] == "good_quantity")
    assert (good["was"], good["now"], good["difference"]) == ("1000", "1200", "200")
    assert api.post(f"{one}/accept/", {"comment": "x", "seen": "no"}).status_code == 409
    assert "comment" in api.post(f"{one}/accept/", {}).data
    accepted = api.post(f"{one}/accept/", {"comment": "Late.", "seen": looked["seen"]})
    assert (accepted.status_code, accepted.data["revision"], accepted.data["differs"]) == (201, 2, False)
    assert api.post(f"{one}/accept/", {"comment": "Late."}).status_code == 409
    assert api.get("/oee/shift-closing/", {"is_current": True}).data["count"] == 1
    assert api.delete(one).status_code == 403


def test_report_of_a_closed_shift_shows_what_was_signed(api, plant):
    asked = body(plant)
    assert api.get("/oee/report/", asked).data["closing"] is None
    closing = plant.close()
    plant.count(11, 200)
    answer = api.get("/oee/report/", asked).data
    assert answer["elements"]["good_quantity"] == "1000"
    assert answer["oee"] == oee(closing)
    assert answer["closing"]["id"] == closing.pk
    assert answer["closing"]["changed_since"] is True
    names = [row["name"] for row in answer["closing"]["changes"]]
    assert "good_quantity" in names


@pytest.mark.parametrize(("role", "expected"), [("operator", 403), ("engineer", 403), ("supervisor", 201)])
def test_supervisors_close_and_others_read(plant, role, expected):
    client = APIClient()
    client.force_authenticate(make_user(role, site=plant.line.area.site))
    assert client.post("/oee/shift-closing/", body(plant)).status_code == expected
    assert client.get("/oee/shift-closing/").status_code == 200


def test_another_sites_closing_does_not_exist(plant):
    closing = plant.close()
    client = APIClient()
    client.force_authenticate(make_user("supervisor", site=make_machine().line.area.site))
    assert client.get(f"/oee/shift-closing/{closing.pk}").status_code == 404
    assert client.post(f"/oee/shift-closing/{closing.pk}/accept/", {"comment": "x"}).status_code == 404
    assert client.post("/oee/shift-closing/", body(plant)).status_code == 400
    assert client.get("/oee/shift-closing/").data["count"] == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"line": None}, "line"),
        ({"date": "yesterday"}, "date"),
        ({"shift": 10**30}, "shift"),
        ({"comment": "x" * 501}, "comment"),
        ({"line": "nobody"}, "line"),
    ],
)
def test_bad_closing_names_the_field(api, plant, change, field):
    answer = api.post("/oee/shift-closing/", {**body(plant), **change})
    assert (answer.status_code, field in answer.data) == (400, True)


def test_lists_are_narrowed_and_cost_the_same_at_any_length(api, plant, django_assert_max_num_queries):
    plant.close()
    plant.close(place=plant.machine)
    site = plant.line.area.site_id
    for query, number in (
        ({"site": site}, 2),
        ({"site": site + 1}, 0),
        ({"machine": plant.machine.pk}, 1),
        ({"date": "2026-03-02"}, 2),
        ({"date_until": "2026-03-02"}, 0),
        ({"differs": "true"}, 0),
        ({"meaning": "closed", "revision": 1}, 2),
    ):
        assert api.get("/oee/shift-closing/", query).data["count"] == number, query
    for query in (
        "site=x",
        "date=x",
        "differs=x",
        "line=99999999999999999999",
        "page=0",
        "meaning=x",
        "ordering=numbers",
    ):
        assert api.get(f"/oee/shift-closing/?{query}").status_code in (200, 400, 404)
    for day in range(10, 20):
        plant.close(shift_date=date(2026, 2, day))
    api.get("/oee/shift-closing/")
    with django_assert_max_num_queries(12):
        assert api.get("/oee/shift-closing/").data["count"] == 12
