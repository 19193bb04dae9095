"""Codes are read by the camera of a real browser: what the product's own labels show, filmed by a camera that the test
plays.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Page, expect

from accounts.models import User
from labels.rendering import Content, Design, png
from labels.symbols import Symbology
from tests.browser import axe_violations, browser_page, log_in
from tests.factories import make_machine, make_product, make_serial_unit, make_site, make_stage_form
from tests.operating import make_material, make_station

pytestmark = pytest.mark.django_db(transaction=True)

WIDTH, HEIGHT = 640, 480
NO_CAMERA = "--use-fake-device-for-media-stream=device-count=0"
# Every stream that a page was given, so that a test sees whether one is left on.
REMEMBER = """
  window.streams = [];
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    window.streams.push(stream);
    return stream;
  };
"""
SAYS = "dialog[open] [data-scanned]"
LIVE = "() => streams.map((one) => one.getTracks().some((track) => track.readyState === 'live'))"


def filmed(label: bytes | None, path: Path) -> Path:
    """Write what a camera sees, in front of which somebody holds a label, as an uncompressed film of one picture."""
    picture = Image.new("L", (WIDTH, HEIGHT), 90)
    if label:
        held = Image.open(BytesIO(label)).convert("L").rotate(7, expand=True, fillcolor=90)
        held.thumbnail((WIDTH - 80, HEIGHT - 80))
        picture.paste(held, ((WIDTH - held.width) // 2, (HEIGHT - held.height) // 2))
    grey = bytes([128]) * (WIDTH // 2 * HEIGHT // 2)
    frame = b"FRAME\n" + picture.tobytes() + grey + grey
    path.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 2)
    return path


def label_of(code: str, symbology: Symbology = Symbology.QR) -> bytes:
    return png(Design(Decimal(50), Decimal(30), 300, symbology), Content(code, (code,)))


@pytest.fixture
def filming(tmp_path: Path) -> Callable[..., tuple[str, ...]]:
    """Return how to start a browser in front of whose camera somebody holds a label, or nothing."""

    def arguments(label: bytes | None = None) -> tuple[str, ...]:
        film = filmed(label, tmp_path / "film.y4m")
        return (
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={film}",
        )

    return arguments


@contextmanager
def terminal(station, *arguments: str) -> Iterator[Page]:
    """Yield an operator's terminal with the sheet for material open."""
    with browser_page(arguments=arguments) as page:
        page.add_init_script(REMEMBER)
        log_in(page, station.operator)
        page.goto("/operate/PRESS/")
        page.locator("html[data-ready=yes]").wait_for()
        page.get_by_role("button", name="Load material").click()
        yield page


def read_with_the_camera(page: Page) -> None:
    page.get_by_role("button", name="Read with the camera").click()


def test_operator_reads_the_label_of_a_lot(filming):
    station = make_station()
    lot = make_material(station)
    with terminal(station, *filming(label_of(lot.number, Symbology.CODE_128))) as page:
        dialog = page.get_by_role("dialog")
        read_with_the_camera(page)
        expect(dialog.get_by_text(f"{lot.product.code} {lot.number}")).to_be_visible()
        expect(dialog.get_by_label("Scan the label")).to_have_value(lot.number)
        expect(page.locator("video")).to_be_hidden()
        assert page.evaluate(LIVE) == [False]
        # The next label is read by the same button.
        dialog.get_by_label("Scan the label").fill("")
        read_with_the_camera(page)
        expect(dialog.get_by_label("Scan the label")).to_have_value(lot.number)
        assert page.evaluate(LIVE) == [False, False]


def test_camera_that_sees_nothing_goes_off_when_somebody_has_enough(filming):
    station = make_station()
    make_material(station)
    with terminal(station, *filming()) as page:
        film = page.locator("video")

        def is_off() -> None:
            expect(film).to_be_hidden()
            assert not any(page.evaluate(LIVE))

        read_with_the_camera(page)
        expect(film).to_be_visible()
        assert page.evaluate(LIVE) == [True]
        assert axe_violations(page) == []
        page.get_by_role("dialog").get_by_role("button", name="Back").click()
        is_off()
        page.get_by_role("button", name="Load material").click()
        read_with_the_camera(page)
        expect(film).to_be_visible()
        page.keyboard.press("Escape")
        is_off()
        page.get_by_role("button", name="Load material").click()
        # Pressed again, it goes off; no second one comes on beside it.
        read_with_the_camera(page)
        expect(film).to_be_visible()
        read_with_the_camera(page)
        is_off()
        # The tablet is put away.
        read_with_the_camera(page)
        expect(film).to_be_visible()
        page.evaluate(
            """() => {
              Object.defineProperty(document, "hidden", { value: true, configurable: true });
              document.dispatchEvent(new Event("visibilitychange"));
              delete document.hidden;
            }"""
        )
        is_off()
        # Somebody pulls the plug.
        read_with_the_camera(page)
        expect(film).to_be_visible()
        page.evaluate("streams.at(-1).getVideoTracks()[0].dispatchEvent(new Event('ended'))")
        expect(page.locator(SAYS)).to_contain_text("does not answer")
        is_off()
        # It is allowed only when nobody wants it any more.
        page.evaluate(
            """() => {
              const ask = navigator.mediaDevices.getUserMedia;
              navigator.mediaDevices.getUserMedia = async (wanted) => {
                await new Promise((allow) => { window.allow = allow; });
                return ask(wanted);
              };
            }"""
        )
        before = len(page.evaluate(LIVE))
        read_with_the_camera(page)
        page.wait_for_function("() => window.allow")
        page.get_by_role("dialog").get_by_role("button", name="Back").click()
        page.evaluate("() => allow()")
        page.wait_for_function(f"() => streams.length === {before + 1} && !streams.at(-1).active")
        is_off()


def test_why_there_is_no_camera_is_said(filming):
    station = make_station()
    make_material(station)
    with terminal(station, "--use-fake-ui-for-media-stream=deny", *filming()[1:]) as page:
        read_with_the_camera(page)
        expect(page.locator(SAYS)).to_contain_text("not allowed")
    with terminal(station, "--use-fake-ui-for-media-stream", NO_CAMERA) as page:
        read_with_the_camera(page)
        expect(page.locator(SAYS)).to_contain_text("cannot be used; take a photo instead")


def test_station_reads_the_label_of_a_unit(filming):
    product = make_product()
    make_stage_form(product, "WELD", {"code": "a", "kind": "text"})
    unit = make_serial_unit(product=product, site=make_site())
    user = User.objects.create_superuser("ada")
    machine = make_machine()
    with browser_page(arguments=filming(label_of(unit.serial))) as page:
        page.add_init_script(REMEMBER)
        log_in(page, user)
        page.goto(reverse("screens:station", args=[machine.code]))
        read_with_the_camera(page)
        page.wait_for_url(lambda url: url.endswith(reverse("screens:station-unit", args=[machine.code, unit.pk])))
        expect(page.get_by_role("heading", name=unit.serial)).to_be_visible()
