"""What began the stops of a line."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from core.intervals import Interval
from downtime.selectors import all_reasons
from enterprise.models import Line, Machine
from oee.engine.root_cause import CLOCK_SKEW, RootCause, RootCauses, Standing, Waits
from oee.scopes import every_machine_of, representatives
from oee.stops import Stop, stops_of, unexplaining_reasons

_MOMENT = timedelta(microseconds=1)


def root_causes(line: Line, window: Interval, *, now: datetime) -> list[tuple[Stop, RootCause]]:
    """Return the stops of the machines that stand for a line, in order of time, each with what began it.

    The line's setting `buffer_time` says how far back is looked from a stop's beginning.
    """
    return root_causes_among(every_machine_of(line), window, now=now)


def root_causes_among(machines: Sequence[Machine], window: Interval, *, now: datetime) -> list[tuple[Stop, RootCause]]:
    """Return the same for a line's machines, given in order."""
    if not machines:
        return []
    of_line = stops_of(representatives(list(machines)), window, now=now)
    if not of_line:
        return []
    around = _around(min(stop.start for stop in of_line), max(stop.start for stop in of_line), machines)
    causes = _causes(stops_of(machines, around, now=now), machines)
    of_line.sort(key=lambda stop: (stop.start, stop.machine_id))
    return [(stop, causes.of(_standing(stop))) for stop in of_line]


def root_cause_at(machine: Machine, at: datetime, machines: Sequence[Machine], *, now: datetime) -> RootCause | None:
    """Return what began the stop in which a machine stood at a moment, given those of its line in order; None where it
    did not stand. The facts are read once for a moment in which the stop began.
    """
    stops = stops_of(machines, _around(at, at, machines), now=now)
    stop = next((one for one in stops if one.machine_id == machine.pk and one.start <= at < one.until), None)
    if stop is None:
        return None
    if stop.start < at:
        return root_cause_at(machine, stop.start, machines, now=now)
    return _causes(stops, machines).of(_standing(stop))


def _around(first: datetime, last: datetime, machines: Sequence[Machine]) -> Interval:
    """Return where the causes of stops lie that began between two moments:
    each link of a chain may lie a buffer earlier than the one before, and by its own clock a little later.
    """
    buffer_time = timedelta(seconds=machines[0].line.buffer_time)
    return Interval(first - buffer_time * len(machines), last + CLOCK_SKEW * len(machines) + _MOMENT)


def _causes(stops: Iterable[Stop], machines: Sequence[Machine]) -> RootCauses:
    return RootCauses(
        [machine.pk for machine in machines],
        [_standing(stop) for stop in stops],
        waits_for={pk: Waits(reason.waits_for) for pk, reason in all_reasons().items() if reason.waits_for},
        unexplaining=unexplaining_reasons(),
        buffer_time=timedelta(seconds=machines[0].line.buffer_time),
    )


def _standing(stop: Stop) -> Standing:
    return Standing(stop.machine_id, stop.start, stop.until, stop.reason_id)
