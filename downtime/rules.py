"""Which reason a stop gets by rule: a function of what the machine sent and when. Pure: no database, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

State = tuple[datetime, int, str, str]
"""A state as it was sent, or as rules read it: when (UTC), reason id, category, and the device's own words."""

_NO_STOPS = frozenset({"running", "no_data"})


@dataclass(frozen=True, slots=True)
class Rule:
    """All conditions that are given must hold: what was sent, its words, and when the state began on the site's clock.

    A time window whose end is at or before its start reaches into the next day, and belongs to the weekday it starts
    on.
    """

    reason_id: int
    category: str
    sent_reason_id: int | None = None
    text: str = ""
    is_whole_text: bool = False
    weekdays: frozenset[int] = frozenset()
    start_time: time | None = None
    end_time: time | None = None
    valid_from: datetime | None = None

    def matches(self, at: datetime, reason_id: int, detail: str, zone: ZoneInfo) -> bool:
        """Say whether a state that began at a moment (UTC) gets this rule's reason."""
        if self.valid_from is not None and at < self.valid_from:
            return False
        if self.sent_reason_id is not None and reason_id != self.sent_reason_id:
            return False
        if self.text:
            said, wanted = detail.casefold(), self.text.casefold()
            if said != wanted if self.is_whole_text else wanted not in said:
                return False
        return self._is_in_time(at, zone) if self.weekdays or self.start_time is not None else True

    def _is_in_time(self, at: datetime, zone: ZoneInfo) -> bool:
        local = at.astimezone(zone)
        day, clock = local.date(), local.time()
        if self.start_time is not None and self.end_time is not None:
            if self.start_time < self.end_time:
                if not self.start_time <= clock < self.end_time:
                    return False
            elif clock < self.end_time:
                day -= timedelta(days=1)
            elif clock < self.start_time:
                return False
        return not self.weekdays or day.isoweekday() in self.weekdays


def apply_rules(rules: Iterable[Rule], state: State, zone: ZoneInfo) -> State:
    """Return a state with the reason of the first rule that matches; running and unknown time keep their own."""
    at, reason_id, category, detail = state
    if category in _NO_STOPS:
        return state
    for rule in rules:
        if rule.matches(at, reason_id, detail, zone):
            return at, rule.reason_id, rule.category, detail
    return state
