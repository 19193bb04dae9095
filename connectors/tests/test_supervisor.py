"""The process that runs connectors, as a person sees it from outside."""

import asyncio

import pytest
from django.utils import timezone

from connectors import supervisor
from connectors.health import connections
from connectors.models import Connector, ConnectorHealth, Protocol
from connectors.tests.live import supervised, until
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
