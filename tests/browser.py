"""A real browser on a running server, and what axe finds on a page."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Dialog, Page, expect, sync_playwright

from accounts.models import User
from tests.servers import shared_server

TABLET, PHONE, TELEVISION = (1280, 800), (390, 844), (1920, 1080)
CHROMIUM = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
# A busy machine takes its time; what never comes fails all the same.
expect.set_options(timeout=20_000)
THEMES = {"light", "dark", "contrast"}
PASSWORD = "correct horse battery staple"
AXE = (Path(__file__).resolve().parent / "vendor" / "axe.min.js").read_text()


@contextmanager
def opened_browser(
    address: str, size: tuple[int, int] = TABLET, *, dark: bool = False, arguments: Sequence[str] = ()
) -> Iterator[Page]:
    """Yield a page of a browser whose addresses begin at a server's; afterwards `complaints` is to be empty.

    For a server that the test starts and stops by itself; `browser_page` brings one. `arguments` are the browser's own.
    """
    complaints: list[str] = []

    def dismissed(dialog: Dialog) -> None:
        complaints.append(f"alert {dialog.message}")
        dialog.dismiss()

    # The browser's own loop runs in this thread, while the test reads the database.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as player:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = player.chromium.launch(executable_path="/usr/bin/chromium", args=[*CHROMIUM, *arguments])
        page = browser.new_page(
            viewport={"width": size[0], "height": size[1]},
            base_url=address,
            color_scheme="dark" if dark else "light",
            locale="en-GB",
        )
        page.set_default_timeout(30_000)
        page.complaints = complaints  # type: ignore[attr-defined]
        page.on("console", lambda said: complaints.append(said.text) if _matters(said) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", dismissed)
        page.on("response", lambda r: complaints.append(f"{r.status} {r.url}") if r.status >= 500 else None)
        yield page
        browser.close()
        # What the test opened beside the browser's loop is known only here; left open, it would hold the database.
        connections.close_all()
    assert complaints == [], complaints


@contextmanager
def browser_page(
    size: tuple[int, int] = TABLET, *, dark: bool = False, arguments: Sequence[str] = ()
) -> Iterator[Page]:
    """Yield a page on the tests' server; afterwards nothing may have been refused by policy, failed or alerted.

    For tests with `transaction=True`: the server is another process and sees only what is committed.
    """
    with opened_browser(shared_server(), size, dark=dark, arguments=arguments) as page:
        yield page


def _matters(said: Any) -> bool:
    # A refused entry answers 4xx, which the browser's console calls an error, too.
    # So it calls what is asked for while the test has taken the network away.
    expected = ("the server responded with a status of 4", "net::ERR_INTERNET_DISCONNECTED", "net::ERR_FAILED")
    return said.type == "error" and not any(words in said.text for words in expected)


def log_in(page: Page, user: User) -> None:
    """Log a person in through the form."""
    user.set_password(PASSWORD)
    user.save()
    page.goto("/login/")
    page.locator("[name=username]").fill(user.username)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    # The address may change before the page does, and what is asked for in between is interrupted.
    page.locator("form[action='/logout/']").wait_for(state="attached")


@contextmanager
def without_network(page: Page) -> Iterator[None]:
    """Let the browser be without a network until the block ends."""
    page.context.set_offline(True)
    try:
        yield
    finally:
        page.context.set_offline(False)


def picture(page: Page, name: str, *, whole: bool = True) -> None:
    """Keep a picture of the page, or of what the screen shows of it, in the directory that `MES_PICTURES` names."""
    if directory := os.environ.get("MES_PICTURES"):
        page.screenshot(path=Path(directory) / f"{name}.png", full_page=whole)


def axe_violations(page: Page, *rules: str) -> list[str]:
    """Return what axe finds on the page as it is now, by all rules or some: rule, impact, and where."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate(
        "rules => axe.run(document, {resultTypes: ['violations'], ...(rules.length ? {runOnly: rules} : {})})",
        list(rules),
    )
    return [
        f"{violation['id']} ({violation['impact']}): {node['html'][:160]} {node['failureSummary'][:200]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def axe_violations_in_every_theme(page: Page) -> list[str]:
    """Return what axe finds on the page as it is, light, dark and in high contrast; themes differ in colours only."""
    root = page.locator("html")
    chosen = root.get_attribute("data-theme")
    # A device of the tests is light.
    theme = "light" if chosen == "auto" else chosen
    found = axe_violations(page)
    if root.evaluate("root => root.classList.contains('is-tv')"):
        return found
    for other in sorted(THEMES - {theme}):
        root.evaluate("(root, theme) => { root.dataset.theme = theme; }", other)
        found += [f"{other}: {violation}" for violation in axe_violations(page, "color-contrast")]
    root.evaluate("(root, theme) => { root.dataset.theme = theme; }", chosen)
    return found
