"""A person clicks from a line's OEE down to the fact that a device sent, with the mouse and with the keyboard."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import expect

from accounts.models import User
from tests.browser import log_in, opened_browser
from tests.factories import make_count_tag, make_device_key, make_machine, make_reason, make_shift
from tests.servers import shared_server

pytestmark = pytest.mark.django_db(transaction=True)
TARGET = 48


def heights(page, selector):
    """Measure all at once: what is alive is swapped under one's hands."""
    return page.evaluate(
        "s => [...document.querySelectorAll(s)].map((e) => e.getBoundingClientRect().height)", selector
    )


def test_oee_leads_down_to_a_fact():
    machine = make_machine(name="Filler")
    make_shift(site=machine.line.area.site, end_time=datetime(2026, 1, 1, 6).time())  # noqa: DTZ001 - a wall-clock time
    run, jam = make_reason(name="Running"), make_reason("unplanned", name="Label jam")
    tag = make_count_tag(machine=machine)
    _, secret = make_device_key(machine=machine, name="Gateway 7")
    headers = {"Authorization": f"Api-Key {secret}"}
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=4)

    def state(reason, seconds):
        moment = began + timedelta(seconds=seconds)
        return {"machine": machine.code, "at": moment.isoformat(), "state": reason.code, "detail": "E17"}

    def count(seconds):
        return {"tag": tag.tag_path, "at": (began + timedelta(seconds=seconds)).isoformat(), "value": 3}

    address = shared_server()
    with opened_browser(address) as page:

        def deliver(*items):
            assert httpx.post(f"{address}/ingest/", json=list(items), headers=headers).status_code == 200

        deliver(state(run, 0), state(jam, 60), state(run, 90), count(100))
        log_in(page, User.objects.create_superuser("anna"))
        page.goto("/")
        expect(page.locator(".card h3 a")).to_be_visible()
        assert min(heights(page, ".card a.oee-link")) >= TARGET
        # The whole card leads to the line, not only its name.
        # Pressed, it stays under the finger, whatever the socket brings meanwhile.
        box = page.locator(".cards > div").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 300, box["y"] + 20)
        page.mouse.down()
        deliver(state(run, 95))
        page.wait_for_timeout(2500)
        page.mouse.up()
        expect(page.locator(".line-head")).to_be_visible()
        page.locator(".factors a", has_text="Availability").focus()
        deliver(count(120))
        expect(page.locator(".hero")).to_have_text("6")
        # What the socket brought is as good as what was painted first.
        assert min(heights(page, ".factors div, .counts div, .winning a")) >= TARGET
        expect(page.locator(".factors a", has_text="Availability")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Availability")
        page.select_option("#kpi", "technical_efficiency")
        page.get_by_role("button", name="Show").click()
        expect(page.locator("h1")).to_have_text("Technical efficiency")
        page.locator(".formula a.term", has_text="ADET").click()
        expect(page.locator("[data-value]")).to_have_text("0:00:30")
        expect(page.locator("[data-sum]")).to_have_text("0:00:30")
        page.locator(".further a").first.click()
        fact = page.locator(".sums tbody tr", has_text="Label jam: E17")
        expect(fact).to_contain_text("Gateway 7 (device key")
        page.locator(".trail a", has_text="Technical efficiency").click()
        expect(page.locator("h1")).to_have_text("Technical efficiency")
