"""The change log: who edited what numbers follow from, and what that did to shifts that were closed."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from core import master_data
from downtime.services import NewState, record_states
from enterprise.models import CalendarException, Shift, ShiftBreak
from oee.closing import accept_difference, bring_checks_up_to_date, close_shift
from oee.models import OeePolicy
from tests.factories import make_count_tag, make_ideal_rate, make_machine, make_product, make_reason, make_user

pytestmark = pytest.mark.django_db
DATE = date(2026, 3, 2)


@pytest.fixture
def boss():
    return make_user("supervisor", username="boss")


@pytest.fixture
def api(boss):
    client = APIClient()
    client.force_authenticate(boss)
    return client


@pytest.fixture
def closed(boss):
    """A closed morning shift, of which a holiday would leave nothing planned."""
    machine = make_machine()
    shift = master_data.save(
        Shift(site=machine.line.area.site, name="Morning", start_time=time(6), end_time=time(14), weekdays=[1, 2, 3])
    )
    record_states(
        [
            NewState(machine.pk, datetime(2026, 3, 2, 5, tzinfo=UTC), make_reason().pk),
            NewState(machine.pk, datetime(2026, 3, 2, 9, tzinfo=UTC), make_reason("unplanned").pk),
        ],
        recorded_at=timezone.now(),
    )
    return close_shift(place=machine.line, shift_id=shift.pk, shift_date=DATE, actor=boss, now=timezone.now())


def log(api, **asked):
    answer = api.get("/oee/change-log/", asked)
    assert answer.status_code == 200, answer.data
    return answer.data["results"]


def test_edits_of_every_kind_are_listed_newest_first_with_their_fields(api):
    machine = make_machine()
    site = machine.line.area.site
    shift = master_data.save(Shift(site=site, name="Morning", start_time=time(6), end_time=time(14)))
    shift.end_time = time(15)
    master_data.save(shift)
    master_data.save(ShiftBreak(shift=shift, start_time=time(10), end_time=time(10, 15)))
    holiday = master_data.save(CalendarException(site=site, date=DATE, name="Holiday"))
    master_data.delete(holiday)
    policy = master_data.save(OeePolicy(site=site))
    policy.changeover = "planned"
    master_data.save(policy)
    rate = make_ideal_rate(machine=machine, product=make_product())
    rate.value = Decimal("1.5")
    master_data.save(rate)
    make_count_tag(machine=machine)
    rows = log(api)
    assert [(row["kind"], row["action"]) for row in rows] == [
        ("count_tag", "created"),
        ("ideal_rate", "changed"),
        ("ideal_rate", "created"),
        ("oee_policy", "changed"),
        ("oee_policy", "created"),
        ("calendar_exception", "deleted"),
        ("calendar_exception", "created"),
        ("shift_break", "created"),
        ("shift", "changed"),
        ("shift", "created"),
    ]
    assert rows[1]["changes"] == [{"field": "value", "old": "1", "new": "1.5"}]
    assert rows[3]["changes"][0]["old"] == "It counts against availability"
    assert rows[5]["changes"][0] == {"field": "site", "old": str(site), "new": None}
    assert rows[8]["changes"] == [{"field": "end time", "old": "14:00:00", "new": "15:00:00"}]
    assert [row["kind"] for row in log(api, kind="shift")] == ["shift", "shift"]


def test_an_edit_shows_what_it_did_to_closed_shifts(api, closed):
    # Before it was closed, nothing had been signed.
    assert log(api)[0]["closed_shifts"] == []
    site = closed.line.area.site
    master_data.save(CalendarException(site=site, date=DATE, name="Holiday"))
    master_data.save(CalendarException(site=site, date=date(2026, 3, 9), name="Another day"))
    far, near = log(api)[:2]
    assert far["closed_shifts"] == []
    (shift,) = near["closed_shifts"]
    assert (shift["closing"], shift["differs"]) == (closed.pk, True)
    assert (shift["oee_was"], shift["oee_now"]) == (closed.numbers["kpis"]["oee"], None)


def test_an_accepted_difference_stays_with_the_edit_that_caused_it(api, closed, boss):
    shift = Shift.objects.get()
    shift.end_time = time(13)
    master_data.save(shift)
    second = accept_difference(closing=closed, comment="The shift was shorter.", actor=boss, now=timezone.now())
    (of_edit,) = log(api)[0]["closed_shifts"]
    assert of_edit["closing"] == closed.pk
    assert of_edit["oee_now"] == second.numbers["kpis"]["oee"]
    master_data.save(OeePolicy(site=shift.site, target_oee=Decimal("0.9")))
    bring_checks_up_to_date(now=timezone.now())
    assert [row["closing"] for row in log(api)[0]["closed_shifts"]] == [second.pk]


def test_other_sites_edits_are_not_seen(closed):
    client = APIClient()
    client.force_authenticate(make_user("supervisor", site=make_machine().line.area.site))
    assert log(client) == []
    client.force_authenticate(make_user("supervisor", site=closed.line.area.site))
    assert len(log(client)) == 1
    client.force_authenticate(make_user("operator", site=closed.line.area.site))
    assert client.get("/oee/change-log/").status_code == 403


def test_bad_questions_name_the_field(api):
    assert "kind" in api.get("/oee/change-log/", {"kind": "password"}).data
    assert "since" in api.get("/oee/change-log/", {"since": "yesterday"}).data


def test_the_length_of_the_log_does_not_change_its_queries(api, closed):
    def add(days):
        for day in days:
            master_data.save(CalendarException(site=closed.line.area.site, date=date(2026, 3, day), name="Holiday"))
        # Closed shifts are compared by the first who looks.
        log(api)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            log(api)
        return len(captured)

    add([2, 3])
    few = queries()
    add(range(4, 22))
    assert queries() <= few
    assert few < 20
