"""Exact numbers stay exact as they are stored and as they travel."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.exact import decimal_text, fits_millionths, rounded_up


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (None, 6, None),
        (Fraction(0), 12, "0.000000000000"),
        (Fraction(1, 10**9), 12, "0.000000001000"),
        (Fraction(-1, 3), 2, "-0.33"),
        (Fraction(-1, 10**7), 6, "0.000000"),
        (Fraction(5, 2 * 10**6), 6, "0.000002"),
        (Fraction(10**40, 3), 1, "3" * 40 + ".3"),
    ],
)
def test_number_travels_with_all_its_decimals(value, places, text):
    assert decimal_text(value, places) == text


@given(st.fractions(max_denominator=10**9))
def test_text_is_never_off_by_more_than_half_a_unit(value):
    assert abs(Fraction(decimal_text(value)) - value) * 2 <= Fraction(1, 10**6)


@given(st.fractions(max_denominator=10**9))
def test_rounding_up_never_takes_away(value):
    stored = rounded_up(value)
    assert fits_millionths(stored)
    assert 0 <= abs(Fraction(stored)) - abs(value) < Fraction(1, 10**6)


@pytest.mark.parametrize(
    ("quantity", "fits"),
    [("1.500000", True), ("1E+40", True), ("0.0000001", False), ("NaN", False), ("-Infinity", False)],
)
def test_at_most_six_decimals_fit(quantity, fits):
    assert fits_millionths(Decimal(quantity)) is fits
