"""How long to wait after a failed delivery."""

from __future__ import annotations

from random import Random

# A server that asks for more patience than this is not believed.
LONGEST_ASKED = 3600.0
# What only a person can mend (a wrong key, a wrong address) is tried again from here on, up to five times as slowly.
SLOW = 60.0


class Backoff:
    """Wait longer after every failure; a success forgets them. `clock` is monotonic seconds.

    Each wait is drawn from the upper half of its range, so that devices that failed together do not return together.
    """

    def __init__(self, *, first: float = 0.5, longest: float = 60.0, random: Random | None = None) -> None:
        self._first = first
        self._longest = longest
        self._random = random or Random()
        self._failures = 0
        self._own_until = float("-inf")
        self._asked_until = float("-inf")

    def failed(self, clock: float, *, asked: float | None = None, slowly: bool = False) -> float:
        """Note a failure and return how many seconds to wait; never fewer than the server `asked` for."""
        first, longest = (SLOW, 5 * SLOW) if slowly else (self._first, self._longest)
        own = min(first * 2.0 ** min(self._failures, 30), longest) * self._random.uniform(0.5, 1)
        self._failures += 1
        self._own_until = clock + own
        if asked is not None:
            self._asked_until = clock + min(max(asked, 0.0), LONGEST_ASKED) * self._random.uniform(1, 1.25)
        return self.seconds_left(clock)

    def succeeded(self) -> bool:
        """Note a success; return whether it ended a series of failures."""
        had_failed, self._failures = self._failures > 0, 0
        self._own_until = self._asked_until = float("-inf")
        return had_failed

    def seconds_left(self, clock: float, *, hurry: bool = False) -> float:
        """Return how long to wait still. Who is in a hurry waits only for as long as the server asked."""
        until = self._asked_until if hurry else max(self._own_until, self._asked_until)
        return max(until - clock, 0.0)

    def is_due(self, clock: float, *, hurry: bool = False) -> bool:
        """Say whether the next attempt may be made."""
        return self.seconds_left(clock, hurry=hurry) == 0
