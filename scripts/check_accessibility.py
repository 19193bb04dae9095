"""Let axe look at every screen of a running plant, and write down what it finds.

Each screen that links lead to, and the log-in, on a tablet (1280 × 800) and a phone (390 × 844), light and dark, by all
rules that axe has switched on. `docs/accessibility.md` is written anew; the command fails when axe finds anything.
Needs a demo that runs, and the log-in of somebody who may see everything:

    make axe ARGS="--url http://localhost:8000 --user admin --password …"
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from scripts.walking import SIZES, THEMES, arguments, browser_of, log_in, opened, walked

HOME = Path(__file__).resolve().parent.parent
AXE = HOME / "tests" / "vendor" / "axe.min.js"
REPORT = HOME / "docs" / "accessibility.md"
LOOKS = tuple((size, theme) for size in ("tablet", "phone") for theme in THEMES)
CANDIDATES = 2
OUTCOMES = ("violations", "incomplete", "passes", "inapplicable")


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen that was looked at."""

    name: str
    address: str
    title: str


@dataclass(slots=True)
class Rule:
    """What became of a rule: for each outcome, how many elements on which screen in which look."""

    words: str
    impact: str = ""
    found: dict[str, dict[tuple[str, str], int]] = field(default_factory=lambda: defaultdict(dict))

    def screens(self, outcome: str) -> list[str]:
        """Return the names of the screens where it came to that in any look."""
        return sorted({screen for screen, _look in self.found[outcome]})

    def elements(self, outcome: str) -> int:
        """Return on how many elements it came to that, in all looks together."""
        return sum(self.found[outcome].values())


@dataclass(slots=True)
class Findings:
    """What axe said so far, by rule; `examples` are elements that it finds fault with."""

    rules: dict[str, Rule] = field(default_factory=dict)
    screens: list[Screen] = field(default_factory=list)
    examples: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, screen: str, look: str, said: dict[str, Any]) -> None:
        """Take in what axe says of a screen in a look."""
        for outcome in OUTCOMES:
            for one in said[outcome]:
                rule = self.rules.setdefault(one["id"], Rule(one["help"]))
                rule.impact = one["impact"] or rule.impact
                rule.found[outcome][screen, look] = one["count"]
                if outcome == "violations":
                    self.examples.setdefault((one["id"], screen), one["example"])

    @property
    def are_none(self) -> bool:
        """Whether axe finds fault with nothing."""
        return not any(rule.found["violations"] for rule in self.rules.values())


def main() -> int:
    """Look at all screens; return 1 when axe finds anything."""
    chosen = arguments(__doc__).parse_args()
    findings = Findings()
    with sync_playwright() as player:
        browser = browser_of(player)
        pages = {look: opened(browser, chosen.url, *look) for look in LOOKS}
        _look(pages, Screen("login", "/login/", ""), findings)
        for page in pages.values():
            log_in(page, chosen)
        for name, address in walked(pages["tablet", "light"], chosen.url, candidates=CANDIDATES).items():
            _look(pages, Screen(name, address, ""), findings)
            print(f"{name:32} {address}", flush=True)
        versions = f"axe-core {pages['tablet', 'light'].evaluate('axe.version')}, Chromium {browser.version}"
        browser.close()
    REPORT.write_text(written(findings, versions=versions, now=datetime.now(UTC)))
    print(REPORT.read_text().split("\n## ")[1])
    return 0 if findings.are_none else 1


def _look(pages: dict[tuple[str, str], Page], screen: Screen, findings: Findings) -> None:
    title = ""
    for (size, theme), page in pages.items():
        page.goto(screen.address)
        page.evaluate(AXE.read_text())
        # What it found is counted over there: a page's elements are many.
        said = page.evaluate(
            """async () => {
              const said = await axe.run(document, { resultTypes: ["violations", "incomplete"] });
              const short = (one) => ({
                id: one.id, help: one.help, impact: one.impact || "", count: one.nodes.length,
                example: one.nodes.length ? one.nodes[0].html.replace(/\\s+/g, " ").slice(0, 160) : "",
              });
              return Object.fromEntries(
                ["violations", "incomplete", "passes", "inapplicable"].map((name) => [name, said[name].map(short)]),
              );
            }"""
        )
        findings.add(screen.name, f"{size}, {theme}", said)
        title = page.title()
    findings.screens.append(Screen(screen.name, screen.address, title))


def written(findings: Findings, *, versions: str, now: datetime) -> str:
    """Return the report as Markdown."""
    sizes = " and a ".join(f"{size} ({' × '.join(map(str, SIZES[size]))})" for size in ("tablet", "phone"))
    lines = [
        "# Accessibility",
        "",
        "What axe says of every screen that links lead to, and of the log-in, in English. Written by `make axe` from a demo that ran;",
        "written anew by every run, not by hand.",
        "",
        f"- {now:%Y-%m-%d}, {versions}.",
        f"- {len(findings.screens)} screens, each on a {sizes}, light and dark: {len(findings.screens) * len(LOOKS)} times.",
        f"- {len(findings.rules)} rules, all that axe has switched on:"
        f" {sum(bool(_ran(rule)) for rule in findings.rules.values())} of them had something to look at.",
        "- Not in it: the admin, sheets that a tap opens, high contrast and other languages, which the tests look at"
        " (`tests/test_every_page.py` and its neighbours).",
        "",
        "## Findings",
        "",
        *_findings(findings),
        "",
        "## What axe cannot decide",
        "",
        "Elements that a person has to look at, in all four looks together.",
        "",
        *_table(
            ("rule", "what it asks", "elements", "screens"),
            [
                (f"`{name}`", rule.words, rule.elements("incomplete"), len(rule.screens("incomplete")))
                for name, rule in sorted(findings.rules.items())
                if rule.found["incomplete"]
            ],
        ),
        "",
        "## Rules",
        "",
        *_table(
            ("rule", "what it asks", "screens it passed", "screens without such elements"),
            [
                (f"`{name}`", rule.words, len(rule.screens("passes")), len(_without(rule, findings)))
                for name, rule in sorted(findings.rules.items())
            ],
        ),
        "",
        "## Screens",
        "",
        *_table(
            ("screen", "title", "address"),
            [(one.name, one.title, f"`{one.address}`") for one in sorted(findings.screens, key=lambda one: one.name)],
        ),
    ]
    return "\n".join(lines) + "\n"


def _ran(rule: Rule) -> bool:
    return any(rule.found[outcome] for outcome in OUTCOMES if outcome != "inapplicable")


def _without(rule: Rule, findings: Findings) -> set[str]:
    """Return the screens on which there was nothing for a rule in any look."""
    looked_at = {screen for outcome in OUTCOMES[:3] for screen in rule.screens(outcome)}
    return {one.name for one in findings.screens} - looked_at


def _findings(findings: Findings) -> Iterable[str]:
    rows = [
        (
            f"`{name}`",
            rule.impact,
            screen,
            "; ".join(look for one, look in rule.found["violations"] if one == screen),
            f"`{findings.examples[name, screen].replace('|', '&#124;')}`",
        )
        for name, rule in sorted(findings.rules.items())
        for screen in rule.screens("violations")
    ]
    return _table(("rule", "impact", "screen", "looks", "for example"), rows) if rows else ["None."]


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    made = [f"| {' | '.join(map(str, row))} |" for row in rows]
    return [f"| {' | '.join(header)} |", f"|{'|'.join(' --- ' for _ in header)}|", *made]


if __name__ == "__main__":
    sys.exit(main())
