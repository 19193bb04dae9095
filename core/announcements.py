"""Tell browsers' hubs that something changed, with the commit: `(topic, ids)` and nothing more.

By default an announcement travels by PostgreSQL's NOTIFY: it leaves with the commit and dies with a rollback. With
`REDIS_URL` it is published to Redis after the commit; its loss never fails a write. Receivers fetch what they show,
so a lost announcement costs freshness until their next refresh, never truth.
"""

import json
import logging
import time
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection, transaction

CHANNEL = "mes"
# NOTIFY refuses payloads of 8,000 bytes and more.
_IDS_PER_MESSAGE = 500

# How long a bus that was found away is left alone: a frozen one would cost every write its time limit.
AWAY_SECONDS = 1.0

logger = logging.getLogger(__name__)
_away_until = 0.0


def announce(topic: str, ids: Iterable[int]) -> None:
    """Announce that the objects of `topic` with these ids changed, when the current transaction commits."""
    messages = list(encode(topic, ids))
    if not messages:
        return
    if settings.REDIS_URL:
        transaction.on_commit(lambda: _publish(messages), robust=True)
        return
    with connection.cursor() as cursor:
        for message in messages:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, message])


def encode(topic: str, ids: Iterable[int]) -> Iterator[str]:
    """Yield the payloads that carry the ids, each short enough for NOTIFY."""
    distinct = sorted(set(ids))
    for start in range(0, len(distinct), _IDS_PER_MESSAGE):
        yield json.dumps({"t": topic, "ids": distinct[start : start + _IDS_PER_MESSAGE]}, separators=(",", ":"))


def decode(payload: str) -> tuple[str, list[int]]:
    """Return the topic and ids of a payload made by `encode`."""
    message = json.loads(payload)
    return message["t"], message["ids"]


def _publish(messages: list[str]) -> None:
    import redis

    global _away_until
    if time.monotonic() < _away_until:
        return
    try:
        for message in messages:
            _redis().publish(CHANNEL, message)
    except (OSError, redis.RedisError) as error:
        _away_until = time.monotonic() + AWAY_SECONDS
        logger.warning("The live bus is unreachable, screens will refresh late: %s", error)


@cache
def _redis() -> Any:
    import redis

    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)
