"""A stage's form in a real browser: fields save on their own, and a lost connection loses nothing."""

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.browser import browser_page, log_in
from tests.factories import make_product, make_serial_unit, make_site, make_stage_form
from tracking.models import StageEntry

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(transactional_db: None) -> Iterator[Page]:
    """Yield a page of somebody who may everything."""
    with browser_page() as page:
        log_in(page, User.objects.create_superuser("ada"))
        yield page
        # A connection that the test cut is no complaint.
        page.complaints[:] = [said for said in page.complaints if "net::ERR_FAILED" not in said]  # type: ignore[attr-defined]


def entered():
    return sorted(StageEntry.objects.values_list("field__code", "value"))


def test_fields_save_on_their_own_and_outlast_a_lost_connection(page):
    product = make_product()
    fields = ({"code": "a", "kind": "text"}, {"code": "b", "kind": "number"}, {"code": "c"})
    make_stage_form(product, "WELD", *fields)
    unit = make_serial_unit(product=product, site=make_site())
    page.goto(reverse("screens:unit", args=[unit.pk]))
    first, second = page.locator("[data-field=a]"), page.locator("[data-field=b]")
    row = page.locator("tr", has=second)
    first.fill("seam 1")
    first.press("Enter")
    expect(page.locator("tr", has=first).locator("[data-said]")).to_have_text("saved")
    expect(second).to_be_focused()
    assert entered() == [("a", "seam 1")]

    page.route("**/tracking/**", lambda route: route.abort())
    second.fill("3,5")
    second.press("Tab")
    expect(page.locator("[data-waiting]")).to_contain_text("Not connected. 1 value is kept")
    page.get_by_role("button", name="Stage is done").click()
    expect(second).to_have_value("3,5")
    assert entered() == [("a", "seam 1")]

    # The page is opened anew while nothing can be sent: what was typed is there.
    page.reload()
    expect(second).to_have_value("3,5")
    expect(row.locator("[data-said]")).to_have_text("not saved yet")
    page.unroute("**/tracking/**")
    # It is tried again every five seconds.
    expect(row.locator("[data-said]")).to_have_text("saved", timeout=15_000)
    assert entered() == [("a", "seam 1"), ("b", "3.5")]

    page.locator("[data-field=c]").select_option("ok")
    expect(page.locator("tr", has=page.locator("[data-field=c]")).locator("[data-said]")).to_contain_text("done")
    page.get_by_role("button", name="Stage is done").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    assert len(entered()) == 3


def test_refused_value_stays_in_its_field_with_the_reason(page):
    product = make_product()
    make_stage_form(product, "WELD", {"code": "b", "kind": "number"}, {"code": "c"})
    unit = make_serial_unit(product=product, site=make_site())
    page.goto(reverse("screens:unit", args=[unit.pk]))
    field = page.locator("[data-field=b]")
    said = page.locator("tr", has=field).locator("[data-said]")
    field.fill("many")
    field.press("Tab")
    expect(said).to_contain_text("a number, such as 3.65")
    page.reload()
    expect(field).to_have_value("many")
    field.fill("4")
    field.press("Tab")
    expect(said).to_have_text("saved")
    assert entered() == [("b", "4")]
