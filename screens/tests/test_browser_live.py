"""A real browser on a real server: what a machine says is on the screen a moment later, and a lost line says so."""

from datetime import UTC, datetime

import httpx
import pytest
from playwright.sync_api import expect

from accounts.models import User
from tests.browser import log_in, opened_browser
from tests.factories import make_count_tag, make_device_key, make_machine, make_reason, make_shift
from tests.servers import free_port, running_server

pytestmark = pytest.mark.django_db(transaction=True)


def test_delivered_facts_appear_and_a_lost_server_is_said():
    machine = make_machine(name="Filler")
    make_shift(site=machine.line.area.site, end_time=datetime(2026, 1, 1, 6).time())  # noqa: DTZ001 - a wall-clock time
    run, jam = (
        make_reason(name="Running"),
        make_reason("unplanned", name="Label jam <b>", names={"de": "Etikettenstau"}),
    )
    tag = make_count_tag(machine=machine)
    _, secret = make_device_key(machine=machine)
    headers = {"Authorization": f"Api-Key {secret}"}
    port = free_port()

    def deliver(address, *items):
        assert httpx.post(f"{address}/ingest/", json=list(items), headers=headers).status_code == 200

    def state(reason):
        return {"machine": machine.code, "at": datetime.now(UTC).isoformat(), "state": reason.code}

    with opened_browser(f"http://127.0.0.1:{port}") as page:
        with running_server(port=port) as address:
            deliver(address, state(run))
            log_in(page, User.objects.create_superuser("anna"))
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
            page.context.add_cookies([{"name": "django_language", "value": "de", "url": address}])
            page.reload()
            expect(page.locator(".line-head .state .small").first).to_contain_text("Läuft")
            deliver(address, state(jam))
            # What comes by the socket is in the reader's language, too: its words and the plant's names.
            expect(page.locator(".line-head .state b")).to_have_text("Etikettenstau")
            expect(page.locator(".hero")).to_have_text("1.234")
        # While the server was away, nothing could answer.
        page.complaints.clear()
