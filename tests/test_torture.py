"""The unkind scenarios, small, on a server and a database of their own; `make torture-ingest` runs them whole."""

import subprocess
import sys
from pathlib import Path

import pytest

from torture.__main__ import SCENARIOS
from torture.devices import Ledger
from torture.hostile_corpus import BODIES, REQUESTS, items
from torture.result import HEADINGS, Result
from torture.verification import differences

PROJECT = Path(__file__).resolve().parent.parent
SMALL = ["server-kill", "database-restart", "redis-restart", "clock-jumps", "hostile", "large-body"]


def test_what_was_acknowledged_is_stored_once_whatever_is_killed():
    """One test for all: they share a cluster, and tests of one module may run in several processes."""
    done = subprocess.run(
        [sys.executable, "-m", "torture", "--small", *SMALL], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    lines = done.stdout[done.stdout.index("| --- |") :].splitlines()[1:]
    rows = [dict(zip(HEADINGS, (cell.strip() for cell in line.strip("|").split("|")), strict=True)) for line in lines]
    assert [row["scenario"] for row in rows] == SMALL
    for row in rows:
        assert (row["lost"], row["duplicated"]) == ("0", "0"), row
        assert row["acknowledged"] == row["stored"] != "0", row
    assert rows[0]["cycles"] == "6"


def test_corpus_is_large():
    assert len(items()) + len(BODIES) + len(REQUESTS) >= 120


AT = ("m/delta", "2026-03-02T08:00:00Z")
LATER = ("m/delta", "2026-03-02T08:00:01Z")


@pytest.mark.parametrize(
    ("acknowledged", "rows", "facts", "lost", "duplicated"),
    [
        ({AT}, 1, {AT: "7.000000"}, 0, 0),
        ({AT}, 0, {}, 1, 0),
        ({AT}, 1, {AT: "8.000000"}, 1, 0),
        (set(), 0, {}, 0, 0),
        ({AT}, 2, {AT: "7.000000"}, 0, 1),
        ({AT}, 2, {AT: "7.000000", LATER: "7.000000"}, 0, 1),
    ],
    ids=["as sent", "missing", "another value", "sent only", "a second row", "a row that nobody sent"],
)
def test_harness_sees_what_is_lost_and_what_is_too_much(acknowledged, rows, facts, lost, duplicated):
    assert differences(Ledger(sent={AT: 7}, acknowledged=acknowledged), rows, facts) == (lost, duplicated)


@pytest.mark.parametrize("fault", [{"lost": 1}, {"duplicated": 1}, {"broken": ["It took too long."]}])
def test_any_fault_is_a_failure(fault):
    assert Result("scenario", 1, **fault).has_failed


def test_every_scenario_has_a_full_and_a_small_size():
    assert all(scenario.SMALL <= scenario.CYCLES for scenario in SCENARIOS.values())
