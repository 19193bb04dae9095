"""Any life of orders together with their material: the history leads to the status, stock is the ledger's sum,
nothing is made of itself.
"""

from collections import defaultdict
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from core.errors import DomainError
from materials.ledger import rebuild_stock
from materials.lots import NewLot
from materials.models import BackflushPolicy, GenealogyLink, MaterialTransaction
from materials.tests.shop import AT, Shop
from products.services import release_revision
from tests.factories import LONG_AGO, make_bill_line, make_order_reason, make_revision, make_work_order
from workorders import kinship, life
from workorders.models import WorkOrder
from workorders.selectors import TRANSITIONS, allowed
from workorders.services import release_order

pytestmark = pytest.mark.django_db
QUANTITIES = st.integers(1, 60).map(Decimal)
ANY = st.integers(0, 50)
STEPS = ("start", "hold", "resume", "complete", "close", "reopen", "cancel")


class Lives(RuleBasedStateMachine):
    """One site whose completed orders book by themselves what they used; what they make is what others use."""

    def __init__(self):
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.shop = Shop()
        self.reason = make_order_reason(for_hold=True, for_cancel=True, for_short=True)
        BackflushPolicy.objects.create(site=self.shop.site, mode="order", location=self.shop.store)
        self.raw = self.shop.product()
        self.product = self.shop.product()
        revision = make_revision(product=self.product)
        make_bill_line(revision, self.raw, 1)
        release_revision(revision=revision, valid_from=LONG_AGO)
        self.shop.lot("RAW", self.raw, 100)
        self.orders = [self.new_order() for _ in range(2)]

    def new_order(self):
        return make_work_order(line=self.shop.line, product=self.product, target_quantity=40)

    def teardown(self):
        transaction.set_rollback(True)
        self.outer.__exit__(None, None, None)

    def pick(self, which):
        return WorkOrder.objects.get(pk=self.orders[which % len(self.orders)].pk)

    def attempt(self, act):
        try:
            with transaction.atomic():
                return act()
        except DomainError:
            return None

    @rule(which=ANY, step=st.sampled_from(["release", *STEPS]))
    def goes_on(self, which, step):
        order = self.pick(which)
        offered = step in allowed(order)
        if step == "release":
            took = self.attempt(lambda: release_order(work_order=order, at=AT, actor=self.shop.anna))
        else:
            more = {"reason": self.reason} if step in ("hold", "cancel") else {}
            service = getattr(life, step)
            took = self.attempt(lambda: service(work_order=order, at=AT, actor=self.shop.anna, **more))
        # What is not offered never happens; what is offered may still be refused for its material or tolerance.
        assert offered or took is None

    @rule(which=ANY, good=QUANTITIES, scrap=st.integers(0, 3).map(Decimal))
    def confirms(self, which, good, scrap):
        said = life.Quantities(good=good, scrap=scrap)
        self.attempt(lambda: life.confirm(work_order=self.pick(which), quantities=said, at=AT, actor=self.shop.anna))

    @rule(which=ANY, quantity=QUANTITIES)
    def splits(self, which, quantity):
        number = f"SPLIT-{WorkOrder.objects.count()}"
        child = self.attempt(
            lambda: kinship.split_order(
                work_order=self.pick(which), quantity=quantity, number=number, at=AT, actor=self.shop.anna
            )
        )
        if child is not None:
            self.orders.append(child)

    @rule(which=ANY, quantity=QUANTITIES)
    def puts_in_stock(self, which, quantity):
        order = self.pick(which)
        more = {"lot": NewLot(number=order.order_number), "to_location": self.shop.store, "work_order": order}
        self.attempt(lambda: self.shop.do("produce", self.product, quantity, **more))

    @rule(which=ANY, other=ANY, quantity=QUANTITIES)
    def uses_what_another_made(self, which, other, quantity):
        lot = self.pick(other).lots_made.first()
        if lot is not None:
            self.attempt(lambda: self.shop.use(lot, quantity, self.pick(which)))

    @rule(back=st.integers(1, 5))
    def takes_back(self, back):
        facts = list(MaterialTransaction.objects.order_by("-pk")[:back])
        self.attempt(lambda: self.shop.undo(facts[-1]))

    @invariant()
    def history_leads_to_the_status(self):
        for order in WorkOrder.objects.all():
            steps = list(order.status_changes.order_by("pk").values_list("from_status", "to_status"))
            assert all(before[1] == after[0] for before, after in pairwise(steps))
            assert all(to_status in TRANSITIONS[from_status] for from_status, to_status in steps if from_status)
            assert (steps[-1][1] if steps else "created") == order.status

    @invariant()
    def stock_is_the_sum_of_the_ledger(self):
        assert rebuild_stock()[1] == 0

    @invariant()
    def nothing_is_made_of_itself(self):
        links = defaultdict(Decimal)
        for source, target, quantity in GenealogyLink.objects.values_list("input_lot", "output_lot", "quantity"):
            links[source, target] += quantity
        onward = defaultdict(set)
        for (source, target), quantity in links.items():
            if quantity > 0:
                onward[source].add(target)
        for start in list(onward):
            reached, ahead = set(), set(onward[start])
            while ahead:
                lot = ahead.pop()
                reached.add(lot)
                ahead |= onward[lot] - reached
            assert start not in reached


def test_any_lives_of_orders_keep_history_and_books():
    Lives.TestCase.settings = settings(
        max_examples=8, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
    )
    Lives.TestCase().runTest()
