"""What people wrote down about a line's stops and changes in its past: reasons of unexplained stops, changeovers."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from accounts.models import User
from downtime.models import StateReason
from downtime.services import correct_state
from enterprise.models import Line, Machine
from products.models import Product
from simulator.line_day import LineDay
from simulator.people_day import Counted
from simulator.plant import CHANGE_FLAVOUR, CHANGE_FORMAT
from simulator.stops import Stretch
from simulator.working_time import OrderSlot
from workorders.bulk import NewChangeover
from workorders.models import ChangeoverPhase, WorkOrder

UNKNOWN = "STOP-UNKNOWN"
_EXPLAINED, _SHORTEST = 0.85, timedelta(minutes=2)
_FOUND = (
    ("FAIL-SENSOR", "Infeed sensor was out of place; set and tightened."),
    ("FAIL-VALVE", "Valve seal worn; changed."),
    ("STOP-CREW", "Nobody at the line: both at the palletiser."),
    ("FAIL-CAPPER", "Capping head set again after a burst bottle."),
)
_Phase = ChangeoverPhase.Phase


def explain_stops(
    simulated: LineDay, machine: Machine, reasons: Mapping[str, StateReason], *, seed: int, actor: User, until: datetime
) -> int:
    """Say why a machine stood where it could not say so itself; return how many words. Not all are explained."""
    words = 0
    for start, end in _unexplained(simulated, machine.code):
        rng = Random(f"{seed}|word|{machine.code}|{start.isoformat()}")
        code, comment = rng.choice(_FOUND)
        said_at = end + timedelta(minutes=rng.randint(5, 40))
        if rng.random() >= _EXPLAINED or said_at > until:
            continue
        correct_state(
            machine=machine,
            starts_at=start,
            ends_at=end,
            reason=reasons[code],
            comment=comment,
            actor=actor,
            recorded_at=said_at,
        )
        words += 1
    return words


def _unexplained(simulated: LineDay, code: str) -> Iterator[tuple[datetime, datetime]]:
    for one in simulated.timelines[code]:
        start, end = _moments(simulated, one)
        if one.reason == UNKNOWN and end - start >= _SHORTEST:
            yield start, end


def _moments(simulated: LineDay, one: Stretch) -> tuple[datetime, datetime]:
    begins = simulated.window.start
    return begins + timedelta(milliseconds=one.start), begins + timedelta(milliseconds=one.end)


def changeovers_of_day(
    simulated: LineDay,
    counted: Counted,
    line: Line,
    orders: Mapping[str, WorkOrder],
    products: Mapping[str, Product],
    crew: Sequence[str],
    *,
    operator: User,
    supervisor: User,
    until: datetime,
) -> Iterator[NewChangeover]:
    """Yield a day's changes of product, as whoever did them would write them down."""
    for slot in simulated.slots:
        if slot.product == slot.previous_product or not simulated.window.covers(slot.start):
            continue
        start, end = slot.start, _ready(simulated, slot)
        approved_at = end + timedelta(minutes=10)
        if end <= start or approved_at > until:
            continue
        good, scrapped = counted.between(end, end + timedelta(minutes=5))
        yield NewChangeover(
            line=line,
            work_order=orders[slot.number],
            from_product=products[slot.previous_product],
            started_at=start,
            ended_at=end,
            phases=[
                (_Phase.TEARDOWN, start),
                (_Phase.SETUP, start + (end - start) * 3 / 10),
                (_Phase.ADJUSTMENT, start + (end - start) * 8 / 10),
            ],
            first_good_at=end if good else None,
            pieces_made=Decimal(good + scrapped) if good else None,
            pieces_scrapped=Decimal(scrapped) if good else None,
            operators=", ".join(crew),
            started_by=operator,
            approved_by=supervisor,
            approved_at=approved_at,
        )


def _ready(simulated: LineDay, slot: OrderSlot) -> datetime:
    """Return when a line was changed over to an order."""
    ends = [slot.start]
    for one in simulated.timelines[simulated.line.constraint.code]:
        start, end = _moments(simulated, one)
        if one.reason in (CHANGE_FLAVOUR, CHANGE_FORMAT) and slot.start <= start < slot.end:
            ends.append(end)
    return max(ends)
