"""Facts of ISO 2859-1:1999."""

from decimal import Decimal
from typing import cast

import pytest

from core.errors import Invalid
from quality.spc.sampling import (
    AQLS,
    LETTERS,
    Plan,
    Severity,
    Switching,
    after,
    code_letter,
    plan,
    plan_for,
    resume,
    tighter_aql,
)

NORMAL, TIGHTENED, REDUCED = Severity.NORMAL, Severity.TIGHTENED, Severity.REDUCED


@pytest.mark.parametrize(
    ("lot", "level", "letter"),
    [
        (2, "II", "A"), (8, "II", "A"), (9, "II", "B"), (90, "S-1", "B"), (91, "S-4", "D"), (280, "I", "E"), (281, "I", "F"),
        (1200, "II", "J"), (1201, "II", "K"), (3200, "III", "L"), (10000, "S-3", "F"), (35000, "S-2", "D"),
        (500000, "II", "P"), (500001, "II", "Q"), (500001, "III", "R"), (10**9, "S-4", "K"),
    ],
)  # fmt: skip
def test_lot_has_its_code_letter(lot, level, letter):
    assert code_letter(lot, level) == letter


@pytest.mark.parametrize(
    ("severity", "letter", "aql", "expected"),
    [
        (NORMAL, "A", "6.5", ("A", 2, 0)), (NORMAL, "A", "10", ("C", 5, 1)), (NORMAL, "B", "6.5", ("A", 2, 0)),
        (NORMAL, "C", "1000", ("B", 3, 44)), (NORMAL, "E", "2.5", ("F", 20, 1)), (NORMAL, "F", "100", ("E", 13, 21)),
        (NORMAL, "G", "0.65", ("F", 20, 0)), (NORMAL, "H", "1.0", ("H", 50, 1)), (NORMAL, "J", "2.5", ("J", 80, 5)),
        (NORMAL, "K", "1.0", ("K", 125, 3)), (NORMAL, "L", "4.0", ("L", 200, 14)), (NORMAL, "M", "0.010", ("Q", 1250, 0)),
        (NORMAL, "Q", "0.025", ("R", 2000, 1)), (NORMAL, "R", "0.010", ("Q", 1250, 0)), (NORMAL, "R", "0.015", ("P", 800, 0)),
        (NORMAL, "R", "1000", ("B", 3, 44)), (NORMAL, "R", "0.65", ("R", 2000, 21)), (NORMAL, "R", "1.0", ("Q", 1250, 21)),
        (TIGHTENED, "A", "10", ("A", 2, 0)), (TIGHTENED, "B", "10", ("D", 8, 1)), (TIGHTENED, "K", "1.0", ("K", 125, 2)),
        (TIGHTENED, "J", "0.40", ("L", 200, 1)), (TIGHTENED, "H", "1.0", ("J", 80, 1)), (TIGHTENED, "L", "2.5", ("L", 200, 8)),
        (TIGHTENED, "Q", "0.025", ("S", 3150, 1)), (TIGHTENED, "R", "0.015", ("Q", 1250, 0)), (TIGHTENED, "R", "0.040", ("R", 2000, 1)),
        (REDUCED, "K", "1.0", ("K", 50, 2)), (REDUCED, "K", "2.5", ("K", 50, 5)), (REDUCED, "M", "6.5", ("L", 80, 10)),
        (REDUCED, "C", "1000", ("B", 2, 30)), (REDUCED, "D", "1.5", ("D", 3, 0)), (REDUCED, "D", "2.5", ("C", 2, 0)),
        (REDUCED, "D", "4.0", ("F", 8, 1)), (REDUCED, "Q", "0.025", ("N", 200, 0)), (REDUCED, "Q", "0.040", ("R", 800, 1)),
        (REDUCED, "R", "0.40", ("R", 800, 8)), (REDUCED, "R", "0.65", ("R", 800, 10)),
    ],
)  # fmt: skip
def test_plan_is_that_of_the_tables(severity, letter, aql, expected):
    found = plan(letter, Decimal(aql), severity)
    assert (found.letter, found.size, found.accept) == expected
    assert found.reject == found.accept + 1


@pytest.mark.parametrize("severity", Severity)
def test_every_cell_leads_to_a_plan_and_larger_aqls_ask_no_more(severity):
    for letter in LETTERS:
        plans = [plan(letter, aql, severity) for aql in AQLS]
        rates = [one.accept / one.size for one in plans]
        assert rates == sorted(rates)


def test_tightened_accepts_no_more_and_reduced_inspects_less():
    for letter in LETTERS:
        for aql in AQLS:
            normal, tight, reduced = (plan(letter, aql, severity) for severity in (NORMAL, TIGHTENED, REDUCED))
            if normal.letter == tight.letter:
                assert tight.accept <= normal.accept
            if normal.letter == reduced.letter:
                assert reduced.size <= normal.size


def test_whole_lot_is_inspected_where_the_sample_is_as_large():
    small = plan_for(8, Decimal("0.65"))
    assert (small.inspect, small.is_whole_lot) == (8, True)
    large = plan_for(1000, Decimal("1.0"))
    assert (large.plan, large.inspect, large.is_whole_lot) == (Plan("J", 80, 2), 80, False)


def test_lot_is_judged_by_its_number():
    of = plan("K", 1)
    assert of.accepts(3)
    assert not of.accepts(4)
    with pytest.raises(Invalid):
        of.accepts(-1)


@pytest.mark.parametrize(("aql", "tighter"), [("1.0", "0.65"), ("0.015", "0.010"), ("15", "10"), ("0.010", None)])
def test_next_smaller_aql(aql, tighter):
    assert tighter_aql(Decimal(aql)) == (None if tighter is None else Decimal(tighter))


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: code_letter(1), "lot_size"),
        (lambda: code_letter(100, "IV"), "level"),
        (lambda: plan("I", 1), "letter"),
        (lambda: plan("AB", 1), "letter"),
        (lambda: plan("S", 1, TIGHTENED), "letter"),
        (lambda: plan("A", 3), "aql"),
        (lambda: plan("A", cast(int, 1.0)), "aql"),
    ],
)
def test_what_the_tables_do_not_have_is_refused(call, field):
    with pytest.raises(Invalid) as refused:
        call()
    assert refused.value.field == field


def series(state: Switching, *found: int, **options) -> Switching:
    """Inspect lots of letter K at AQL 1.0: normal 3, tightened 2, reduced 2 are accepted."""
    for one in found:
        state = after(state, letter="K", aql=1, found=one, **options)
    return state


def test_two_of_five_lots_tighten():
    assert series(Switching(), 4, 0, 0, 0, 4).severity is TIGHTENED
    assert series(Switching(), 4, 4).severity is TIGHTENED
    assert series(Switching(), 4, 0, 0, 0, 0, 4).severity is NORMAL


def test_five_accepted_lots_relax():
    tight = Switching(TIGHTENED)
    assert series(tight, 0, 0, 0, 0).severity is TIGHTENED
    assert series(tight, 0, 0, 0, 0, 0) == Switching()
    assert series(tight, 0, 0, 0, 0, 3, 0).severity is TIGHTENED


def test_five_refused_lots_on_tightened_stop_inspection():
    tight = Switching(TIGHTENED)
    assert not series(tight, 3, 0, 3, 0, 3, 0, 3).is_stopped
    stopped = series(tight, 3, 0, 3, 0, 3, 0, 3, 0, 3)
    assert stopped.is_stopped
    with pytest.raises(Invalid):
        series(stopped, 0)
    assert resume(stopped) == Switching(TIGHTENED)
    with pytest.raises(Invalid):
        resume(Switching())


def test_score_of_thirty_reduces():
    """At AQL 0.65 letter K accepts 2: lots with up to 2 count 3, one with 3 is accepted but sets the score to 0."""
    assert series(Switching(), *[2] * 9).score == 27
    assert series(Switching(), *[2] * 10).severity is REDUCED
    assert series(Switching(), *[2] * 9, 3).score == 0
    assert series(Switching(), *[2] * 10, may_reduce=False).severity is NORMAL
    assert series(Switching(), *[2] * 10, is_steady=False).severity is NORMAL


def test_small_acceptance_numbers_score_two():
    state = Switching()
    for _ in range(14):
        state = after(state, letter="F", aql=Decimal("0.65"), found=0)
    assert state.score == 28
    assert after(state, letter="F", aql=Decimal("0.65"), found=0).severity is REDUCED
    assert after(state, letter="F", aql=Decimal("0.65"), found=1).score == 0


def test_reduced_ends_with_a_refused_lot_or_unsteady_production():
    reduced = Switching(REDUCED)
    assert series(reduced, 2, 2, 2) == reduced
    assert series(reduced, 3) == Switching()
    assert series(reduced, 0, is_steady=False) == Switching()
