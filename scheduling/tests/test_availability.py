"""Whether material, people and equipment are there, in words."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from downtime.services import NewState, record_states
from enterprise.models import Machine
from labor.models import Absence, Certificate, SkillNeed
from scheduling.availability import availability, availability_of
from tests.factories import (
    LONG_AGO,
    make_employee,
    make_location,
    make_lot,
    make_machine,
    make_product,
    make_reason,
    make_schedule,
    make_skill,
    make_user,
    make_work_order,
)
from workorders.models import OrderMaterial
from workorders.placing import set_shifts

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Shop:
    """A line that makes something of sugar."""

    def __init__(self):
        self.machine = make_machine(name="Filler")
        self.line = self.machine.line
        self.site = self.line.area.site
        self.sugar = make_product(name="Sugar", lot_controlled=True)
        self.store = make_location(site=self.site)

    def entry(self, kilos=None, start=1, **more):
        order = make_work_order(line=self.line, released_at=LONG_AGO, status="released")
        if kilos is not None:
            OrderMaterial.objects.create(
                work_order=order,
                position=10,
                product=self.sugar,
                quantity_required=Decimal(kilos),
                unit=self.sugar.unit,
            )
        begin = NOW + start * HOUR
        entry = make_schedule(line=self.line, work_order=order, planned_start_at=begin, **more)
        set_shifts([entry])
        entry.save()
        return entry


def test_material_is_there_until_confirmed_entries_before_it_take_it():
    shop = Shop()
    make_lot(100, product=shop.sugar, location=shop.store)
    first, second = shop.entry(70), shop.entry(50, start=3)
    assert [availability(one, now=NOW).material.is_there for one in (first, second)] == [True, True]
    first.status = "confirmed"
    first.save()
    found = availability(second, now=NOW).material
    assert (found.is_there, found.words) == (False, f"{shop.sugar} is short by 20 {shop.sugar.unit_id}")


def test_lots_that_are_held_or_expire_before_do_not_count():
    shop = Shop()
    make_lot(100, product=shop.sugar, location=shop.store, status="quarantine")
    make_lot(30, product=shop.sugar, location=shop.store, expiry_date=date(2026, 3, 2))
    assert availability(shop.entry(30), now=NOW).material.is_there
    assert availability(shop.entry(30, start=30), now=NOW).material.is_there is False


def test_order_that_is_not_released_is_not_known():
    shop = Shop()
    entry = make_schedule(line=shop.line, planned_start_at=NOW)
    assert availability(entry, now=NOW).material.is_there is None


def test_people_need_the_lines_skills_on_the_day():
    shop, skill = Shop(), make_skill(name="Filling")
    entry = shop.entry()
    assert availability(entry, now=NOW).people.is_there is None
    ewa = make_employee(site=shop.site)
    SkillNeed.objects.create(skill=skill, line=shop.line)
    assert availability(entry, now=NOW).people.words == "nobody there that day has Filling for the line"
    Certificate.objects.create(employee=ewa, skill=skill, valid_from=date(2026, 1, 1))
    assert availability(entry, now=NOW).people.is_there
    absence = Absence.objects.create(employee=ewa, first_date=date(2026, 3, 2), last_date=date(2026, 3, 2))
    assert availability(entry, now=NOW).people.is_there is False
    absence.delete()
    Certificate.objects.update(valid_until=date(2026, 3, 1))
    assert availability(entry, now=NOW).people.is_there is False


def test_equipment_that_is_down_counts_for_what_is_due_soon():
    shop = Shop()
    jam = make_reason("unplanned", name="Jam")
    record_states([NewState(shop.machine.pk, NOW - HOUR, jam.pk)], recorded_at=NOW)
    found = availability(shop.entry(start=0.5), now=NOW).equipment
    assert (found.is_there, found.words) == (False, "Filler is down since 2026-03-02 07:30 (Jam)")
    assert availability(shop.entry(start=5), now=NOW).equipment.is_there


def test_equipment_that_is_switched_off_or_missing_is_told_apart():
    shop = Shop()
    entry = shop.entry()
    Machine.objects.update(is_active=False)
    assert availability(entry, now=NOW).equipment.is_there is False
    Machine.objects.all().delete()
    assert availability(entry, now=NOW).equipment.is_there is None


def test_queries_do_not_grow_with_entries_and_lines():
    numbers = []
    entries = []
    for _ in range(3):
        shop = Shop()
        make_lot(10, product=shop.sugar, location=shop.store)
        make_employee(site=shop.site)
        entries += [shop.entry(5, start=start, status="confirmed") for start in (1, 3, 5)]
        with CaptureQueriesContext(connection) as queries:
            availability_of(entries, now=NOW)
        numbers.append(len(queries))
    assert numbers[0] == numbers[2] <= 30


def test_rest_lists_it_for_a_site():
    shop = Shop()
    entry = shop.entry(5)
    client = APIClient()
    client.force_authenticate(make_user("operator", shop.site))
    asked = {"site": shop.site.code, "from": "2026-03-02T00:00:00Z", "to": "2026-03-09T00:00:00Z"}
    (row,) = client.get("/scheduling/availability/", asked).data["results"]
    assert (row["entry"], row["material"]["is_there"], row["people"]["is_there"]) == (entry.pk, False, None)
