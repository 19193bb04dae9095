"""Supervisors' journeys in a real browser: a reason in two taps, a split by typing and by dragging, a hand-over,
the board.
"""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from django.utils import timezone
from playwright.sync_api import expect

from counts.services import NewReading, record_readings
from downtime.models import StateCorrection
from downtime.services import NewState, record_states
from oee.models import ShiftClosing
from tests.browser import (
    PHONE,
    TELEVISION,
    axe_violations,
    axe_violations_in_every_theme,
    browser_page,
    log_in,
    without_network,
)
from tests.factories import (
    make_count_tag,
    make_device_key,
    make_ideal_rate,
    make_line,
    make_machine,
    make_product,
    make_reason,
    make_run,
    make_shift,
    make_user,
    make_work_order,
)

pytestmark = pytest.mark.django_db(transaction=True)


class Hall:
    """A line with a calendar all around the clock that ran two days ago, and stood twice without a reason today."""

    def __init__(self):
        self.machine = make_machine(name="Filler")
        self.line = self.machine.line
        self.site = self.line.area.site
        type(self.site).objects.filter(pk=self.site.pk).update(time_zone="UTC")
        for name, begins in (("Night", 0), ("Morning", 8), ("Evening", 16)):
            make_shift(site=self.site, name=name, start_time=f"{begins:02d}:00", end_time=f"{(begins + 8) % 24:02d}:00")
        self.runs, self.stands = make_reason(name="Running"), make_reason("unplanned", name="Stands", explains=False)
        self.jam, self.clean = make_reason("unplanned", name="Label jam"), make_reason("planned", name="Cleaning")
        product = make_product()
        make_ideal_rate(product=product, machine=self.machine)
        order = make_work_order(product=product, line=self.line)
        self.now = timezone.now().replace(microsecond=0)
        self.day = (self.now - timedelta(days=2)).replace(hour=8, minute=0, second=0)
        make_run(line=self.line, work_order=order, started_at=self.day)
        self.say(self.day, self.runs)
        self.say(self.day + timedelta(hours=1), self.stands)
        self.say(self.day + timedelta(hours=1, minutes=30), self.runs)
        self.say(self.now - timedelta(hours=3), self.stands)
        self.say(self.now - timedelta(hours=2, minutes=30), self.runs)
        self.say(self.now - timedelta(hours=1), self.stands)
        self.say(self.now - timedelta(minutes=50), self.runs)
        self.tag = make_count_tag(machine=self.machine)
        record_readings(
            [NewReading(self.tag.pk, self.machine.pk, False, self.day + timedelta(hours=2), 500)],
            recorded_at=self.now,
        )
        self.boss = make_user("supervisor", site=self.site, first_name="Ada", last_name="Nowak")

    def say(self, at, reason):
        record_states([NewState(self.machine.pk, at, reason.pk)], recorded_at=timezone.now())


@pytest.fixture
def hall():
    return Hall()


def test_a_stop_gets_its_reason_in_two_taps(hall):
    with browser_page() as page:
        log_in(page, hall.boss)
        page.goto(f"/stops/?line={hall.line.code}")
        assert axe_violations(page) == []
        expect(page.locator("h1 .soft")).to_contain_text("2")
        page.locator(".stop-row").first.click()
        with without_network(page):
            page.get_by_role("button", name="Label jam").click()
            expect(page.locator("[data-unsent]")).to_contain_text("nothing was sent")
        # What was chosen is still chosen.
        expect(page.locator("[data-unsent]")).to_be_hidden()
        page.get_by_role("button", name="Label jam").click()
        expect(page.get_by_role("status").first).to_contain_text("1 stop: Label jam")
        expect(page.locator(".stop-row")).to_have_count(1)
    (word,) = StateCorrection.objects.all()
    assert (word.reason, word.corrected_by) == (hall.jam, hall.boss)


def test_several_stops_are_explained_with_the_keyboard_on_a_phone(hall):
    with browser_page(PHONE, dark=True) as page:
        log_in(page, hall.boss)
        page.goto("/stops/")
        for box in page.locator("[name=stop]").all():
            box.focus()
            page.keyboard.press("Space")
        expect(page.locator("[data-chosen-count]")).to_have_text("(2)")
        page.get_by_role("button", name="Cleaning").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".stop-row")).to_have_count(0)
        assert axe_violations(page) == []
    assert StateCorrection.objects.filter(reason=hall.clean).count() == 2


def test_a_stop_is_found_on_the_timeline_and_split_by_typing(hall):
    with browser_page() as page:
        log_in(page, hall.boss)
        page.goto(f"/timeline/{hall.line.code}/?span=day&date={hall.day:%Y-%m-%d}")
        assert axe_violations(page) == []
        page.locator("a.stop-row", has_text="30 min").first.click()
        assert axe_violations(page) == []
        page.fill("[name=at]", "09:10")
        # The handle follows what is typed.
        expect(page.locator(".split input[type=range]")).to_have_value("600")
        page.locator(".split select[name=reason]").select_option(label="Label jam")
        page.locator(".split select[name=second]").select_option(label="Cleaning")
        page.locator(".split [name=note]").fill("Two things.")
        page.get_by_role("button", name="Split").click()
        expect(page.locator("h1")).to_contain_text("20 min")
        expect(page.locator(".stop-head .state")).to_contain_text("Cleaning")
        expect(page.get_by_text("Merge with the stop before it")).to_be_visible()
    cut = hall.day + timedelta(hours=1, minutes=10)
    words = StateCorrection.objects.order_by("starts_at")
    assert [(word.ends_at, word.reason) for word in words] == [
        (cut, hall.jam),
        (hall.day + timedelta(hours=1, minutes=30), hall.clean),
    ]


def test_the_handle_is_dragged_to_where_a_stop_is_cut(hall):
    with browser_page() as page:
        log_in(page, hall.boss)
        page.goto(f"/timeline/{hall.line.code}/?span=day&date={hall.day:%Y-%m-%d}")
        page.locator("a.stop-row", has_text="30 min").first.click()
        handle = page.locator(".split input[type=range]")
        box = handle.bounding_box()
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] / 2, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 4, middle, steps=5)
        page.mouse.up()
        typed = page.locator("[name=at]").input_value()
        assert "09:06:30" < typed < "09:08:30"
        handle.focus()
        page.keyboard.press("ArrowRight")
        assert page.locator("[name=at]").input_value() > typed


def test_handover_is_refused_until_reviewed_and_the_next_shift_reads_the_note(hall):
    with browser_page() as page:
        log_in(page, hall.boss)
        page.goto(f"/handover/{hall.line.code}/?date={hall.day:%Y-%m-%d}")
        page.locator("select[name=shift]").select_option(label="Morning")
        page.locator(".steps button").click()
        assert axe_violations(page) == []
        page.get_by_role("button", name="Close and hand over").click()
        expect(page.get_by_role("alert")).to_contain_text("Review the balance")
        page.fill("textarea[name=text]", "Roll 3 is worn.")
        with without_network(page):
            page.get_by_role("button", name="Leave the note").click()
            expect(page.locator("[data-unsent]")).to_be_visible()
        page.get_by_role("button", name="Leave the note").click()
        expect(page.locator("#notes-title + ul")).to_contain_text("Roll 3 is worn.")
        page.get_by_label("I looked at this balance").check()
        page.get_by_role("button", name="Mark as reviewed").click()
        expect(page.get_by_text("Balance reviewed by Ada Nowak")).to_be_visible()
        page.get_by_role("button", name="Close and hand over").click()
        expect(page.get_by_text("Handed over and closed by Ada Nowak")).to_be_visible()
        page.get_by_role("link", name="Shift after").click()
        expect(page.locator(".from-before")).to_contain_text("Roll 3 is worn.")
    assert ShiftClosing.objects.get().closed_by == hall.boss


def test_an_hour_below_target_is_commented(hall):
    with browser_page() as page:
        log_in(page, hall.boss)
        page.goto(f"/hours/{hall.line.code}/?date={hall.day:%Y-%m-%d}")
        assert axe_violations(page) == []
        page.locator(".comment-form input[type=text]").first.fill("No labels.")
        with without_network(page):
            page.locator(".comment-form button").first.click()
            expect(page.locator("[data-unsent]")).to_be_visible()
        page.locator(".comment-form button").first.click()
        expect(page.locator(".hour-board tbody tr").first).to_contain_text("No labels.")


def test_the_board_follows_what_machines_say_and_says_when_it_is_alone(hall):
    _, secret = make_device_key(machine=hall.machine)
    with browser_page(TELEVISION) as page:
        log_in(page, hall.boss)
        page.goto(f"/board/{hall.line.area.code}/")
        expect(page.locator(".board-state b")).to_have_text("Running")
        assert axe_violations(page) == []
        said = {"machine": hall.machine.code, "at": datetime.now(UTC).isoformat(), "state": hall.jam.code}
        address = page.url.split("/board")[0]
        answer = httpx.post(f"{address}/ingest/", json=[said], headers={"Authorization": f"Api-Key {secret}"})
        assert answer.status_code == 200
        expect(page.locator(".board-state b")).to_have_text("Label jam")
        expect(page.locator(".board-line.tone-unplanned")).to_be_visible()
        # Without colours there is still the icon and the word.
        assert "exclamation-octagon-fill" in page.locator(".board-state svg use").get_attribute("href")
        page.evaluate("window.dispatchEvent(new Event('offline'))")
        expect(page.locator("[data-connection]")).to_be_visible()


def test_the_board_turns_its_pages_by_itself(hall):
    for number in range(14):
        make_machine(line=make_line(area=hall.line.area, name=f"Line {number}"))
    with browser_page(TELEVISION) as page:
        log_in(page, hall.boss)
        page.goto(f"/board/{hall.line.area.code}/")
        expect(page.locator("[data-page]")).to_have_text(re.compile(r"^1 / [2-5]$"))
        first = page.locator(".board-slot:visible h2").first.inner_text()
        expect(page.locator("[data-page]")).to_have_text(re.compile(r"^2 / "), timeout=20_000)
        assert page.locator(".board-slot:visible h2").first.inner_text() != first
        assert page.evaluate("document.documentElement.scrollHeight <= window.innerHeight")


def test_axe_finds_nothing_on_the_other_pages(hall):
    days = f"first={hall.day:%Y-%m-%d}&last={hall.now:%Y-%m-%d}"
    with browser_page() as page:
        log_in(page, hall.boss)
        for path in (
            *("/supervise/", "/floor/", f"/floor/?date={hall.day:%Y-%m-%d}", "/stops/?show=all"),
            *(
                f"/pareto/?{days}",
                f"/waterfall/?{days}",
                f"/plan-actual/?{days}",
                f"/timeline/{hall.line.code}/?span=30d",
            ),
            *(f"/hours/{hall.line.code}/", f"/handover/{hall.line.code}/", "/board/"),
        ):
            page.goto(path)
            if path == "/supervise/":
                expect(page.get_by_text("Orders at risk")).to_be_visible()
            assert axe_violations_in_every_theme(page) == [], path
