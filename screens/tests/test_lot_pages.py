"""The pages of lots: list with filters, one lot with its trace, decisions by who may, also in a real browser."""

from datetime import UTC, date, datetime

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import User
from materials.models import LotStatusChange, MaterialLot
from materials.selectors import expired
from materials.tests.shop import Shop
from tests.browser import browser_page, log_in
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def bakery():
    """Return a shop that made bread of flour over dough, and the three lots."""
    shop = Shop()
    mix, bake = shop.order(order_number="MIX-1"), shop.order(order_number="BAKE-1")
    flour = shop.lot("FL-2201", shop.product(name="Flour"), 100, supplier="Mill", supplier_lot="M-9")
    yeast = shop.lot("YE-17", shop.product(name="Yeast"), 5, expiry_date=date(2099, 3, 20))
    shop.lot("YE-16", yeast.product, 5, expiry_date=date(2026, 3, 2))
    shop.use(flour, 40, mix)
    shop.use(yeast, 1, mix)
    dough = shop.make("DO-1", shop.product(name="Dough"), 40, mix)
    shop.use(dough, 38, bake)
    bread = shop.make("BR-1", shop.product(name="Bread", unit_id="pcs"), 60, bake)
    shop.do("move", bread.product, 20, lot=bread, from_location=shop.store, to_location=shop.side)
    return shop, flour, dough, bread


def test_list_is_filtered(client):
    shop, *_ = bakery()
    client.force_login(make_user("operator", site=shop.site))

    def listed(**query):
        return [lot.number for lot, *_ in client.get(reverse("screens:lots"), query).context["rows"]]

    assert listed() == ["BR-1", "DO-1", "YE-16", "YE-17", "FL-2201"]
    assert listed(search="m-9") == ["FL-2201"]
    assert listed(status="expired") == ["YE-16"]
    assert listed(status="hold") == []
    assert listed(location=shop.side.pk) == ["BR-1"]
    assert client.get(reverse("screens:lots"), {"location": "x", "page": "x"}).status_code == 200


@pytest.mark.parametrize(("hour", "minute"), [(22, 59), (23, 0), (23, 30)])
def test_expired_is_by_the_day_at_the_lots_site(hour, minute):
    """Midnight in Warsaw is at 23:00 UTC."""
    bakery()
    at = datetime(2026, 3, 2, hour, minute, tzinfo=UTC)
    found = list(expired(MaterialLot.objects.all(), at=at))
    assert [lot.number for lot in found] == (["YE-16"] if hour == 23 else [])
    assert found == [lot for lot in MaterialLot.objects.all() if lot.status_at(at) == "expired"]


def test_page_shows_facts_stock_movements_and_trace_both_ways(client, django_assert_max_num_queries):
    shop, flour, dough, bread = bakery()
    client.force_login(make_user("operator", site=shop.site))
    with django_assert_max_num_queries(35):
        text = client.get(reverse("screens:lot", args=[dough.pk])).content.decode()
    for word in ("DO-1", "FL-2201", "YE-17", "BR-1", "MIX-1", "BAKE-1", "40 kg", "2 kg"):
        assert word in text
    assert "Decide" not in text
    assert client.post(reverse("screens:lot", args=[dough.pk]), {"status": "hold", "reason": "x"}).status_code == 403
    file = client.get(reverse("screens:lot-recall", args=[flour.pk]))
    assert "BR-1" in file.content.decode()
    client.force_login(make_user("operator", site=Shop().site))
    for page in ("lot", "lot-recall"):
        assert client.get(reverse(f"screens:{page}", args=[bread.pk])).status_code == 404


def test_decision_is_taken_or_refused_on_the_page(client):
    shop, flour, *_ = bakery()
    client.force_login(make_user("quality", site=shop.site))
    url = reverse("screens:lot", args=[flour.pk])
    assert client.post(url, {"status": "hold", "reason": "Smells."}).status_code == 302
    assert LotStatusChange.objects.filter(lot=flour).first().reason == "Smells."
    refused = client.post(url, {"status": "hold", "reason": "Again."})
    assert (refused.status_code, b"it can become" in refused.content) == (409, True)


@pytest.mark.django_db(transaction=True)
def test_lot_is_found_and_its_trace_followed_in_a_browser(tmp_path):
    bakery()
    with browser_page() as page:
        log_in(page, User.objects.create_superuser("anna"))
        page.locator("summary", has_text="Orders").click()
        page.get_by_role("link", name="Lots", exact=True).click()
        page.fill("input[name=search]", "flour")
        page.get_by_role("button", name="Show").click()
        page.screenshot(path=tmp_path / "lots.png", full_page=True)
        page.get_by_role("link", name="FL-2201").click()
        expect(page.locator("h1")).to_contain_text("FL-2201")
        page.select_option("select[name=status]", "hold")
        page.fill("input[name=reason]", "Smells of smoke.")
        page.get_by_role("button", name="Decide").click()
        expect(page.locator("h1 .lot-status")).to_have_text("hold")
        page.locator("main summary").first.click()
        page.screenshot(path=tmp_path / "lot.png", full_page=True)
        page.locator(".lot-tree a", has_text="BR-1").click()
        expect(page.locator("h1")).to_contain_text("BR-1")
        expect(page.locator(".lot-tree").first).to_contain_text("FL-2201")
        page.screenshot(path=tmp_path / "bread.png", full_page=True)
        with page.expect_download() as download:
            page.get_by_role("link", name="Recall as CSV").click()
        assert download.value.suggested_filename.startswith("recall-lot-")
