"""What a request that only reads looks up once: the same numbers in fewer queries, and never older than the request."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from core.intervals import Interval
from core.middleware import SharedReadsMiddleware
from core.retention import closed_until
from core.shared_reads import apart, memory, once, sharing
from downtime.selectors import corrections_in, gaps_in
from downtime.services import NewState, record_states
from oee.policies import policies_of
from oee.scopes import every_machine_of
from oee.selectors import report, timelines
from oee.stops import stops_of
from oee.tests.random_plant import Plant
from tests.factories import make_machine, make_reason

pytestmark = pytest.mark.django_db
MONTH_END = datetime(2026, 2, 28, 23, tzinfo=UTC)
START = datetime(2026, 3, 2, 5, tzinfo=UTC)


def at(hours):
    return START + timedelta(hours=hours)


def told(plant, *, widest_first):
    """Return all that pages tell of a plant: its KPIs, and its timelines and stops over windows that lie in each
    other.
    """
    machines = every_machine_of(plant.line)
    windows = sorted(
        (
            Interval(plant.first + timedelta(hours=begin, minutes=7), plant.first + timedelta(hours=end))
            for begin, end in ((20, 24), (16, 40), (1, 60), (43, 45))
        ),
        key=lambda window: window.start - window.end,
        reverse=not widest_first,
    )
    drawn = {window: timelines(machines, window, now=plant.now) for window in windows}
    stops = {window: stops_of(machines, window, now=plant.now) for window in windows}
    return plant.numbers(), drawn, stops


@pytest.mark.parametrize("seed", [1, 2])
def test_numbers_are_the_same_whatever_was_read_before(seed):
    plant = Plant(seed, MONTH_END, now=MONTH_END + timedelta(days=2))
    plant.correct()
    with CaptureQueriesContext(connection) as alone:
        expected = told(plant, widest_first=True)
    for widest_first in (True, False):
        with sharing(), CaptureQueriesContext(connection) as shared:
            assert told(plant, widest_first=widest_first) == expected
        assert len(shared) < len(alone) / 3


def test_an_hour_that_is_stored_while_reads_are_shared_has_the_fact_that_came_meanwhile():
    machine, run, stop = make_machine(), make_reason(), make_reason("unplanned")
    (machine,) = every_machine_of(machine.line)
    window, now = Interval(at(0), at(4)), at(30)

    def share():
        return report([machine], window, now=now).kpis.availability

    record_states([NewState(machine.pk, at(-1), run.pk)], recorded_at=now)
    with sharing():
        # The facts of the window are known from here on.
        timelines([machine], window, now=now)
        record_states([NewState(machine.pk, at(2), stop.pk)], recorded_at=now)
        assert share() == Fraction(1, 2)
    # What was stored then holds for everybody.
    assert share() == Fraction(1, 2)


def test_words_that_hold_for_ever_are_read_around_too():
    machine = make_machine()
    ever, never = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    for first, last in ((START, never), (ever, START), (ever, never)):
        window = Interval(first, last)
        with sharing():
            assert corrections_in([machine.pk], window) == gaps_in([machine.pk], window) == []


def test_nothing_is_shared_outside_of_a_request_that_reads_nor_after_it():
    site = make_machine().line.area.site
    requests = RequestFactory()
    asked = []

    def view(request):
        asked.append(memory("x") is not None)
        with CaptureQueriesContext(connection) as caught:
            policies_of([site.pk]), policies_of([site.pk]), closed_until(), closed_until()
        return HttpResponse(str(len(caught)))

    handle = SharedReadsMiddleware(view)
    # The version of the master data, and each of two things once; then the version alone.
    assert handle(requests.get("/")).content == b"3"
    assert handle(requests.get("/")).content == b"1"
    assert handle(requests.post("/")).content == b"4"
    assert asked == [True, True, False]
    assert memory("x") is None
    with sharing():
        assert once("x", lambda: 1) == once("x", lambda: 2) == 1
        with apart():
            assert once("x", lambda: 2) == 2
        with sharing():
            assert once("x", lambda: 3) == 1
    assert once("x", lambda: 4) == 4
