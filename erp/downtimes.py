"""Say which stops ended, once each, and what changed about them since (decision 106).

A stop is derived from states, counts, calendar and people's words, so no single fact ends one. Each minute the stops of
the last hours are compared with what was said of them; the row of what was said and the message are one transaction.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from core import hooks, outbox
from core.intervals import Interval
from core.locks import take_turns
from core.outbox import Message
from downtime.models import StateReason
from enterprise.models import Machine
from erp.models import Partner, ReportedStop
from oee.engine import Category
from oee.stops import Stop, stops_of

SETTLES = timedelta(minutes=2)
"""So long after its end a stop is reported: devices buffer."""
LOOKS_BACK = timedelta(hours=2)
LOOKS_FAR_BACK = timedelta(hours=48)
"""Once an hour: for words and facts that come late. What changes after that stays as it was said."""
TYPES = ("downtime.ended", "downtime.corrected", "downtime.withdrawn")
TOLD = frozenset({Category.UNPLANNED, Category.PLANNED, Category.CHANGEOVER})


def report_ended(*, now: datetime) -> int:
    """Say which stops ended, changed or vanished lately; return how many messages that took.

    Nothing while nobody listens.
    """
    if not hooks.is_heard(*TYPES) and not Partner.objects.filter(is_active=True).exists():
        return 0
    back = LOOKS_FAR_BACK if now.minute == 0 else LOOKS_BACK
    return report_ended_in(Interval(now - back, now - SETTLES), now=now)


@transaction.atomic
def report_ended_in(window: Interval, *, now: datetime) -> int:
    """Do that for the stops that ended in a window; the same again says nothing."""
    take_turns("stops told to other systems")
    machines = list(Machine.objects.filter(is_active=True).select_related("line__area__site").order_by("id"))
    ended = [
        stop
        for stop in stops_of(machines, window, now=now)
        if stop.category in TOLD and stop.end is not None and window.start < stop.end <= window.end
    ]
    said: dict[tuple[int, datetime], ReportedStop] = {
        (row.machine_id, row.started_at): row
        for row in ReportedStop.objects.filter(ended_at__gt=window.start, ended_at__lte=window.end)
    }
    # One that is known may have ended elsewhere before.
    for row in ReportedStop.objects.filter(
        machine__in={stop.machine_id for stop in ended}, started_at__in={stop.start for stop in ended}
    ):
        said[row.machine_id, row.started_at] = row
    codes = dict(StateReason.objects.values_list("id", "code"))
    by_id = {machine.pk: machine for machine in machines}
    messages = []
    for stop in ended:
        known = (stop.machine_id, stop.start)
        before = said.pop(known) if known in said else None
        message = _of_stop(by_id[stop.machine_id], stop, before, codes.get(stop.reason_id or 0, ""), now)
        if message is not None:
            messages.append(message)
    messages += _withdrawn([row for row in said.values() if row.machine_id in by_id], by_id, now)
    outbox.report(*messages)
    return len(messages)


def _of_stop(machine: Machine, stop: Stop, row: ReportedStop | None, reason: str, now: datetime) -> Message | None:
    assert stop.end is not None
    if row is None:
        row = ReportedStop(machine=machine, started_at=stop.start, revision=0)
    elif (row.ended_at, row.reason, row.category, row.is_withdrawn) == (stop.end, reason, stop.category.value, False):
        return None
    row.ended_at, row.reason, row.category, row.is_withdrawn = stop.end, reason, stop.category.value, False
    row.revision += 1
    row.save()
    return _message("downtime.ended" if row.revision == 1 else "downtime.corrected", machine, row, now)


def _withdrawn(rows: Iterable[ReportedStop], by_id: dict[int, Machine], now: datetime) -> list[Message]:
    """Say of stops that were reported and are not there any more that they were none, or begin at another time."""
    messages = []
    for row in rows:
        if row.is_withdrawn:
            continue
        row.is_withdrawn = True
        row.revision += 1
        row.save()
        messages.append(_message("downtime.withdrawn", by_id[row.machine_id], row, now))
    return messages


def _message(type_: str, machine: Machine, row: ReportedStop, now: datetime) -> Message:
    seconds, rest = divmod((row.ended_at - row.started_at) // timedelta(milliseconds=1), 1000)
    return Message(
        type=type_,
        key=f"machine/{machine.code}",
        site_id=machine.line.area.site_id,
        occurred_at=row.ended_at,
        recorded_at=now,
        data={
            "machine": machine.code,
            "line": machine.line.code,
            "started_at": row.started_at,
            "ended_at": row.ended_at,
            "seconds": f"{seconds}.{rest:03d}",
            "reason": row.reason or None,
            "category": row.category,
            "revision": row.revision,
        },
    )
