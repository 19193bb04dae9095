"""Recording states, correcting them, and reading them back."""

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Conflict, Invalid
from core.facts import Verdict
from core.intervals import Interval
from core.models import ChangedSpan
from downtime.models import StateCorrection, StateHistory
from downtime.selectors import CurrentState, corrections_in, current_states, states_in
from downtime.services import NewState, correct_fact, correct_state, record_states
from tests.factories import make_machine, make_reason, make_user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def machine():
    return make_machine()


@pytest.fixture
def run():
    return make_reason()


@pytest.fixture
def jam():
    return make_reason("unplanned")


def at(minutes):
    return NOW + timedelta(minutes=minutes)


def record(machine, *states):
    new = [NewState(machine.pk, at(minutes), reason.pk, *detail) for minutes, reason, *detail in states]
    return record_states(new, recorded_at=NOW)


def verdicts(answers):
    return [answer.verdict for answer in answers]


def spans():
    rows = ChangedSpan.objects.order_by("id").values_list("subject_id", "changed_from", "changed_until")
    found = list(rows)
    ChangedSpan.objects.all().delete()
    return found


def correct(machine, reason, start, end, **more):
    return correct_state(
        machine=machine,
        starts_at=at(start),
        ends_at=None if end is None else at(end),
        reason=reason,
        **{"comment": "Seen by eye", "actor": make_user(), "recorded_at": NOW, **more},
    )


def test_same_state_again_is_a_duplicate_and_another_reason_or_detail_a_conflict(machine, run, jam):
    assert verdicts(record(machine, (0, run, "A"))) == [Verdict.ACCEPTED]
    assert verdicts(record(machine, (0, run, "A"))) == [Verdict.DUPLICATE]
    (other_reason,) = record(machine, (0, jam, "A"))
    (other_detail,) = record(machine, (0, run, "B"))
    assert other_reason.verdict is other_detail.verdict is Verdict.CONFLICT
    assert other_reason.stored == (run.pk, "A")
    assert StateHistory.objects.get().reason_id == run.pk


def test_change_reaches_from_the_first_new_state_to_the_next_known_one(machine, run, jam):
    record(machine, (60, run))
    assert spans() == [(machine.pk, at(60), None)]
    record(machine, (20, run), (10, jam))
    assert spans() == [(machine.pk, at(10), at(60))]
    record(machine, (20, run))
    assert spans() == []


def test_each_machine_is_marked_once_per_delivery(machine, run):
    other = make_machine()
    new = [NewState(one.pk, at(n), run.pk) for n in range(10) for one in (machine, other)]
    record_states(new, recorded_at=NOW)
    assert sorted(spans()) == sorted([(machine.pk, at(0), None), (other.pk, at(0), None)])


def test_states_come_with_the_last_one_before_the_window(machine, run, jam):
    record(machine, (0, run), (10, jam, "E-7"), (20, run), (40, jam))
    silent = make_machine()
    assert states_in([machine.pk, silent.pk], Interval(at(15), at(40))) == {
        machine.pk: [(at(10), jam.pk, "unplanned", "E-7"), (at(20), run.pk, "running", "")],
        silent.pk: [],
    }


def test_current_state_lasts_since_its_reason_began_and_late_history_leaves_it(machine, run, jam):
    record(machine, (0, run), (10, jam, "first"), (20, jam, "again"))
    assert current_states([machine.pk], now=at(30)) == {machine.pk: CurrentState(machine.pk, at(10), jam.pk, "again")}
    record(machine, (5, jam), (7, run))
    assert current_states([machine.pk], now=at(30))[machine.pk].since == at(10)
    assert current_states([make_machine().pk], now=at(30)) == {}


def test_correction_is_appended_and_its_span_marked(machine, run, jam):
    record(machine, (0, run), (10, jam))
    spans()
    said = correct(machine, jam, 0, 5)
    assert spans() == [(machine.pk, at(0), at(5))]
    assert [word.pk for word in corrections_in([machine.pk], Interval(at(4), at(30)))] == [said.pk]
    assert not list(corrections_in([machine.pk], Interval(at(6), at(30))))
    assert StateHistory.objects.count() == 2


def test_editor_who_looked_at_an_old_version_is_told(machine, jam):
    first = correct(machine, jam, 0, 10, seen_correction_id=0)
    with pytest.raises(Conflict):
        correct(machine, jam, 5, 15, seen_correction_id=0)
    correct(machine, jam, 10, 20, seen_correction_id=0)
    correct(machine, jam, 5, 8, seen_correction_id=first.pk)
    assert StateCorrection.objects.count() == 3


@pytest.mark.parametrize(
    ("start", "end", "more", "field"),
    [(5, 5, {}, "ends_at"), (5, 1, {}, "ends_at"), (0, 5, {"comment": " "}, "comment")],
)
def test_correction_of_nothing_or_without_a_reason_is_refused(machine, jam, start, end, more, field):
    with pytest.raises(Invalid) as refused:
        correct(machine, jam, start, end, **more)
    assert refused.value.field == field


def test_reason_that_is_switched_off_cannot_be_chosen(machine):
    with pytest.raises(Invalid) as refused:
        correct(machine, make_reason("unplanned", is_active=False), 0, 5)
    assert refused.value.field == "reason"


def test_correcting_a_fact_covers_its_time_up_to_the_next_one(machine, run, jam):
    record(machine, (0, jam), (10, run))
    fact = StateHistory.objects.get(occurred_at=at(0))
    said = correct_fact(
        fact=fact, reason=make_reason("planned"), comment="Cleaning", actor=make_user(), recorded_at=NOW
    )
    assert (said.starts_at, said.ends_at, said.replaces_running) == (at(0), at(10), False)


def test_correcting_the_newest_state_says_nothing_of_the_stops_to_come(machine, run, jam):
    record(machine, (0, jam))
    cleaning, actor = make_reason("planned"), make_user()
    fact = StateHistory.objects.get(occurred_at=at(0))
    said = correct_fact(fact=fact, reason=cleaning, comment="Cleaning", actor=actor, recorded_at=at(5))
    record(machine, (10, run), (20, jam))
    (word,) = corrections_in([machine.pk], Interval(at(0), at(30)))
    assert (word.pk, word.holds_until) == (said.pk, at(10))


def test_correcting_that_the_machine_runs_now_holds_up_to_now(machine, run, jam):
    record(machine, (0, run))
    fact = StateHistory.objects.get(occurred_at=at(0))
    said = correct_fact(fact=fact, reason=jam, comment="It stood", actor=make_user(), recorded_at=at(5))
    assert (said.ends_at, said.replaces_running) == (at(5), True)
