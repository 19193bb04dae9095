"""Open calls for help, as supervisors' pages and boards show them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from andon import selectors
from andon.selectors import OpenCall
from enterprise.models import Machine


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is not over: what for, where, since when, and what was done about it."""

    name: str
    tone: str
    icon: str
    machine: str
    line: str
    line_id: int
    since: datetime
    status: str
    is_answered: bool
    who: str
    note: str
    zone: Any


def open_calls(*, line_ids: Collection[int], now: datetime) -> list[Call]:
    """Return the open calls at the machines of lines, those that nobody answered first, then the oldest."""
    machines = Machine.objects.filter(line__in=list(line_ids)).values("pk")
    found = [_call(one) for one in selectors.open_calls(now=now, machine_ids=machines)]
    return sorted(found, key=lambda call: (call.is_answered, call.since))


def _call(one: OpenCall) -> Call:
    machine, kind = one.call.machine, one.call.call_type
    return Call(
        name=kind.local_name,
        tone=kind.tone,
        icon=kind.icon or "bell-fill",
        machine=machine.name,
        line=machine.line.name,
        line_id=machine.line_id,
        since=one.call.called_at,
        status=str(one.call.get_status_display()),
        is_answered=one.is_answered,
        who=", ".join(str(who) for who in one.who_should_know),
        note=one.first_note,
        zone=machine.line.area.site.zone,
    )
