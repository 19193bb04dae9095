"""Every page with a list or a chart gives it away as CSV and to Excel, or is named here with the reason why not."""

import re
from pathlib import Path

from django.conf import settings

EXPORTS = "screens/_exports.html"
LIST = re.compile(r"<table|\{% chart |stop-list|time-rows|_waterfall\.html")
INCLUDED = re.compile(r"""\{% include ["']([^"']+)["']""")
ONE_THING = "of one thing: its parts are lists of REST, or of a page of their own"
WORK = "people work there: rows are there to be typed into or pressed"
STAYS = {
    **dict.fromkeys(("changeover", "closed_shift", "container", "label_batch", "lot", "order", "unit"), ONE_THING),
    **dict.fromkeys(("stop", "line", "handover"), ONE_THING),
    **dict.fromkeys(("record", "certificate"), "a paper: it leaves as PDF"),
    **dict.fromkeys(("inspection", "station", "station_unit", "terminal", "operate_beside", "planner"), WORK),
    "kpis": "the software's own: the same in every plant, and GET /oee/kpi/",
    "index": "the simulator: no plant",
    "upload": "what was just sent",
    "report": "a file in four forms already",
    "mail": "a mail",
    "exports": "the list of the files themselves",
}


def parts_of(name: str, texts: dict[str, str]) -> set[str]:
    """Return a template and all that it includes by name."""
    found, waiting = set(), {name}
    while waiting:
        part = waiting.pop()
        found.add(part)
        waiting |= set(INCLUDED.findall(texts.get(part, ""))) - found
    return found


def test_every_page_with_a_list_gives_it_away():
    folders = list(Path(settings.BASE_DIR).glob("*/templates"))
    texts = {str(path.relative_to(folder)): path.read_text() for folder in folders for path in folder.rglob("*.html")}
    pages = [name for name in texts if not Path(name).name.startswith("_") and "tiles" not in Path(name).parts]
    parts = {name: parts_of(name, texts) for name in pages}
    has_list = {name for name in pages if any(LIST.search(texts.get(part, "")) for part in parts[name])}
    keeps = {name for name in has_list if EXPORTS not in parts[name]}
    assert len(has_list - keeps) > 30
    assert {Path(name).stem for name in keeps} == set(STAYS)


def test_the_charts_and_tables_of_a_dashboard_are_given_away():
    text = (Path(settings.BASE_DIR) / "screens/templates/screens/tiles/_inside.html").read_text()
    assert EXPORTS in INCLUDED.findall(text)
