"""Find out whose items were refused: a bad item rarely says all that a good one would."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from accounts.keys import DeviceScope
from ingest import directory
from ingest.items import EARLIEST, MAX_AHEAD, Refused
from oee.delivery_tallies import Trouble, TroubledItem

Refusal = tuple[Any, DeviceScope, Refused]


def troubled_refusals(refusals: Iterable[Refusal], *, recorded_at: datetime) -> list[TroubledItem]:
    """Return the refused items of machines that their sender may speak of, conflicts aside: who found those knows more.

    An item without a readable time, or with one in the future, is of the hour in which it came.
    """
    named = [
        (item, scope, refusal)
        for item, scope, refusal in refusals
        if isinstance(item, dict) and refusal.code != "conflict" and not refusal.code.startswith("unknown_")
    ]
    if not named:
        return []
    clock = time.monotonic()
    tags = directory.tags.look_up(_names(named, "tag"), clock=clock)
    machines = directory.machines.look_up(_names(named, "machine"), clock=clock)
    lines = directory.constraint_machines.look_up(_names(named, "line"), clock=clock)
    found = []
    for item, scope, refusal in named:
        tag, place = _known(tags, item.get("tag")), _known(machines, item.get("machine"))
        place = place or _known(lines, item.get("line"))
        machine_id = tag.machine_id if tag else place.id if place else None
        if machine_id is not None and machine_id in scope.machine_ids:
            trouble = Trouble.FUTURE if refusal.code == "future" else Trouble.REFUSED
            found.append(TroubledItem(machine_id, moment_of(item, recorded_at) or recorded_at, trouble))
    return found


def moment_of(item: dict[str, Any], received_at: datetime) -> datetime | None:
    """Return when an item says that it happened, in UTC; None when it says nothing that can have been."""
    try:
        at = msgspec.convert(item.get("at"), datetime, strict=False)
    except (msgspec.ValidationError, OverflowError):
        return None
    if at.tzinfo is None or not EARLIEST <= at <= received_at + MAX_AHEAD:
        return None
    return at.astimezone(UTC)


def _names(refusals: Iterable[Refusal], field: str) -> set[str]:
    # A name that the database cannot hold names nothing in it.
    names = (item.get(field) for item, _, _ in refusals)
    return {
        name for name in names if isinstance(name, str) and len(name) <= 255 and "\0" not in name and _is_text(name)
    }


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _known(known: dict[str, Any], name: Any) -> Any:
    return known.get(name) if isinstance(name, str) else None
