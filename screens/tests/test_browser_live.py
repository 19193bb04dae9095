"""A real browser on a real server: what a machine says is on the screen a moment later, and a lost line says so."""

from datetime import UTC, datetime

import httpx
import pytest
from django.db import connections
from playwright.sync_api import Page, expect, sync_playwright

from accounts.models import User
from tests.factories import make_count_tag, make_device_key, make_machine, make_reason, make_shift
from tests.servers import free_port, running_server

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "a long enough secret"
CHROMIUM = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@pytest.fixture
def page(monkeypatch):
    # Playwright runs an event loop in this thread; the database calls of the test beside it are meant.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        opened = browser.new_page(viewport={"width": 1280, "height": 800})
        opened.complaints = []
        opened.on(
            "console", lambda message: opened.complaints.append(message.text) if message.type == "error" else None
        )
        opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
        yield opened
        browser.close()
        # What the test opened beside the browser's loop is known only here; left open, it would hold the database.
        connections.close_all()


def log_in(page: Page, address: str) -> None:
    page.goto(f"{address}/login/")
    page.fill("#id_username", "anna")
    page.fill("#id_password", PASSWORD)
    page.click("button.button")


def test_delivered_facts_appear_and_a_lost_server_is_said(page):
    machine = make_machine(name="Filler")
    make_shift(site=machine.line.area.site, end_time=datetime(2026, 1, 1, 6).time())  # noqa: DTZ001 - a wall-clock time
    run, jam = make_reason(name="Running"), make_reason("unplanned", name="Label jam <b>")
    tag = make_count_tag(machine=machine)
    _, secret = make_device_key(machine=machine)
    User.objects.create_superuser("anna", password=PASSWORD)
    headers = {"Authorization": f"Api-Key {secret}"}
    port = free_port()

    def deliver(address, *items):
        assert httpx.post(f"{address}/ingest/", json=list(items), headers=headers).status_code == 200

    def state(reason):
        return {"machine": machine.code, "at": datetime.now(UTC).isoformat(), "state": reason.code}

    with running_server(port=port) as address:
        deliver(address, state(run))
        log_in(page, address)
        page.goto(f"{address}/lines/{machine.line.code}/")
        expect(page.locator(".line-head .state b")).to_have_text("Running")
        deliver(address, state(jam), {"tag": tag.tag_path, "at": datetime.now(UTC).isoformat(), "value": 1234})
        expect(page.locator(".line-head .state b")).to_have_text("Label jam <b>")
        expect(page.locator(".hero")).to_have_text("1\u202f234")
        expect(page.locator("[data-connection]")).to_be_hidden()
        assert page.complaints == []
    expect(page.locator("[data-connection]")).to_be_visible()
    with running_server(port=port) as address:
        deliver(address, state(run))
        expect(page.locator("[data-connection]")).to_be_hidden(timeout=20_000)
        expect(page.locator(".line-head .state b")).to_have_text("Running")
