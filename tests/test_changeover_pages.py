"""Pages of changeovers, the conditions on a lot's page, and the panel of an order's costs."""

from datetime import timedelta

import pytest
from django.template.loader import render_to_string

from materials.tests.shop import AT, Shop
from screens.order_costs import panel
from tests.factories import make_machine, make_run, make_user
from workorders import changeovers

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    made = Shop()
    make_machine(line=made.line)
    made.boss = make_user("supervisor", site=made.site)
    made.other = make_user("supervisor", site=make_machine().line.area.site)
    return made


def changeover(shop):
    record, _ = changeovers.begin_changeover(
        line=shop.line, started_at=AT, actor=shop.anna, recorded_at=AT, operators="<b>Jan</b>"
    )
    return changeovers.finish_changeover(
        changeover=record, at=AT + timedelta(minutes=20), recorded_at=AT + timedelta(hours=1)
    )


def test_changeovers_are_listed_shown_and_approved_by_somebody_else(shop, client):
    assert client.get("/changeovers/").status_code == 302
    client.force_login(shop.anna)
    assert "No changeover is like that" in client.get("/changeovers/").content.decode()
    record = changeover(shop)
    assert "20:00" in client.get(f"/changeovers/?line={shop.line.pk}&open=on").content.decode()
    page = client.get(f"/changeovers/{record.pk}/").content.decode()
    assert "Teardown" in page
    assert "&lt;b&gt;Jan" in page
    assert client.post(f"/changeovers/{record.pk}/").status_code == 403
    client.force_login(shop.other)
    assert client.get(f"/changeovers/{record.pk}/").status_code == 404
    assert "20:00" not in client.get("/changeovers/").content.decode()
    client.force_login(shop.boss)
    assert client.post(f"/changeovers/{record.pk}/").status_code == 302
    record.refresh_from_db()
    assert record.approved_by == shop.boss


def test_ones_own_changeover_is_refused_on_the_page(shop, client):
    record = changeover(shop)
    type(record).objects.filter(pk=record.pk).update(supervisor=shop.boss)
    client.force_login(shop.boss)
    refused = client.post(f"/changeovers/{record.pk}/")
    assert (refused.status_code, "Somebody else approves" in refused.content.decode()) == (409, True)


def test_lots_page_says_what_was_there(shop, client):
    order = shop.order(product=shop.product())
    make_run(line=shop.line, work_order=order, started_at=AT - timedelta(hours=1), ended_at=AT + timedelta(hours=1))
    lot = shop.make("A", order.product, 1, order)
    client.force_login(shop.anna)
    page = client.get(f"/lots/{lot.pk}/").content.decode()
    assert "While it was made" in page
    assert str(order) in page
    bought = shop.lot("B", shop.product())
    assert "No run of an order is known" in client.get(f"/lots/{bought.pk}/").content.decode()


def test_costs_are_shown_to_those_who_may_know_them(shop):
    order = shop.order()
    costs = panel(order, shop.boss, now=AT)
    assert "unknown" in render_to_string("screens/_costs.html", {"costs": costs})
    assert panel(order, shop.anna, now=AT) is None
    assert "Costs" not in render_to_string("screens/_costs.html", {"costs": None})
