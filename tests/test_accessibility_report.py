"""What axe says of screens is written down: what it finds, where; what it cannot decide; and what it looked at."""

from datetime import UTC, datetime

from scripts.check_accessibility import Findings, Screen, written

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def said(**rules):
    """Return what axe says, by outcome: (rule, elements) each."""
    return {
        outcome: [
            {"id": name, "help": f"About {name}", "impact": "serious", "count": count, "example": "<a|b>"}
            for name, count in rules.get(outcome, ())
        ]
        for outcome in ("violations", "incomplete", "passes", "inapplicable")
    }


def report(*looks):
    findings = Findings()
    for screen, look, what in looks:
        findings.add(screen, look, what)
    findings.screens = [Screen(name, f"/{name}/", name.title()) for name in ("orders", "lots")]
    return findings, written(findings, versions="axe-core 4, Chromium 1", now=NOW)


def test_nothing_found_is_said_with_what_was_looked_at():
    findings, text = report(
        ("orders", "tablet, light", said(passes=[("label", 1)], incomplete=[("color-contrast", 2)])),
        ("orders", "phone, dark", said(passes=[("label", 1)], incomplete=[("color-contrast", 3)])),
        ("lots", "tablet, light", said(passes=[("color-contrast", 1)], inapplicable=[("label", 0)])),
    )
    assert findings.are_none
    assert "## Findings\n\nNone.\n" in text
    assert "2026-03-02, axe-core 4, Chromium 1" in text
    assert "| `color-contrast` | About color-contrast | 5 | 1 |" in text
    assert "| `label` | About label | 1 | 1 |" in text
    assert "| lots | Lots | `/lots/` |" in text


def test_what_is_found_is_named_with_its_screen_and_looks():
    findings, text = report(
        ("orders", "tablet, dark", said(violations=[("label", 2)])),
        ("orders", "phone, dark", said(violations=[("label", 1)])),
        ("lots", "tablet, dark", said(passes=[("label", 1)])),
    )
    assert not findings.are_none
    assert "| `label` | serious | orders | tablet, dark; phone, dark | `<a&#124;b>` |" in text
    assert "None." not in text
