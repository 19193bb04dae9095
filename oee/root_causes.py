"""What began the stops of a line."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from core.intervals import Interval
from downtime.models import StateReason
from enterprise.models import Line, Machine
from oee.engine.root_cause import RootCause, RootCauses, Standing, Waits
from oee.scopes import every_machine_of, representatives
from oee.stops import Stop, stops_of, unexplaining_reasons


def root_causes(line: Line, window: Interval, *, now: datetime) -> list[tuple[Stop, RootCause]]:
    """Return the stops of the machines that stand for a line, in order of time, each with what began it.

    The line's setting `buffer_time` says how far back is looked from a stop's beginning.
    """
    return root_causes_among(every_machine_of(line), window, now=now)


def root_causes_among(machines: Sequence[Machine], window: Interval, *, now: datetime) -> list[tuple[Stop, RootCause]]:
    """Return the same for a line's machines, given in order."""
    if not machines:
        return []
    buffer_time = timedelta(seconds=machines[0].line.buffer_time)
    chosen = representatives(list(machines))
    of_line = stops_of(chosen, window, now=now)
    if not of_line:
        return []
    # Each link of a chain may lie a buffer earlier than the one before.
    first = min(stop.start for stop in of_line) - buffer_time * len(machines)
    around = Interval(min(first, window.start), window.end)
    waits = StateReason.objects.without_tree_fields().exclude(waits_for="").values_list("id", "waits_for")
    causes = RootCauses(
        [machine.pk for machine in machines],
        [_standing(stop) for stop in stops_of(machines, around, now=now)],
        waits_for={reason_id: Waits(waits_for) for reason_id, waits_for in waits},
        unexplaining=unexplaining_reasons(),
        buffer_time=buffer_time,
    )
    of_line.sort(key=lambda stop: (stop.start, stop.machine_id))
    return [(stop, causes.of(_standing(stop))) for stop in of_line]


def _standing(stop: Stop) -> Standing:
    return Standing(stop.machine_id, stop.start, stop.until, stop.reason_id)
