"""What the tests of pages share."""

import pytest
from django.db import connections
from playwright.sync_api import sync_playwright

from screens.tests.browsers import CHROMIUM


@pytest.fixture
def page(monkeypatch):
    """Open a page in a real browser; `complaints` is what its console said was wrong."""
    # Playwright runs an event loop in this thread; the database calls of the test beside it are meant.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        opened = browser.new_page(viewport={"width": 1280, "height": 800})
        opened.complaints = []
        opened.on(
            "console", lambda message: opened.complaints.append(message.text) if message.type == "error" else None
        )
        opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
        yield opened
        browser.close()
        # What the test opened beside the browser's loop is known only here; left open, it would hold the database.
        connections.close_all()
