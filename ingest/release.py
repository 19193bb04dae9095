"""What a person decides about items that were kept aside: take them after all, or throw them away."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet

from accounts.keys import DeviceScope
from accounts.models import User
from core.errors import Conflict, Invalid
from counts.models import CountHistory
from counts.services import correct_count
from downtime.models import StateHistory, StateReason
from downtime.services import correct_fact
from enterprise.models import Machine
from ingest.items import (
    CounterEventItem,
    CountItem,
    MeasurementItem,
    Refused,
    StateItem,
    Unreadable,
    read_item,
    read_one,
)
from ingest.models import QuarantinedItem
from ingest.quarantine import LONGEST_PAYLOAD
from ingest.services import Delivery, accept
from quality.models import Result
from quality.results import correct_result

_COMMENT = "Released from the kept items"


@transaction.atomic
def release(kept: QuarantinedItem, actor: User, now: datetime) -> None:
    """Take an item after all: deliver it again, or let it correct the fact that it contradicts.

    Raises Conflict when somebody else decided already, and Invalid, saying what to do, when it still cannot be taken.
    """
    kept = _taken(kept)
    if len(kept.payload) >= LONGEST_PAYLOAD:
        raise Invalid("The item was too long to be kept whole, so it cannot be released; discard it.")
    try:
        items = read_one(kept.payload.encode())
    except Unreadable as error:
        raise Invalid(f"The item cannot be read: {error} Discard it.") from None
    if kept.code == "conflict":
        _correct(items[0], kept, actor, now)
    else:
        machines = Machine.objects.filter(line__area__site=kept.site_id).values_list("id", flat=True)
        scope = DeviceScope(source=kept.source, site_id=kept.site_id or 0, machine_ids=frozenset(machines))
        outcome = accept(Delivery(items, scope), recorded_at=now)
        if outcome.refused:
            raise Invalid(f"It is still refused: {outcome.items[0].message}")
    _resolve(kept, QuarantinedItem.Resolution.RELEASED, actor, now)


@transaction.atomic
def discard(kept: QuarantinedItem, actor: User, now: datetime) -> None:
    """Throw an item away; it stays readable. Raises Conflict when somebody else decided already."""
    _resolve(_taken(kept), QuarantinedItem.Resolution.DISCARDED, actor, now)


def _taken(kept: QuarantinedItem) -> QuarantinedItem:
    """Return the item as it is now, locked, so that two people take turns."""
    current = QuarantinedItem.objects.select_for_update().get(pk=kept.pk)
    if current.resolution != QuarantinedItem.Resolution.OPEN:
        raise Conflict(f"The item was {current.get_resolution_display().lower()} already, by {current.resolved_by}.")
    return current


def _resolve(kept: QuarantinedItem, resolution: QuarantinedItem.Resolution, actor: User, now: datetime) -> None:
    kept.resolution, kept.resolved_by, kept.resolved_at = resolution, actor, now
    kept.save(update_fields=["resolution", "resolved_by", "resolved_at"])


def _correct(item: object, kept: QuarantinedItem, actor: User, now: datetime) -> None:
    """Let a contradicting item correct what is stored; both stay readable."""
    try:
        read = read_item(item, now=now)
    except Refused as refusal:
        raise Invalid(refusal.message) from None
    comment = f"{_COMMENT} of {kept.source}"
    if isinstance(read, CountItem):
        fact = CountHistory.objects.select_related("tag").filter(tag__tag_path=read.tag, occurred_at=read.at).first()
        if fact is not None:
            correct_count(fact=fact, value=Decimal(read.value), comment=comment, actor=actor, recorded_at=now)
            return
    elif isinstance(read, StateItem):
        machines = Machine.objects.filter(code=read.machine) if read.machine else _constraint_of(read.line)
        state = StateHistory.objects.filter(machine_id__in=machines.values("id"), occurred_at=read.at).first()
        reason = StateReason.objects.filter(code=read.state).first()
        if state is not None and reason is not None:
            correct_fact(fact=state, reason=reason, comment=comment, actor=actor, recorded_at=now)
            return
    elif isinstance(read, MeasurementItem):
        result = Result.objects.filter(tag__tag_path=read.tag, occurred_at=read.at).first()
        if result is not None:
            correct_result(result=result, value=read.value, reason=comment, actor=actor, recorded_at=now)
            return
    elif isinstance(read, CounterEventItem):
        raise Invalid("A person says what happened in the list of counter steps; do so there and discard this.")
    raise Invalid("What it contradicts is not there any more; discard it.")


def _constraint_of(line: str | None) -> QuerySet[Machine]:
    return Machine.objects.filter(line__code=line, is_constraint=True)
