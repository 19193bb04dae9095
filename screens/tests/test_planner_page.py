"""The planner's board: who sees it, what it is told, and that more bars cost no more queries."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from enterprise.models import CalendarException
from tests.factories import (
    make_area,
    make_ideal_rate,
    make_line,
    make_machine,
    make_product,
    make_run,
    make_schedule,
    make_shift,
    make_site,
    make_user,
    make_work_order,
)
from workorders.placing import place

pytestmark = pytest.mark.django_db
DAY = "2026-03-02"
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def line():
    return make_machine().line


@pytest.fixture
def planner(client, line):
    client.force_login(make_user(role=Role.SUPERVISOR, site=line.area.site))
    return client


def told(client, query=f"view=week&date={DAY}"):
    answer = client.get(f"/planner/data/?{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_the_board_tells_bars_with_what_became_of_them(planner, line):
    order = make_work_order(line=line)
    hour = timedelta(hours=1)
    entry, _ = place(line=line, work_order=order, planned_start_at=AT, planned_end_at=AT + hour, actor=None)
    make_run(line=line, work_order=entry.work_order, started_at=AT + timedelta(minutes=5))
    [bar] = told(planner)["bars"]
    assert (bar["title"], bar["start"], bar["line"]) == (entry.work_order.order_number, "2026-03-02T08:00:00Z", line.pk)
    assert (bar["status"], bar["sequence"], bar["hasBegun"], bar["isLate"]) == ("in_progress", 1, True, True)
    assert bar["runs"][0]["start"] == "2026-03-02T08:05:00Z"
    assert entry.work_order.order_number in bar["words"]


def test_orders_without_a_place_wait_the_most_urgent_first_with_their_length_on_each_line(planner, line):
    product = make_product()
    make_ideal_rate(product=product, machine=line.machines.get(), value=Decimal(2))
    now = timezone.now()
    late = make_work_order(line=line, product=product, due_at=now - timedelta(days=1))
    urgent = make_work_order(line=line, priority=1)
    usual = make_work_order(line=line, priority=5)
    make_work_order(line=line, status="cancelled")
    make_schedule(line=line)
    waiting = planner.get(f"/planner/backlog/?view=week&date={DAY}").json()["backlog"]
    assert [order["number"] for order in waiting] == [late.order_number, urgent.order_number, usual.order_number]
    assert (waiting[0]["isOverdue"], waiting[0]["lengths"], waiting[0]["known"]) == (
        True,
        {str(line.pk): 2000},
        [line.pk],
    )
    # Nobody knows how long: an hour, and it says so.
    assert (waiting[1]["lengths"], waiting[1]["known"]) == ({str(line.pk): 3600}, [])


def test_shifts_breaks_and_exceptions_lie_behind_the_bars_and_the_lines_own_day_holds(planner, line):
    site = line.area.site
    make_shift(site=site, start_time=time(6), end_time=time(14))
    other = make_line(area=line.area)
    make_machine(line=other)
    CalendarException.objects.create(site=site, date=date(2026, 3, 3), kind="holiday", name="Founders' day")
    CalendarException.objects.create(line=other, date=date(2026, 3, 3), kind="working_day")
    found = told(planner)
    mondays = [span for span in found["times"] if span["line"] == line.pk and span["start"].startswith(DAY)]
    assert [(span["start"], span["end"]) for span in mondays] == [("2026-03-02T05:00:00Z", "2026-03-02T13:00:00Z")]
    assert not [span for span in found["times"] if span["line"] == line.pk and span["start"].startswith("2026-03-03")]
    assert {(span["line"], span["kind"]) for span in found["days"]} == {(line.pk, "holiday"), (other.pk, "working_day")}


def test_a_month_has_its_days_and_a_day_of_the_clock_change_its_hours(planner, line):
    make_schedule(line=line, planned_start_at=datetime(2026, 3, 28, 23, tzinfo=UTC))
    assert len(told(planner, "view=month&date=2026-03-15")["bars"]) == 1
    page = planner.get("/planner/?view=day&date=2026-03-29")
    window = page.context["asked"].window
    assert window.end - window.start == timedelta(hours=23)


def test_another_sites_board_does_not_exist_and_a_strange_request_is_answered(planner):
    site = make_site()
    make_machine(line=make_line(area=make_area(site=site)))
    for address in ("/planner/", "/planner/data/", "/planner/backlog/", "/planner/needs/"):
        assert planner.get(f"{address}?site={site.code}").status_code == 404
        assert planner.get(f"{address}?line=nowhere").status_code == 404
        assert planner.get(f"{address}?view=aeon&date=9999-99-99").status_code == 200
        assert planner.get(f"{address}?date=0001-01-01&view=month").status_code == 200


def test_who_may_not_plan_only_looks(client, line):
    client.force_login(make_user(role=Role.OPERATOR, site=line.area.site))
    page = client.get("/planner/").content.decode()
    assert "data-undo" not in page
    assert "data-may-plan" not in page
    client.logout()
    assert client.get("/planner/data/").status_code == 302


def test_without_lines_the_page_says_what_to_do(client):
    client.force_login(make_user(role=Role.SUPERVISOR, site=make_site()))
    assert "An engineer sets lines up" in client.get("/planner/").content.decode()
    assert client.get("/planner/data/").status_code == 404


def test_more_bars_and_orders_cost_no_more_queries(planner, line):
    product = make_product()
    make_ideal_rate(product=product, machine=line.machines.get())
    make_shift(site=line.area.site)

    def fill(first, count):
        for number in range(first, first + count):
            at = timezone.now() + timedelta(hours=2 * number)
            make_schedule(line=line, work_order=make_work_order(line=line, product=product), planned_start_at=at)
            make_work_order(line=line, product=product, due_at=at)

    def queries(address):
        # What is kept of the master data is kept by then.
        planner.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert planner.get(address).status_code == 200
        return len(captured)

    addresses = [f"/planner/{part}?view=month" for part in ("", "data/", "backlog/", "needs/")]
    fill(0, 2)
    few = [queries(address) for address in addresses]
    fill(2, 12)
    assert [queries(address) for address in addresses] == few
    assert max(few) <= 20, few
