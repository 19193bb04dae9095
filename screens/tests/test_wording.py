"""Exact values are written so that nothing is lost: what is written can be read back."""

from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oee.engine import MachineSums
from oee.engine.ledger import LOSS_CLASSES, Ledger, LedgerLine
from screens.waterfall import waterfall
from screens.wording import Clock, exact_duration, exact_number, kpi_words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (Fraction(0), "0:00:00"),
        (Fraction(25_200), "7:00:00"),
        (Fraction(7261, 2), "1:00:30.5"),
        (Fraction(1, 10**6), "0:00:00.000001"),
        (Fraction(-90), "−0:01:30"),
        (Fraction(36, 7), "0:00:05 + 1/7 s"),
        (Fraction(-36, 7), "−(0:00:05 + 1/7 s)"),
        (Fraction(3600 * 1234), "1\u202f234:00:00"),
    ],
)
def test_durations_are_exact(seconds, text):
    assert exact_duration(seconds) == text


@given(st.fractions(max_denominator=10**7, min_value=-(10**9), max_value=10**9))
def test_a_written_number_reads_back_as_itself(value):
    assert Fraction(exact_number(value).replace("\u202f", "").replace("−", "-")) == value


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "ratio", "not known"),
        (Fraction(24, 25), "ratio", "96.00 %"),
        (Fraction(-1, 3), "ratio", "−33.33 %"),
        (Fraction(1, 3), "seconds", "0:00:00.33"),
        (Fraction(5000, 3), "per_hour", "1\u202f666.7 per hour"),
        (Fraction(5, 3), "pieces", "1.67 pieces"),
        (Fraction(1, 3), "index", "0.3333"),
    ],
)
def test_kpis_are_written_in_the_readers_terms(value, unit, text):
    assert kpi_words(value, unit) == text


def test_clock_says_the_day_and_the_zone_only_where_it_takes_them():
    warsaw = ZoneInfo("Europe/Warsaw")
    noon = datetime(2026, 3, 2, 11, tzinfo=UTC)
    assert Clock.over((noon, noon), [warsaw]).write(noon.replace(microsecond=250_000), warsaw) == "12:00:00.25"
    before, after = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    clock = Clock.over((before, after), [warsaw])
    assert [clock.write(moment, warsaw) for moment in (before, after)] == ["02:30:00 CEST", "02:30:00 CET"]
    dated = Clock.over((noon, noon.replace(day=4)), [warsaw])
    assert dated.write(noon, warsaw) == dated.span(noon, noon, warsaw) == "Mon 2 Mar 12:00:00"
    assert dated.span(noon, noon.replace(hour=12), warsaw) == "Mon 2 Mar 12:00:00 – 13:00:00"
    assert dated.span(noon, noon.replace(hour=23), warsaw) == "Mon 2 Mar 12:00:00 – Tue 3 Mar 00:00:00"


@given(st.lists(st.fractions(min_value=0, max_value=10**6), min_size=len(LOSS_CLASSES), max_size=len(LOSS_CLASSES)))
@example([Fraction(10**6)] * len(LOSS_CLASSES))
def test_shares_add_up_as_written_whatever_they_are(seconds):
    lines = [LedgerLine(of, spent, None) for of, spent in zip(LOSS_CLASSES.values(), seconds, strict=True)]
    within = ("availability", "performance", "quality", "productive")
    busy = sum((line.seconds for line in lines if line.of.factor in within), start=Fraction(0))
    found = waterfall(Ledger(tuple(lines), sum(seconds, start=Fraction(0)), busy), {}, lambda code: "")
    # Each level is the one above it less what was lost in between, in whole seconds.
    left = None
    for step in found.steps:
        parts = reversed(step.time.replace("\u202f", "").split(":"))
        written = sum(int(part) * 60**place for place, part in enumerate(parts))
        if step.is_level:
            assert left in (None, written)
            left = written
        elif step.factor != "productive":
            left -= written
    if busy:
        costs = [Fraction(step.cost) for step in found.steps if step.cost]
        assert sum(costs) + Fraction(found.oee) == 100
    else:
        assert found.whole == ""


def test_pieces_above_the_ideal_rate_are_drawn_as_a_gain():
    of = LOSS_CLASSES
    lines = (LedgerLine(of["reduced_speed"], Fraction(-20), None), LedgerLine(of["productive"], Fraction(120), None))
    found = waterfall(Ledger(lines, Fraction(100), Fraction(100)), {}, lambda code: "")
    (gain,) = [step for step in found.steps if step.is_gain]
    assert (gain.cost, gain.time, found.oee) == ("−20.00", "−0:00:20", "120.00")
    assert float(gain.x) + float(gain.width) <= 1000


def test_nothing_at_all_can_be_drawn():
    from oee.engine.ledger import ledger

    assert waterfall(ledger(MachineSums()), {}, lambda code: "").whole == ""
