"""The reasons that a person may give for stops, as buttons: those given most often first,
and few enough to find one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accounts.models import User
from downtime.models import StateReason
from downtime.selectors import all_reasons, favourite_reasons, may_give, reasons_offered_at
from enterprise.models import Machine
from live.status import UNNAMED

MOST_SHOWN = 25
FAVOURITES = 6
_LOOK_BACK = timedelta(days=60)
_ORDER: dict[str, int] = {
    StateReason.Category.UNPLANNED: 0,
    StateReason.Category.CHANGEOVER: 1,
    StateReason.Category.PLANNED: 2,
    StateReason.Category.NOT_SCHEDULED: 3,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A reason as a button; `machines` are the ids of those at which it is offered, with spaces between."""

    reason: StateReason
    name: str
    path: str
    machines: str


@dataclass(frozen=True, slots=True)
class Picker:
    """Favourites, the other reasons that fit on a screen, and what remains behind one more tap."""

    favourites: tuple[Choice, ...]
    others: tuple[Choice, ...]
    more: tuple[Choice, ...]

    @property
    def groups(self) -> tuple[tuple[Choice, ...], ...]:
        """All of them, for lists that open by themselves."""
        return self.favourites, self.others, self.more

    def __bool__(self) -> bool:
        return bool(self.favourites or self.others)


def name_of(reason: Any) -> str:
    """Return a reason's name in the reader's language, where it has one."""
    return str(reason.local_name)


def reasons_by_id() -> Mapping[int, StateReason]:
    """Return all reasons, to be named."""
    return all_reasons()


def words_of(reason_id: int | None, category: str, reasons: Mapping[int, Any]) -> str:
    """Return why something stood, in words: its reason, or what time shown in a category is called without one."""
    reason = reasons.get(reason_id or 0)
    return name_of(reason) if reason else str(UNNAMED[category])


def picker_for(machines: Sequence[Machine], user: User, *, now: datetime) -> Picker:
    """Return the reasons that a person may give at any of some machines; their line's area is read. Three queries."""
    offered = reasons_offered_at(machines)
    sites = {machine.pk: machine.line.area.site_id for machine in machines}
    at: dict[int, list[int]] = {}
    known: dict[int, StateReason] = {}
    for machine_id, reasons in offered.items():
        for reason in reasons:
            if may_give(user, reason, site_id=sites[machine_id]):
                at.setdefault(reason.pk, []).append(machine_id)
                known[reason.pk] = reason
    parents = {reason.parent_id for reason in known.values()}
    # Whoever can say more says more: of a branch its leaves are offered.
    leaves = [reason for reason in known.values() if reason.pk not in parents]
    often = favourite_reasons(list(offered), since=now - _LOOK_BACK)
    favourites = [known[pk] for pk in often if pk in known and pk not in parents][:FAVOURITES]
    # What nobody planned is looked for most; within a kind the plant's own order stays.
    rest = sorted((one for one in leaves if one not in favourites), key=lambda one: _ORDER.get(one.category, 9))
    room = MOST_SHOWN - len(favourites)
    return Picker(
        tuple(_choices(favourites, at, known)),
        tuple(_choices(rest[:room], at, known)),
        tuple(_choices(rest[room:], at, known)),
    )


def _choices(
    reasons: Iterable[StateReason], at: dict[int, list[int]], known: dict[int, StateReason]
) -> Iterable[Choice]:
    for reason in reasons:
        parent = known.get(reason.parent_id or 0)
        yield Choice(reason, name_of(reason), name_of(parent) if parent else "", " ".join(map(str, at[reason.pk])))
