"""The operator's terminal in a real browser: a job from start to finish, calls, scans, and a network that goes away."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from andon.models import AndonCall
from downtime.models import StateCorrection, StateHistory
from downtime.services import NewState, record_states
from execution.models import OperationStep, ProductionReport
from materials.models import MaterialTransaction
from tests.browser import PASSWORD, axe_violations, browser_page, log_in, without_network
from tests.factories import make_labor_policy
from tests.operating import make_material, make_station
from tests.servers import running_server, shared_server

pytestmark = pytest.mark.django_db(transaction=True)
# The machine that tests run on may be busy.
expect.set_options(timeout=15_000)


def button(page: Page, name: str, **options):
    return page.get_by_role("button", name=name, **options)


def ready(page: Page) -> None:
    page.locator("html[data-ready=yes]").wait_for()


def type_like_a_scanner(page: Page, code: str) -> None:
    page.keyboard.type(code, delay=0)
    page.keyboard.press("Enter")


def be_kept(page: Page) -> None:
    """Open the page once more under the service worker, which keeps it."""
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()
    ready(page)


def test_a_job_from_start_to_finish_with_scrap_a_reason_and_a_name():
    station = make_station()
    make_labor_policy(site=station.site, terminal_forgets=False, terminal_timeout=600)
    with browser_page() as page:
        log_in(page, station.operator)
        page.goto("/operate/")
        page.get_by_role("link", name="Press 4").click()
        ready(page)
        # The tablet remembers where it stands.
        page.goto("/operate/")
        assert page.url.endswith("/operate/PRESS/")
        ready(page)

        assert axe_violations(page) == []
        strip = page.locator("[data-who]")
        expect(strip).to_contain_text("nobody")
        # Two taps at most: the favourites stand on the card.
        expect(page.get_by_role("heading", name="Why did it stop")).to_be_visible()
        page.locator(".op-ask").get_by_role("button", name="Jam").click()
        expect(page.locator(".op-ask")).to_have_count(0)
        word = StateCorrection.objects.get()
        assert (word.reason, word.starts_at) == (station.reasons.jam, station.stopped_at)

        type_like_a_scanner(page, "B-7001")
        expect(strip).to_contain_text("Anna Nowak")
        button(page, "Start").click()
        expect(button(page, "Pause")).to_be_visible()

        button(page, "Good and scrap").click()
        dialog = page.get_by_role("dialog")
        for key in "12":
            dialog.locator(f"[data-press='{key}']").click()
        dialog.get_by_label("Scrap", exact=True).click()
        dialog.locator("[data-press='3']").click()
        assert axe_violations(page) == []
        dialog.get_by_role("button", name="Save").click()
        # Refused: once there are reasons, scrap needs one. What was typed stays.
        expect(dialog.get_by_role("alert")).to_contain_text("scrapped")
        expect(dialog.get_by_label("Good", exact=True)).to_have_value("12")
        dialog.get_by_text("Cracked").click()
        dialog.get_by_role("button", name="Save").click()
        expect(dialog).to_have_count(0)
        report = ProductionReport.objects.get()
        assert (report.good, report.scrap, report.scrap_reason) == (12, 3, station.crack)
        assert (report.employee, report.machine) == (station.anna, station.machine)
        expect(page.locator(".op-made b")).to_have_text("12")
        expect(page.locator("[data-queue]")).to_be_hidden()

        button(page, "Finish").click()
        button(page, "Press again").click()
        # What comes next stands there, ready.
        expect(button(page, "Start")).to_be_enabled()
        steps = OperationStep.objects.order_by("id").values_list("action", "employee")
        assert list(steps) == [("start", station.anna.pk), ("finish", station.anna.pk)]


def test_stopping_now_for_a_reason_and_running_again():
    station = make_station()
    with browser_page() as page:
        log_in(page, station.operator)
        page.goto("/operate/PRESS/")
        ready(page)
        button(page, "Stopping now").click()
        with without_network(page):
            page.get_by_role("dialog").get_by_role("button", name="Lunch").click()
            expect(page.locator("[data-queue]")).to_contain_text("1 waiting")
        expect(page.locator("[data-queue]")).to_be_hidden()
        expect(page.locator(".op-state")).to_contain_text("Lunch")
        # Pressed, it stays under the finger, whatever the socket brings meanwhile.
        button(page, "Call for help").focus()
        # What was sent late is fetched now, and its part comes anew: hovering waits until it stands still.
        button(page, "It runs again").hover(position={"x": 20, "y": 20})
        page.mouse.down()
        earlier = NewState(station.machine.pk, station.at["on"] - timedelta(minutes=5), station.reasons.stopped.pk)
        with page.expect_response(page.url) as asked:
            record_states([earlier], recorded_at=timezone.now())
        assert asked.value.finished() is None
        page.wait_for_timeout(300)
        page.mouse.up()
        expect(page.locator(".op-state")).to_contain_text("Running")
        said = StateHistory.objects.filter(source__startswith="user:").order_by("occurred_at")
        assert [state.reason for state in said] == [station.reasons.lunch, station.reasons.running]


def test_a_call_from_the_tablet_to_fixed():
    station = make_station()
    with browser_page() as page:
        log_in(page, station.operator)
        page.goto("/operate/PRESS/")
        ready(page)
        button(page, "Call for help").click()
        assert axe_violations(page) == []
        with without_network(page):
            page.get_by_role("dialog").get_by_role("button", name="Maintenance").click()
            expect(page.locator("[data-queue]")).to_contain_text("1")
        call = page.locator(".op-call")
        expect(call).to_contain_text("Called")
        page.goto("/andon/calls/")
        assert axe_violations(page) == []
        button(page, "I take care of it").click()
        page.goto("/operate/PRESS/")
        ready(page)
        expect(call).to_contain_text("Acknowledged")
        call.get_by_role("button", name="I am there").click()
        expect(call).to_contain_text("Somebody is there")
        call.get_by_role("button", name="Fixed").click()
        expect(call).to_have_count(0)
    steps = AndonCall.objects.get().steps.order_by("id").values_list("kind", flat=True)
    assert list(steps) == ["called", "acknowledged", "arrived", "fixed"]


def test_a_lot_is_loaded_by_a_scanner_that_types():
    station = make_station()
    lot = make_material(station)
    with browser_page() as page:
        log_in(page, station.operator)
        page.goto("/operate/PRESS/")
        ready(page)
        type_like_a_scanner(page, "B-7001")
        expect(page.locator("[data-who]")).to_contain_text("Anna Nowak")
        type_like_a_scanner(page, "L-77")
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text(f"{lot.product.code} L-77")).to_be_visible()
        for key in "99":
            dialog.locator(f"[data-press='{key}']").click()
        dialog.get_by_role("button", name="Load", exact=True).click()
        expect(dialog.get_by_role("alert")).to_be_visible()
        quantity = dialog.get_by_label("How much")
        expect(quantity).to_have_value("99")
        quantity.fill("20")
        with without_network(page):
            dialog.get_by_role("button", name="Load", exact=True).click()
            expect(page.locator("[data-queue]")).to_contain_text("1")
        expect(dialog).to_have_count(0)
        expect(page.locator("[data-queue]")).to_be_hidden()
        moved = MaterialTransaction.objects.get(kind="consume")
        assert (moved.lot, moved.quantity, moved.work_order) == (lot, 20, station.order)


@contextmanager
def tablet(station, **environment: str) -> Iterator[tuple[BrowserContext, Page]]:
    """Yield a logged-in tablet whose network may go away, which the browser's console complains of."""
    failures: list[str] = []
    with (
        pytest.MonkeyPatch.context() as patch,
        running_server(**environment) if environment else nullcontext(shared_server()) as address,  # type: ignore[arg-type]
        sync_playwright() as player,
    ):
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = player.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 800}, locale="en-GB")
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: failures.append(str(error)))
        log_in(page, station.operator)
        page.goto("/operate/PRESS/")
        ready(page)
        yield context, page
        browser.close()
        connections.close_all()
    assert failures == []


def test_entries_made_without_a_network_arrive_once_in_order_with_the_times_of_their_making():
    station = make_station()
    with tablet(station) as (context, page):
        be_kept(page)
        context.set_offline(True)
        button(page, "Start").click()
        expect(page.get_by_text("Kept: Start")).to_be_visible()
        expect(button(page, "Pause")).to_be_visible()
        button(page, "Good and scrap").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Good", exact=True).fill("7")
        dialog.get_by_role("button", name="Save").click()
        expect(page.locator("[data-queue]")).to_contain_text("2 waiting")
        button(page, "Pause").click()
        expect(page.locator("[data-queue]")).to_contain_text("3 waiting")
        expect(page.locator("[data-offline]")).to_be_visible()
        assert not OperationStep.objects.exists()

        # The tablet is switched off and on: the page opens without a network, what waits is still there.
        page.reload()
        ready(page)
        expect(page.locator("[data-queue]")).to_contain_text("3 waiting")
        expect(button(page, "Resume")).to_be_visible()
        page.wait_for_timeout(1500)
        before = page.evaluate("Date.now()")

        context.set_offline(False)
        expect(page.locator("[data-queue]")).to_be_hidden(timeout=20_000)
        expect(page.locator(".op-made b")).to_have_text("7")
        steps = list(OperationStep.objects.order_by("id"))
        (report,) = ProductionReport.objects.all()
        assert [step.action for step in steps] == ["start", "pause"]
        assert steps[0].occurred_at < report.occurred_at < steps[1].occurred_at
        assert steps[1].occurred_at.timestamp() * 1000 < before < steps[0].recorded_at.timestamp() * 1000
        assert steps[0].recorded_at < report.recorded_at < steps[1].recorded_at


def test_a_name_is_for_one_entry_also_when_the_server_does_not_hear_that_it_is_forgotten():
    station = make_station()
    with tablet(station) as (context, page):
        strip = page.locator("[data-who]")
        type_like_a_scanner(page, "B-7001")
        expect(strip).to_contain_text("Anna Nowak")
        context.set_offline(True)
        button(page, "Start").click()
        expect(strip).to_contain_text("nobody")
        button(page, "Pause").click()
        context.set_offline(False)
        expect(page.locator("[data-queue]")).to_be_hidden(timeout=20_000)
        page.wait_for_function("() => sessionStorage.getItem('mes-forgetting') === null")
        expect(strip).to_contain_text("nobody")
        steps = OperationStep.objects.order_by("id").values_list("action", "employee")
        assert list(steps) == [("start", station.anna.pk), ("pause", None)]


def test_an_answer_that_is_lost_on_its_way_has_one_effect():
    station = make_station()
    with tablet(station) as (_context, page):
        lost = []

        def lose(route):
            # The server does it; the tablet does not hear of it.
            if not lost:
                lost.append(route.fetch().status)
                route.abort()
            else:
                route.continue_()

        page.route("**/execution/operation/*/start/", lose)
        button(page, "Start").click()
        # Before it waits nothing does, and while it waits the buttons show it already.
        expect(page.get_by_text("Saved: Start")).to_be_visible(timeout=20_000)
        expect(page.locator("[data-queue]")).to_be_hidden(timeout=20_000)
        expect(button(page, "Pause")).to_be_visible()
        assert lost == [201]
        assert OperationStep.objects.count() == 1


def test_what_was_sent_counts_although_the_network_goes_before_the_next_page_comes():
    station = make_station()
    with tablet(station) as (context, page):

        def answer_and_go(route):
            said = route.fetch()
            context.set_offline(True)
            route.fulfill(response=said)

        page.route("**/execution/operation/*/start/", answer_and_go)
        button(page, "Start").click()
        expect(page.get_by_text("Saved: Start")).to_be_visible()
        # The server has it, and so nothing waits; still it runs.
        expect(page.locator("[data-offline]")).to_be_visible()
        expect(page.locator("[data-queue]")).to_be_hidden()
        expect(page.locator("[data-act=start]")).to_be_hidden()
        button(page, "Good and scrap").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Good", exact=True).fill("6")
        dialog.get_by_role("button", name="Save").click()
        expect(page.locator("[data-queue]")).to_contain_text("1 waiting")
        context.set_offline(False)
        expect(page.locator("[data-queue]")).to_be_hidden(timeout=20_000)
        # The page that did not come is asked for again as soon as the server answers.
        expect(page.locator(".op-made b")).to_have_text("6")
        expect(page.locator("[data-part=actions]")).to_have_attribute("data-status", "running")
        assert OperationStep.objects.count() == 1


def test_a_kept_page_opens_the_terminal_and_is_not_taken_for_fresh_numbers():
    station = make_station()
    with tablet(station) as (context, page):
        be_kept(page)
        ask = "fetch(location.href).then((response) => response.status, () => 'no network')"
        assert page.evaluate(ask) == 200
        context.set_offline(True)
        assert page.evaluate(ask) == "no network"
        page.reload()
        ready(page)
        expect(button(page, "Start")).to_be_visible()


def test_an_answer_that_stops_half_way_is_not_waited_for_for_ever():
    station = make_station()
    with tablet(station) as (_context, page):
        page.clock.install()
        page.evaluate(
            """() => {
              const ask = window.fetch;
              window.fetch = (url, options) => {
                window.fetch = ask;
                const begin = (controller) => {
                  controller.enqueue(new TextEncoder().encode("<!doctype html>"));
                  options.signal.addEventListener("abort", () => controller.error(options.signal.reason));
                };
                return Promise.resolve(new Response(new ReadableStream({ start: begin })));
              };
              window.halted = operateQueue.ask(location.href).then((answer) => answer.text()).then(() => "all of it", () => "given up");
            }"""
        )
        page.clock.fast_forward(20_000)
        assert page.evaluate(
            "Promise.race([halted, new Promise((late) => setTimeout(() => late('waits'), 3000))])"
        ) == ("given up")


def test_a_refused_entry_stays_with_its_reason_until_it_is_corrected_or_thrown_away():
    station = make_station()
    with tablet(station) as (context, page):
        button(page, "Start").click()
        expect(button(page, "Good and scrap")).to_be_visible()
        context.set_offline(True)
        for good, scrap in (("5", "1"), ("4", "")):
            button(page, "Good and scrap").click()
            dialog = page.get_by_role("dialog")
            dialog.get_by_label("Good", exact=True).fill(good)
            dialog.get_by_label("Scrap", exact=True).fill(scrap)
            dialog.get_by_role("button", name="Save").click()
            expect(dialog).to_have_count(0)
        context.set_offline(False)
        queue = page.locator("[data-queue]")
        # What is about the same job waits behind it, so that the order stays.
        expect(queue).to_contain_text("1 waiting · 1 refused", timeout=20_000)
        assert not ProductionReport.objects.exists()
        queue.click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("Say why it was scrapped")).to_be_visible()
        assert axe_violations(page) == []
        dialog.get_by_role("button", name="Correct it").click()
        expect(dialog.get_by_label("Good", exact=True)).to_have_value("5")
        dialog.get_by_text("Cracked").click()
        dialog.get_by_role("button", name="Save").click()
        expect(queue).to_be_hidden(timeout=20_000)
        reports = ProductionReport.objects.order_by("id").values_list("good", "scrap")
        assert list(reports) == [(5, 1), (4, 0)]


def test_a_tablet_with_a_wrong_clock_sends_the_plants_time():
    station = make_station()
    with tablet(station) as (_context, page):
        page.evaluate("localStorage.clear()")
        page.add_init_script("{ const now = Date.now; Date.now = () => now() - 45 * 60000; }")
        page.reload()
        ready(page)
        expect(page.get_by_text("clock is 45 min off")).to_be_visible()
        button(page, "Start").click()
        expect(page.get_by_text("Saved: Start")).to_be_visible()
        step = OperationStep.objects.get()
        assert abs((step.recorded_at - step.occurred_at).total_seconds()) < 5


def test_the_kept_page_is_forgotten_when_somebody_logs_out():
    station = make_station()
    with tablet(station) as (_context, page):
        be_kept(page)
        names = "caches.keys().then((names) => names.filter((name) => name.startsWith('mes-pages')))"
        assert page.evaluate(names) == [f"mes-pages-{station.operator.pk}"]
        kept = "caches.keys().then((names) => Promise.all(names.map((name) => caches.open(name).then((cache) => cache.keys()))))"
        assert page.evaluate(kept)
        page.goto("/")
        page.locator("summary", has_text=station.operator.username).click()
        button(page, "Log out").click()
        page.wait_for_url(lambda url: "/login/" in url)
        assert page.evaluate(names) == []


def test_without_a_script_the_forms_work():
    station = make_station()
    with sync_playwright() as player, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = player.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(base_url=shared_server(), java_script_enabled=False)
        station.operator.set_password(PASSWORD)
        station.operator.save()
        page.goto("/login/")
        page.locator("[name=username]").fill(station.operator.username)
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("[name=password]").press("Enter")
        page.goto("/operate/PRESS/")
        page.get_by_role("button", name="Start", exact=True).click()
        form = page.locator("[data-sheet=report]")
        form.get_by_label("Scrap", exact=True).fill("2")
        form.get_by_label("Good", exact=True).fill("9")
        form.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert").first).to_contain_text("scrapped")
        expect(form.get_by_label("Good", exact=True)).to_have_value("9")
        form.get_by_text("Cracked").click()
        form.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved.")).to_be_visible()
        assert ProductionReport.objects.get().good == 9
        browser.close()
        connections.close_all()
