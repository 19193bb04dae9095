"""The schedule against what happened, from facts."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.intervals import Interval
from counts.services import NewReading, record_readings
from scheduling.actuals import actuals_of, adherence_of, entries_of
from scheduling.models import SchedulingPolicy
from tests.factories import (
    make_count_tag,
    make_machine,
    make_product,
    make_run,
    make_schedule,
    make_shift,
    make_unit,
    make_user,
    make_work_order,
)
from workorders.placing import set_shifts

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 3, 2, tzinfo=UTC)
NOW = DAY + timedelta(hours=12, minutes=30)


def at(hours):
    return DAY + timedelta(hours=hours)


class Plant:
    """A line that counts pieces, with a shift from 06:00 to 14:00 in Warsaw."""

    def __init__(self):
        self.machine = make_machine()
        self.line = self.machine.line
        self.shift = make_shift(line=self.line)
        self.tag = make_count_tag(machine=self.machine)
        self.product = make_product()

    def plan(self, start, end, quantity=None, **more):
        order = more.pop("work_order", None) or make_work_order(line=self.line, product=self.product)
        entry = make_schedule(
            line=self.line,
            work_order=order,
            planned_start_at=at(start),
            planned_end_at=at(end),
            planned_quantity=None if quantity is None else Decimal(quantity),
            **more,
        )
        set_shifts([entry])
        entry.save()
        return entry

    def run(self, entry, start, end, good=0, **more):
        run = make_run(
            line=self.line,
            work_order=entry.work_order,
            started_at=at(start),
            ended_at=None if end is None else at(end),
            **{"schedule": entry, **more},
        )
        if good:
            moment = at(start) + timedelta(minutes=1)
            record_readings(
                [NewReading(self.tag.pk, self.machine.pk, False, moment, Decimal(good))], recorded_at=moment
            )
        return run

    def actuals(self, now=NOW):
        return actuals_of(entries_of([self.line.pk], Interval(DAY, DAY + timedelta(days=7))), now=now)


def test_actual_times_and_quantities_are_those_of_the_entrys_own_runs():
    plant = Plant()
    first, second = plant.plan(6, 8, 100), plant.plan(8, 10, 50)
    plant.run(first, 6.1, 7, 70)
    plant.run(first, 7.5, 8.2, 40)
    # Within the same clock hour as the run before it.
    plant.run(second, 8.5, 9.9, 45)
    one, two = plant.actuals()
    assert (one.actual_start_at, one.actual_end_at, one.actual_quantity) == (at(6.1), at(8.2), 110)
    assert (one.on_time_start, one.on_time_end, one.status, one.is_delayed) == (True, True, "completed", False)
    assert (two.actual_quantity, two.planned_quantity) == (45, 50)
    # It began half an hour late and made too little, so it has not ended, and should have.
    assert (two.on_time_start, two.on_time_end, two.status, two.is_delayed) == (False, False, "delayed", True)


def test_tolerance_is_the_sites():
    plant = Plant()
    entry = plant.plan(6, 8, 10)
    plant.run(entry, 6.5, 8, 10)
    assert plant.actuals()[0].on_time_start is False
    SchedulingPolicy.objects.create(site=plant.line.area.site, start_tolerance=30)
    assert plant.actuals()[0].on_time_start is True


def test_entry_is_delayed_while_it_is_late_and_not_before():
    plant = Plant()
    plant.plan(12, 14, 10, status="confirmed")
    assert plant.actuals(now=at(12.1))[0].status == "confirmed"
    late = plant.actuals(now=at(12.3))[0]
    assert (late.status, late.is_delayed, late.on_time_start, late.on_time_end) == ("delayed", True, False, None)


def test_run_that_names_no_entry_belongs_to_the_one_begun_last():
    plant = Plant()
    first = plant.plan(6, 8)
    second = plant.plan(9, 10, work_order=first.work_order)
    plant.run(first, 9.1, None, 5, schedule=None)
    one, two = plant.actuals(now=at(9.5))
    assert (one.runs, len(two.runs), two.entry.pk, two.status) == ((), 1, second.pk, "in_progress")


def test_quantity_that_is_not_said_is_the_orders_share_by_time():
    plant = Plant()
    order = make_work_order(line=plant.line, product=plant.product, target_quantity=Decimal(100))
    plant.plan(6, 8, 40, work_order=order)
    plant.plan(8, 9, work_order=order)
    plant.plan(9, 11, work_order=order)
    assert [actual.planned_quantity for actual in plant.actuals()] == [40, 20, 40]


def test_adherence_sums_what_was_due_and_never_counts_more_than_planned():
    plant = Plant()
    plant.run(plant.plan(6, 7, 100), 6, 6.9, 150)
    plant.run(plant.plan(7, 8, 100), 7, 7.9, 50)
    plant.plan(12, 14, 100)
    plant.plan(9, 10, 100, status="cancelled")
    (found,) = adherence_of(plant.actuals(), by="shift", now=NOW)
    assert (found.key[1], found.due, found.on_time) == (plant.shift.pk, 2, 1)
    assert (found.quantity_adherence, found.time_adherence) == (Fraction(3, 4), Fraction(1, 2))
    assert adherence_of(plant.actuals(), by="week", now=NOW)[0].key == (2026, 10)
    assert adherence_of(plant.actuals(), by="day", now=at(5)) == []


def test_quantities_of_different_units_are_not_summed():
    plant = Plant()
    plant.plan(6, 7, 100)
    plant.product = make_product(unit=make_unit("kg"))
    plant.plan(7, 8, 100)
    (found,) = adherence_of(plant.actuals(), by="day", now=NOW)
    assert (found.quantity_adherence, found.time_adherence) == (None, 0)


def test_late_fact_changes_the_number_at_once():
    plant = Plant()
    entry = plant.plan(6, 8, 100)
    plant.run(entry, 6, 8, 60)
    assert plant.actuals()[0].actual_quantity == 60
    record_readings([NewReading(plant.tag.pk, plant.machine.pk, False, at(7), Decimal(40))], recorded_at=NOW)
    assert (plant.actuals()[0].actual_quantity, plant.actuals()[0].status) == (100, "completed")


def test_queries_do_not_grow_with_the_entries():
    plant = Plant()
    numbers = []
    for start in (6, 7, 8, 9, 10):
        plant.run(plant.plan(start, start + 1, 10), start, start + 0.9, 10)
        plant.actuals()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            plant.actuals()
        numbers.append(len(queries))
    assert max(numbers[1:]) <= numbers[1] <= 25


def test_rest_answers_plan_against_actual_and_adherence():
    plant = Plant()
    plant.run(plant.plan(6, 7, 100), 6, 6.9, 50)
    client = APIClient()
    client.force_authenticate(make_user("operator", plant.line.area.site))
    asked = {"line": plant.line.code, "from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"}
    (row,) = client.get("/scheduling/plan-against-actual/", asked).data["results"]
    assert (row["planned_quantity"], row["actual_quantity"], row["status"]) == ("100.000000", "50.000000", "delayed")
    assert (row["entry"]["sequence"], row["actual_start_at"]) == (1, "2026-03-02T06:00:00Z")
    (row,) = client.get("/scheduling/adherence/", {**asked, "by": "day"}).data["results"]
    assert (row["key"], row["quantity_adherence"]) == (["2026-03-02"], "0.500000000000")
    for wrong, field in (
        ({"line": plant.line.code}, "starts_at"),
        ({**asked, "to": "2026-03-01T00:00:00Z"}, "ends_at"),
        ({**asked, "to": "2027-03-01T00:00:00Z"}, "ends_at"),
        ({**asked, "line": "nowhere"}, "line"),
    ):
        refused = client.get("/scheduling/adherence/", wrong)
        assert (refused.status_code, list(refused.data)) == (400, [field])
    client.force_authenticate(make_user("operator", make_machine().line.area.site))
    assert client.get("/scheduling/plan-against-actual/", asked).status_code == 400
