"""What was taken from elsewhere is what its list says, to the bit."""

import hashlib
import json
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
FOLDERS = (PROJECT / "static" / "vendor", PROJECT / "tests" / "vendor", PROJECT / "core" / "fonts")
LISTED = json.loads((PROJECT / "frontend" / "vendored.json").read_text())


def found() -> dict[str, Path]:
    return {str(p.relative_to(folder)): p for folder in FOLDERS for p in folder.rglob("*") if p.is_file()}


def test_nothing_is_there_that_is_not_listed_and_nothing_is_missing():
    assert found().keys() == LISTED.keys()


@pytest.mark.parametrize("path", sorted(LISTED))
def test_file_is_the_one_that_was_copied(path):
    assert hashlib.sha256(found()[path].read_bytes()).hexdigest() == LISTED[path]["sha256"]
    assert LISTED[path]["licence"]


def test_an_icon_that_a_page_draws_is_in_the_file_of_icons():
    named = set((PROJECT / "frontend" / "icons.txt").read_text().split())
    sprite = (PROJECT / "static" / "vendor" / "icons.svg").read_text()
    assert {name for name in named if f'<symbol id="{name}"' not in sprite} == set()
