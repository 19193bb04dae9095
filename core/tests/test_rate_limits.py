"""A key may ask so often in all, whichever process it asks; each request has a name that its answer and log share."""

import asyncio
import logging

import pytest
from django.core.exceptions import ImproperlyConfigured

from core.rate_limits import Limiter, limiter_of
from core.request_ids import RequestIdFilter, RequestIds, current

START = 60_000_000.0


@pytest.mark.django_db
def test_two_processes_share_a_limit():
    processes = [Limiter(40, 60), Limiter(40, 60)]
    allowed = 0
    for number in range(100):
        one, now = processes[number % 2], START + number / 100
        allowed += one.take("key", now).is_allowed
        one.tell("key", now)
    # At most a twentieth too many for each process but one.
    assert 40 <= allowed <= 42
    refused = processes[0].take("key", START + 1)
    assert (refused.is_allowed, refused.remaining, refused.reset) == (False, 0, 59)
    assert processes[0].take("another", START + 1).is_allowed
    later = processes[1].take("key", START + 60)
    assert (later.is_allowed, later.remaining) == (True, 39)
    processes[1].tell("key", START + 60)
    # Who comes late with the period before changes nothing of this one.
    processes[0].take("key", START + 61)
    processes[0].tell("key", START + 61)
    assert processes[0].take("key", START + 61).remaining == 37


@pytest.mark.parametrize("rate", ["600", "600/x", "0/m", "-1/m", "m", "1.5/s"])
def test_rate_that_says_nothing_is_refused(rate):
    with pytest.raises(ImproperlyConfigured):
        limiter_of(rate)
    assert limiter_of("") is None


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [(b"run-17:4711", True), (b"", False), (b"a b", False), (b"x" * 65, False), (b"a\r\nSet-Cookie: b", False)],
)
def test_request_keeps_a_sane_id_or_gets_one(given, is_kept):
    seen, sent = [], []

    async def application(scope, receive, send):
        record = logging.makeLogRecord({})
        RequestIdFilter().filter(record)
        seen.append((current(), record.request_id))
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        sent.append(message)

    headers = [(b"x-request-id", given)] if given else []
    asyncio.run(RequestIds(application)({"type": "http", "headers": headers}, None, send))
    ((inside, logged),) = seen
    assert (inside == given.decode()) is is_kept
    assert inside
    assert inside == logged
    assert sent[0]["headers"] == [(b"x-request-id", inside.encode())]
    assert current() == ""
