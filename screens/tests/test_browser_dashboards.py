"""An engineer composes a dashboard in the admin, and it shows itself, fresh, in light and dark."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from accounts.models import User
from dashboards.models import Dashboard, Tile
from downtime.services import NewState, record_states
from simulator.boards import create_dashboards
from tests.browser import PHONE, axe_violations, axe_violations_in_every_theme, browser_page, log_in
from tests.factories import (
    make_ideal_rate,
    make_machine,
    make_product,
    make_reason,
    make_run,
    make_schedule,
    make_work_order,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def line():
    machine = make_machine(name="Filler")
    product = make_product()
    make_ideal_rate(product=product, machine=machine)
    now = datetime.now(UTC)
    entry = make_schedule(
        line=machine.line,
        work_order=make_work_order(line=machine.line, product=product),
        planned_start_at=now - timedelta(hours=2),
    )
    make_run(line=machine.line, work_order=entry.work_order, started_at=now - timedelta(hours=2))
    run, jam = (
        make_reason(name="Running"),
        make_reason("unplanned", name="A label that hangs askew and jams the infeed"),
    )
    states = [
        NewState(machine.pk, now - timedelta(hours=hours), reason.pk)
        for hours, reason in ((2, run), (1, jam), (0.5, run))
    ]
    record_states(states, recorded_at=now)
    return machine.line


def test_a_dashboard_composed_in_the_admin_shows_its_tiles(line):
    engineer = User.objects.create_superuser("ada")
    with browser_page() as page:
        log_in(page, engineer)
        page.goto("/dashboards/")
        page.click("text=Compose one")
        # Rows are added by a script.
        page.wait_for_load_state("load")
        page.fill("#id_code", "hall-1")
        page.fill("#id_name", "Hall 1")
        page.select_option("#id_period", "day")
        for number, values in enumerate(
            ({"kind": "kpi", "kpi": "availability"}, {"kind": "pareto"}, {"kind": "text", "text": "Wear gloves."})
        ):
            page.locator(
                "#tiles-group .add-row a, #tiles-group a.addlink, #tiles-group a:has-text('Add another')"
            ).first.click()
            page.select_option(f"#id_tiles-{number}-kind", values.pop("kind"))
            page.fill(f"#id_tiles-{number}-position", str(number))
            if "kpi" in values:
                page.select_option(f"#id_tiles-{number}-kpi", values.pop("kpi"))
            for name, value in values.items():
                page.fill(f"#id_tiles-{number}-{name}", value)
        page.locator("[name=_save]").first.click()
        page.wait_for_url("**/admin/dashboards/dashboard/")
        assert Tile.objects.count() == 3
        page.goto("/dashboards/hall-1/")
        expect(page.locator(".tile")).to_have_count(3)
        expect(page.locator(".tile").nth(0)).to_contain_text("%")
        expect(page.locator(".tile").nth(1).locator("canvas")).to_have_count(1)
        expect(page.locator(".tile").nth(2)).to_contain_text("Wear gloves.")
        assert axe_violations(page) == []


def test_every_kind_of_tile_is_drawn_without_complaint_and_comes_fresh(line):
    create_dashboards()
    Dashboard.objects.update(refresh_seconds=1)
    with browser_page() as page:
        log_in(page, User.objects.create_superuser("ada"))
        for code in ("operator", "supervisor", "planner", "quality"):
            page.goto(f"/dashboards/{code}/")
            expect(page.locator(".is-broken")).to_have_count(0)
            assert axe_violations_in_every_theme(page) == []
        Tile.objects.filter(dashboard__code="quality", kind="text").update(text="Told anew.")
        expect(page.locator(".tile-text")).to_have_text("Told anew.")
        page.goto("/trends/?step=hour")
        expect(page.locator("canvas")).to_have_count(1)
        page.locator("summary", has_text="As a table").click()
        expect(page.locator("figure tbody tr").first).to_be_visible()
        assert axe_violations_in_every_theme(page) == []
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        for address in ("/trends/", "/dashboards/supervisor/", "/planner/"):
            page.goto(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
