"""Exact numbers stay exact as they are stored and as they travel."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.exact import decimal_text, fits_millionths, plain_number, rounded_up, short_text


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


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(100), "100"),
        (Fraction(-5, 2), "-2.5"),
        (Fraction(1, 3), "0.333333333"),
        (Fraction(-1, 10**10), "0"),
        (Fraction(10**40), "1" + "0" * 40),
    ],
)
def test_short_number_has_no_needless_zeros(value, text):
    assert short_text(value) == text


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


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-1200, "-1200"),
        (Decimal("0.000000"), "0"),
        (Decimal("1200.500"), "1200.5"),
        (Decimal("1.2E+3"), "1200"),
        (Decimal("-0.0000001"), "-0.0000001"),
        # More digits than the arithmetic of a process keeps.
        (Decimal(f"{'9' * 40}.10"), f"{'9' * 40}.1"),
        (10**30, "1" + "0" * 30),
    ],
)
def test_number_is_written_in_full_without_needless_zeros(value, text):
    assert plain_number(value) == text
