"""The planner's board in a real browser: moved by mouse and by keyboard, refused in words, undone,
and seen by others.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Route, expect

from accounts.models import Role
from tests.browser import axe_violations, browser_page, log_in, without_network
from tests.factories import (
    make_ideal_rate,
    make_line,
    make_machine,
    make_product,
    make_schedule,
    make_user,
    make_work_order,
)
from workorders.models import Schedule

pytestmark = pytest.mark.django_db(transaction=True)
# A Monday in Warsaw's winter: one hour ahead of UTC.
EIGHT = datetime(2026, 3, 2, 7, tzinfo=UTC)
BOARD = "/planner/?view=day&date=2026-03-02"


@pytest.fixture
def plant():
    first = make_machine(line=make_line(name="Line A", code="A"), is_constraint=True).line
    second = make_machine(line=make_line(name="Line B", code="B", area=first.area), is_constraint=True).line
    return first, second


def bar(page, entry):
    return page.locator(f".plan-item:has(b:text-is('{entry.work_order.order_number}'))")


def open_board(page):
    page.goto(BOARD)
    page.wait_for_selector("[data-drawn]", state="attached")


def drag(page, entry, *, hours=0, rows=0):
    """Take a bar at its first hour and put it down so many hours and lines away."""
    box = bar(page, entry).bounding_box()
    chart = page.locator(".vis-panel.vis-center").bounding_box()
    hour = chart["width"] / 24
    row = (
        page.locator(".vis-foreground .vis-group").nth(1).bounding_box()["y"]
        - page.locator(".vis-foreground .vis-group").nth(0).bounding_box()["y"]
    )
    x, y = box["x"] + hour / 2, box["y"] + 20
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + hours * hour / 2, y + rows * row / 2, steps=4)
    page.mouse.move(x + hours * hour, y + rows * row, steps=4)
    page.mouse.up()


def place_of(page, entry):
    """Return where a bar lies in the drawing: what is said above it moves both."""
    box, chart = bar(page, entry).bounding_box(), page.locator(".vis-panel.vis-center").bounding_box()
    return box["x"] - chart["x"], box["y"] - chart["y"]


def stored(entry):
    entry.refresh_from_db()
    return entry.line.name, entry.planned_start_at


def is_about(entry, line, at):
    """Say whether it lies there; the first pixels of a drag only tell that it is one."""
    name, start = stored(entry)
    return name == line and abs(start - at) <= timedelta(minutes=20) and start.minute % 5 == 0


def test_a_bar_is_dragged_undone_refused_and_seen_by_another(plant):
    first, second = plant
    entry, other = (
        make_schedule(line=first, planned_start_at=EIGHT),
        make_schedule(line=second, planned_start_at=EIGHT + timedelta(hours=3)),
    )
    for one in (entry, other):
        one.save()  # the factory writes past the services; a history is what versions come from
    anna, bert = make_user(role=Role.SUPERVISOR, first_name="Anna"), make_user(role=Role.SUPERVISOR, first_name="Bert")
    with browser_page() as page:
        log_in(page, anna)
        open_board(page)
        start = page.url.split("/planner/")[0]
        context = page.context.browser.new_context(base_url=start, viewport={"width": 1280, "height": 800})
        watcher = context.new_page()
        log_in(watcher, bert)
        open_board(watcher)
        before = bar(watcher, entry).bounding_box()["x"]

        # In time, and seen by the other a moment later.
        drag(page, entry, hours=2)
        expect(page.locator("[data-said]")).to_contain_text("Moved")
        assert is_about(entry, "Line A", EIGHT + timedelta(hours=2))
        there = stored(entry)
        expect(page.locator("[data-undo]")).to_be_enabled()
        watcher.wait_for_function(
            "([x, number]) => Math.abs([...document.querySelectorAll('.plan-item')].find(i => i.textContent.includes(number)).getBoundingClientRect().x - x) > 20",
            arg=[before, entry.work_order.order_number],
        )

        # Undone, done again, undone.
        page.click("[data-undo]")
        expect(page.locator("[data-said]")).to_contain_text("Undone")
        assert stored(entry) == ("Line A", EIGHT)
        page.click("[data-redo]")
        expect(page.locator("[data-said]")).to_contain_text("Done again")
        assert stored(entry) == there
        page.keyboard.press("Control+z")
        expect(page.locator("[data-said]")).to_contain_text("Undone")
        assert stored(entry) == ("Line A", EIGHT)

        # Onto what the other line is planned for: refused with its name, and back where it was.
        home = place_of(page, entry)
        drag(page, entry, hours=3, rows=1)
        expect(page.locator("[data-refused]")).to_contain_text(f"It collides with order {other.work_order}")
        expect(page.locator("[data-refused]")).to_contain_text("As it is now: order")
        assert stored(entry) == ("Line A", EIGHT)
        assert place_of(page, entry) == pytest.approx(home, abs=2)

        # Without a network nothing is moved, and it lies where it is.
        with without_network(page):
            drag(page, entry, hours=-2, rows=1)
            expect(page.locator("[data-refused]")).to_contain_text("The server did not answer; nothing was changed")
        assert stored(entry) == ("Line A", EIGHT)
        assert place_of(page, entry) == pytest.approx(home, abs=2)

        # Onto a free place of the other line.
        drag(page, entry, hours=-2, rows=1)
        expect(page.locator("[data-said]")).to_contain_text("Line B")
        assert is_about(entry, "Line B", EIGHT - timedelta(hours=2))

        # The other sees it there, too.
        expect(page.locator(".plan-item")).to_have_count(2)
        seen = bar(page, entry).bounding_box()
        watcher.wait_for_function(
            "([x, y, number]) => { const box = [...document.querySelectorAll('.plan-item')]"
            ".find(i => i.textContent.includes(number)).getBoundingClientRect();"
            " return Math.abs(box.x - x) < 3 && Math.abs(box.y - y) < 40; }",
            arg=[seen["x"], seen["y"], entry.work_order.order_number],
        )

        # What somebody else changed meanwhile, unseen: refused with what it is now.
        page.evaluate(
            "WebSocket.prototype.send = () => {}; window.fetch = ((real) => (...a) => String(a[0]).includes('/planner/') && window.__deaf ? Promise.reject(new TypeError()) : real(...a))(window.fetch); window.__deaf = true"
        )
        drag(watcher, entry, hours=1)
        expect(watcher.locator("[data-said]")).to_contain_text("Moved")
        expect(page.locator("[data-cut]")).to_be_visible()
        drag(page, entry, hours=4)
        page.evaluate("window.__deaf = false")
        expect(page.locator("[data-refused]")).to_contain_text("Bert changed it at")
        assert is_about(entry, "Line B", EIGHT - timedelta(hours=1))
        context.close()


def test_an_order_is_planned_moved_and_taken_out_by_keyboard_alone(plant):
    first, _second = plant
    product = make_product()
    make_ideal_rate(product=product, machine=first.machines.get(), value=Decimal("7.2"))
    order = make_work_order(line=first, product=product, due_at=EIGHT, priority=2)
    with browser_page() as page:
        log_in(page, make_user(role=Role.SUPERVISOR))
        open_board(page)
        expect(page.locator("[data-backlog]")).to_contain_text("overdue")
        page.locator(f"[data-chooses='{order.pk}']").focus()
        page.keyboard.press("Enter")
        expect(page.locator("[data-place] [name=line]")).to_be_focused()
        expect(page.locator("[data-place-length]")).to_have_text("takes 2 h 00 min")
        page.locator("[data-place] [name=start]").fill("2026-03-02T08:00")
        page.locator("[data-place] button").press("Enter")
        expect(page.locator("[data-said]")).to_contain_text(f"Planned: {order.order_number}, Line A")
        entry = Schedule.objects.get()
        assert (entry.planned_start_at, entry.planned_end_at) == (EIGHT, EIGHT + timedelta(hours=2))
        expect(page.locator("[data-backlog]")).to_contain_text("Every order has its place.")
        assert axe_violations(page) == []

        # The bar is selected; its form moves it.
        expect(page.locator("[data-bar-title]")).to_have_text(order.order_number)
        page.locator("[data-move] [name=start]").fill("2026-03-02T10:30")
        page.locator("[data-move] [name=end]").fill("2026-03-02T13:00")
        page.locator("[data-move] [name=end]").press("Enter")
        expect(page.locator("[data-said]")).to_contain_text("Moved")
        entry.refresh_from_db()
        assert entry.planned_end_at - entry.planned_start_at == timedelta(hours=2, minutes=30)
        # The next step is taken before the board has been fetched again: it knows what the step before it did.
        held: list[Route] = []
        page.route(re.compile("/planner/data/"), lambda route: held.append(route))
        page.locator("[data-act=confirm]").press("Enter")
        expect(page.locator("[data-said]")).to_contain_text("Confirmed")
        page.locator("[data-act=cancel]").press("Enter")
        expect(page.locator("[data-said]")).to_contain_text("Taken out")
        entry.refresh_from_db()
        assert (entry.status, len(held) > 1) == ("cancelled", True)
        for route in held:
            route.continue_()
        page.unroute(re.compile("/planner/data/"))
        page.locator("[data-undo]").press("Enter")
        expect(page.locator("[data-said]")).to_contain_text("Undone")
        # It is placed again first, and then confirmed.
        for _ in range(100):
            again = Schedule.objects.exclude(status="cancelled").get()
            if again.status == "confirmed":
                break
            page.wait_for_timeout(100)
        assert (again.status, again.planned_start_at) == ("confirmed", EIGHT + timedelta(hours=2, minutes=30))
        # What was done before the bar came back under another number is undone, too.
        page.locator("[data-undo]").press("Enter")
        expect(page.locator(".plan-item.is-stored-planned")).to_have_count(1)
        again.refresh_from_db()
        assert again.status == "planned"


def test_an_order_is_dragged_from_the_list_and_places_are_suggested(plant):
    first, second = plant
    product = make_product()
    for line in plant:
        make_ideal_rate(product=product, machine=line.machines.get(), value=Decimal("3.6"))
    dragged, left = make_work_order(line=first, product=product), make_work_order(line=first, product=product)
    with browser_page(dark=True) as page:
        log_in(page, make_user(role=Role.SUPERVISOR))
        open_board(page)
        row = page.locator(".vis-foreground .vis-group").nth(1).bounding_box()
        page.locator(f"[data-order='{dragged.pk}'] b").hover()
        page.mouse.down()
        page.mouse.move(row["x"] + 250, row["y"] + 30, steps=6)
        page.mouse.move(row["x"] + 300, row["y"] + 30, steps=3)
        page.mouse.up()
        expect(page.locator("[data-said]")).to_contain_text(f"Planned: {dragged.order_number}, Line B")
        assert Schedule.objects.get().line == second

        page.locator("summary", has_text="Let places be suggested").click()
        page.locator("[data-suggest] [name=start]").fill("2026-03-02T06:00")
        page.locator("[data-suggest] button").click()
        expect(page.locator("[data-suggested] tr")).to_have_count(1)
        expect(page.locator("[data-suggested]")).to_contain_text("starts as early as was asked for")
        expect(page.locator(".plan-item.is-ghost")).to_have_count(1)
        assert axe_violations(page) == []
        page.click("[data-discard]")
        expect(page.locator(".plan-item.is-ghost")).to_have_count(0)
        assert Schedule.objects.count() == 1
        page.locator("[data-suggest] button").click()
        page.click("[data-accept]")
        expect(page.locator("[data-said]")).to_have_text("The suggestion is planned.")
        entry = Schedule.objects.get(work_order=left)
        assert (entry.line, entry.planned_start_at) == (first, datetime(2026, 3, 2, 5, tzinfo=UTC))
        page.click("[data-undo]")
        expect(page.locator("[data-said]")).to_contain_text("Undone")
        entry.refresh_from_db()
        assert entry.status == "cancelled"
