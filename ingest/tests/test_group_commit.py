"""Deliveries that share a transaction do not share a fate, and those that would wait too long are sent away."""

import asyncio
import json
import time
from datetime import UTC, datetime

import pytest
from django.db import OperationalError
from psycopg.errors import DiskFull

from accounts.keys import DeviceScope, device_scope
from counts.models import CountHistory
from ingest import asgi, group_commit
from ingest.group_commit import NotStored, write_together
from ingest.models import QuarantinedItem
from ingest.services import Delivery
from tests.factories import make_count_tag, make_device_key, make_machine

pytestmark = pytest.mark.django_db(transaction=True)
AT = "2026-03-02T08:00:00Z"


@pytest.fixture
def machine():
    return make_machine()


def delivery(machine, *items, site_id=None):
    scope = DeviceScope("key:test", site_id or machine.line.area.site_id, frozenset([machine.pk]))
    return Delivery(items, scope)


def test_deliveries_of_one_transaction_are_answered_each_for_itself(machine):
    tag = make_count_tag(machine=machine)
    good, bad = {"tag": tag.tag_path, "at": AT, "value": 1}, {"tag": "nobody/knows", "at": AT, "value": 1}
    first, second, third = write_together(
        [delivery(machine, good), delivery(machine, bad, good), delivery(machine, {**good, "value": 2})]
    )
    assert (first.accepted, first.items) == (1, [])
    assert [(item.index, item.status) for item in second.items] == [(0, "refused"), (1, "duplicate")]
    assert [(item.index, item.status) for item in third.items] == [(0, "conflict")]
    assert CountHistory.objects.get().value == 1


def test_delivery_that_the_database_refuses_costs_no_other_one(machine):
    tag = make_count_tag(machine=machine)
    good = delivery(machine, {"tag": tag.tag_path, "at": AT, "value": 1})
    impossible = delivery(machine, {"tag": "nobody/knows"}, site_id=-1)
    stored, refused, repeated = write_together([good, impossible, good])
    assert (stored.accepted, repeated.duplicates) == (1, 1)
    assert isinstance(refused, NotStored)
    assert not refused.is_outage
    assert CountHistory.objects.count() == 1
    assert not QuarantinedItem.objects.exists()


@pytest.mark.parametrize(
    ("module", "bound"), [(group_commit, "MAX_WAITING_ITEMS"), (asgi, "MAX_HELD_BYTES")], ids=["items", "bytes"]
)
def test_more_than_can_wait_is_sent_away_for_a_moment(machine, monkeypatch, module, bound):
    monkeypatch.setattr(module, bound, -1)
    _, secret = make_device_key(machine=machine)
    device_scope(secret, clock=time.monotonic(), now=datetime.now(UTC))
    status, headers, answer = post({"tag": "any", "at": AT, "value": 1}, secret)
    assert (status, headers[b"retry-after"]) == (503, b"1")
    assert "Send again" in answer["detail"]


def test_full_disk_is_left_alone_for_a_while(machine, monkeypatch):
    tried = []

    def fail(deliveries, *, recorded_at):
        tried.append(deliveries)
        raise OperationalError from DiskFull()

    monkeypatch.setattr(group_commit, "accept_together", fail)

    async def three_times():
        writer = group_commit.GroupCommit()
        for _ in range(3):
            with pytest.raises(NotStored) as refusal:
                await writer.write(delivery(machine, {}))
            assert (refusal.value.is_outage, refusal.value.is_disk_full) == (True, True)

    asyncio.run(three_times())
    assert len(tried) == 1


def test_sender_is_told_that_the_disk_is_full(machine, monkeypatch):
    async def full(self, delivery):
        raise NotStored(is_outage=True, is_disk_full=True)

    monkeypatch.setattr(group_commit.GroupCommit, "write", full)
    _, secret = make_device_key(machine=machine)
    device_scope(secret, clock=time.monotonic(), now=datetime.now(UTC))
    status, headers, answer = post({"tag": "any", "at": AT, "value": 1}, secret)
    assert (status, headers[b"retry-after"]) == (503, b"5")
    assert "disk is full" in answer["detail"]


def post(item, secret):
    """Post to a door of our own, inside this process."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": json.dumps(item).encode()}

    async def send(message):
        sent.append(message)

    async def otherwise(scope, receive, send):
        raise AssertionError("This request is the device door's.")

    headers = [(b"authorization", f"Api-Key {secret}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/ingest/count", "headers": headers}
    asyncio.run(asgi.DeviceDoor(otherwise)(scope, receive, send))
    start, *bodies = sent
    return start["status"], dict(start["headers"]), json.loads(b"".join(body.get("body", b"") for body in bodies))
