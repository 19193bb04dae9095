"""From a device's signals to items of `ingest`: what a value means, and when a state is worth telling. No database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

Item = dict[str, Any]
_MOMENT = timedelta(microseconds=1)
_LONGEST_DETAIL = 500


@dataclass(frozen=True, slots=True)
class StateTable:
    """What the values of a state mean: (pattern, reason code), the first match holds. No entries: values are codes."""

    code: str
    entries: tuple[tuple[str, str], ...] = ()

    def reason_of(self, value: str) -> str | None:
        """Return the reason's code; None for a value that nobody explained."""
        if not self.entries:
            return value
        for pattern, reason in self.entries:
            if value == pattern or fnmatchcase(value, pattern):
                return reason
        return None


@dataclass(frozen=True, slots=True)
class CountSignal:
    """A signal that is a reading of a tag."""

    signal: str
    tag_path: str
    is_running_counter: bool
    machine: str = ""


@dataclass(frozen=True, slots=True)
class StateSignal:
    """A signal that is the state of a machine, or the part of it at `position`."""

    signal: str
    machine: str
    position: int
    table: StateTable | None


@dataclass(slots=True)
class _MachineState:
    """The parts of a machine's state as last heard, and what was told of it."""

    parts: list[str]
    table: StateTable | None
    heard: dict[str, str] = field(default_factory=dict)
    told: str | None = None
    told_at: datetime | None = None


class Translator:
    """Turn the signals of one connection into items, in the order of their time.

    A state is told when it changes; a machine of which something is unknown is in the reason `no_data`. Signals
    that nobody mapped are kept in `unmapped`, the latest value of each; states that a table does not explain in
    `unexplained`, the latest of each table.
    """

    MOST_UNMAPPED = 500

    def __init__(self, signals: Iterable[CountSignal | StateSignal], *, no_data: str) -> None:
        self.no_data = no_data
        self.unmapped: dict[str, tuple[str, datetime]] = {}
        self.unexplained: dict[str, str] = {}
        self._counts: dict[str, list[CountSignal]] = {}
        self._states: dict[str, list[str]] = {}
        self._machines: dict[str, _MachineState] = {}
        ordered = sorted(
            (signal for signal in signals if isinstance(signal, StateSignal)), key=lambda s: (s.machine, s.position)
        )
        for state in ordered:
            machine = self._machines.setdefault(state.machine, _MachineState([], state.table))
            machine.parts.append(state.signal)
            machine.table = machine.table or state.table
            self._states.setdefault(state.signal, []).append(state.machine)
        for count in signals:
            if isinstance(count, CountSignal):
                self._counts.setdefault(count.signal, []).append(count)

    @property
    def signals(self) -> list[str]:
        """The signals that mean something, each once."""
        return sorted({*self._counts, *self._states})

    @property
    def deltas(self) -> list[str]:
        """The signals that are new pieces of a tag, not the reading of its counter."""
        return sorted({c.signal for counts in self._counts.values() for c in counts if not c.is_running_counter})

    @property
    def machines(self) -> list[str]:
        """The codes of the machines whose states come from here."""
        return list(self._machines)

    def machines_of(self, signals: Iterable[str]) -> list[str]:
        """Return the machines whose states these signals are part of."""
        return sorted({machine for signal in signals for machine in self._states.get(signal, ())})

    def sources_of(self, signals: Iterable[str]) -> list[str]:
        """Return the machines whose states or pieces these signals are (part of)."""
        names = set(signals)
        counting = {count.machine for name in names for count in self._counts.get(name, ()) if count.machine}
        return sorted(counting.union(self.machines_of(names)))

    def value(self, signal: str, value: Any, at: datetime, *, is_historical: bool = False) -> list[Item]:
        """Return the items that a value of one signal stands for; see `values`."""
        return self.values([(signal, value)], at, is_historical=is_historical)

    def values(self, values: Iterable[tuple[str, Any]], at: datetime, *, is_historical: bool = False) -> list[Item]:
        """Return the items that values of one moment stand for; `None` is a value that the device does not know.

        A machine's state is told once all of them are heard. Historical values change history only: they are told,
        and leave what is known of the present alone.
        """
        items: list[Item] = []
        touched: dict[str, dict[str, str]] = {}
        for signal, value in values:
            if signal not in self._counts and signal not in self._states:
                self._note_unmapped(signal, value, at)
                continue
            for count in self._counts.get(signal, ()):
                if value is not None:
                    items.append({"tag": count.tag_path, "at": written(at), "value": number(value)})
            for code in self._states.get(signal, ()):
                heard = touched.setdefault(code, {} if is_historical else self._machines[code].heard)
                if value is None:
                    heard.pop(signal, None)
                else:
                    heard[signal] = text(value)
        for code, heard in touched.items():
            machine = self._machines[code]
            if not is_historical:
                items += self._tell(code, at)
            elif all(part in heard for part in machine.parts):
                items.append(self._item(code, machine, heard, at))
        return items

    def unknown(self, machines: Sequence[str], at: datetime, *, cause: str) -> list[Item]:
        """Return the items that say that nothing is known of machines from a moment on, and forget what was heard."""
        items = []
        for code in machines:
            machine = self._machines[code]
            machine.heard.clear()
            items += self._tell(code, at, cause=cause)
        return items

    def confirm(self, machines: Iterable[str], at: datetime) -> list[Item]:
        """Return the items that say of machines that they are still in the state last told."""
        items = []
        for code in machines:
            machine = self._machines.get(code)
            if machine is not None and machine.told is not None and machine.told != self.no_data:
                items.append(self._told(code, machine, machine.told, at))
        return items

    def _tell(self, code: str, at: datetime, *, cause: str = "") -> list[Item]:
        machine = self._machines[code]
        if all(part in machine.heard for part in machine.parts):
            item = self._item(code, machine, machine.heard, at)
        else:
            item = {"machine": code, "state": self.no_data, "detail": cause[:_LONGEST_DETAIL]}
        if item["state"] == machine.told:
            return []
        return [self._told(code, machine, item["state"], at, item["detail"])]

    def _told(self, code: str, machine: _MachineState, state: str, at: datetime, detail: str = "") -> Item:
        # Devices may give two changes the same time; the later one is told a moment later, so that both are kept.
        if machine.told_at is not None and machine.told_at - timedelta(milliseconds=1) <= at <= machine.told_at:
            at = machine.told_at + _MOMENT
        machine.told, machine.told_at = state, at
        return {"machine": code, "at": written(at), "state": state, "detail": detail}

    def _item(self, code: str, machine: _MachineState, heard: dict[str, str], at: datetime) -> Item:
        value = "+".join(heard[part] for part in machine.parts)
        reason = machine.table.reason_of(value) if machine.table else value
        if reason is None and machine.table is not None:
            self.unexplained[machine.table.code] = value
        # What nobody explained goes to the kept items, where a person sees the value.
        state = reason if reason is not None else f"unmapped value {value}"[:64]
        detail = "" if reason in (None, value) else value[:_LONGEST_DETAIL]
        return {"machine": code, "at": written(at), "state": state, "detail": detail}

    def _note_unmapped(self, signal: str, value: Any, at: datetime) -> None:
        if signal in self.unmapped or len(self.unmapped) < self.MOST_UNMAPPED:
            self.unmapped[signal] = (text(value)[:200], at)


def written(at: datetime) -> str:
    """Return a moment as items carry it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def text(value: Any) -> str:
    """Return a value as state maps write it: 3 and 3.0 are the same, and so are True and true."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return str(int(value))
    return str(value)


def number(value: Any) -> Any:
    """Return a value as a count, exact: a float as the decimal that it is written as. What is no number stays."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, str):
        try:
            return Decimal(value.strip())
        except ArithmeticError:
            return value
    return value
