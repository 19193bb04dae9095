"""Walk through a running plant in a browser, like a person who follows every link."""

import argparse
import os
import re
from collections import Counter, deque
from urllib.parse import urlsplit

import django
from django.urls import Resolver404, resolve
from playwright.sync_api import Browser, Error, Page, Playwright

SIZES = {"television": (1920, 1080), "tablet": (1280, 800), "phone": (390, 844)}
THEMES = ("light", "dark")
CANDIDATES = 4
"""So many pages of a screen are looked at, unless asked otherwise; the one that has most to show stands for it."""
# Files, parts of pages, forms that only post, and doors for machines are no screens; the admin has its own picture.
PASSED_BY = re.compile(
    r"^/(admin|api|static|logout|ingest|metrics|healthz|exports?)/|/(panels|fragments|tiles|cause)/|\.(csv|xlsx|pdf|json|svg|png|zpl)$"
)
_FILES = re.compile(r"[?&](format|file)=(csv|xlsx)")
# Their content is a choice, not a screen of its own.
ROOMS = ("screens", "reports", "login")


def arguments(about: str | None) -> argparse.ArgumentParser:
    """Return what a command line has to say: where the plant is, and as whom to log in."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mes_project.settings")
    django.setup()
    asked = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--url", default="http://localhost:8000")
    asked.add_argument("--user", required=True)
    asked.add_argument("--password", required=True)
    return asked


def browser_of(player: Playwright) -> Browser:
    """Start a browser."""
    return player.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])


def opened(browser: Browser, url: str, size: str, theme: str) -> Page:
    """Open a page of a size and theme; its addresses begin at the plant's."""
    width, height = SIZES[size]
    return browser.new_page(
        viewport={"width": width, "height": height},
        base_url=url,
        color_scheme="dark" if theme == "dark" else "light",
        locale="en-GB",
    )


def log_in(page: Page, chosen: argparse.Namespace) -> None:
    """Log in through the form."""
    page.goto("/login/")
    page.locator("[name=username]").fill(chosen.user)
    page.locator("[name=password]").fill(chosen.password)
    page.locator("[name=password]").press("Enter")
    page.locator("form[action='/logout/']").wait_for(state="attached")


def walked(page: Page, url: str, *, candidates: int = CANDIDATES) -> dict[str, str]:
    """Return one address of each screen that links lead to, by the screen's name: of a few, the one that has most to
    show.
    """
    screens: dict[str, str] = {}
    tried: Counter[str] = Counter()
    most: dict[str, int] = {}
    seen = {"/"}
    waiting = deque(["/"])
    while waiting:
        address = waiting.popleft()
        name = _name(address)
        if name is None or tried[name] >= candidates:
            continue
        tried[name] += 1
        try:
            answer = page.goto(address)
        except Error as refusal:
            if "Download is starting" not in refusal.message:
                raise
            continue
        if answer is None or not answer.ok or "text/html" not in answer.headers.get("content-type", ""):
            continue
        # Where the address led on to is the screen.
        name = _name(urlsplit(page.url).path) or name
        size = len(page.content())
        if size > most.get(name, 0):
            screens[name], most[name] = page.url.removeprefix(url), size
        for link in page.eval_on_selector_all(
            "a[href]:not([download])",
            "all => all.map((one) => one.href.baseVal ? new URL(one.href.baseVal, document.baseURI).href : one.href)",
        ):
            target = link.split("#")[0].removeprefix(url)
            if link.startswith(url) and target not in seen and not _FILES.search(target):
                seen.add(target)
                waiting.append(target)
    return screens


def _name(address: str) -> str | None:
    path = urlsplit(address).path
    if PASSED_BY.search(path):
        return None
    try:
        found = resolve(path)
    except Resolver404:
        return None
    room = found.namespace or found.url_name or ""
    return found.view_name.replace(":", "-").removeprefix("screens-") if room.split(":")[0] in ROOMS else None
