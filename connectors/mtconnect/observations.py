"""What agents and adapters say of data items, and what of it holds now. No database, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

NORMAL, WARNING, FAULT, UNAVAILABLE = "Normal", "Warning", "Fault", "Unavailable"
LEVELS = (NORMAL, WARNING, FAULT)
"""The levels of a condition, the worst last, as state maps write them."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One entry of a condition: its level, the machine's own code (empty = the whole condition) and words."""

    level: str
    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a data item was at a moment. `value` is None when the device does not know it.

    `id` is the data item's id or, from an adapter, its key. `sequence` is the agent's number of the observation.
    """

    device: str
    id: str
    name: str
    at: datetime
    value: str | None
    condition: Condition | None = None
    sequence: int = 0

    @property
    def item(self) -> tuple[str, str]:
        """The data item, known among those of several devices."""
        return self.device, self.id


@dataclass(slots=True)
class Latest:
    """The latest observation of each data item; of a condition, every entry that is active."""

    _entries: dict[tuple[str, str], dict[str, Observation]] = field(default_factory=dict)

    def note(self, observation: Observation) -> Observation:
        """Take an observation in and return what holds now: itself or, of a condition, the worst active entry."""
        condition = observation.condition
        if condition is None or condition.level == UNAVAILABLE or (not condition.code and condition.level == NORMAL):
            self._entries[observation.item] = {"": observation}
            return observation
        entries = self._entries.setdefault(observation.item, {})
        entries.pop(condition.code, None)
        if condition.level != NORMAL:
            # An entry without a code that says normal, or unavailable, ends with the first one that is active.
            if "" in entries and _severity(entries[""]) <= 0:
                del entries[""]
            entries[condition.code] = observation
        elif not entries:
            entries[""] = observation
        return max(entries.values(), key=_severity)

    def observations(self) -> list[Observation]:
        """Return everything that holds."""
        return [observation for entries in self._entries.values() for observation in entries.values()]

    def restart(self, observations: Iterable[Observation] = ()) -> None:
        """Forget everything; then take these in."""
        self._entries.clear()
        for observation in observations:
            self.note(observation)


def _severity(observation: Observation) -> int:
    level = observation.condition.level if observation.condition else NORMAL
    return LEVELS.index(level) if level in LEVELS else -1
