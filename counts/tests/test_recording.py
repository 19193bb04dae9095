"""Recording counters' readings, correcting them, and reading them back."""

import random
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from core.errors import Invalid
from core.facts import Verdict
from core.intervals import Interval
from core.models import ChangedSpan
from counts.models import CountHistory
from counts.selectors import readings_in
from counts.services import NewReading, correct_count, record_readings
from tests.factories import make_count_tag, make_user

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def at(minutes):
    return NOW + timedelta(minutes=minutes)


def reading(tag, minutes, value):
    return NewReading(tag.pk, tag.machine_id, tag.mode == "running", at(minutes), value, "key:test")


def record(*readings):
    return [answer.verdict for answer in record_readings(readings, recorded_at=NOW)]


def spans():
    rows = ChangedSpan.objects.order_by("id").values_list("subject_id", "changed_from", "changed_until")
    found = list(rows)
    ChangedSpan.objects.all().delete()
    return found


@pytest.mark.django_db
def test_same_value_again_is_a_duplicate_and_another_one_a_conflict():
    tag = make_count_tag()
    assert record(reading(tag, 0, 5)) == [Verdict.ACCEPTED]
    assert record(reading(tag, 0, Decimal("5.000"))) == [Verdict.DUPLICATE]
    (answer,) = record_readings([reading(tag, 0, 6)], recorded_at=NOW)
    assert (answer.verdict, answer.stored) == (Verdict.CONFLICT, 5)
    assert CountHistory.objects.get().value == 5


@pytest.mark.django_db
def test_first_of_two_in_one_delivery_counts():
    tag = make_count_tag()
    verdicts = record(reading(tag, 0, 5), reading(tag, 0, 6), reading(tag, 0, 5))
    assert verdicts == [Verdict.ACCEPTED, Verdict.CONFLICT, Verdict.DUPLICATE]


@pytest.mark.django_db
def test_whole_numbers_and_fractions_in_one_delivery_stay_exact():
    tag = make_count_tag()
    record(reading(tag, 0, 10**17), reading(tag, 1, Decimal("0.000001")))
    assert list(CountHistory.objects.order_by("occurred_at").values_list("value", flat=True)) == [
        Decimal(10**17),
        Decimal("0.000001"),
    ]


@pytest.mark.django_db
def test_new_pulses_change_their_own_moments_only():
    tag = make_count_tag()
    record(reading(tag, 5, 1), reading(tag, 0, 1))
    assert spans() == [(tag.machine_id, at(0), at(5) + MICROSECOND)]


@pytest.mark.django_db
def test_running_counters_reading_changes_what_the_next_one_means():
    tag = make_count_tag(mode="running")
    record(reading(tag, 10, 100))
    assert spans() == [(tag.machine_id, at(10), None)]
    record(reading(tag, 3, 50), reading(tag, 5, 60))
    assert spans() == [(tag.machine_id, at(3), at(10) + MICROSECOND)]


@pytest.mark.django_db
def test_repetition_changes_nothing_and_marks_nothing():
    tag = make_count_tag()
    record(reading(tag, 0, 1))
    spans()
    record(reading(tag, 0, 1))
    assert spans() == []


@pytest.mark.django_db
def test_readings_come_with_the_last_one_before_the_window():
    tag, silent = make_count_tag(mode="running"), make_count_tag()
    record(*(reading(tag, n * 10, n) for n in range(5)))
    found = readings_in([tag.pk, silent.pk], Interval(at(15), at(40)))
    assert found == {tag.pk: [(at(10), 1), (at(20), 2), (at(30), 3)]}


@pytest.mark.django_db
def test_last_word_on_a_reading_holds_and_a_void_one_is_left_out():
    tag, person = make_count_tag(mode="running"), make_user()
    record(*(reading(tag, n * 10, n) for n in range(4)))
    facts = {fact.occurred_at: fact for fact in CountHistory.objects.all()}
    spans()

    def correct(minutes, value):
        correct_count(fact=facts[at(minutes)], value=value, comment="Recounted", actor=person, recorded_at=NOW)

    correct(20, Decimal(7))
    correct(20, Decimal(8))
    correct(10, None)
    assert readings_in([tag.pk], Interval(at(15), at(40))) == {tag.pk: [(at(0), 0), (at(20), 8), (at(30), 3)]}
    assert CountHistory.objects.get(occurred_at=at(20)).value == 2
    assert spans() == [(tag.machine_id, at(minutes), None) for minutes in (20, 20, 10)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("value", "comment", "field"), [(Decimal(1), " ", "comment"), (Decimal(-1), "Recounted", "value")]
)
def test_correction_without_a_reason_or_below_zero_is_refused(value, comment, field):
    tag = make_count_tag()
    record(reading(tag, 0, 1))
    with pytest.raises(Invalid) as refused:
        correct_count(fact=CountHistory.objects.get(), value=value, comment=comment, actor=make_user(), recorded_at=NOW)
    assert refused.value.field == field


@pytest.mark.django_db(transaction=True)
def test_writers_with_the_same_facts_in_another_order_neither_deadlock_nor_lose():
    tags = [make_count_tag() for _ in range(5)]
    facts = [reading(tag, n, n) for tag in tags for n in range(200)]
    verdicts, failures = [], []

    def write(seed):
        mine = facts[:]
        random.Random(seed).shuffle(mine)
        try:
            for begin in range(0, len(mine), 250):
                verdicts.extend(record(*mine[begin : begin + 250]))
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not failures
    assert verdicts.count(Verdict.ACCEPTED) == CountHistory.objects.count() == len(facts)
    assert verdicts.count(Verdict.DUPLICATE) == 3 * len(facts)
