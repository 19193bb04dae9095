"""Walk through a running plant like a person who follows every link, and keep a sheet of pictures of each screen.

A sheet shows one screen on a television (1920 × 1080), a tablet (1280 × 800) and a phone (390 × 844), light and dark,
at half size. `docs/screens.md` is written anew with them. Needs a demo that runs, and the log-in of somebody who may
see everything:

    make pictures ARGS="--url http://localhost:8000 --user admin --password …"
"""

import argparse
import os
import re
import sys
from collections import Counter, deque
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import django
from django.urls import Resolver404, resolve
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HOME = Path(__file__).resolve().parent.parent
PICTURES = HOME / "docs" / "images" / "screens"
SIZES = {"television": (1920, 1080), "tablet": (1280, 800), "phone": (390, 844)}
THEMES = ("light", "dark")
HALF = 2
CANDIDATES = 4
GAP = 16
# Files, forms that only post, and doors for machines are no screens; the admin has its own picture.
PASSED_BY = re.compile(
    r"^/(admin|api|static|logout|ingest|metrics|healthz|exports?)/|/(panels|fragments|tiles)/|\.(csv|xlsx|pdf|json|svg|png|zpl)$"
)
# Their content is a choice, not a screen of its own.
ROOMS = ("screens", "reports", "login")


def main() -> None:
    """Take the pictures that the command line asks for."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--url", default="http://localhost:8000")
    asked.add_argument("--user", required=True)
    asked.add_argument("--password", required=True)
    asked.add_argument(
        "--only", default="", help="Take only the screens whose name has this in it; leaves docs/screens.md alone."
    )
    chosen = asked.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mes_project.settings")
    sys.path.insert(0, str(HOME))
    django.setup()
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        pages = {(size, theme): _page(browser, chosen, size, theme) for size in SIZES for theme in THEMES}
        screens = _walked(pages["tablet", "light"], chosen.url)
        titles = {}
        for name, address in screens.items():
            if chosen.only in name:
                titles[name] = _sheet(pages, name, address)
                print(f"{name:32} {address}", flush=True)
        browser.close()
    if not chosen.only:
        _write_index(titles)


def _page(browser: Browser, chosen: argparse.Namespace, size: str, theme: str) -> Page:
    width, height = SIZES[size]
    page = browser.new_page(
        viewport={"width": width, "height": height},
        base_url=chosen.url,
        color_scheme="dark" if theme == "dark" else "light",
        locale="en-GB",
    )
    page.goto("/login/")
    page.locator("[name=username]").fill(chosen.user)
    page.locator("[name=password]").fill(chosen.password)
    page.locator("[name=password]").press("Enter")
    page.locator("form[action='/logout/']").wait_for(state="attached")
    return page


def _walked(page: Page, url: str) -> dict[str, str]:
    """Return one address of each screen that links lead to, by the screen's name: of a few,
    the one that has most to show.
    """
    screens: dict[str, str] = {}
    tried: Counter[str] = Counter()
    most: dict[str, int] = {}
    seen = {"/"}
    waiting = deque(["/"])
    while waiting:
        address = waiting.popleft()
        name = _name(address)
        if name is None or tried[name] >= CANDIDATES:
            continue
        tried[name] += 1
        answer = page.goto(address)
        if answer is None or not answer.ok or "text/html" not in answer.headers.get("content-type", ""):
            continue
        # Where the address led on to is the screen.
        name = _name(urlsplit(page.url).path) or name
        size = len(page.content())
        if size > most.get(name, 0):
            screens[name], most[name] = page.url.removeprefix(url), size
        for link in page.eval_on_selector_all("a[href]:not([download])", "all => all.map((one) => one.href)"):
            target = link.split("#")[0].removeprefix(url)
            if link.startswith(url) and target not in seen:
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


def _sheet(pages: dict[tuple[str, str], Page], name: str, address: str) -> str:
    rows: list[list[Image.Image]] = [[], []]
    title = ""
    for (size, _), page in pages.items():
        page.goto(address)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(400)
        title = title or page.title()
        shot = Image.open(BytesIO(page.screenshot()))
        rows[size != "television"].append(
            shot.resize((shot.width // HALF, shot.height // HALF), Image.Resampling.LANCZOS)
        )
    width = max(sum(one.width for one in row) + GAP * (len(row) - 1) for row in rows)
    height = sum(max(one.height for one in row) for row in rows) + GAP
    sheet = Image.new("RGB", (width, height), "#808892")
    top = 0
    for row in rows:
        left = 0
        for one in row:
            sheet.paste(one, (left, top))
            left += one.width + GAP
        top += max(one.height for one in row) + GAP
    sheet.save(PICTURES / f"{name}.webp", quality=70, method=6)
    return title


def _write_index(titles: dict[str, str]) -> None:
    lines = [
        "# Screens",
        "",
        "Every screen that links lead to, on a television, a tablet and a phone, light and dark, at half size; taken by",
        "`make pictures` from the demo plants (`make demo PLANT=battery`).",
        "",
    ]
    for name, title in titles.items():
        lines += [f"## {title}", "", f"![{title}](images/screens/{name}.webp)", ""]
    (HOME / "docs" / "screens.md").write_text("\n".join(lines).rstrip() + "\n")


if __name__ == "__main__":
    main()
