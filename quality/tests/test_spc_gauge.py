"""The worked example of AIAG, Measurement Systems Analysis, 4th edition: ten parts, three appraisers, three trials."""

from decimal import Decimal

import pytest

from core.errors import Invalid
from quality.spc.gauge import Method, Reading, Verdict, gauge_rr

TRIALS = {
    "A": (
        "0.29 -0.56 1.34 0.47 -0.80 0.02 0.59 -0.31 2.26 -1.36",
        "0.41 -0.68 1.17 0.50 -0.92 -0.11 0.75 -0.20 1.99 -1.25",
        "0.64 -0.58 1.27 0.64 -0.84 -0.21 0.66 -0.17 2.01 -1.31",
    ),
    "B": (
        "0.08 -0.47 1.19 0.01 -0.56 -0.20 0.47 -0.63 1.80 -1.68",
        "0.25 -1.22 0.94 1.03 -1.20 0.22 0.55 0.08 2.12 -1.62",
        "0.07 -0.68 1.34 0.20 -1.28 0.06 0.83 -0.34 2.19 -1.50",
    ),
    "C": (
        "0.04 -1.38 0.88 0.14 -1.46 -0.29 0.02 -0.46 1.77 -1.49",
        "-0.11 -1.13 1.09 0.20 -1.07 -0.67 0.01 -0.56 1.45 -1.77",
        "-0.15 -0.96 0.67 0.11 -1.45 -0.49 0.21 -0.49 1.87 -2.16",
    ),
}
READINGS = [
    Reading.of(str(part), appraiser, Decimal(value))
    for appraiser, trials in TRIALS.items()
    for trial in trials
    for part, value in enumerate(trial.split(), start=1)
]


def test_average_and_range_give_the_published_study():
    found = gauge_rr(READINGS, Method.AVERAGE_RANGE)
    # Published with constants of four digits: 0.20188, 0.22963, 0.30575, 1.10456, 1.14610; 17.62, 20.04, 26.68, 96.38
    # %; ndc 5.
    figures = (found.equipment, found.appraiser, found.gauge, found.parts, found.total)
    for figure, published in zip(figures, (0.20188, 0.22963, 0.30575, 1.10456, 1.14610), strict=True):
        assert float(figure) == pytest.approx(published, abs=2e-4)
    for figure, published in zip(figures, (17.62, 20.04, 26.68, 96.38), strict=False):
        assert float(found.percent(figure)) == pytest.approx(published, abs=0.011)
    assert found.distinct_categories == 5
    assert found.verdict is Verdict.FAIR


def test_anova_gives_the_published_study():
    found = gauge_rr(READINGS)
    assert [(row.freedom, round(float(row.squares), 4)) for row in found.table] == [
        (2, 3.1673),
        (9, 88.3619),
        (18, 0.3590),
        (60, 2.7589),
    ]
    assert found.interaction is None  # not significant, pooled
    for figure, published in (
        (found.equipment, 0.199933),
        (found.appraiser, 0.226838),
        (found.gauge, 0.302373),
        (found.parts, 1.042327),
    ):
        assert float(figure) == pytest.approx(published, abs=2e-6)
    assert float(found.percent_gauge) == pytest.approx(27.9, abs=0.05)
    assert found.distinct_categories == 4  # 4.861


def test_significant_interaction_is_kept():
    kept = gauge_rr(READINGS, alpha=1.0)
    assert kept.interaction == 0  # its mean square is below the equipment's
    swapped = [Reading(one.part, one.appraiser, -one.value if one.appraiser == "C" else one.value) for one in READINGS]
    crossed = gauge_rr(swapped)
    assert crossed.interaction_p < 0.001
    assert crossed.interaction > crossed.equipment
    assert crossed.gauge**2 == pytest.approx(
        float(crossed.equipment**2 + crossed.appraiser**2 + crossed.interaction**2)
    )


def test_order_of_readings_does_not_matter():
    assert gauge_rr(READINGS[::-1]) == gauge_rr(READINGS)


def test_tolerance_gives_its_percent():
    found = gauge_rr(READINGS, tolerance=8)
    assert float(found.percent_of_tolerance) == pytest.approx(6 * 0.302373 / 8 * 100, abs=1e-3)
    assert gauge_rr(READINGS).percent_of_tolerance is None


@pytest.mark.parametrize("method", Method)
def test_gauge_that_always_shows_the_same_is_unknown(method):
    found = gauge_rr([Reading.of(p, a, 1) for p in "12" for a in "AB" for _ in range(2)], method)
    assert found.percent_gauge is found.verdict is found.distinct_categories is None


def test_perfect_gauge_has_no_count_of_categories():
    found = gauge_rr([Reading.of(p, a, int(p)) for p in "12" for a in "AB" for _ in range(2)])
    assert found.gauge == 0
    assert found.percent_gauge == 0
    assert found.verdict is Verdict.GOOD
    assert found.distinct_categories is None


@pytest.mark.parametrize(
    "readings", [[], READINGS[:-1], [one for one in READINGS if one.appraiser == "A"], READINGS[::3][:10]]
)
def test_studies_that_are_not_crossed_are_refused(readings):
    with pytest.raises(Invalid) as refused:
        gauge_rr(readings)
    assert refused.value.field == "readings"


def test_tolerance_is_above_zero():
    with pytest.raises(Invalid):
        gauge_rr(READINGS, tolerance=0)
