"""When what is left will be finished, and how sure that is."""

from datetime import time, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from core.intervals import Interval
from counts.services import NewReading, record_readings
from execution.finish import finish_forecast
from execution.forecasting import Batch, batches_of, forecast
from execution.reporting import report_production
from execution.services import start_operation
from execution.taking import Quantities
from execution.tests.floor import AT, NOW, make_floor, minutes, stored, taken
from tests.factories import make_count_tag, make_machine, make_shift

HOUR = Fraction(3600)


def ahead(batches, remaining=100, pauses=(), **options):
    return forecast(
        remaining=Fraction(remaining),
        batches=batches,
        running_seconds=sum(b.seconds for b in batches),
        now=AT,
        pauses=pauses,
        **options,
    )


def test_steady_rate_leaves_no_doubt():
    found = ahead([Batch(HOUR, Fraction(50))] * 3)
    assert found.finish_at == found.earliest == found.latest == AT + timedelta(hours=2)


def test_varying_rate_gives_students_interval():
    # Rates of 40, 50, 60 an hour: mean 50, s = 10, t(2) = 2.920, so 50 ± 16.859 an hour.
    found = ahead([Batch(HOUR, Fraction(good)) for good in (40, 50, 60)])
    assert found.finish_at == AT + timedelta(hours=2)
    assert timedelta(hours=100 / 66.8587) - (found.earliest - AT) < timedelta(seconds=1)
    assert abs(timedelta(hours=100 / 33.1413) - (found.latest - AT)) < timedelta(seconds=1)


def test_little_data_has_no_interval_and_none_no_forecast():
    few = ahead([Batch(HOUR, Fraction(50))] * 2)
    assert (few.finish_at, few.earliest) == (AT + timedelta(hours=2), None)
    nothing = ahead([Batch(HOUR, Fraction(0))] * 5)
    assert (nothing.rate, nothing.finish_at) == (None, None)


def test_rate_that_may_be_nothing_has_no_latest():
    found = ahead([Batch(HOUR, Fraction(good)) for good in (0, 0, 150)])
    assert (found.latest, found.earliest is not None) == (None, True)


def test_time_that_is_not_worked_is_skipped():
    night = Interval(minutes(60), minutes(60 + 480))
    found = ahead([Batch(HOUR, Fraction(50))] * 3, pauses=[night])
    assert found.finish_at == AT + timedelta(hours=10)


def test_a_stop_that_lasts_pushes_the_forecast():
    made = [(minutes(30), Fraction(50))]
    finishes = [
        forecast(
            remaining=Fraction(50),
            batches=batches_of(Interval(AT, minutes(at)), made),
            running_seconds=HOUR,
            now=minutes(at),
        ).finish_at
        for at in (60, 120, 180)
    ]
    assert finishes == [minutes(120), minutes(240), minutes(360)]


def test_batches_are_hours_of_working_time_and_hold_everything_that_was_made():
    pause = Interval(minutes(30), minutes(60))
    made = [
        (minutes(10), Fraction(1)),
        (minutes(40), Fraction(2)),
        (minutes(95), Fraction(4)),
        (minutes(115), Fraction(8)),
    ]
    found = batches_of(Interval(AT, minutes(170)), made, pauses=[pause])
    assert [(batch.seconds, batch.good) for batch in found] == [(3600, 3), (4800, 12)]


def test_what_is_done_is_finished_now():
    assert ahead([Batch(HOUR, Fraction(1))], remaining=0).finish_at == AT


@pytest.mark.django_db
def test_operation_is_forecast_from_its_reports_and_from_its_machines_counts():
    floor = make_floor("CUT", quantity=200)
    machine = make_machine()
    counted = make_floor("CUT", machine=machine, quantity=200, source="machine")
    tag = make_count_tag(machine=machine)
    for operation in (floor.first, counted.first):
        start_operation(operation=operation, taken=taken(0))
    for hour in range(4):
        at = 60 * hour + 30
        said = Quantities(good=Decimal(25))
        report_production(operation=floor.first, quantities=said, taken=taken(at))
        record_readings([NewReading(tag.pk, machine.pk, False, minutes(at), 25)], recorded_at=NOW)
    for operation in (floor.first, counted.first):
        found = finish_forecast(stored(operation), now=minutes(240))
        assert (found.finish_at, found.earliest, found.remaining) == (minutes(480), minutes(480), 100)


@pytest.mark.django_db
def test_forecast_skips_the_time_in_which_nobody_works():
    floor = make_floor("CUT", quantity=200)
    make_shift(site=floor.machine.line.area.site, start_time=time(9), end_time=time(13))
    start_operation(operation=floor.first, taken=taken(0))
    report_production(operation=floor.first, quantities=Quantities(good=Decimal(100)), taken=taken(60))
    # Half is done after two of the four hours from 9 to 13 in Warsaw (8 to 12 UTC); the rest takes the other two.
    assert finish_forecast(stored(floor.first), now=minutes(120)).finish_at == minutes(240)
    # An hour later, at the slower rate, three more hours are needed: one today, two tomorrow.
    assert finish_forecast(stored(floor.first), now=minutes(180)).finish_at == minutes(24 * 60 + 120)
