"""From data changes to items: in the order of their time, those of one moment together. No network, no database."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from connectors.translation import Item, Translator, written

_MOMENT = timedelta(microseconds=1)
_LONGEST_DETAIL = 500
# Parts of one device are out of step by less than this; what lies further back has another clock.
OUT_OF_STEP = timedelta(seconds=5)


class Change(NamedTuple):
    """A value of a signal: since when by its own time, and when the server sent it."""

    signal: str
    value: Any
    at: datetime
    sent_at: datetime
    quality: str = ""
    is_overflow: bool = False
    trouble: str = ""


class Gap(NamedTuple):
    """A span in which changes of a signal are lost."""

    machines: list[str]
    start: datetime
    end: datetime
    cause: str


class Teller:
    """Turns the changes of one connection into items, by one translator; a new connection begins with `begin`."""

    def __init__(self, translator: Translator) -> None:
        self._translator = translator
        self._machines = {signal: translator.machines_of([signal]) for signal in translator.signals}
        self._signal_at: dict[str, datetime] = {}
        self._machine_at: dict[str, datetime] = {}
        self._quality: dict[str, str] = {}

    def begin(self, changes: Sequence[Change], missing: dict[str, str], at: datetime) -> list[Item]:
        """Return the items of what held when the connection began, at `at`; `missing` signals are unknown,
        with a cause.

        A state is told since the last of its parts changed, and to hold at `at`, because it may have been unknown in
        between. What is unknown is unknown from `at` on: what was known before stays known.
        """
        items = self.tell(changes)
        for signal, cause in missing.items():
            items += self._with_words(self._translator.value(signal, None, at), {signal: cause})
        last = {item["machine"]: index for index, item in enumerate(items) if "machine" in item}
        kept = []
        for index, item in enumerate(items):
            if item.get("state") != self._translator.no_data:
                kept.append(item)
            elif last[item["machine"]] == index:
                kept.append({**item, "at": written(at)})
                self._machine_at[item["machine"]] = at
        return kept + self.confirm(at)

    def gaps(self, changes: Iterable[Change]) -> list[Gap]:
        """Return what changes say of changes before them that the server had to drop. Ask before they are told."""
        gaps = []
        known = dict(self._signal_at)
        for change in sorted(changes, key=lambda change: change.at):
            before = known.get(change.signal)
            if change.is_overflow and before is not None:
                machines = self._translator.sources_of([change.signal])
                gaps.append(Gap(machines, before, change.at, f"OPC UA queue overflow of {change.signal}"))
            known[change.signal] = change.at
        return gaps

    def tell(self, changes: Iterable[Change]) -> list[Item]:
        """Return the items of changes, in the order of their time."""
        items: list[Item] = []
        together: list[Change] = []
        timed = [change._replace(at=self._orderly(change)) for change in changes]
        for change in sorted(timed, key=lambda change: change.at):
            # Two values of one signal in one moment are two moments.
            if together and (change.at != together[0].at or any(change.signal == one.signal for one in together)):
                items += self._tell_together(together)
                together = []
            together.append(change)
        return items + (self._tell_together(together) if together else [])

    def confirm(self, at: datetime) -> list[Item]:
        """Return the items that say that states told before `at` still hold."""
        behind = [machine for machine in self._translator.machines if self._machine_at.get(machine, at) < at]
        return self._noted(self._with_words(self._translator.confirm(behind, at), self._quality))

    def lose(self, at: datetime, *, cause: str) -> list[Item]:
        """Return the items that say that nothing is known of the machines from `at` on, or from what was told last."""
        items: list[Item] = []
        for machine in self._translator.machines:
            since = max(at, self._machine_at.get(machine, at))
            items += self._translator.unknown([machine], since, cause=cause)
        return items

    def _orderly(self, change: Change) -> datetime:
        """Return the moment from which a change counts: its own, unless it would lie before what was told already.

        Readings of a clock with coarse ticks are kept apart. A state whose own time lies before what was told of its
        machine begins with that; when it lies far back, its clock is another one, and it begins when it was sent.
        """
        at = change.at
        before = self._signal_at.get(change.signal)
        if before is not None and before - timedelta(milliseconds=1) < at <= before:
            at = before + _MOMENT
        self._signal_at[change.signal] = at
        told = [self._machine_at[m] for m in self._machines.get(change.signal, ()) if m in self._machine_at]
        if not told or at >= max(told):
            return at
        return max(told) if max(told) - at <= OUT_OF_STEP else max(*told, change.sent_at)

    def _tell_together(self, changes: Sequence[Change]) -> list[Item]:
        at = changes[0].at
        touched = []
        for change in changes:
            if self._quality.get(change.signal, "") != change.quality:
                self._quality[change.signal] = change.quality
                touched += self._machines.get(change.signal, [])
        items = self._translator.values([(change.signal, change.value) for change in changes], at)
        told = {item.get("machine") for item in items}
        # The state is the same, but it is known better or worse than before.
        items += self._translator.confirm([machine for machine in dict.fromkeys(touched) if machine not in told], at)
        return self._noted(self._with_words(items, self._quality))

    def _with_words(self, items: list[Item], words: dict[str, str]) -> list[Item]:
        """Return items of machines with what is to be said of their signals."""
        said: dict[str, list[str]] = {}
        for signal, word in words.items():
            for machine in self._machines.get(signal, ()) if word else ():
                said.setdefault(machine, []).append(word)
        return [
            {**item, "detail": _joined(item["detail"], *said[item["machine"]])} if item.get("machine") in said else item
            for item in items
        ]

    def _noted(self, items: list[Item]) -> list[Item]:
        for item in items:
            if "machine" in item:
                self._machine_at[item["machine"]] = datetime.fromisoformat(item["at"])
        return items


def _joined(*words: str) -> str:
    return "; ".join(dict.fromkeys(filter(None, words)))[:_LONGEST_DETAIL]
