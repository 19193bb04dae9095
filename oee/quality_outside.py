"""Tell the floor of quality, which cannot ask, what machines counted and when they stood."""

from datetime import datetime
from fractions import Fraction

from core.intervals import Interval
from enterprise.models import Machine
from oee.engine import CountRole
from oee.histories import load_counted
from oee.stops import stops_of
from quality.outside import tell

_MADE = (CountRole.GOOD, CountRole.REJECT, CountRole.REWORK)


def pieces(machine_id: int, window: Interval) -> list[tuple[datetime, Fraction]]:
    """Return when a machine counted how many pieces, in order: all of them, or the good, rejected and reworked ones."""
    counted = load_counted([Machine.objects.get(pk=machine_id)], window)
    increments = counted[machine_id].increments if machine_id in counted else ()
    has_total = any(one.role is CountRole.TOTAL for one in increments)
    roles = (CountRole.TOTAL,) if has_total else _MADE
    return sorted(
        (one.at, one.quantity) for one in increments if one.role in roles and window.start <= one.at < window.end
    )


def stops(machine_id: int, window: Interval, now: datetime) -> list[Interval]:
    """Return the stops of a machine that ended in a window, in order, as people and rules corrected them."""
    machine = Machine.objects.select_related("line__area__site").get(pk=machine_id)
    found = [stop for stop in stops_of([machine], window, now=now) if stop.until < now]
    return [Interval(stop.start, stop.until) for stop in found if stop.start < stop.until <= window.end]


def tell_quality() -> None:
    """Say so; once, when the system starts."""
    tell(pieces=pieces, stops=stops)
