"""A battery pack from its label to its dispatch, in a real browser,
as a technician and quality make it at eight stations.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from enterprise.models import Line, Site
from labels.models import Label
from products.models import Product
from simulator.battery import FORMS, STAGES, Shop, create_battery_plant, expected_stages
from tests.browser import browser_page, log_in, picture
from tests.factories import make_label_layout
from tracking.models import SerialUnit, StagePassage
from tracking.selectors import first_pass_yield
from workorders.models import WorkOrder

SAVED = re.compile("^saved")
pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def second_tablet(page: Page, username: str) -> Iterator[Page]:
    """Yield the tablet of somebody else, at the same server."""
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(base_url=page.url.split("/login/")[0], viewport=page.viewport_size)
    other = context.new_page()
    log_in(other, User.objects.get(username=username))
    yield other
    context.close()


def scan(page: Page, station: str, code: str) -> None:
    """Type like a scanner at a station."""
    page.goto(f"/station/BPK-{station}/")
    page.locator("[name=code]").fill(code)
    page.locator("[name=code]").press("Enter")


def fill(page: Page, field: str, position: str, value: str) -> None:
    """Fill in a field, and wait until it is saved."""
    place = page.locator(f"[data-field={field}][data-position='{position}']")
    if place.evaluate("field => field.tagName") == "SELECT":
        place.select_option(value)
    else:
        place.fill(value)
        place.press("Tab")
    expect(page.locator("tr", has=place).locator("[data-said]")).to_have_text(SAVED)


def find_what_the_demo_expects() -> None:
    """Compare what the demo says that its stages come to with what is found of them."""
    pack = Product.objects.get(code="BPK-PACK")
    found = {one.code: (one.first_passes, one.good) for one in first_pass_yield(product=pack)}
    assert found == {one.code: (one.passes, one.good) for one in expected_stages()}
    for expected in expected_stages():
        passages = StagePassage.objects.filter(
            round=1, result="ok", stage__code=expected.code, stage__unit__product=pack, completed_at__isnull=False
        )
        lengths = {one.completed_at - one.started_at for one in passages if one.completed_at}
        assert lengths == {timedelta(minutes=expected.minutes)}


def test_a_pack_from_its_label_to_its_dispatch():
    now = timezone.now()
    create_battery_plant(now=now)
    find_what_the_demo_expects()
    site, line = Site.objects.get(code="BPK"), Line.objects.get(code="BPK-L1")
    cell, module, pack = (Product.objects.get(code=f"BPK-{code}") for code in ("CELL", "MODULE", "PACK"))
    shop = Shop(site, line, cell, module, pack, now - timedelta(minutes=30))
    modules = {position: shop.new_module(f"JOURNEY-{position}").serial for position in "XY"}
    unit = SerialUnit.objects.filter(product=pack, entries__isnull=True).order_by("-pk").first()
    assert unit is not None
    make_label_layout(code="PACK", name="Pack", payload="{code}", text_lines=["{code}"])
    with browser_page() as page:
        page.goto("/login/")
        with second_tablet(page, "quality.bpk") as quality:
            log_in(page, User.objects.get(username="technician.bpk"))

            # Its label.
            page.goto("/label-batches/new/")
            page.get_by_label("Or codes").fill(unit.serial)
            picture(page, "pack-1-label")
            page.get_by_role("button", name="Print").click()
            expect(page.get_by_role("cell", name=unit.serial).first).to_be_visible()
            assert Label.objects.get().code == unit.serial

            # A station that is not its turn refuses it in words.
            scan(page, "EOL-TEST", unit.serial)
            expect(page.get_by_role("alert")).to_contain_text("Cell sorting")
            picture(page, "pack-2-wrong-station")

            for code, name in STAGES:
                scan(page, code, unit.serial)
                expect(page.get_by_role("heading", name=name)).to_be_visible()
                for check in FORMS[code]:
                    if not check.by_quality and check.good:
                        for position in "XY" if check.each else ("",):
                            fill(page, check.code, position, check.good)
                if code == "MODULE-ASSY":
                    for position, serial in modules.items():
                        fill(page, "MODULE", position, serial)
                if code == "EOL-TEST":
                    picture(page, "pack-3-test")
                scan(quality, code, unit.serial)
                place = quality.locator("[data-field=QC]")
                place.select_option("ok")
                expect(quality.locator("tr", has=place).locator("[data-said]")).to_have_text(SAVED)
                page.reload()
                page.get_by_role("button", name="Stage is done").click()
                expect(page.get_by_role("status").first).to_contain_text("Saved.")

            page.goto(f"/units/{unit.pk}/")
            page.get_by_role("button", name="Dispatch").click()
            expect(page.get_by_role("status").first).to_contain_text("Dispatched.")
            for serial in modules.values():
                expect(page.get_by_role("link", name=serial)).to_be_visible()
            picture(page, "pack-4-dispatched", whole=False)
    assert WorkOrder.objects.get(order_number="BPK-1001") == unit.order
