"""The constants are those of published tables (ASTM E2587; Montgomery, appendix VI), to their last printed digit."""

from decimal import Decimal

import pytest

from core.errors import Invalid
from quality.spc.constants import c4, c5, d2, d2_of_mean_range, d3, table

# n: A2, A3, B3, B4, D3, D4, d2, d3, c4
PUBLISHED = {
    2: "1.880 2.659 0 3.267 0 3.267 1.128 0.853 0.7979",
    3: "1.023 1.954 0 2.568 0 2.575 1.693 0.888 0.8862",
    4: "0.729 1.628 0 2.266 0 2.282 2.059 0.880 0.9213",
    5: "0.577 1.427 0 2.089 0 2.114 2.326 0.864 0.9400",
    6: "0.483 1.287 0.030 1.970 0 2.004 2.534 0.848 0.9515",
    7: "0.419 1.182 0.118 1.882 0.076 1.924 2.704 0.833 0.9594",
    8: "0.373 1.099 0.185 1.815 0.136 1.864 2.847 0.820 0.9650",
    9: "0.337 1.032 0.239 1.761 0.184 1.816 2.970 0.808 0.9693",
    10: "0.308 0.975 0.284 1.716 0.223 1.777 3.078 0.797 0.9727",
    15: "0.223 0.789 0.428 1.572 0.347 1.653 3.472 0.756 0.9823",
    20: "0.180 0.680 0.510 1.490 0.415 1.585 3.735 0.729 0.9869",
    25: "0.153 0.606 0.565 1.435 0.459 1.541 3.931 0.708 0.9896",
}
NAMES = ("A2", "A3", "B3", "B4", "D3", "D4", "d2", "d3", "c4")


@pytest.mark.parametrize("n", PUBLISHED)
def test_factors_are_those_of_published_tables(n):
    for name, text in zip(NAMES, PUBLISHED[n].split(), strict=True):
        # Tables differ among each other by one in the last digit, where they were made of rounded ones.
        last = Decimal(1).scaleb(Decimal(text).as_tuple().exponent) if text != "0" else Decimal("0.001")
        assert abs(float(table(n)[name]) - float(text)) <= float(last), (name, n)


def test_range_of_two_is_known_in_closed_form():
    assert float(d2(2)) == pytest.approx(2 / 3.141592653589793**0.5, abs=1e-9)
    assert float(d3(2)) == pytest.approx((2 - 4 / 3.141592653589793) ** 0.5, abs=1e-9)
    assert float(c4(2)) == pytest.approx((2 / 3.141592653589793) ** 0.5, abs=1e-9)


def test_deviation_of_deviations_follows_from_their_mean():
    assert float(c5(5)) == pytest.approx(0.3412, abs=5e-5)


@pytest.mark.parametrize(
    ("size", "k"),
    [(2, 0.7071), (3, 0.5231), (4, 0.4467), (5, 0.4030), (6, 0.3742), (7, 0.3534), (8, 0.3375), (10, 0.3146)],
)
def test_one_range_has_the_constants_of_gauge_studies(size, k):
    """AIAG MSA, K2 and K3."""
    assert float(1 / d2_of_mean_range(size, 1)) == pytest.approx(k, abs=6e-5)


@pytest.mark.parametrize("n", [0, 1, 101])
def test_subgroups_of_other_sizes_are_refused(n):
    for constant in (d2, d3, c4):
        with pytest.raises(Invalid):
            constant(n)
