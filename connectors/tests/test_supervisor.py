"""The process that runs connectors, as a person sees it from outside."""

import asyncio

import pytest
from django.utils import timezone

from connectors import supervisor
from connectors.database import in_thread
from connectors.health import connections
from connectors.models import Connector, ConnectorHealth, Protocol
from connectors.tests.live import supervised, until
from core import cancelling
from tests.factories import make_site
from tests.servers import free_port


@pytest.mark.django_db(transaction=True)
def test_connection_that_waits_for_its_next_attempt_is_not_taken_for_dead(monkeypatch):
    monkeypatch.setattr(supervisor, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(supervisor, "REPORT_SECONDS", 0.05)
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 60.0)
    connector = Connector.objects.create(
        code="mqtt", name="MQTT", site=make_site(), protocol=Protocol.MQTT, address=f"127.0.0.1:{free_port()}"
    )

    async def scenario():
        async with supervised():
            failed = await until(lambda: ConnectorHealth.objects.filter(state="paused").first())
            await until(lambda: ConnectorHealth.objects.filter(reported_at__gt=failed.reported_at).exists())

    asyncio.run(scenario())
    (found,) = connections(Connector.objects.filter(pk=connector.pk), now=timezone.now())
    assert (found.level, found.words) == ("bad", "Failed, tries again")
    assert "cannot be reached" in found.health.last_error
    assert found.health.restarts == 1


@pytest.mark.django_db(transaction=True)
def test_connection_whose_library_lost_the_cancellation_is_stopped_all_the_same(monkeypatch):
    monkeypatch.setattr(supervisor, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(cancelling, "INSIST_SECONDS", 0.05)
    cancelled = []

    async def poll(setup, intake):
        intake.connected()
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append(setup.code)
                if len(cancelled) == 2:
                    raise

    monkeypatch.setattr("connectors.mqtt.listener.run", poll)
    connector = Connector.objects.create(
        code="mqtt", name="MQTT", site=make_site(), protocol=Protocol.MQTT, address=f"127.0.0.1:{free_port()}"
    )

    def health_is(state):
        return ConnectorHealth.objects.filter(connector=connector, state=state).exists()

    async def scenario():
        async with supervised():
            await until(lambda: health_is("connected"))
            await in_thread(Connector.objects.filter(pk=connector.pk).update, is_active=False)
            await until(lambda: health_is("stopped"))

    asyncio.run(scenario())
    assert cancelled == ["mqtt", "mqtt"]
