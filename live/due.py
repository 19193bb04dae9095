"""When what people watch is told again: at once after a change, and now and then without any. No database."""

import random
import time

# What changes again within so many seconds of being told is told when they are over, once.
GATHER_SECONDS = 0.2
# Clocks and targets move although nothing is announced.
BEAT_SECONDS = 10.0
# A beat comes up to this part of it earlier, by chance: what was told together is not told together ever after.
BEAT_SPREAD = 0.3

Shown = tuple[str, int]
"""What a fragment shows: its line or chart, by id."""


class Due:
    """When which of the things that are shown is to be told again."""

    def __init__(self) -> None:
        self._told_at: dict[Shown, float] = {}
        self._beat_at: dict[Shown, float] = {}

    def next_news(self, changed: set[Shown]) -> float | None:
        """Return the moment, on the monotonic clock, at which the first of what changed is due; None without any."""
        return min((self._at(one, True) for one in changed), default=None)

    def news(self, changed: set[Shown]) -> set[Shown]:
        """Return what changed and is due now."""
        clock = time.monotonic()
        return {one for one in changed if self._at(one, True) <= clock}

    def next_beat(self, shown: set[Shown]) -> float:
        """Return the moment at which the first of what is shown is due without any news."""
        return min((self._at(one, False) for one in shown), default=time.monotonic() + BEAT_SECONDS)

    def beat(self, shown: set[Shown]) -> Shown | None:
        """Return the one of those that waits longest, if it is due without any news."""
        longest = min(shown, key=lambda one: self._at(one, False), default=None)
        return longest if longest is not None and self._at(longest, False) <= time.monotonic() else None

    def told(self, ones: set[Shown]) -> None:
        """Note that these were told now."""
        clock = time.monotonic()
        for one in ones:
            self._told_at[one] = clock
            self._beat_at[one] = clock + BEAT_SECONDS * (1 - BEAT_SPREAD * random.random())

    def _at(self, one: Shown, is_changed: bool) -> float:
        if one not in self._told_at:
            # Who comes has a page that was made a moment ago.
            self.told({one})
            self._told_at[one] -= GATHER_SECONDS
        return self._told_at[one] + GATHER_SECONDS if is_changed else self._beat_at[one]
