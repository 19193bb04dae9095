"""How the live pages write shares, pieces and how a line stands."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from live.status import MachineStatus
from live.templatetags.live_format import band, percentage, pieces, signed_pieces, standing


@pytest.mark.parametrize(
    ("delta", "written"),
    [
        (Fraction(3), ("+3", "ahead")),
        (Fraction(-3), ("−3", "behind")),
        (Fraction(0), ("±0", "on target")),
        (Fraction(1, 3), ("±0", "on target")),
        (Fraction(-1, 3), ("±0", "on target")),
        (Fraction(-1, 2), ("−1", "behind")),
    ],
)
def test_sign_and_words_follow_the_number_that_is_written(delta, written):
    assert (signed_pieces(delta), standing(delta)) == written


def test_band_follows_the_share_that_is_written():
    assert band(Fraction(8495, 10000)) == "good"
    assert band(Fraction(84949, 100000)) == "fair"
    assert band(Fraction(6494, 10000)) == "poor"
    assert band(None) == "unknown"


def test_unknown_share_is_a_dash_without_percent():
    assert percentage(None) == "–"
    assert percentage(Fraction(911, 1000)) == "91.1\N{NO-BREAK SPACE}%"


@pytest.mark.parametrize(("state", "is_plain"), [("Running", True), ("Cleaning", False)])
def test_state_that_says_no_more_than_its_category_is_plain(state, is_plain):
    machine = MachineStatus("Filler", True, "running", state, "", None)
    assert machine.is_plain is is_plain


@given(st.fractions(min_value=0, max_value=10**6, max_denominator=12), st.integers(min_value=0, max_value=10**6))
@example(Fraction(133_929, 2), 69_449)
@example(Fraction(1, 2), 0)
def test_good_target_and_difference_add_up_as_they_are_written(target, good):
    def read(text):
        return int(text.replace("\u202f", "").replace("−", "-").replace("±", ""))

    assert read(pieces(Fraction(good))) - read(pieces(target)) == read(signed_pieces(good - target))
