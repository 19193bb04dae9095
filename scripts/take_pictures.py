"""Walk through a running plant like a person who follows every link, and keep a sheet of pictures of each screen.

A sheet shows one screen on a television (1920 × 1080), a tablet (1280 × 800) and a phone (390 × 844), light and dark,
at half size. `docs/screens.md` is written anew with them. Needs a demo that runs, and the log-in of somebody who may
see everything:

    make pictures ARGS="--url http://localhost:8000 --user admin --password …"
"""

from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from scripts.walking import CANDIDATES, SIZES, THEMES, arguments, browser_of, log_in, opened, walked

HOME = Path(__file__).resolve().parent.parent
PICTURES = HOME / "docs" / "images" / "screens"
HALF = 2
GAP = 16


def main() -> None:
    """Take the pictures that the command line asks for."""
    asked = arguments(__doc__)
    asked.add_argument(
        "--only",
        default="",
        help="Take only the screens whose name has one of these in it (planner,schedule); leaves docs/screens.md alone.",
    )
    asked.add_argument(
        "--candidates", type=int, default=CANDIDATES, help="Of so many pages of a screen, the fullest is taken."
    )
    chosen = asked.parse_args()
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as player:
        browser = browser_of(player)
        pages = {(size, theme): opened(browser, chosen.url, size, theme) for size in SIZES for theme in THEMES}
        for page in pages.values():
            log_in(page, chosen)
        # A page of its own: the terminal remembers at which machine it was opened.
        walker = opened(browser, chosen.url, "tablet", "light")
        log_in(walker, chosen)
        screens = walked(walker, chosen.url, candidates=chosen.candidates)
        walker.context.close()
        titles = {}
        for name, address in screens.items():
            if any(part in name for part in chosen.only.split(",")):
                titles[name] = _sheet(pages, name, address)
                print(f"{name:32} {address}", flush=True)
        browser.close()
    if not chosen.only:
        _write_index(titles)


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
        said = title.removesuffix(" – MES")
        lines += [f"## {said}", "", f"![{said}](images/screens/{name}.webp)", ""]
    (HOME / "docs" / "screens.md").write_text("\n".join(lines).rstrip() + "\n")


if __name__ == "__main__":
    main()
