"""Tell who closes a shift which of its delivered items still wait for a person."""

from collections.abc import Sequence
from typing import Any

import msgspec

from core.intervals import Interval
from counts.models import CountTag
from enterprise.models import Machine
from ingest.items import MAX_AHEAD
from ingest.models import QuarantinedItem
from ingest.troubled import moment_of
from oee.open_points import OpenPoints

MOST_LOOKED_AT = 1000


def open_items(machines: Sequence[Machine], window: Interval) -> OpenPoints:
    """Return the kept items of machines that say that they happened in a window and that nobody has decided.

    At most `MOST_LOOKED_AT` of the site's are looked at; when there are more, the points are not complete.
    """
    points = OpenPoints("quarantined_item", "Delivered items that nobody has decided")
    sites = {machine.line.area.site_id for machine in machines}
    rows = list(
        QuarantinedItem.objects.filter(
            site__in=sites,
            resolution=QuarantinedItem.Resolution.OPEN,
            last_received_at__gte=window.start - MAX_AHEAD,
        ).order_by("-last_received_at")[: MOST_LOOKED_AT + 1]
    )
    points.is_complete = len(rows) <= MOST_LOOKED_AT
    codes = {machine.code: machine.code for machine in machines}
    tags = dict(CountTag.objects.filter(machine__in=machines).values_list("tag_path", "machine__code"))
    lines = {machine.line.code: machine.code for machine in machines if machine.is_constraint}
    for row in reversed(rows[:MOST_LOOKED_AT]):
        item = _item(row.payload)
        machine = _of(tags, item, "tag") or _of(codes, item, "machine") or _of(lines, item, "line")
        if machine is not None:
            at = moment_of(item, row.last_received_at) or row.first_received_at
            if window.covers(at):
                points.add(machine, at, f"{row.code}: {row.message}")
    return points


def _item(payload: str) -> dict[str, Any]:
    try:
        item = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, RecursionError):
        return {}
    return item if isinstance(item, dict) else {}


def _of(machines: dict[str, str], item: dict[str, Any], field: str) -> str | None:
    name = item.get(field)
    return machines.get(name) if isinstance(name, str) else None
