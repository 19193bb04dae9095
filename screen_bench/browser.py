"""What a person's browser sees: when a page first shows something, when a device's word is painted,
and its memory after a day.
"""

import json
import statistics
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from screen_bench.plant import Asked
from screen_bench.sockets import STATES, Door
from tests.browser import CHROMIUM, TABLET

FIRST_PAINT_MS = 1000.0
HEAP_GROWTH = 0.1
"""A page that is left open may hold so much more after a day than after the first hundredth of it."""
HEAP_SLACK_KB = 500.0
_BEATS = 24 * 60 * 6
"""The hub refreshes each line that is watched every ten seconds."""
_REMEMBER_SOCKET = """
(() => { const Real = window.WebSocket; window.WebSocket = class extends Real {
  constructor(...given) { super(...given); window.benchSocket = this; } }; })();
"""
_PAINTED = """
since => { window.painted = new Promise((done) => {
  const look = () => { if (!document.querySelector(`[data-since="${since}"]`)) return;
    watcher.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.timeOrigin + performance.now())));
  };
  const watcher = new MutationObserver(look);
  watcher.observe(document.body, { childList: true, subtree: true });
  look();
}); }
"""
_FIRST_PAINT = """
() => new Promise((done) => { const look = () => {
  const paint = performance.getEntriesByName('first-contentful-paint')[0];
  paint ? done(paint.startTime) : setTimeout(look, 20); }; look(); })
"""
_REPLAY = """
async ([lines, first, last]) => {
  const socket = window.benchSocket;
  for (let n = first; n < last; n += 1) {
    const line = lines[n % lines.length];
    const version = 9e15 + n;
    // A text of its own each time, with a number in it that changes.
    const html = line.html.replace('</article>', `<span hidden>${n}</span></article>`);
    socket.onmessage(new MessageEvent('message', { data: JSON.stringify({ ...line, version, html }) }));
    if (n % 100 === 99) await new Promise((done) => setTimeout(done));
  }
}
"""
_REFRESH = """
async ([answer, first, last]) => {
  for (let n = first; n < last; n += 1) {
    const tiles = answer.tiles.map((tile) => ({ ...tile, html: `${tile.html}<span hidden>${n}</span>` }));
    window.fetch = async () => new Response(JSON.stringify({ ...answer, tiles }));
    document.dispatchEvent(new Event('visibilitychange'));
    await new Promise((done) => setTimeout(done, 5));
  }
}
"""


@dataclass(frozen=True, slots=True)
class Heap:
    """What a page holds: kilobytes of JavaScript's heap after a collection, and how many nodes and listeners."""

    kilobytes: float
    nodes: int
    listeners: int


@dataclass(frozen=True, slots=True)
class Day:
    """A page that was left open for a day: how many updates it got, and its heap early on and at the end."""

    name: str
    updates: int
    early: Heap
    end: Heap

    @property
    def is_flat(self) -> bool:
        """Whether it stayed within the bound."""
        room = max(HEAP_SLACK_KB, HEAP_GROWTH * self.early.kilobytes)
        return self.end.kilobytes <= self.early.kilobytes + room and self.end.nodes <= 1.1 * self.early.nodes + 100


class Person:
    """A person's browser, logged in."""

    def __init__(self, browser: Browser, port: int, session: str) -> None:
        self._browser, self._session = browser, session
        self.address = f"http://127.0.0.1:{port}"

    @contextmanager
    def _fresh(self) -> Iterator[BrowserContext]:
        from django.conf import settings

        context = self._browser.new_context(
            base_url=self.address, viewport={"width": TABLET[0], "height": TABLET[1]}, service_workers="block"
        )
        cookie: Any = {"name": settings.SESSION_COOKIE_NAME, "value": self._session, "url": self.address}
        context.add_cookies([cookie])
        context.set_default_timeout(60_000)
        yield context
        context.close()

    def first_paint(self, page: Asked, *, times: int) -> tuple[float, float]:
        """Return the milliseconds until something shows: with nothing in the browser's cache,
        and when it was there before.
        """
        cold: list[float] = []
        warm: list[float] = []
        for _ in range(times):
            with self._fresh() as context:
                for spent in (cold, warm):
                    opened = context.new_page()
                    opened.goto(page.address)
                    spent.append(float(opened.evaluate(_FIRST_PAINT)))
                    opened.close()
        return statistics.median(cold), statistics.median(warm)

    def painted(self, door: Door, *, posts: int) -> tuple[float, float]:
        """Return the milliseconds, median and most, from a POST until the overview has painted the machine's new
        state.
        """
        spent = []
        with self._fresh() as context:
            page = context.new_page()
            page.goto("/")
            page.wait_for_timeout(2000)
            for number in range(posts):
                page.wait_for_timeout(500)
                started = time.time()
                at = door.post(STATES[number % len(STATES)])
                page.evaluate(_PAINTED, at)
                spent.append(page.evaluate("window.painted") - started * 1000)
        return statistics.median(spent), max(spent)

    def day_of_lines(self, *, updates: int | None) -> Day:
        """Leave the overview open while as many fragments come over its socket as in a day, or as many as are given."""
        with self._fresh() as context:
            context.add_init_script(_REMEMBER_SOCKET)
            page = context.new_page()
            page.goto("/")
            lines = [{"type": "line", **line} for line in json.loads(_got(page, "/fragments/overview/"))["lines"]]
            number = updates or _BEATS * len(lines)
            return _day("overview", page, _REPLAY, lines, number)

    def day_of_tiles(self, board: Asked, *, updates: int) -> Day:
        """Leave a dashboard open while its tiles are refreshed so many times, each with something new."""
        with self._fresh() as context:
            page = context.new_page()
            page.goto(board.address)
            answer = json.loads(_got(page, f"{board.address}tiles/"))
            return _day(board.name, page, _REFRESH, answer, updates)


def _day(name: str, page: Page, script: str, given: Any, updates: int) -> Day:
    session = page.context.new_cdp_session(page)
    # What a page only holds once it was refreshed a few times is no growth.
    early = max(20, updates // 100)
    page.evaluate(script, [given, 0, early])
    before = _heap(session)
    step = max(1, updates // 50)
    for first in range(early, updates, step):
        page.evaluate(script, [given, first, min(first + step, updates)])
    return Day(name, updates, before, _heap(session))


def _got(page: Page, path: str) -> str:
    return page.request.get(path).text()


def _heap(session: CDPSession) -> Heap:
    session.send("Performance.enable")
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return Heap(metrics["JSHeapUsedSize"] / 1000, int(metrics["Nodes"]), int(metrics["JSEventListeners"]))


@contextmanager
def person_at(port: int, session: str) -> Iterator[Person]:
    """Open a browser for a person."""
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield Person(browser, port, session)
        browser.close()


def main_pages(pages: Iterable[Asked]) -> list[Asked]:
    """Return the pages that people look at all day."""
    wanted = {
        *("/", "line", "/board/", "terminal of a machine", "/stops/", "/supervise/", "/planner/", "hand-over"),
        *("report: shift", "dashboard 'supervisor'"),
    }
    return [page for page in pages if page.name in wanted]
