"""Rows that are taken together end as they do one by one: the same database, histories, messages and answer."""

from dataclasses import replace
from random import Random

import pytest
from django.db import connection, transaction
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import master_data
from core.models import CustomField, OutboxMessage
from erp import importing, row_sets
from erp.senders import Sender
from products.models import Product
from tests.factories import make_area, make_line, make_order_reason, make_product, make_site, make_user
from workorders.models import Customer, Demand, OrderStatusChange, WorkOrder

pytestmark = pytest.mark.django_db
MODELS = (Customer, Product, WorkOrder, Demand)
NAMES = {Customer: "code", Product: "code", WorkOrder: "order_number", Demand: "external_id"}
AT = "2026-03-04T14:00:00Z"
PASSING = ("id", "history_id", "history_date", "released_at", "recorded_at", "created_at")


@pytest.fixture
def by():
    line = make_line(code="L1", area=make_area(site=make_site(code="HERE")))
    make_line(code="L9")
    for code, type_, required in (("colour", "text", False), ("size", "number", False), ("owner", "text", True)):
        field = CustomField(model="products.product", code=code, label=code, type=type_, required=required)
        master_data.save(field)
    make_order_reason("customer")
    request = RequestFactory().post("/erp/import/")
    request.user = make_user("erp", site=line.area.site)
    return Sender(request, timezone.now())


def mix(random, number):
    """Return a random mix of good, changed, unchanged, repeated and bad rows of each kind."""

    def some(good, *odd):
        rows = []
        for _ in range(number):
            row = good(n := random.randrange(number))
            if random.random() < 0.5:
                row |= random.choice(odd)(n)
            rows.append({name: value for name, value in row.items() if value is not None})
        return rows

    other = random.randrange(number)
    customers = some(
        lambda n: {"external_id": f"K{n}", "name": random.choice([f"Customer {n}", "Żabka", "Oder GmbH"])},
        lambda n: {"code": random.choice([f"c-{n}", f"c-{other}", "oder-gmbh", f" c-{n} ", "zabka"])},
        lambda n: {"external_id": None, "code": f"c-{n}"},
        lambda n: {"external_id": n, "name": "  Spaced  "},
        lambda n: {"code": "bad/code"},
        lambda n: {"name": ""},
        lambda n: {"external_id": None},
    )
    products = some(
        lambda n: {"code": f"P{n}", "name": f"Product {n}", "custom": {"owner": "me"}},
        lambda n: {"custom": {"owner": "you", "size": f"{n}.50"}},
        lambda n: {"unit": "kg", "code": n},
        lambda n: {"gtin": "4006381333931", "over_tolerance": "0.05"},
        lambda n: {"gtin": "123"},
        lambda n: {"custom": random.choice([{"size": "big", "owner": "x"}, {"no": 1, "owner": "x"}, None])},
        lambda n: {"unit": "furlong"},
        lambda n: {"over_tolerance": "-1", "colour": "red"},
        lambda n: {"code": f"P {n}"},
    )
    orders = some(
        lambda n: {"external_id": f"SO{n}", "line": "L1", "product": "COLA", "target_quantity": "10"},
        lambda n: {"order_number": random.choice([f"WO{n}", f"SO{n}", f"WO{other}"])},
        lambda n: {"external_id": None, "order_number": f"WO{n}"},
        lambda n: {"customer": random.choice(["Acme", "Żabka", f"New {n}", "K1", ""]), "target_quantity": "10.0"},
        lambda n: {"product": random.choice(["WATER", "none"]), "priority": 1},
        lambda n: {"line": random.choice(["L9", "nowhere"])},
        lambda n: {"status": random.choice(["cancelled", "closed"]), "status_reason": "customer"},
        lambda n: {"target_quantity": "NaN"},
    )
    demands = some(
        lambda n: {"external_id": f"D{n}", "site": "HERE", "product": "COLA", "quantity": "5", "due_at": AT},
        lambda n: {"quantity": "7", "customer": random.choice(["Acme", f"New {n}"])},
        lambda n: {"site": "none"},
        lambda n: {"due_at": "2026-03-04T14:00:00"},
        lambda n: {"quantity": "-1"},
    )
    return {"customers": customers, "products": products, "orders": orders, "demands": demands}


def state_of(model):
    """Return all that is stored of a model, by the names that do not depend on ids."""
    name = NAMES.get(model, "id")
    foreign = {"customer": "code", "product": "code", "line": "code", "site": "code"}

    def said(row):
        values = {}
        for field in row._meta.concrete_fields:
            if field.name in foreign and field.is_relation:
                thing = getattr(row, field.name)
                values[field.name] = thing and getattr(thing, foreign[field.name])
            elif field.name not in PASSING:
                values[field.name] = getattr(row, field.attname)
        return values

    rows = {getattr(row, name): said(row) for row in model.objects.order_by(name)}
    history = {}
    for entry in model.history.order_by("history_id"):
        history.setdefault(getattr(entry, name), []).append(said(entry))
    return rows, history


def imported(sent, by, *, together):
    """Import, look at everything, and take it back."""
    kinds = importing.KINDS
    if not together:
        kinds = {name: replace(kind, things=None) for name, kind in kinds.items()}
    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(importing, "KINDS", kinds)
        outcomes = [importing.take(rows, by=by) for rows in sent]
        states = {model.__name__: state_of(model) for model in MODELS}
        messages = sorted((one.type, one.key, str(one.data)) for one in OutboxMessage.objects.all())
        steps = sorted(OrderStatusChange.objects.values_list("order__order_number", "from_status", "to_status", "note"))
        transaction.set_rollback(True)
    return outcomes, states, messages, steps


@pytest.mark.parametrize("seed", range(3))
def test_random_rows_end_together_as_one_by_one(by, seed, monkeypatch):
    random = Random(seed)
    monkeypatch.setattr(row_sets, "TOGETHER", (3, 8, 500)[seed])
    for code in ("COLA", "WATER"):
        make_product(code=code)
    master_data.save(Customer(code="oder-gmbh", name="Oder GmbH"))
    first, second = mix(random, 9), mix(random, 9)
    # The same again, in another order, is mostly unchanged.
    again = {kind: random.sample(rows, len(rows)) for kind, rows in first.items()}
    one_by_one = imported([first, second, again], by, together=False)
    together = imported([first, second, again], by, together=True)
    for expected, found in zip(one_by_one, together, strict=True):
        assert found == expected
    found = [outcome.counts[kind] for outcome in one_by_one[0] for kind in outcome.counts]
    assert all(any(count[what] for count in found) for what in ("created", "updated", "unchanged", "refused"))


@pytest.mark.parametrize(
    ("kind", "row", "more"),
    [
        ("customers", lambda n: {"external_id": f"K{n}", "name": f"Customer {n}"}, {"name": "Renamed"}),
        (
            "products",
            lambda n: {"code": f"P{n}", "name": f"Product {n}", "custom": {"owner": "me"}},
            {"name": "Renamed"},
        ),
    ],
)
def test_number_of_questions_does_not_grow_with_the_rows(by, kind, row, more):
    rows = [row(n) for n in range(40)]

    def questions(number, **change):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            outcome = importing.take({kind: [{**one, **change} for one in rows[:number]]}, by=by)
        assert outcome.faults == []
        return len(asked), {name: count for name, count in outcome.counts[kind].items() if count}

    few, counts = questions(10)
    assert (counts, few < 20) == ({"created": 10}, True), few
    many, counts = questions(40)
    assert (counts, many - few <= 2) == ({"created": 30, "unchanged": 10}, True), many
    unchanged, counts = questions(40)
    assert (counts, unchanged < 6) == ({"unchanged": 40}, True), unchanged
    changed, counts = questions(40, **more)
    assert (counts, changed < 20) == ({"updated": 40}, True), changed


def test_order_that_says_nothing_new_costs_no_question(by):
    make_product(code="COLA")
    rows = [{"external_id": f"SO{n}", "line": "L1", "product": "COLA", "target_quantity": "5"} for n in range(30)]
    importing.take({"orders": rows}, by=by)
    with CaptureQueriesContext(connection) as asked:
        outcome = importing.take({"orders": rows}, by=by)
    assert (outcome.counts["orders"]["unchanged"], len(asked) < 10) == (30, True), len(asked)
    assert WorkOrder.history.count() == 30
