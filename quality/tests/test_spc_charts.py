"""Centres and limits of published examples, and what charts refuse."""

import os
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from statistics import fmean, stdev

import pytest
from django.conf import settings

from core.errors import Invalid
from quality.spc.charts import Baseline, Counted, Kind, Measured, Panel, baseline
from quality.spc.monitor import Phase, chart
from quality.spc.rules import RuleSet

FOLDER = Path(os.environ.get("MES_REAL_DATA") or settings.BASE_DIR.parent / "shared" / "data")
RINGS = FOLDER / "spc" / "pistonrings.txt"


def singles(text: str) -> list[Measured]:
    return [Measured.of(Decimal(value)) for value in text.split()]


def beyond(drawn, panel: Panel = Panel.LOCATION) -> list[int]:
    """Return the points beyond the limits, counted from 1."""
    return [signal.at + 1 for signal in drawn.panel(panel).signals if signal.rule.number == 1]


def near(value: Fraction | None, text: str) -> bool:
    """Say whether a value rounds to a printed one."""
    printed = Decimal(text)
    half = Fraction(1, 2 * 10 ** len(text.partition(".")[2]))
    return value is not None and abs(value - Fraction(printed)) <= half


@pytest.mark.skipif(not RINGS.is_file(), reason=f"the piston rings are absent: {RINGS} (MES_REAL_DATA)")
class TestPistonRings:
    """The piston rings of D. C. Montgomery, chapter 6: 25 trial samples of five, and 15 samples after them."""

    def phases(self) -> tuple[list[Measured], list[Measured]]:
        rows: dict[str, dict[int, list[Decimal]]] = {"TRUE": defaultdict(list), "FALSE": defaultdict(list)}
        for line in RINGS.read_text().splitlines()[1:]:
            diameter, sample, is_trial = line.split()
            rows[is_trial][int(sample)].append(Decimal(diameter))
        before, after = ([Measured.of(*values) for values in rows[name].values()] for name in ("TRUE", "FALSE"))
        return before, after

    def test_limits_of_the_trial_are_the_published_ones(self):
        trial, _ = self.phases()
        assert len(trial) == 25
        found = baseline(Kind.XBAR_R, trial, "trial").limits()
        assert near(found.lower, "73.988")
        assert near(found.upper, "74.0143")
        assert near(found.centre, "74.0012")

    def test_points_37_to_39_are_out(self):
        trial, later = self.phases()
        of = baseline(Kind.XBAR_R, trial, "trial")
        drawn = chart([Phase(of, [*trial, *later])], RuleSet.NELSON)
        assert beyond(drawn) == [37, 38, 39]
        assert beyond(drawn, Panel.SPREAD) == []

    def test_chart_of_deviations_agrees(self):
        """Limits of the means as Montgomery prints them, 73.988 and 74.014;
        deviations as the standard library has them.
        """
        trial, later = self.phases()
        of = baseline(Kind.XBAR_S, trial)
        assert near(of.limits().upper, "74.014")
        assert near(of.limits().lower, "73.988")
        average = fmean(stdev(float(value) for value in one.values) for one in trial)
        assert float(of.limits(panel=Panel.SPREAD).centre) == pytest.approx(average)
        assert float(of.limits(panel=Panel.SPREAD).upper) == pytest.approx(2.089 * average, rel=1e-4)
        assert of.limits(panel=Panel.SPREAD).lower is None
        assert beyond(chart([Phase(of, [*trial, *later])], RuleSet.WESTERN_ELECTRIC)) == [37, 38, 39]


def test_individual_values_with_moving_ranges():
    """NIST e-Handbook 6.3.2.2, flow rates: mean 50.81, mean moving range 1.8778,
    limits 45.8159 and 55.8041 (with d2 = 1.128).
    """
    values = singles("49.6 47.6 49.9 51.3 47.8 51.2 52.6 52.4 53.6 52.1")
    of = baseline(Kind.I_MR, values)
    assert of.centre == Fraction("50.81")
    assert near(of.limits(panel=Panel.SPREAD).centre, "1.8778")
    assert float(of.limits().upper) == pytest.approx(55.8041, abs=2e-3)
    assert float(of.limits().lower) == pytest.approx(45.8159, abs=2e-3)


def test_counts_of_nonconformities():
    """NIST e-Handbook 6.3.3.1, wafers: mean 16, limits 4 and 28, the last wafer is out."""
    counts = "16 14 28 16 12 20 10 12 10 17 19 17 14 16 15 13 14 16 11 20 11 19 16 31 13"
    wafers = [Counted.of(int(count)) for count in counts.split()]
    of = baseline(Kind.C, wafers)
    limits = of.limits()
    assert (limits.centre, limits.lower, limits.upper) == (16, 4, 28)
    # 28 lies on the limit, and on the limit is inside.
    assert beyond(chart([Phase(of, wafers)], RuleSet.NELSON)) == [24]


def test_shares_of_nonconforming_items():
    """Montgomery, table 7.1, orange juice cans: 0.2313, limits 0.0524 and 0.4102, samples 15 and 23 out;
    without them 0.2150.
    """
    counts = "12 15 8 10 4 7 16 9 14 10 5 6 17 12 22 8 10 5 13 11 20 18 24 15 9 12 7 13 9 6"
    cans = [Counted.of(int(count), 50) for count in counts.split()]
    of = baseline(Kind.P, cans)
    limits = of.limits()
    assert near(limits.centre, "0.2313")
    assert near(limits.lower, "0.0524")
    assert near(limits.upper, "0.4102")
    assert beyond(chart([Phase(of, cans)], RuleSet.NELSON)) == [15, 23]
    assert near(baseline(Kind.P, cans, exclude=[14, 22]).centre, "0.2150")
    numbers = baseline(Kind.NP, cans)
    assert near(numbers.limits().centre, "11.57")
    assert beyond(chart([Phase(numbers, cans)], RuleSet.NELSON)) == [15, 23]


def test_shares_of_samples_that_differ_in_size():
    """Montgomery, table 7.4, purchase orders: 234 of 2450, limits point by point, sample 11 out."""
    sizes = "100 80 80 100 110 110 100 100 90 90 110 120 120 120 110 80 80 80 90 100 100 100 100 90 90"
    counts = "12 8 6 9 10 12 11 16 10 6 20 15 9 8 6 8 10 7 5 8 5 8 10 6 9"
    orders = [Counted.of(int(c), int(n)) for c, n in zip(counts.split(), sizes.split(), strict=True)]
    of = baseline(Kind.P, orders)
    assert of.size is None
    assert near(of.centre, "0.0955")
    assert near(of.limits(110).upper, "0.180")
    assert near(of.limits(110).lower, "0.011")
    drawn = chart([Phase(of, orders)], RuleSet.NELSON)
    assert beyond(drawn) == [11]
    assert len({point.limits.upper for point in drawn.panel(Panel.LOCATION).points}) == 5


def test_nonconformities_per_unit_have_limits_of_their_own_size():
    pieces = [Counted.of(4, 2), Counted.of(6, 3), Counted.of(8, 4)]
    of = baseline(Kind.U, pieces)
    assert of.centre == 2
    assert of.limits(2).upper == 5  # 2 + 3 sqrt(2 / 2)
    assert of.limits(8).upper == Fraction(7, 2)
    assert of.limits(8).lower == Fraction(1, 2)
    assert of.limits(2).lower is None


def test_weighted_means():
    """NIST e-Handbook 6.3.2.4: λ = 0.3, centre 50, sigma 2.0539, limits 47.4115 and 52.5884."""
    values = singles(
        "52.0 47.0 53.0 49.3 50.1 47.0 51.0 50.1 51.2 50.5 49.6 47.6 49.9 51.3 47.8 51.2 52.6 52.4 53.6 52.1"
    )
    of = Baseline(Kind.EWMA, "", Fraction(50), Fraction("2.0539"), Fraction(1), 20, Fraction(3, 10))
    assert float(of.limits().upper) == pytest.approx(52.5884, abs=2e-4)
    points = chart([Phase(of, values)], RuleSet.NELSON).panel(Panel.LOCATION).points
    published = "50.60 49.52 50.56 50.18 50.16 49.21 49.75 49.85 50.26 50.33 50.11 49.36 49.52 50.05 49.38 49.92 50.73 51.23 51.94 51.99"
    for point, text in zip(points, published.split(), strict=True):
        assert abs(float(point.value) - float(text)) < 0.0101


def test_limits_of_weighted_means_open_with_time():
    """Montgomery, example 9.2: λ = 0.1, L = 2.7, centre 10, sigma 1: ±0.27 and ±0.36 first, ±0.62 in the end;
    29 and 30 out.
    """
    values = singles(
        "9.45 7.99 9.29 11.66 12.16 10.18 8.04 11.46 9.20 10.34 9.03 11.47 10.51 9.40 10.08 9.37 10.62 10.31 8.52 10.84 "
        "10.90 9.33 12.29 11.50 10.60 11.08 10.38 11.62 11.31 10.52"
    )
    of = Baseline(Kind.EWMA, "", Fraction(10), Fraction(1), Fraction(1), 20, Fraction(1, 10), Fraction("2.7"))
    drawn = chart([Phase(of, values)], RuleSet.NELSON)
    points = drawn.panel(Panel.LOCATION).points
    assert points[0].value == Fraction("9.945")
    assert near(points[0].limits.upper, "10.27")
    assert near(points[1].limits.upper, "10.36")
    assert near(points[-1].limits.upper, "10.62")
    assert points[-1].limits.upper < of.limits().upper
    assert beyond(drawn) == [29, 30]


def test_subgroups_of_different_sizes_weigh_every_value():
    groups = [Measured.of(1, 3), Measured.of(2, 2, 5)]
    of = baseline(Kind.XBAR_R, groups)
    assert of.centre == Fraction("2.6")
    assert of.size is None
    assert of.limits(4).upper - of.centre == pytest.approx(float(3 * of.sigma / 2))
    with pytest.raises(Invalid) as refused:
        of.limits()
    assert refused.value.field == "size"


def test_gaps_have_no_moving_range():
    of = baseline(Kind.I_MR, [Measured.of(1), Measured.of(2), None, Measured.of(100), Measured.of(101)])
    assert of.limits(panel=Panel.SPREAD).centre == pytest.approx(1, abs=1e-12)


def test_excluded_subgroups_do_not_count():
    values = [Measured.of(one) for one in (1, 2, 90, 2, 1)]
    assert baseline(Kind.I_MR, values, exclude=[2]).centre == Fraction("1.5")


@pytest.mark.parametrize(
    ("kind", "groups", "field"),
    [
        (Kind.XBAR_R, [], "subgroups"),
        (Kind.XBAR_R, [None], "subgroups"),
        (Kind.XBAR_R, [Measured.of(1)], "subgroups"),
        (Kind.XBAR_R, [Counted.of(1, 2)], "subgroups"),
        (Kind.P, [Measured.of(1)], "subgroups"),
        (Kind.I_MR, [Measured.of(1)], "subgroups"),
        (Kind.I_MR, [Measured.of(1, 2)], "subgroups"),
        (Kind.NP, [Counted.of(1, 10), Counted.of(1, 20)], "subgroups"),
        (Kind.C, [Counted.of(1, 1), Counted.of(1, 2)], "subgroups"),
        (Kind.P, [Counted.of(3, 2)], "found"),
        (Kind.P, [Counted.of(1, Fraction(5, 2))], "inspected"),
        (Kind.EWMA, [Measured.of(1), Measured.of(2)], "weight"),
    ],
)
def test_what_makes_no_baseline_is_refused(kind, groups, field):
    with pytest.raises(Invalid) as refused:
        baseline(kind, groups)
    assert refused.value.field == field


@pytest.mark.parametrize("weight", [0, -1, 2])
def test_weights_out_of_range_are_refused(weight):
    with pytest.raises(Invalid):
        baseline(Kind.EWMA, [Measured.of(1), Measured.of(2)], weight=weight)


@pytest.mark.parametrize("value", [1.5, float("nan"), Decimal("NaN"), Decimal("Infinity"), True, "1"])
def test_only_exact_numbers_come_in(value):
    with pytest.raises(Invalid):
        Measured.of(value)


@pytest.mark.parametrize(("found", "inspected"), [(-1, 5), (1.0, 5), (True, 5), (1, 0), (1, 2.5)])
def test_counts_that_cannot_be_are_refused(found, inspected):
    with pytest.raises(Invalid):
        Counted.of(found, inspected)


def test_np_chart_refuses_a_point_of_another_size():
    of = baseline(Kind.NP, [Counted.of(1, 10), Counted.of(2, 10)])
    with pytest.raises(Invalid) as refused:
        of.limits(11)
    assert refused.value.field == "size"


def test_stored_baseline_judges_as_the_computed_one():
    of = baseline(Kind.XBAR_R, [Measured.of(1, 2, 4), Measured.of(2, 3, 7)])
    for figure in (of.centre, of.sigma):
        stored = Decimal(figure.numerator) / Decimal(figure.denominator)
        assert len(stored.as_tuple().digits) <= 20
        assert Fraction(stored) == figure
