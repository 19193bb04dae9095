"""Stored hours are knowledge: right after any late fact, equal in any order of facts, and rebuilt to the same rows."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from core.intervals import Interval
from core.models import ChangedSpan
from counts.models import CountTag
from counts.services import NewReading, record_readings
from downtime.models import StateReason
from downtime.services import NewState, correct_state, record_states
from enterprise.models import Machine
from oee.models import ComputedHour, HourReason, HourSlice
from oee.reason_times import losses
from oee.scopes import machines_of
from oee.selectors import report
from oee.services import rebuild
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
WINDOW = Interval(DAY + timedelta(hours=5), DAY + timedelta(hours=13))
"""The morning shift in Warsaw, 06–14."""


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


@pytest.fixture
def machine() -> Machine:
    machine = make_machine()
    make_shift(site=machine.line.area.site)
    product = make_product()
    make_ideal_rate(machine=machine, product=product, value=Decimal(10))
    make_run(line=machine.line, work_order=make_work_order(line=machine.line, product=product), started_at=at(4))
    return Machine.objects.select_related("line__area__site").get(pk=machine.pk)


def say(machine: Machine, reason: StateReason, hours: float) -> None:
    record_states([NewState(machine.pk, at(hours), reason.pk)], recorded_at=NOW)


def counted(tag: CountTag, hours: float, value: int) -> None:
    reading = NewReading(tag.pk, tag.machine_id, tag.mode == "running", at(hours), Decimal(value))
    record_readings([reading], recorded_at=NOW)


def test_shift_has_the_oee_that_its_facts_say(machine):
    run, stop = make_reason("running"), make_reason("unplanned")
    good, reject = make_count_tag(machine=machine), make_count_tag(machine=machine, role="reject")
    say(machine, run, 5)
    say(machine, stop, 7.25)
    say(machine, run, 9.25)
    counted(good, 6, 1500)
    counted(good, 10.5, 340)
    counted(reject, 12.99, 60)
    kpis = report([machine], WINDOW, now=NOW).kpis
    assert kpis.availability == Fraction(6, 8)
    assert kpis.effectiveness == Fraction(1900 * 10, 6 * 3600)
    assert kpis.quality_ratio == Fraction(1840, 1900)
    assert kpis.oee_index == Fraction(1840 * 10, 8 * 3600)
    assert ComputedHour.objects.count() == 8


def test_late_fact_corrects_hours_that_are_stored(machine):
    run, stop = make_reason("running"), make_reason("unplanned")
    say(machine, run, 5)
    assert report([machine], WINDOW, now=NOW).kpis.availability == 1
    say(machine, stop, 9)
    assert report([machine], WINDOW, now=NOW).kpis.availability == Fraction(4, 8)
    say(machine, run, 9.5)
    assert report([machine], WINDOW, now=NOW).kpis.availability == Fraction(15, 16)


def test_late_reading_of_a_running_counter_leaves_the_total_alone(machine):
    tag = make_count_tag(machine=machine, mode="running", modulus=65_536)
    counted(tag, 5.5, 65_000)
    counted(tag, 11.5, 464)
    assert report([machine], WINDOW, now=NOW).sums.quantities.good == 1000
    counted(tag, 8.5, 65_530)
    assert report([machine], WINDOW, now=NOW).sums.quantities.good == 1000
    morning = Interval(at(8), at(9))
    assert report([machine], morning, now=NOW).sums.quantities.good == 530


def test_window_that_cuts_hours_equals_its_parts(machine):
    run, stop = make_reason("running"), make_reason("unplanned")
    for hours, reason in ((4.9, run), (6.3, stop), (6.9, run), (10.1, stop), (10.2, run)):
        say(machine, reason, hours)
    odd = Interval(at(6.55), at(10.15))
    whole = report([machine], odd, now=NOW).sums
    parts = [report([machine], Interval(at(a), at(b)), now=NOW).sums for a, b in ((6.55, 7.7), (7.7, 10), (10, 10.15))]
    assert parts[0] + parts[1] + parts[2] == whole
    assert whole.times.calendar_time == odd.microseconds


def test_time_that_nobody_explained_is_no_data_and_not_idle(machine):
    say(machine, make_reason("running"), 9)
    sums = report([machine], WINDOW, now=NOW).sums
    assert sums.times.no_data_time == 4 * 3600 * 1_000_000
    assert sums.times.coverage == Fraction(1, 2)
    assert report([machine], WINDOW, now=NOW).kpis.availability == 1


def test_the_future_of_a_window_is_left_out(machine):
    say(machine, make_reason("running"), 5)
    sums = report([machine], WINDOW, now=at(6.5)).sums
    assert sums.times.calendar_time == Interval(at(5), at(6.5)).microseconds
    assert report([machine], WINDOW, now=at(4)).sums.times.calendar_time == 0


def test_losses_are_ranked_by_time_with_their_occurrences(machine):
    run, jam, empty = make_reason("running"), make_reason("unplanned"), make_reason("unplanned")
    for hours, reason in ((4, run), (5.5, jam), (5.9, run), (6.8, jam), (7.2, empty), (8.5, run)):
        say(machine, reason, hours)
    top = losses([machine], WINDOW, now=NOW)
    assert [(loss.reason_id, loss.duration, loss.occurrences) for loss in top] == [
        (empty.pk, timedelta(hours=1.3), 1),
        (jam.pk, timedelta(hours=0.8), 2),
    ]


def test_correction_explains_a_stop_and_survives_a_late_fact(machine):
    run, stop, jam = make_reason("running"), make_reason("unplanned"), make_reason("planned")
    say(machine, run, 5)
    say(machine, stop, 8)
    say(machine, run, 10)
    correct_state(
        machine=machine,
        starts_at=at(8),
        ends_at=at(10),
        reason=jam,
        comment="It was cleaned.",
        actor=make_user(),
        recorded_at=NOW,
    )
    assert report([machine], WINDOW, now=NOW).sums.times.planned_downtime == 2 * 3600 * 1_000_000
    say(machine, run, 9)
    say(machine, stop, 9.5)
    assert report([machine], WINDOW, now=NOW).sums.times.planned_downtime == 1.5 * 3600 * 1_000_000


def stored_rows() -> list[tuple]:
    return sorted(
        [
            *(tuple(row.values()) for row in HourSlice.objects.values(*_fields(HourSlice))),
            *(tuple(row.values()) for row in HourReason.objects.values(*_fields(HourReason))),
            *(tuple(row.values()) for row in ComputedHour.objects.values("machine_id", "starts_at")),
        ],
        key=repr,
    )


def _fields(model):
    return [field.attname for field in model._meta.concrete_fields if field.name != "id"]


def test_rebuild_ends_with_identical_rows(machine):
    run, stop = make_reason("running"), make_reason("unplanned")
    tag = make_count_tag(machine=machine)
    for n in range(40):
        say(machine, (run, stop)[n % 2], 4 + n * 0.37)
        counted(tag, 4.1 + n * 0.41, n)
    report([machine], Interval(at(4), at(48)), now=NOW)
    before = stored_rows()
    assert rebuild(now=NOW) == 1
    assert stored_rows() == before
    assert not ChangedSpan.objects.exists()


def test_line_is_what_its_setting_says():
    first = make_machine(position=1)
    last = make_machine(line=first.line, position=2)
    run, stop = make_reason("running"), make_reason("unplanned")
    say(first, run, 5)
    say(last, stop, 5)
    line = first.line

    def availability(mode: str):
        line.oee_mode = mode
        line.save()
        return report(machines_of(line), WINDOW, now=NOW).kpis.availability

    assert availability("constraint") == 1
    assert availability("last") == 0
    assert availability("weighted") == Fraction(1, 2)
    assert report(machines_of(line.area.site.enterprise), WINDOW, now=NOW).kpis.availability == Fraction(1, 2)
