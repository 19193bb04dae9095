"""Bound how often a key may ask, over all processes, without a write for each request (decision 126).

A process counts in memory and tells the database now and then, which answers with what all of them counted: after the
first request, each second, and each twentieth part of the limit. So together they may let through that part too many,
each.
"""

import threading
from dataclasses import dataclass, field

from django.core.exceptions import ImproperlyConfigured
from django.db import connection

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_PARTS = 20
_TELL_EVERY = 1.0
_MOST_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """What a key may still do in the running period; `reset` is in how many seconds the next one begins."""

    limit: int
    remaining: int
    reset: int
    is_allowed: bool


@dataclass(slots=True)
class _Use:
    period: int
    known: int = 0
    untold: int = 0
    told_at: float = field(default=float("-inf"))


class Limiter:
    """Count what keys do in periods of so many seconds; safe for the threads of a process."""

    def __init__(self, limit: int, seconds: int) -> None:
        self.limit, self.seconds = limit, seconds
        self._uses: dict[str, _Use] = {}
        self._lock = threading.Lock()

    def take(self, key: str, now: float) -> Rate:
        """Count one request of a key, unless it had all that it may in this period."""
        period = int(now // self.seconds)
        reset = max(1, round((period + 1) * self.seconds - now))
        with self._lock:
            use = self._uses.get(key)
            if use is None or use.period != period:
                if len(self._uses) > _MOST_KEYS:
                    self._uses.clear()
                use = self._uses[key] = _Use(period)
            left = self.limit - use.known - use.untold
            if left <= 0:
                return Rate(self.limit, 0, reset, is_allowed=False)
            use.untold += 1
            return Rate(self.limit, left - 1, reset, is_allowed=True)

    def tell(self, key: str, now: float) -> None:
        """Tell the database what was counted, where that is due, and learn what other processes counted.

        Call it outside of transactions: others would wait for them.
        """
        with self._lock:
            use = self._uses.get(key)
            enough = max(1, self.limit // _PARTS)
            if use is None or not use.untold or (use.untold < enough and now - use.told_at < _TELL_EVERY):
                return
            told, use.told_at = use.untold, now
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO core_rateuse AS stored (key, period, used) VALUES (%s, %s, %s)
                ON CONFLICT (key) DO UPDATE SET period = greatest(stored.period, excluded.period), used = CASE
                    WHEN stored.period = excluded.period THEN stored.used + excluded.used
                    WHEN stored.period < excluded.period THEN excluded.used ELSE stored.used END
                RETURNING used
                """,
                [key, use.period, told],
            )
            used = int(cursor.fetchone()[0])
        with self._lock:
            use.untold -= told
            use.known = used


def limiter_of(rate: str) -> Limiter | None:
    """Return the limiter of a rate like `600/m` (s, m, h, d); None for an empty one. Raises ImproperlyConfigured."""
    if not rate:
        return None
    number, _slash, unit = rate.partition("/")
    if not number.isdecimal() or int(number) < 1 or unit not in _SECONDS:
        raise ImproperlyConfigured(f"RATE_LIMIT is a number per s, m, h or d, such as 600/m, not '{rate}'.")
    return Limiter(int(number), _SECONDS[unit])
