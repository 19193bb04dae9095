from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from core.errors import Invalid
from quality.spc.capability import Band, SigmaSource, band, capability, normality
from quality.spc.charts import Measured

GROUPS = [Measured.of(*map(Decimal, text.split())) for text in ("9.9 10.1 10.0", "10.2 9.8 10.0", "10.1 10.0 9.9")]


def test_indices_follow_their_formulas():
    """Pooled sigma: sqrt((0.02 + 0.08 + 0.02) / 6) = sqrt(0.02); overall: sqrt(0.12 / 8) = sqrt(0.015);
    the mean is 10.
    """
    found = capability(GROUPS, lsl=Decimal("9.4"), usl=Decimal("10.3"))
    assert found.mean == 10
    assert found.sigma_source is SigmaSource.POOLED
    assert float(found.sigma_within) == pytest.approx(0.02**0.5)
    assert float(found.sigma_overall) == pytest.approx(0.015**0.5)
    assert float(found.cp) == pytest.approx(0.9 / (6 * 0.02**0.5))
    assert float(found.cpk) == pytest.approx(0.3 / (3 * 0.02**0.5))
    assert found.cpk == found.upper < found.lower
    assert float(found.pp) == pytest.approx(0.9 / (6 * 0.015**0.5))
    assert float(found.ppk) == pytest.approx(0.3 / (3 * 0.015**0.5))


def test_pooled_sigma_is_exact_where_its_root_is():
    assert capability([Measured.of(1, 3)], lsl=0, usl=None).sigma_within ** 2 == pytest.approx(2)


@pytest.mark.parametrize(("lsl", "usl"), [(9, None), (None, 11)])
def test_one_limit_gives_one_side(lsl, usl):
    found = capability(GROUPS, lsl=lsl, usl=usl)
    assert found.cp is found.pp is found.cpm is None
    assert found.cpk == (found.lower if usl is None else found.upper)
    assert None in (found.lower, found.upper)
    assert found.ppk is not None


def test_target_lowers_cpm_as_the_mean_leaves_it():
    centred = capability(GROUPS, lsl=9, usl=11, target=10)
    off = capability(GROUPS, lsl=9, usl=11, target=Decimal("10.2"))
    assert centred.cpm == pytest.approx(float(centred.pp))
    assert off.cpm < centred.cpm


def test_single_values_take_their_moving_range():
    found = capability([10, 12, 11, 13], lsl=0, usl=20)
    assert found.sigma_source is SigmaSource.MOVING_RANGE
    assert float(found.sigma_within) == pytest.approx((5 / 3) / 1.128379167)


@pytest.mark.parametrize(
    ("source", "sigma"), [(SigmaSource.RANGE, (0.8 / 3) / 1.692569), (SigmaSource.DEVIATION, (0.4 / 3) / 0.886227)]
)
def test_source_of_sigma_is_chosen(source, sigma):
    assert float(capability(GROUPS, lsl=9, usl=11, sigma_source=source).sigma_within) == pytest.approx(sigma, rel=1e-5)


def test_interval_of_cp_is_the_published_one():
    """Montgomery, example 8.5 (8.4 in older editions): Ĉp = 2.29 of n = 20, from 1.57 to 3.01."""
    found = capability(range(1, 21), lsl=0, usl=100)
    scale = 2.29 / float(found.pp)
    assert found.pp_interval.low * scale == pytest.approx(1.57, abs=0.01)
    assert found.pp_interval.high * scale == pytest.approx(3.01, abs=0.01)


def test_interval_of_cpk_follows_bissell():
    """1.33 of n = 20: 1.33 ± 1.96 sqrt(1 / 180 + 1.33² / 38), worked out by hand."""
    values = list(range(1, 21))
    sigma = 35**0.5
    usl = Fraction(Decimal(repr(10.5 + 3 * 1.33 * sigma)))
    found = capability(values, lsl=None, usl=usl)
    assert float(found.ppk) == pytest.approx(1.33)
    assert found.ppk_interval.low == pytest.approx(0.88, abs=0.01)
    assert found.ppk_interval.high == pytest.approx(1.78, abs=0.01)


def test_mean_ranges_have_nearly_published_degrees_of_freedom():
    """Of 25 ranges of 5: Patnaik's 0.9 × 25 × 4 = 90, so the interval is that of 90 degrees of freedom."""
    groups = [Measured.of(1, 2, 3, 4, 5 + place % 2) for place in range(25)]
    found = capability(groups, lsl=-10, usl=16, sigma_source=SigmaSource.RANGE)
    pooled = capability(groups, lsl=-10, usl=16)
    widths = [(one.cp_interval.high - one.cp_interval.low) / float(one.cp) for one in (found, pooled)]
    assert widths[0] / widths[1] == pytest.approx((100 / 90) ** 0.5, rel=0.01)


@pytest.mark.parametrize(
    ("index", "expected"),
    [("0.99", Band.POOR), ("1.00", Band.FAIR), ("1.3299", Band.FAIR), ("1.33", Band.GOOD), (None, None)],
)
def test_bands_begin_at_their_bounds(index, expected):
    assert band(None if index is None else Fraction(index)) is expected


def test_nothing_is_said_of_a_spread_that_is_unknown_or_zero():
    alone = capability([10], lsl=9, usl=11)
    assert alone.cp is alone.cpk is alone.pp is alone.band is alone.cp_interval is alone.normality is None
    still = capability([10, 10, 10], lsl=9, usl=11)
    assert still.sigma_within == 0
    assert still.cpk is still.ppk is None


def test_hint_tells_normal_values_from_skewed_ones():
    random = np.random.default_rng(7)
    bell = [Fraction(int(x * 1000), 1000) for x in random.normal(74, 0.01, 200) * 1000]
    skewed = [Fraction(int(x * 1000), 1000) for x in random.exponential(1, 200)]
    assert normality(bell).looks_normal
    assert not normality(skewed).looks_normal
    assert normality(skewed * 30).test == "D'Agostino-Pearson"
    assert normality(bell[:7]) is None
    assert normality([Fraction(1)] * 20) is None


@pytest.mark.parametrize(
    ("data", "options", "field"),
    [
        ([], {"lsl": 1, "usl": 2}, "data"),
        ([1, 2], {"lsl": None, "usl": None}, "usl"),
        ([1, 2], {"lsl": 2, "usl": 2}, "usl"),
        ([1, 2], {"lsl": 1.0, "usl": 2}, "lsl"),
        ([1.5], {"lsl": 1, "usl": 2}, "values"),
        ([1, 2], {"lsl": 1, "usl": 2, "confidence": 1.0}, "confidence"),
        ([Measured.of(1, 2)], {"lsl": 1, "usl": 2, "sigma_source": SigmaSource.MOVING_RANGE}, "sigma_source"),
    ],
)
def test_contradictions_are_refused(data, options, field):
    with pytest.raises(Invalid) as refused:
        capability(data, **options)
    assert refused.value.field == field
