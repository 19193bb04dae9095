"""Open calls for help, as supervisors' pages and boards show them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any

from django.apps import apps
from django.urls import NoReverseMatch, reverse


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
    if not apps.is_installed("andon"):
        return []
    wanted = set(line_ids)
    found = [
        _call(one) for one in import_module("andon.selectors").open_calls(now=now) if one.call.machine.line_id in wanted
    ]
    return sorted(found, key=lambda call: (call.is_answered, call.since))


def _call(one: Any) -> Call:
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


def calls_address() -> str:
    """Return the page of calls, where there is one."""
    try:
        return reverse("screens:calls")
    except NoReverseMatch:
        return ""
