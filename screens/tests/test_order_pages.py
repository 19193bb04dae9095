"""The pages of orders: the list with its filters, one order with its story, and its actions by who may."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from counts.services import NewReading, record_readings
from materials.tests.shop import Shop
from screens.order_story import SOURCES, Event, story
from tests.factories import (
    make_count_tag,
    make_machine,
    make_order_reason,
    make_product,
    make_site,
    make_user,
    make_work_order,
)
from workorders import life, services
from workorders.kinship import split_order
from workorders.models import OrderStatusChange, WorkOrder

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def shop():
    return Shop()


def busy_order(shop, **more):
    """Make an order that was split, ran, used flour, made bread and was confirmed in part."""
    bread = make_product(code="BREAD", name="Bread")
    order = shop.order(order_number="WO/7 a", product=bread, target_quantity=Decimal(100), customer="North", **more)
    order = services.release_order(work_order=order, at=AT, actor=shop.anna)
    split_order(work_order=order, quantity=Decimal(20), at=AT)
    run = services.start_run(work_order=order, line=shop.line, started_at=AT + HOUR)
    shop.use(shop.lot("FL-1", shop.product(name="Flour"), 50), 40, order)
    shop.make("BR-1", bread, 30, order)
    services.end_run(run=run, ended_at=AT + HOUR * 2)
    order.refresh_from_db()
    life.confirm(
        work_order=order, quantities=life.Quantities(good=Decimal(30)), at=AT + HOUR * 3, actor=shop.anna, note="Rack 1"
    )
    return order


def test_list_is_filtered_and_marks_what_is_late(client, shop, django_assert_max_num_queries):
    late = busy_order(shop, due_at=AT)
    other = shop.order(order_number="WO-8", status="completed", due_at=AT)
    for number in range(3):
        shop.order(order_number=f"WO-X{number}")
    client.force_login(make_user("operator", site=shop.site))

    def listed(**query):
        return [row.order.order_number for row in client.get(reverse("screens:orders"), query).context["rows"]]

    with django_assert_max_num_queries(12):
        page = client.get(reverse("screens:orders"))
    # Most of them have no customer.
    assert "None" not in page.content.decode()
    rows = {row.order.order_number: row for row in page.context["rows"]}
    assert (rows["WO/7 a"].percent, rows["WO/7 a"].is_overdue, rows["WO-8"].is_overdue) == (37, True, False)
    assert listed()[0] == late.order_number
    both = [late.order_number, f"{late.order_number}-S1"]
    assert listed(status="completed") == [other.order_number]
    assert listed(overdue="on") == listed(customer="nor") == listed(product="bread") == both
    assert listed(search="wo/7", line=shop.line.pk, due_before="2026-03-03")[0] == late.order_number
    assert listed(search="nothing") == []
    assert client.get(reverse("screens:orders"), {"line": "x", "due_before": "x", "page": "x"}).status_code == 200
    client.force_login(make_user("operator", site=make_site()))
    assert listed() == []


def test_list_begins_with_what_is_in_work_and_ends_with_what_was_finished_long_ago(client):
    machine = make_machine()
    client.force_login(make_user("supervisor", machine.line.area.site))
    for number, status, days in (
        ("old", "completed", -9),
        ("new", "completed", -1),
        ("gone", "cancelled", -2),
        ("late", "released", -1),
        ("soon", "scheduled", 1),
        ("some day", "released", None),
        ("held", "on_hold", 5),
        ("running", "in_progress", 8),
    ):
        due = None if days is None else timezone.now() + timedelta(days=days)
        make_work_order(line=machine.line, order_number=number, status=status, due_at=due)
    rows = [row.order.order_number for row in client.get("/orders/").context["rows"]]
    assert rows == ["running", "held", "late", "soon", "some day", "new", "gone", "old"]


def test_page_tells_everything_in_order(client, shop, django_assert_max_num_queries):
    order = busy_order(shop)
    client.force_login(make_user("operator", site=shop.site))
    with django_assert_max_num_queries(60):
        page = client.get(reverse("screens:order", args=[order.order_number]))
    text = page.content.decode()
    for word in ("Bread", "Flour", "FL-1", "BR-1", "WO/7 a-S1", "Rack 1", "Started on", "30 pcs", "In progress"):
        assert word in text, word
    events = story(order)
    assert [event.at for event in events] == sorted((event.at for event in events), reverse=True)
    assert {event.sort for event in events} == {"Status", "Run", "Material", "Confirmed"}
    assert story(order, [lambda order: [Event(AT, "Test", "x")]])[0].sort == "Test"
    assert len(SOURCES) == 9
    assert client.get(reverse("screens:order", args=[str(order.pk)])).status_code == 200
    assert client.get(reverse("screens:order", args=["nobody"])).status_code == 404
    client.force_login(make_user("operator", site=make_site()))
    assert client.get(reverse("screens:order", args=[order.order_number])).status_code == 404


def test_steps_are_taken_or_refused_on_the_page(client, shop):
    order = busy_order(shop)
    url = reverse("screens:order", args=[order.order_number])
    client.force_login(make_user("operator", site=shop.site))
    reason = make_order_reason("safety")
    assert client.post(url, {"action": "cancel", "reason": reason.pk}).status_code == 403
    assert client.post(url, {"action": "hold", "reason": reason.pk, "note": "Guard"}).status_code == 302
    assert client.post(url, {"action": "resume"}).status_code == 403
    client.force_login(make_user("supervisor", site=shop.site))
    refused = client.post(url, {"action": "hold", "reason": reason.pk})
    assert (refused.status_code, b"on_hold already" in refused.content) == (409, True)
    assert client.post(url, {"action": "resume"}).status_code == 302
    assert client.post(url, {"action": "hold"}).status_code == 409
    for _ in range(2):
        assert client.post(url, {"action": "confirm", "quantity": "5", "key": "k"}).status_code == 302
    assert client.post(url, {"action": "confirm", "quantity": "-5"}).status_code == 409
    assert client.post(url, {"action": "dance"}).status_code == 409
    assert client.post(url, {"action": "complete", "quantity": "80"}).status_code == 302
    order.refresh_from_db()
    assert order.status == "completed"
    assert order.confirmations.count() == 3
    last = OrderStatusChange.objects.filter(order=order).first()
    assert last.changed_at <= timezone.now()
    assert WorkOrder.objects.get(pk=order.pk).status == "completed"


def test_list_says_what_a_lines_runs_made_where_nobody_works_on_operations(client, django_assert_max_num_queries):
    machine = make_machine(is_constraint=True)
    tag = make_count_tag(machine=machine)
    line = machine.line
    client.force_login(make_user("operator", site=line.area.site))
    start = timezone.now().replace(minute=0, second=0, microsecond=0) - HOUR * 5

    def run_order(number, at):
        order = make_work_order(line=line, order_number=number, target_quantity=Decimal(80))
        run = services.start_run(work_order=order, line=line, started_at=at)
        return order, run

    for number in range(4):
        begins = start + HOUR * number
        _order, run = run_order(f"WO-{number}", begins)
        after = begins + timedelta(minutes=30)
        counted = NewReading(tag.pk, machine.pk, False, after, Decimal(20))
        record_readings([counted], recorded_at=after)
        services.end_run(run=run, ended_at=begins + HOUR)
    client.get(reverse("screens:orders"))  # computes the hours that nobody asked for yet
    with django_assert_max_num_queries(20):
        rows = {row.order.order_number: row for row in client.get(reverse("screens:orders")).context["rows"]}
    assert {number: (row.made, row.percent) for number, row in rows.items()} == {
        f"WO-{number}": ("20", 25) for number in range(4)
    }
