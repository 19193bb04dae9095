"""Remember, for a second, what devices call things: tags, machines, lines, reasons.

Looking each name up for each item would cost more than storing it. A name that is not remembered is looked up before
it is called unknown, so what was just set up works at once; a change bites within a second.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from counts.models import CountTag
from downtime.models import StateReason
from enterprise.models import Machine

REMEMBER_SECONDS = 1.0
MOST_REMEMBERED = 100_000


@dataclass(frozen=True, slots=True)
class KnownTag:
    """A tag as the write path needs it."""

    tag_id: int
    machine_id: int
    is_running_counter: bool
    modulus: Decimal | None
    offset: Decimal
    is_active: bool
    is_plain: bool
    """Whether it takes any whole number: switched on, without modulus and offset."""


@dataclass(frozen=True, slots=True)
class Known:
    """A machine or reason as the write path needs it."""

    id: int
    is_active: bool


Thing = TypeVar("Thing")


class Names(Generic[Thing]):
    """Names of one kind of thing, looked up together when they are not remembered."""

    def __init__(self, fetch: Callable[[list[str]], dict[str, Thing]]) -> None:
        self._fetch = fetch
        self._remembered: dict[str, tuple[float, Thing]] = {}

    def forget(self) -> None:
        """Forget every name, so that the next look-up asks the database."""
        self._remembered.clear()

    def look_up(self, names: Iterable[str], *, clock: float) -> dict[str, Thing]:
        """Return those things that exist; `clock` is monotonic seconds. Safe to call from several threads."""
        found: dict[str, Thing] = {}
        missing: list[str] = []
        for name in set(names):
            known = self._remembered.get(name)
            if known is not None and clock - known[0] <= REMEMBER_SECONDS:
                found[name] = known[1]
            elif "\0" not in name:  # which PostgreSQL cannot hold, so that nothing is called so
                missing.append(name)
        if missing:
            fetched = self._fetch(missing)
            if len(self._remembered) > MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered.update((name, (clock, thing)) for name, thing in fetched.items())
            found.update(fetched)
        return found


def _tags(paths: list[str]) -> dict[str, KnownTag]:
    rows = CountTag.objects.filter(tag_path__in=paths).values_list(
        *("tag_path", "id", "machine_id", "mode", "modulus", "offset", "is_active", "machine__is_active")
    )
    return {
        path: KnownTag(
            tag_id,
            machine_id,
            mode == CountTag.Mode.RUNNING,
            modulus,
            offset,
            active and machine_active,
            active and machine_active and modulus is None and not offset,
        )
        for path, tag_id, machine_id, mode, modulus, offset, active, machine_active in rows
    }


def _machines(codes: list[str]) -> dict[str, Known]:
    rows = Machine.objects.filter(code__in=codes).values_list("code", "id", "is_active")
    return {code: Known(machine_id, active) for code, machine_id, active in rows}


def _constraints(codes: list[str]) -> dict[str, Known]:
    rows = Machine.objects.filter(line__code__in=codes, is_constraint=True)
    return {
        code: Known(machine_id, active)
        for code, machine_id, active in rows.values_list("line__code", "id", "is_active")
    }


def _reasons(codes: list[str]) -> dict[str, Known]:
    rows = StateReason.objects.without_tree_fields().filter(code__in=codes).values_list("code", "id", "is_active")
    return {code: Known(reason_id, active) for code, reason_id, active in rows}


tags: Names[KnownTag] = Names(_tags)
machines: Names[Known] = Names(_machines)
constraint_machines: Names[Known] = Names(_constraints)
reasons: Names[Known] = Names(_reasons)
