"""Stops are whole stretches in one reason; what people say of them is appended, guarded, and can be taken back."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import master_data
from core.errors import Conflict, Invalid
from core.intervals import Interval
from core.models import ChangedSpan
from counts.services import NewReading, record_readings
from downtime.models import ReasonPlace, ReasonRule, StateCorrection
from downtime.services import NewGap, NewState, record_gaps, record_states
from enterprise.models import Machine
from oee.engine import Calendar, Category
from oee.reason_times import losses
from oee.reliability import reliability_of
from oee.scopes import every_machine_of
from oee.selectors import timelines
from oee.stop_words import explain_stop, merge_stops, right_needed, split_stop, withdraw, words_about
from oee.stops import stops_around, stops_of
from tests.factories import make_count_tag, make_line, make_machine, make_reason, make_shift, make_user

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 3, 2, tzinfo=UTC)
NOW = DAY + timedelta(hours=20)
WINDOW = Interval(DAY + timedelta(hours=10), DAY + timedelta(hours=12))


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


@pytest.fixture
def machine():
    return Machine.objects.select_related("line__area__site").get(pk=make_machine().pk)


@pytest.fixture
def run():
    return make_reason()


@pytest.fixture
def stopped():
    """A generic stop: it tells no cause."""
    return make_reason("unplanned", explains=False)


@pytest.fixture
def jam():
    return make_reason("unplanned")


@pytest.fixture
def lunch():
    return make_reason("planned")


@pytest.fixture
def operator():
    return make_user("operator")


def say(machine, *states):
    record_states([NewState(machine.pk, at(h), reason.pk, *detail) for h, reason, *detail in states], recorded_at=NOW)


def listed(machine, window=WINDOW, now=NOW):
    return [(stop.start, stop.end, stop.reason_id) for stop in stops_of([machine], window, now=now)]


def speak(action, machine, start, end, actor, *, seen=0, now=NOW, **more):
    span = {"machine": machine, "starts_at": at(start), "ends_at": None if end is None else at(end)}
    return action(**span, **{"comment": "", **more}, actor=actor, recorded_at=now, seen_correction_id=seen)


def test_stops_are_whole_where_they_reach_over_the_window(machine, run, stopped, jam):
    say(machine, (1, run), (2, stopped), (2.5, stopped), (10.25, run), (11, jam), (15, run))
    assert listed(machine) == [(at(2), at(10.25), stopped.pk), (at(11), at(15), jam.pk)]


def test_stop_that_fills_the_window_is_found_from_end_to_end(machine, run, stopped):
    say(machine, (1, run), (2, stopped), (15, run))
    assert listed(machine) == [(at(2), at(15), stopped.pk)]


def test_open_stop_has_no_end(machine, run, stopped):
    say(machine, (1, run), (9, stopped))
    (stop,) = stops_of([machine], WINDOW, now=NOW)
    assert (stop.start, stop.end, stop.until, stop.duration) == (at(9), None, NOW, timedelta(hours=11))
    assert stop.is_unexplained


def test_unknown_time_is_no_stop_and_ends_one(machine, run, stopped):
    say(machine, (1, run), (9, stopped))
    record_gaps([NewGap(machine.pk, at(10.5), at(11), "overflow")], recorded_at=NOW)
    assert listed(machine) == [(at(9), at(10.5), stopped.pk), (at(11), None, stopped.pk)]


def test_calendar_cuts_parts_not_stops(machine, run, stopped):
    make_shift(site=machine.line.area.site)  # 05–13 UTC
    say(machine, (1, run), (11, stopped), (14, run))
    (stop,) = stops_of([machine], WINDOW, now=NOW)
    assert [(part.start, part.calendar) for part in stop.parts] == [
        (at(11), Calendar.SCHEDULED),
        (at(13), Calendar.UNSCHEDULED),
    ]
    assert stop.scheduled == timedelta(hours=2)


def test_stop_of_a_moment_comes_whole_with_those_that_touch_it(machine, run, stopped, jam, lunch):
    say(machine, (9, run), (9.9, stopped), (10, jam), (10.5, lunch), (10.6, run), (10.7, jam), (10.8, run))
    whole = stops_of([machine], Interval(at(9), at(11)), now=NOW)
    assert stops_around(machine, at(10.2), now=NOW) == whole[:3]
    assert stops_around(machine, at(9.95), now=NOW) == whole[:2]
    assert stops_around(machine, at(10.7), now=NOW) == whole[3:]
    assert stops_around(machine, at(10.6), now=NOW) == []
    assert stops_around(machine, NOW, now=NOW) == []


def test_queries_do_not_grow_with_machines_or_stops(run, stopped):
    line = make_line()

    def queries():
        machines = every_machine_of(line)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            stops_of(machines, WINDOW, now=NOW)
        return len(captured)

    def add():
        machine = make_machine(line=line)
        say(machine, (1, run), (9, stopped), (10.5, run), (10.6, stopped), (10.7, run), (11.5, stopped))

    add()
    few = queries()
    for _ in range(4):
        add()
    assert queries() == few


def test_first_reason_is_one_tap_and_another_needs_a_comment(machine, run, stopped, jam, lunch, operator):
    say(machine, (1, run), (10, stopped), (11, run))
    first = speak(explain_stop, machine, 10, 11, operator, reason=jam)
    assert listed(machine) == [(at(10), at(11), jam.pk)]
    with pytest.raises(Invalid) as refused:
        speak(explain_stop, machine, 10, 11, operator, reason=lunch, seen=first.pk)
    assert refused.value.field == "comment"
    speak(explain_stop, machine, 10, 11, operator, reason=lunch, seen=first.pk, comment="It was lunch")
    assert listed(machine) == [(at(10), at(11), lunch.pk)]


def test_what_is_said_of_an_open_stop_ends_with_it(machine, run, stopped, jam, operator):
    say(machine, (1, run), (10, stopped))
    speak(explain_stop, machine, 10, None, operator, reason=jam, now=at(10.5))
    say(machine, (10.75, stopped), (11.5, stopped))
    assert listed(machine) == [(at(10), None, jam.pk)]
    assert losses([machine], WINDOW, now=NOW)[0].reason_id == jam.pk
    ChangedSpan.objects.all().delete()
    # That it ran in between arrives late: the hours of the later stop change too, though their own facts did not.
    say(machine, (11, run))
    assert listed(machine) == [(at(10), at(11), jam.pk), (at(11.5), None, stopped.pk)]
    assert {loss.reason_id for loss in losses([machine], Interval(at(11), at(19)), now=NOW)} == {stopped.pk}


def test_tap_after_the_restart_holds_for_the_stop_that_was_seen(machine, run, stopped, jam, operator):
    say(machine, (1, run), (10, stopped), (10.25, run), (10.5, jam))
    speak(explain_stop, machine, 10, None, operator, reason=jam, now=at(10.3))
    assert listed(machine)[0] == (at(10), at(10.25), jam.pk)


def test_split_and_merge_are_words_over_spans(machine, run, stopped, jam, lunch, operator):
    say(machine, (1, run), (10, stopped), (11.5, run))
    said = speak(
        split_stop, machine, 10, 11.5, operator, moments=[at(10.5), at(11)], reasons=[jam, lunch, None], comment="Mixed"
    )
    assert len(said) == 3
    assert listed(machine) == [
        (at(10), at(10.5), jam.pk),
        (at(10.5), at(11), lunch.pk),
        (at(11), at(11.5), stopped.pk),
    ]
    newest = stops_of([machine], WINDOW, now=NOW)[0].newest_correction_id
    assert newest == said[0].pk
    speak(merge_stops, machine, 10, 11, operator, reason=jam, comment="One jam", seen=said[1].pk)
    assert listed(machine) == [(at(10), at(11), jam.pk), (at(11), at(11.5), stopped.pk)]


def test_split_of_an_open_stop_leaves_its_last_part_open(machine, run, stopped, jam, lunch, operator):
    say(machine, (1, run), (10, stopped))
    speak(
        split_stop, machine, 10, None, operator, moments=[at(10.5)], reasons=[jam, lunch], comment="Mixed", now=at(11)
    )
    say(machine, (11.25, run), (11.5, stopped))
    assert listed(machine) == [
        (at(10), at(10.5), jam.pk),
        (at(10.5), at(11.25), lunch.pk),
        (at(11.5), None, stopped.pk),
    ]


def test_stops_with_running_or_unknown_time_between_are_not_merged(machine, run, stopped, jam, operator):
    say(machine, (1, run), (10, stopped), (10.5, run), (10.6, jam), (11, run))
    for end in (11, 10.5):
        with pytest.raises(Invalid) as refused:
            speak(merge_stops, machine, 10, end, operator, reason=jam, comment="One")
        assert refused.value.field == "ends_at"
    record_gaps([NewGap(machine.pk, at(10.4), at(10.7), "overflow")], recorded_at=NOW)
    with pytest.raises(Invalid):
        speak(merge_stops, machine, 10, 11, operator, reason=jam, comment="One")
    assert not StateCorrection.objects.exists()


def test_taking_back_gives_the_word_back_to_the_machine(machine, run, stopped, jam, operator):
    say(machine, (1, run), (10, stopped), (11, run))
    with pytest.raises(Invalid):
        speak(withdraw, machine, 10, 11, operator, comment="Nothing was said")
    first = speak(explain_stop, machine, 10, 11, operator, reason=jam)
    speak(withdraw, machine, 10, 11, operator, comment="Wrong stop", seen=first.pk)
    assert listed(machine) == [(at(10), at(11), stopped.pk)]
    said = words_about(machine, at(10), at(11), now=NOW)
    assert [(word.before, word.correction.reason_id) for word in said] == [((stopped.pk,), jam.pk), ((jam.pk,), None)]


@pytest.mark.parametrize("action", [explain_stop, split_stop, merge_stops, withdraw])
def test_editor_of_an_old_view_is_told_whatever_they_do(machine, run, stopped, jam, lunch, operator, action):
    say(machine, (1, run), (10, stopped), (10.5, lunch), (11, run))
    first = speak(explain_stop, machine, 10, 10.5, operator, reason=jam)
    more = {
        explain_stop: {"reason": lunch},
        merge_stops: {"reason": lunch},
        split_stop: {"moments": [at(10.25)], "reasons": [jam, lunch]},
        withdraw: {},
    }[action]
    with pytest.raises(Conflict):
        speak(action, machine, 10, 11, operator, comment="Late", seen=0, **more)
    speak(action, machine, 10, 11, operator, comment="In time", seen=first.pk, **more)


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [(9, 9.5, "starts_at"), (11, 10, "ends_at"), (10, 21, "ends_at"), (21, None, "starts_at")],
)
def test_span_that_is_no_stop_is_refused(machine, run, stopped, jam, operator, start, end, field):
    say(machine, (1, run), (10, stopped), (11, run))
    with pytest.raises(Invalid) as refused:
        speak(explain_stop, machine, start, end, operator, reason=jam)
    assert refused.value.field == field


def test_reason_must_be_one_that_the_person_is_offered_there(machine, run, stopped, operator):
    say(machine, (1, run), (10, stopped), (11, run))
    elsewhere, engineers = make_reason("unplanned"), make_reason("unplanned", roles=["engineer"])
    ReasonPlace.objects.create(reason=elsewhere, machine=make_machine())
    for reason in (run, elsewhere, engineers, make_reason("unplanned", operator_selectable=False)):
        with pytest.raises(Invalid) as refused:
            speak(explain_stop, machine, 10, 11, operator, reason=reason)
        assert refused.value.field == "reason"


def test_own_words_may_be_changed_and_others_take_the_right_to_change(machine, run, stopped, jam, operator):
    say(machine, (1, run), (10, stopped), (11, run), (11.25, jam), (11.5, run))

    def needed(start, end, actor=operator):
        return right_needed(machine, at(start), at(end), actor=actor, now=NOW)

    assert (needed(10, 11), needed(11.25, 11.5)) == ("add", "change")
    speak(explain_stop, machine, 10, 11, operator, reason=jam)
    assert needed(10, 11) == "add"
    assert needed(10, 11, make_user("operator")) == "change"


def test_people_hold_over_rules_and_the_nearest_rule_over_farther_ones(machine, run, stopped, jam, lunch, operator):
    by_site, by_machine = make_reason("unplanned"), make_reason("planned")
    rules = [
        ReasonRule(site=machine.line.area.site, name="S", position=1, detail_text="E-", reason=by_site),
        ReasonRule(machine=machine, name="M", position=9, detail_text="E-117", reason=by_machine),
        ReasonRule(line=make_line(), name="Other", detail_text="E-", reason=jam),
    ]
    for rule in rules:
        master_data.save(rule)
    say(machine, (1, run, "E-117"), (10, stopped, "E-117"), (10.5, stopped, "E-118"), (11, stopped), (11.5, run))
    assert listed(machine) == [
        (at(10), at(10.5), by_machine.pk),
        (at(10.5), at(11), by_site.pk),
        (at(11), at(11.5), stopped.pk),
    ]
    speak(explain_stop, machine, 10, 10.5, operator, reason=lunch, comment="Seen by eye")
    assert listed(machine)[0] == (at(10), at(10.5), lunch.pk)
    assert timelines([machine], WINDOW, now=NOW)[machine.pk][0].category is Category.PLANNED


def test_stored_hours_follow_an_edited_rule(machine, run, stopped, jam):
    say(machine, (1, run), (10, stopped, "E-117"), (10.5, run))
    assert [loss.reason_id for loss in losses([machine], WINDOW, now=NOW)] == [stopped.pk]
    rule = master_data.save(ReasonRule(machine=machine, name="M", detail_text="E-117", reason=jam))
    assert [loss.reason_id for loss in losses([machine], WINDOW, now=NOW)] == [jam.pk]
    master_data.delete(rule)
    assert [loss.reason_id for loss in losses([machine], WINDOW, now=NOW)] == [stopped.pk]


def test_where_pieces_say_when_it_runs_words_end_when_they_are_said(machine, jam, operator):
    Machine.objects.filter(pk=machine.pk).update(stop_detection="counts", stop_after=60)
    machine.refresh_from_db()
    tag = make_count_tag(machine=machine)
    pieces = [at(9) + timedelta(seconds=30 * n) for n in range(121)]
    record_readings([NewReading(tag.pk, machine.pk, False, moment, Decimal(1)) for moment in pieces], recorded_at=NOW)
    assert listed(machine) == [(at(10), None, None)]
    speak(explain_stop, machine, 10, None, operator, reason=jam, now=at(11))
    assert listed(machine) == [(at(10), at(11), jam.pk), (at(11), None, None)]


def test_nobody_asks_about_micro_stops(machine, run, stopped):
    Machine.objects.filter(pk=machine.pk).update(micro_stop_below=120)
    machine.refresh_from_db()
    say(machine, (1, run), (10, stopped), (10.01, run), (11, stopped), (11.5, run))
    short, long = stops_of([machine], WINDOW, now=NOW)
    assert (short.category, short.asks_for_a_reason) == (Category.MICRO_STOP, False)
    assert (long.category, long.asks_for_a_reason) == (Category.UNPLANNED, True)
    assert reliability_of([machine], WINDOW, now=NOW)[machine.pk].failures == 1
