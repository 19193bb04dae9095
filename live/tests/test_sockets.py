"""Sockets over the real bus: who may watch, and what reaches them."""

import asyncio
import json
import os
from datetime import UTC, datetime

import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from core.announcements import announce
from downtime.services import NewState, record_states
from live.routing import websocket_urlpatterns
from tests.factories import make_control_chart, make_machine, make_reason, make_user

pytestmark = pytest.mark.django_db(transaction=True)
application = URLRouter(websocket_urlpatterns)
in_database = sync_to_async(thread_sensitive=True)


async def connected(path, user):
    communicator = WebsocketCommunicator(application, path)
    communicator.scope["user"] = user
    accepted, _ = await communicator.connect(timeout=5)
    assert accepted
    return communicator


async def next_of(communicator, kind):
    async with asyncio.timeout(10):
        while True:
            message = json.loads(await communicator.receive_from(timeout=10))
            if message["type"] == kind:
                return message


def say(machine, reason):
    record_states([NewState(machine.pk, datetime.now(UTC), reason.pk)], recorded_at=datetime.now(UTC))


@pytest.fixture(params=["notify", "redis"])
def bus(request, settings):
    if request.param == "redis":
        settings.REDIS_URL = os.environ.get("MES_TEST_REDIS_URL", "")
        if not settings.REDIS_URL:
            pytest.skip("MES_TEST_REDIS_URL names no Redis; `make test` starts one.")
    return request.param


async def test_recorded_state_reaches_the_page_and_the_overview(bus):
    machine = await in_database(make_machine)()
    reason = await in_database(make_reason)("unplanned", name="Label jam")
    user = await in_database(make_user)("operator", await in_database(lambda: machine.line.area.site)())
    page = await connected(f"/ws/lines/{machine.line_id}/", user)
    plant = await connected("/ws/overview/", user)
    await next_of(page, "resync")
    await in_database(say)(machine, reason)
    for communicator, view in ((page, "detail"), (plant, "card")):
        message = await next_of(communicator, "line")
        while "Label jam" not in message["html"]:
            message = await next_of(communicator, "line")
        assert (message["id"], message["view"]) == (machine.line_id, view)
    await page.disconnect()
    await plant.disconnect()


async def test_versions_rise():
    machine = await in_database(make_machine)()
    page = await connected(f"/ws/lines/{machine.line_id}/", await in_database(make_user)(is_superuser=True))
    versions = []
    for _ in range(2):
        await in_database(announce)("machine", [machine.pk])
        versions.append((await next_of(page, "line"))["version"])
    assert versions[0] < versions[1]
    await page.disconnect()


async def test_chart_is_shown_anew_when_it_changed_and_not_with_its_line():
    machine = await in_database(make_machine)()
    chart = await in_database(lambda: make_control_chart(site=machine.line.area.site, machine=machine))()
    page = await connected(f"/ws/charts/{chart.pk}/", await in_database(make_user)(is_superuser=True))
    await next_of(page, "resync")
    await next_of(page, "line")
    await in_database(announce)("machine", [machine.pk])
    assert await page.receive_nothing(timeout=1)
    await in_database(announce)("chart", [chart.pk])
    assert (await next_of(page, "line"))["id"] == machine.line_id
    await page.disconnect()


async def test_rolled_back_change_is_not_announced():
    machine, reason = await in_database(make_machine)(), await in_database(make_reason)()
    page = await connected(f"/ws/lines/{machine.line_id}/", await in_database(make_user)(is_superuser=True))
    await next_of(page, "resync")
    await next_of(page, "line")

    @in_database
    def roll_back():
        with transaction.atomic():
            say(machine, reason)
            transaction.set_rollback(True)

    await roll_back()
    assert await page.receive_nothing(timeout=1)
    await page.disconnect()


@pytest.mark.parametrize("role", [None, "operator"])
async def test_another_sites_line_cannot_be_watched(role):
    machine, foreign = await in_database(make_machine)(), await in_database(make_machine)()
    site = await in_database(lambda: machine.line.area.site)()
    user = await in_database(make_user)(role, site)
    page = await connected(f"/ws/lines/{foreign.line_id}/", user)
    assert (await page.receive_output(timeout=5))["code"] == 4404


async def test_stranger_is_turned_away():
    page = await connected("/ws/overview/", AnonymousUser())
    assert (await page.receive_output(timeout=5))["code"] == 4401
