"""How sold lots left a plant in its past: on pallets, once their batch record was signed by three people."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from accounts.models import User
from batchrecords.bulk import Decided, NewRecord, Signed, load_records
from batchrecords.models import Resolution, Signature
from materials.container_bulk import Filled, load_containers
from materials.models import Container, Location, MaterialLot
from simulator.history_facts import Past
from simulator.working_time import OrderSlot
from workorders.models import WorkOrder
from workorders.record_sections import Finding

Sold = tuple[OrderSlot, WorkOrder, MaterialLot, Decimal]
"""An order of a customer that is done, the lot that it made, and of how many good pieces."""

# After an order's end, in hours: later than whoever explains its stops, earlier than it is shipped.
_SIGNED_AFTER = (
    (Signature.Meaning.PREPARED, (2.5, 4)),
    (Signature.Meaning.REVIEWED, (6, 9)),
    (Signature.Meaning.APPROVED, (12, 20)),
    (Signature.Meaning.RELEASED, (20.5, 23)),
)
_DECIDED_BEFORE = timedelta(minutes=10)
_PALLET_TAKES = timedelta(minutes=2)
_Decision = Resolution.Decision
_DECISIONS = {
    "inspection": (_Decision.REWORKED, "Sorted; what was bad is out of the lot."),
    "nonconformance": (_Decision.CORRECTED, "Contained; the action is on its way."),
    "overridden": (_Decision.ACCEPTED, "The decision stands: sorted, and looked at again."),
    "stop": (_Decision.ACCEPTED, "The filler was run empty and rinsed before it went on."),
    "correction": (_Decision.ACCEPTED, "The reason was found afterwards; the time stays."),
}
_OTHERWISE = (_Decision.ACCEPTED, "No effect on the lot.")


class Release:
    """The pallets and the batch records of sold lots, of the products that have a record."""

    def __init__(self, past: Past, people: Mapping[str, User], place: Location) -> None:
        """`people` by user name; pallets stand at `place`."""
        self._past, self._people, self._place = past, people, place
        self._pallets: dict[int, list[Container]] = {}
        self._sold: list[Sold] = []

    def take(self, sold: Sequence[Sold]) -> int:
        """Pack what was sold, of the products that have a record, onto pallets; return how many."""
        plant = self._past.plant
        with_record = [one for one in sold if plant.product(one[0].product).has_record]
        self._sold += with_record
        filled = [pallet for one in with_record for pallet in self._filled(*one)]
        orders = {lot.pk: order.pk for _, order, lot, _ in with_record}
        for one, container in zip(filled, load_containers(filled, actor=self._people["operator"]), strict=True):
            self._pallets.setdefault(orders[one.lot.pk], []).append(container)
        return len(filled)

    def pallets_of(self, order: WorkOrder) -> Sequence[Container]:
        """Return the pallets of an order that are still there, and take them for gone."""
        return self._pallets.pop(order.pk, ())

    def _filled(self, slot: OrderSlot, order: WorkOrder, lot: MaterialLot, good: Decimal) -> Iterator[Filled]:
        left, per_pallet = good, self._past.plant.product(slot.product).per_pallet
        at, number = slot.end, 0
        while left > 0 and at + _PALLET_TAKES <= self._past.end:
            number += 1
            quantity = min(left, per_pallet)
            yield Filled(
                code=f"VB-P-{order.order_number}-{number}",
                kind=Container.Kind.PALLET,
                place=self._place,
                lot=lot,
                quantity=quantity,
                opened_at=at,
                packed_at=at + _PALLET_TAKES / 2,
                closed_at=at + _PALLET_TAKES,
            )
            left, at = left - quantity, at + _PALLET_TAKES

    def sign(self) -> int:
        """Write the records of what was sold, as far as people have come by the end; return how many."""
        return len(load_records([self._record(*one) for one in self._sold], now=self._past.end))

    def _record(self, slot: OrderSlot, order: WorkOrder, lot: MaterialLot, _good: Decimal) -> NewRecord:
        rng = Random(f"{self._past.seed}|record|{slot.number}")
        moments = [
            (meaning, slot.end + timedelta(seconds=round(3600 * rng.uniform(*hours))))
            for meaning, hours in _SIGNED_AFTER
        ]
        signed = [
            Signed(meaning=meaning, signer=self._signer(meaning), at=at)
            for meaning, at in moments
            if at <= self._past.end
        ]
        decided_at = moments[1][1] - _DECIDED_BEFORE
        return NewRecord(
            order=order,
            lot=lot,
            opened_by=self._people["supervisor"],
            opened_at=slot.end,
            decided=self._decided(decided_at) if len(signed) > 1 else None,
            signed=signed,
        )

    def _signer(self, meaning: str) -> User:
        """Return who signs: whoever prepared it does not review it, and a third person approves and releases it."""
        users = {Signature.Meaning.PREPARED: "supervisor", Signature.Meaning.REVIEWED: "quality"}
        return self._people[users.get(Signature.Meaning(meaning), "release")]

    def _decided(self, at: datetime) -> Decided:
        return Decided(actor=self._people["quality"], at=at, decide=_decide)


def _decide(finding: Finding) -> tuple[Resolution.Decision, str]:
    return _DECISIONS.get(finding.kind, _OTHERWISE)
