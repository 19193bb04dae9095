"""What an order costs, planned against actual, exact; what is missing is unknown and named."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from labor.models import LaborEntry
from materials.tests.shop import AT, Shop
from oee.costs import costs_of
from products.models import MachineRate, ProductCost
from tests.factories import LONG_AGO, make_employee, make_line, make_machine, make_run, make_user
from workorders.models import Operation, OrderMaterial

pytestmark = pytest.mark.django_db
NOW = AT + timedelta(days=1)


def at(hours):
    return AT + timedelta(minutes=round(hours * 60))


def cost(shop, product, value, **more):
    return ProductCost.objects.create(
        product=product, site=shop.site, cost=Decimal(value), **{"valid_from": LONG_AGO, **more}
    )


@pytest.fixture
def shop():
    made = Shop()
    made.soup, made.salt, made.whey = (made.product(name=name) for name in ("Soup", "Salt", "Whey"))
    made.soup.planned_scrap = Decimal("0.1")
    made.soup.save()
    made.order_ = made.order(product=made.soup, target_quantity=100)
    step = Operation.objects.create(
        work_order=made.order_,
        code="COOK",
        name="Cook",
        planned_quantity=100,
        setup_time=600,
        run_time_per_unit=30,
        crew_size=2,
    )
    for number, (product, quantity) in enumerate(((made.salt, 20), (made.whey, -5))):
        OrderMaterial.objects.create(
            work_order=made.order_,
            position=number,
            product=product,
            operation=step,
            quantity_required=quantity,
            unit=product.unit,
        )
    cost(made, made.salt, "0.7")
    cost(made, made.whey, "0.2")
    cost(made, made.soup, 3)
    made.rate = MachineRate.objects.create(
        line=made.line, overhead_per_hour=60, labour_per_hour=30, valid_from=LONG_AGO
    )
    return made


def work(shop, start, end, *, order="order", rate=40, employee=None):
    employee = employee or make_employee(site=shop.site, hourly_rate=rate)
    LaborEntry.objects.create(
        employee=employee,
        work_order=shop.order_ if order == "order" else order,
        started_at=at(start),
        ended_at=at(end),
        recorded_at=NOW,
    )
    return employee


def made(shop):
    """Make the order: 21 kg of salt at 0.8, 1 back, 4 kg of whey, 2 kg of soup scrapped, 1 h run, 2 h of labour."""
    lot = shop.lot("S", shop.salt, 100)
    shop.use(lot, 21, shop.order_, unit_cost=Decimal("0.8"))
    shop.undo(shop.use(lot, 9, shop.order_))
    shop.do("return", shop.salt, 1, lot=lot, to_location=shop.store, work_order=shop.order_)
    shop.make("W", shop.whey, 4, shop.order_)
    soup = shop.make("SOUP", shop.soup, 90, shop.order_)
    shop.do("scrap", shop.soup, 2, lot=soup, work_order=shop.order_, reason="Burnt.")
    shop.do("scrap", shop.soup, 1, lot=soup, from_location=shop.store, work_order=shop.order_, reason="Old.")
    make_run(line=shop.line, work_order=shop.order_, started_at=at(1), ended_at=at(2))
    work(shop, 1, 3)


def test_planned_against_actual(shop):
    made(shop)
    found = costs_of(shop.order_, now=NOW)
    hours = Fraction(600 + 30 * 100, 3600)
    told = {row.kind: (row.planned, row.actual) for row in found.rows}
    material = Fraction(21) * Fraction(4, 5) - Fraction(7, 10) - 4 * Fraction(1, 5)
    assert told["material"] == (13, material)
    assert told["labour"] == (hours * 2 * 30, 80)
    assert told["overhead"] == (hours * 60, 60)
    assert told["scrap"] == (30, 6)
    assert told["total"] == (13 + hours * 120, material + 140)
    assert found.total.missing == ()
    assert found.currency == shop.site.currency


def test_what_is_missing_is_unknown_and_named(shop):
    made(shop)
    work(shop, 3, 4, rate=None)
    ProductCost.objects.filter(product=shop.whey).delete()
    MachineRate.objects.update(overhead_per_hour=None)
    found = costs_of(shop.order_, now=NOW)
    assert [(row.kind, row.planned is None, row.actual is None) for row in found.rows] == [
        ("material", True, True),
        ("labour", False, True),
        ("overhead", True, True),
        ("scrap", False, False),
        ("total", True, True),
    ]
    assert found.material.missing == (f"standard cost of {shop.whey.code}",)
    assert "hourly rate of employee" in found.labour.missing[0]


def test_bare_order_knows_nothing(shop):
    found = costs_of(shop.order(), now=NOW)
    assert [(row.planned, row.actual) for row in found.rows[:3]] == [(None, None)] * 3


def test_time_on_two_orders_at_once_is_shared(shop):
    anna = work(shop, 0, 4)
    work(shop, 2, 4, order=shop.order(), employee=anna)
    assert costs_of(shop.order_, now=NOW).labour.actual == 3 * 40


def test_rates_hold_in_their_time_and_machines_add_up(shop):
    make_run(line=shop.line, work_order=shop.order_, started_at=at(0), ended_at=at(4))
    shop.rate.valid_until = at(1)
    shop.rate.save()
    for hourly in (10, 20):
        MachineRate.objects.create(machine=make_machine(line=shop.line), overhead_per_hour=hourly, valid_from=LONG_AGO)
    assert costs_of(shop.order_, now=NOW).overhead.actual == 60 + 3 * 30
    assert costs_of(shop.order_, now=at(0.5)).overhead.actual == 30


def test_overhead_is_that_of_the_line_that_ran_the_order(shop):
    there = make_machine(line=make_line(area=shop.line.area))
    make_run(line=there.line, work_order=shop.order_, started_at=at(0), ended_at=at(2))
    unknown = costs_of(shop.order_, now=NOW).overhead
    assert (unknown.actual, unknown.missing) == (None, (f"overhead rate of line {there.line.code}",))
    MachineRate.objects.create(machine=there, overhead_per_hour=25, valid_from=LONG_AGO)
    assert costs_of(shop.order_, now=NOW).overhead.actual == 50


@given(cuts=st.lists(st.integers(1, 239), max_size=3, unique=True))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_overhead_does_not_depend_on_how_a_rate_is_cut(shop, cuts):
    MachineRate.objects.all().delete()
    bounds = [LONG_AGO, *(AT + timedelta(minutes=cut) for cut in sorted(cuts)), None]
    for start, end in pairwise(bounds):
        MachineRate.objects.create(line=shop.line, overhead_per_hour=Decimal("7.77"), valid_from=start, valid_until=end)
    if not shop.order_.runs.exists():
        make_run(line=shop.line, work_order=shop.order_, started_at=at(0), ended_at=at(4))
    assert costs_of(shop.order_, now=NOW).overhead.actual == Fraction("31.08")


def test_rest_shows_costs_to_those_who_may_know_them(shop):
    made(shop)
    api = APIClient()
    path = f"/workorder/{shop.order_.pk}/costs/"
    api.force_authenticate(make_user("supervisor", site=shop.site))
    told = api.get(path)
    assert told.status_code == 200, told.data
    rows = {row["kind"]: (row["planned"], row["actual"], row["difference"]) for row in told.data["rows"]}
    assert rows["scrap"] == ("30.00", "6.00", "-24.00")
    assert rows["labour"] == ("60.00", "80.00", "20.00")
    api.force_authenticate(shop.anna)
    assert api.get(path).status_code == 403
    api.force_authenticate(make_user("supervisor", site=make_machine().line.area.site))
    assert api.get(path).status_code == 404
