"""From observations to items: which signal an observation is, and how states are told when clocks disagree."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from connectors.mtconnect.observations import NORMAL, Latest, Observation
from connectors.translation import Item, Translator

_MOMENT = timedelta(microseconds=1)
_LONGEST_DETAIL = 500
# Parts of a device are out of step by less than this; what goes back further comes of a clock that was set.
OUT_OF_STEP = timedelta(minutes=5)
# What happened just before may still be on its way.
LATE = timedelta(seconds=2)


class _Heard(NamedTuple):
    """A value of a signal, at the moment from which it counts."""

    at: datetime
    signal: str
    machines: list[str]
    value: str | None
    detail: str
    is_back: bool = False


class Teller:
    """Turn observations into items, by one translator.

    Observations of one moment make up one state. Signals are looked up under `device/id`, `device/name`, `id` and
    `name`, in this order. `lost_at` holds the moments at which machines were told to be unknown: a state that began
    before is told to hold again from there on.
    """

    def __init__(self, translator: Translator, latest: Latest, lost_at: dict[str, datetime] | None = None) -> None:
        self._translator = translator
        self._latest = latest
        self._mapped = frozenset(translator.signals)
        self._signals: dict[tuple[str, str, str], tuple[str, list[str]]] = {}
        self._lost_at = dict(lost_at or {})
        self._signal_at: dict[tuple[str, str], datetime] = {}
        self._machine_at: dict[str, datetime] = {}
        self._told: dict[str, str] = {}
        self._behind: timedelta | None = None

    def tell(self, observations: Sequence[Observation], now: datetime | None) -> list[Item]:
        """Return the items of observations that came in this order; `now` is when, by the other side's clock if it
        says so.
        """
        if observations and now is not None:
            behind = now - max(observation.at for observation in observations)
            self._behind = behind if self._behind is None else min(behind, self._behind)
        return self._items([self._hear(observation) for observation in observations])

    def snapshot(self, observations: Sequence[Observation], *, only_states: bool = False) -> list[Item]:
        """Return the items of what holds at one moment: a machine's state began with the last of its parts."""
        in_time = sorted(observations, key=lambda observation: observation.at)
        parts = [(self._signal_of(observation), observation) for observation in in_time]
        for (_, machines), observation in parts:
            for machine in machines:
                self._machine_at[machine] = max(self._machine_at.get(machine, observation.at), observation.at)
        heard = [self._hear(observation) for (_, machines), observation in parts if machines or not only_states]
        return self._items(sorted(heard, key=lambda one: one.at))

    def lose(self, at: datetime, *, cause: str) -> tuple[list[Item], dict[str, datetime]]:
        """Return the items that say that nothing is known of the machines any more, and since when of each.

        That is `at`, or what was told last where a device's clock is ahead of it.
        """
        items: list[Item] = []
        since: dict[str, datetime] = {}
        for machine in self._translator.machines:
            since[machine] = max(at, self._machine_at.get(machine, at))
            for item in self._translator.unknown([machine], since[machine], cause=cause):
                # The translator tells two things of one moment a moment apart.
                since[machine] = datetime.fromisoformat(item["at"])
                items.append(item)
        return items, since

    def confirm(self, now: datetime) -> list[Item]:
        """Return the items that say that the machines are still in the states last told.

        They are told for the devices' own time, so that they do not overtake what comes next; when the devices' clock
        is plainly another one, nothing is told.
        """
        if self._behind is not None and abs(self._behind) > OUT_OF_STEP:
            return []
        at = now - max(self._behind or LATE, LATE)
        items = []
        for machine, told_at in self._machine_at.items():
            if at > told_at:
                items += self._translator.confirm([machine], at)
                self._machine_at[machine] = at
        return items

    def _hear(self, observation: Observation) -> _Heard:
        holds = self._latest.note(observation)
        signal, machines = self._signal_of(observation)
        value, detail = holds.value, ""
        if holds.condition is not None and holds.condition.level != NORMAL:
            detail = holds.condition.text
        if value == "" and not machines:
            # A number that is empty is none; an empty state is a word like others.
            value = None
        at, is_back = self._orderly(observation, machines)
        return _Heard(at, signal, machines, value, detail, is_back)

    def _orderly(self, observation: Observation, machines: list[str]) -> tuple[datetime, bool]:
        """Return the moment from which an observation counts, and whether its clock went back.

        A state consists of what was heard last of each part, so it begins with the latest part. But when a data
        item's own times go back, or far back, then the clock was set, and its times hold.
        """
        before = self._signal_at.get(observation.item)
        self._signal_at[observation.item] = observation.at
        if not machines:
            return observation.at, False
        latest = max(self._machine_at.get(machine, observation.at) for machine in machines)
        was_set = before is not None and (observation.at < before or observation.at < latest - OUT_OF_STEP)
        at = observation.at if was_set else max(observation.at, latest)
        for machine in machines:
            self._machine_at[machine] = at
        return at, was_set

    def _items(self, heard: list[_Heard]) -> list[Item]:
        items: list[Item] = []
        for _, together in groupby(heard, key=lambda one: one.at):
            items += self._items_of_moment(list(together))
        return items

    def _items_of_moment(self, together: list[_Heard]) -> list[Item]:
        """Return the items of one moment: what a state was between two of its parts is not told."""
        items: list[Item] = []
        states: dict[str, Item] = {}
        again: set[str] = set()
        for one in together:
            for item in self._translator.value(one.signal, one.value, one.at):
                if "machine" not in item:
                    items.append(item)
                    continue
                before = states.get(item["machine"])
                at = item["at"] if before is None else before["at"]
                states[item["machine"]] = {**item, "at": at, "detail": _detail(item["detail"], one.detail)}
            if one.is_back:
                again.update(one.machines)
        for machine in sorted(again - states.keys()):
            for item in self._translator.confirm([machine], together[0].at):
                states[machine] = item
        for machine, item in states.items():
            if item["state"] != self._told.get(machine) or machine in again:
                items += self._since_lost(machine, item)
                self._told[machine] = item["state"]
        return items

    def _since_lost(self, machine: str, item: Item) -> list[Item]:
        """Return a state's item and, if the state began before the machine was lost, one to say that it still holds."""
        lost_at = self._lost_at.get(machine)
        if lost_at is None:
            return [item]
        at = datetime.fromisoformat(item["at"])
        if item["state"] == self._translator.no_data:
            # That nothing is known was told when the machine was lost; what was known before stays known.
            return [item] if at > lost_at else []
        del self._lost_at[machine]
        if at > lost_at:
            return [item]
        self._machine_at[machine] = lost_at + _MOMENT
        return [item, *self._translator.confirm([machine], lost_at + _MOMENT)]

    def _signal_of(self, observation: Observation) -> tuple[str, list[str]]:
        """Return the signal that is mapped (or the one to show when none is), and the machines whose state it is."""
        key = (observation.device, observation.id, observation.name)
        found = self._signals.get(key)
        if found is None:
            short = [name for name in (observation.id, observation.name) if name]
            names = [f"{observation.device}/{name}" for name in short if observation.device] + short
            signal = next((name for name in names if name in self._mapped), observation.id)
            found = self._signals[key] = signal, self._translator.machines_of([signal])
        return found


def _detail(value: str, words: str) -> str:
    return ": ".join(filter(None, [value, words]))[:_LONGEST_DETAIL]
