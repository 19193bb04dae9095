"""Any sequence of packing and moving: contents are packed less unpacked, packing leaves stock alone,
nothing lies in itself.
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
from materials.container_models import Container, ContainerContent, ContainerStep
from materials.container_queries import rebuild_containers
from materials.ledger import rebuild_stock
from materials.models import Stock
from materials.tests.packing import PackingRoom

pytestmark = pytest.mark.django_db
WHICH = st.integers(0, 3)
QUANTITIES = st.integers(1, 6).map(Decimal)


class Packing(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.room = PackingRoom()
        self.lots = [self.room.lot(f"L{number}", self.room.product(), 9) for number in range(2)]
        self.boxes = [self.room.carton(f"C-{number}", kind="bin") for number in range(4)]
        self.stock = self.sums()

    def teardown(self):
        transaction.set_rollback(True)
        self.outer.__exit__(None, None, None)

    def sums(self):
        rows = Stock.objects.exclude(quantity=0).values_list("lot", "location", "quantity")
        return {(lot, place): quantity for lot, place, quantity in rows}

    def attempt(self, act, *, moves_stock=False):
        try:
            with transaction.atomic():
                act()
        except DomainError:
            return
        if moves_stock:
            self.stock = self.sums()

    @rule(which=WHICH, lot=st.integers(0, 1), quantity=QUANTITIES, out=st.booleans())
    def packs(self, which, lot, quantity, out):
        act = self.room.unpack if out else self.room.pack
        self.attempt(lambda: act(self.boxes[which], self.lots[lot], quantity))

    @rule(which=WHICH, name=st.sampled_from(["close", "reopen", "take_out", "empty"]))
    def turns(self, which, name):
        self.attempt(lambda: self.room.act(name, self.boxes[which]))

    @rule(which=WHICH, into=WHICH)
    def nests(self, which, into):
        def act():
            self.room.act("put_into", self.boxes[which], into=self.boxes[into])

        self.attempt(lambda: self.room.act("close", self.boxes[which]))
        self.attempt(act)

    @rule(which=WHICH, at_side=st.booleans())
    def moves(self, which, at_side):
        place = self.room.side if at_side else self.room.store
        self.attempt(lambda: self.room.act("move", self.boxes[which], to_location=place), moves_stock=True)

    @rule(which=WHICH, back=st.sampled_from(["bring_back", "empty"]))
    def ships(self, which, back):
        more = {"reason": "x"} if back == "bring_back" else {"to_location": self.room.store}
        self.attempt(lambda: self.room.act("ship", self.boxes[which]), moves_stock=True)
        self.attempt(lambda: self.room.act(back, self.boxes[which], **more), moves_stock=True)

    @rule(lot=st.integers(0, 1), quantity=QUANTITIES)
    def scraps(self, lot, quantity):
        def act():
            lot_ = self.lots[lot]
            self.room.do("scrap", lot_.product, quantity, lot=lot_, from_location=self.room.store, reason="x")

        self.attempt(act, moves_stock=True)

    @invariant()
    def stock_is_only_moved_by_the_ledger(self):
        assert self.sums() == self.stock
        assert rebuild_stock()[1] == 0

    @invariant()
    def contents_are_packed_less_unpacked(self):
        want = defaultdict(Decimal)
        for step in ContainerStep.objects.filter(kind__in=["packed", "unpacked"]):
            want[step.container_id, step.lot_id] += step.quantity if step.kind == "packed" else -step.quantity
        rows = ContainerContent.objects.values_list("container", "lot", "quantity")
        assert {(box, lot): quantity for box, lot, quantity in rows} == {k: v for k, v in want.items() if v}
        assert rebuild_containers() == (4, 0)

    @invariant()
    def what_is_packed_is_there(self):
        rows = ContainerContent.objects.filter(container__location__isnull=False)
        for row in rows.values("lot", "container__location").annotate(total=Sum("quantity")).order_by():
            assert row["total"] <= self.stock[row["lot"], row["container__location"]]

    @invariant()
    def nothing_lies_in_itself_and_what_lies_together_stands_together(self):
        boxes = Container.objects.in_bulk()
        for box in boxes.values():
            seen, above = {box.pk}, box
            while above.parent_id is not None:
                above = boxes[above.parent_id]
                assert above.pk not in seen
                seen.add(above.pk)
                if box.status != "shipped":
                    assert (above.location_id, box.status) == (box.location_id, "closed")


def test_any_sequence_keeps_contents_and_stock():
    Packing.TestCase.settings = settings(
        max_examples=7, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
    )
    Packing.TestCase().runTest()
