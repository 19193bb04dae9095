"""Any sequence of movements: stock is the sum of the ledger, nothing is negative,
and links are what the orders hold.
"""

from collections import defaultdict
from decimal import Decimal

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from core.errors import DomainError
from materials.ledger import effects, rebuild_stock
from materials.models import GenealogyLink, MaterialTransaction, Stock
from materials.selectors import lots_of_order
from materials.tests.shop import Shop

pytestmark = pytest.mark.django_db
QUANTITIES = st.integers(1, 400).map(lambda number: Decimal(number) / 100)
TWO = st.integers(0, 1)


class Movements(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.shop = Shop()
        self.orders = [self.shop.order(), self.shop.order()]
        self.lots = [self.shop.lot(f"RAW-{number}", self.shop.product(), 3) for number in range(2)]
        self.made = self.shop.product()
        self.sums = defaultdict(Decimal)
        for fact in MaterialTransaction.objects.all():
            self.note(fact)

    def teardown(self):
        transaction.set_rollback(True)
        self.outer.__exit__(None, None, None)

    def note(self, fact):
        for key, change in effects(fact):
            self.sums[key] += change

    def attempt(self, act):
        try:
            with transaction.atomic():
                fact = act()
        except DomainError:
            return
        self.note(fact)

    def places(self, at_side):
        return (self.shop.side, self.shop.store) if at_side else (self.shop.store, self.shop.side)

    @rule(which=st.integers(0, 5), quantity=QUANTITIES, order=TWO, kind=st.sampled_from(["consume", "return", "move"]))
    def moves(self, which, quantity, order, kind):
        lot = self.lots[which % len(self.lots)]
        more = {
            "consume": {"from_location": self.shop.store, "work_order": self.orders[order]},
            "return": {"to_location": self.shop.store, "work_order": self.orders[order]},
            "move": dict(zip(("from_location", "to_location"), self.places(order), strict=True)),
        }[kind]
        self.attempt(lambda: self.shop.do(kind, lot.product, quantity, lot=lot, **more).transaction)

    @rule(number=st.integers(1, 3), quantity=QUANTITIES, order=TWO)
    def makes(self, number, quantity, order):
        def act():
            lot = self.shop.make(f"M{number}", self.made, quantity, self.orders[order])
            if lot not in self.lots:
                self.lots.append(lot)
            return lot.transactions.first()

        self.attempt(act)

    @rule(back=st.integers(1, 6))
    def reverses(self, back):
        facts = list(MaterialTransaction.objects.order_by("-pk")[:back])
        self.attempt(lambda: self.shop.undo(facts[-1]))

    @rule(which=st.integers(0, 5), quantity=QUANTITIES, sign=st.sampled_from([1, -1]))
    def counts(self, which, quantity, sign):
        lot = self.lots[which % len(self.lots)]
        self.attempt(
            lambda: (
                self.shop.do(
                    "adjust", lot.product, sign * quantity, lot=lot, location=self.shop.store, reason="Counted."
                ).transaction
            )
        )

    @invariant()
    def stock_is_the_sum_and_never_negative(self):
        rows = Stock.objects.values_list("product", "lot", "location", "quantity")
        stock = {(product, lot or 0, place): quantity for product, lot, place, quantity in rows}
        assert stock == dict(self.sums)
        assert all(quantity >= 0 for quantity in stock.values())
        assert rebuild_stock() == (len(stock), 0)

    @invariant()
    def links_are_what_the_orders_hold(self):
        for order in self.orders:
            held = lots_of_order(order)
            wanted = {
                (input_, output): used
                for input_, used in held.used.items()
                for output, made in held.produced.items()
                if used > 0 and made > 0
            }
            rows = GenealogyLink.objects.filter(work_order=order).values_list("input_lot", "output_lot")
            sums = {(row[0], row[1]): row[2] for row in rows.annotate(total=Sum("quantity")).order_by() if row[2]}
            assert sums == wanted


def test_any_sequence_keeps_the_books():
    Movements.TestCase.settings = settings(
        max_examples=8, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
    )
    Movements.TestCase().runTest()
