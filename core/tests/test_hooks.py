"""Plug-ins hear what happened once, after the commit; one that fails harms nobody."""

from datetime import UTC, datetime

import pytest
from django.db import transaction

from core import hooks, outbox
from core.models import OutboxMessage
from core.outbox import Message

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


def message(type_):
    return Message(type=type_, key="order/1", site_id=None, occurred_at=AT, recorded_at=AT, data={"order": "1"})


@pytest.fixture
def heard():
    found = []

    def fails(said):
        raise RuntimeError("The lamp is broken.")

    def hears(said):
        # What is committed can be read.
        found.append((said.type, OutboxMessage.objects.count()))

    def through_the_signal(sender, message, **_):
        found.append((f"signal {sender}", message.data["order"]))

    hooks.on("order.*")(fails)
    hooks.on("order.*")(hears)
    hooks.on("run.ended")(hears)
    hooks.happened.connect(through_the_signal)
    yield found
    hooks.happened.disconnect(through_the_signal)
    for receiver in (fails, hears):
        hooks.forget(receiver)


@pytest.mark.django_db(transaction=True)
def test_plug_ins_hear_after_the_commit_and_a_broken_one_is_logged(heard, caplog):
    with transaction.atomic():
        outbox.report(message("order.confirmed"), message("material.issued"))
        hooks.tell(message("run.ended"), message("run.started"))
        assert heard == []
    assert heard == [
        *(("signal order.confirmed", "1"), ("order.confirmed", 2), ("signal material.issued", "1")),
        *(("signal run.ended", "1"), ("run.ended", 2), ("signal run.started", "1")),
    ]
    assert "A plug-in failed at order.confirmed order/1" in caplog.text
    heard.clear()
    with transaction.atomic():
        outbox.report(message("order.confirmed"))
        transaction.set_rollback(True)
    assert heard == []


def test_nobody_hears_of_what_nobody_asked_for():
    assert not hooks.is_heard("order.confirmed", "run.ended")
