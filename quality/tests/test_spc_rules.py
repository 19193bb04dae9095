"""Every rule with a series that breaks it and one that just does not; the live answer against the whole series."""

import itertools
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Invalid
from quality.spc.charts import Baseline, Counted, Kind, Limits, Measured, Panel, Point, baseline
from quality.spc.monitor import Phase, begin, chart, next_point
from quality.spc.rules import NELSON, RULES, WESTERN_ELECTRIC, RuleSet, Window, next_signals, rules_for, signals

LIMITS = Limits(Fraction(0), Fraction(1), Fraction(-3), Fraction(3))


def points(text: str) -> list[Point]:
    """Make points of distances from the centre in sigma; ? is unknown."""
    return [Point(None if one == "?" else Fraction(Decimal(one)), LIMITS) for one in text.split()]


def spoke(rule, text: str) -> list[tuple[int, ...]]:
    return [signal.points for signal in signals(points(text), [rule])]


ALTERNATING = " ".join(["0.1 -0.1"] * 7)
BREAKS = [
    (WESTERN_ELECTRIC[0], "0 3.01 0 -3.01", [(1,), (3,)]),
    (WESTERN_ELECTRIC[1], "2.1 0 2.1", [(0, 2)]),
    (WESTERN_ELECTRIC[1], "-2.1 -2.1", [(0, 1)]),
    (WESTERN_ELECTRIC[1], "0 -2.1 -2.1", [(1, 2)]),
    (WESTERN_ELECTRIC[1], "2.1 2.1 0", [(0, 1)]),  # the last point must break it itself
    (WESTERN_ELECTRIC[2], "1.1 1.1 0 1.1 1.1", [(0, 1, 3, 4)]),
    (WESTERN_ELECTRIC[2], "0 ? 1.1 1.1 1.1 1.1", [(2, 3, 4, 5)]),
    (WESTERN_ELECTRIC[2], "0 -1.1 -1.1 -1.1 -1.1", [(1, 2, 3, 4)]),
    (WESTERN_ELECTRIC[3], "0.1 " * 8, [tuple(range(8))]),
    (WESTERN_ELECTRIC[3], "-0.1 " * 9, [tuple(range(8)), tuple(range(1, 9))]),
    (NELSON[0], "3.01", [(0,)]),
    (NELSON[1], "0.1 " * 9, [tuple(range(9))]),
    (NELSON[2], "0 .1 .2 .3 .4 .5", [tuple(range(6))]),
    (NELSON[2], "0 -.1 -.2 -.3 -.4 -.5 -.6", [tuple(range(6)), tuple(range(1, 7))]),
    (NELSON[3], ALTERNATING, [tuple(range(14))]),
    (NELSON[4], "-2.1 2.5 -2.1", [(0, 2)]),
    (NELSON[5], "1.1 1.1 -2 1.1 1.1", [(0, 1, 3, 4)]),
    (NELSON[6], " ".join(["0.9 0 -0.9"] * 5), [tuple(range(15))]),
    (NELSON[7], "1.1 -1.1 1.1 1.1 -1.1 -1.1 -1.1 1.1", [tuple(range(8))]),
]
JUST_NOT = [
    (WESTERN_ELECTRIC[0], "3 -3"),
    (WESTERN_ELECTRIC[1], "2 0 2.1"),
    (WESTERN_ELECTRIC[1], "2.1 0 -2.1"),
    (WESTERN_ELECTRIC[1], "2.1 0 0 2.1"),
    (WESTERN_ELECTRIC[1], "2.1 ? 2.1"),
    (WESTERN_ELECTRIC[2], "1.1 1.1 1 0 1.1"),
    (WESTERN_ELECTRIC[2], "1.1 1.1 -1.1 0 1.1"),
    (WESTERN_ELECTRIC[2], "1.1 1.1 0 0 1.1 1.1"),
    (WESTERN_ELECTRIC[3], "0.1 " * 7),
    (WESTERN_ELECTRIC[3], "0.1 " * 7 + "0 0.1"),
    (WESTERN_ELECTRIC[3], "0.1 " * 4 + "? " + "0.1 " * 4),
    (NELSON[0], "3"),
    (NELSON[1], "0.1 " * 8),
    (NELSON[1], "0.1 " * 8 + "0"),
    (NELSON[2], "0 .1 .2 .3 .4"),
    (NELSON[2], "0 .1 .2 .2 .3 .4"),
    (NELSON[2], "0 .1 .2 ? .3 .4 .5"),
    (NELSON[3], ALTERNATING[: ALTERNATING.rindex(" ")]),
    (NELSON[3], "0.1 -0.1 0.1 -0.1 0.1 -0.1 -0.1 0.1 -0.1 0.1 -0.1 0.1 -0.1 0.1"),
    (NELSON[4], "2.1 0 0 2.1"),
    (NELSON[5], "1.1 1.1 1.1 1 0"),
    (NELSON[6], " ".join(["0.9 0 -0.9"] * 4) + " 0 0"),
    (NELSON[6], " ".join(["0.9 0 -0.9"] * 4) + " 0 0 1"),
    (NELSON[7], "1.1 -1.1 1.1 1.1 -1.1 -1.1 -1.1"),
    (NELSON[7], "1.1 -1.1 1.1 1 -1.1 -1.1 -1.1 1.1"),
    (NELSON[7], "1.1 " * 8),  # one side is another rule's
]


@pytest.mark.parametrize(("rule", "text", "expected"), BREAKS)
def test_rule_speaks_of_its_pattern(rule, text, expected):
    assert spoke(rule, text) == expected


@pytest.mark.parametrize(("rule", "text"), JUST_NOT)
def test_rule_is_silent_just_short_of_its_pattern(rule, text):
    assert spoke(rule, text) == []


def test_every_rule_has_both_kinds_of_vectors():
    for vectors in (BREAKS, JUST_NOT):
        assert {rule.code for rule, *_ in vectors} == {rule.code for rule in (*WESTERN_ELECTRIC, *NELSON)}


def test_run_of_eight_is_western_electrics_alone():
    eight = points("0.1 " * 8)
    assert [signal.rule.code for signal in signals(eight, WESTERN_ELECTRIC)] == ["W4"]
    assert signals(eight, NELSON) == ()


def test_sets_are_not_mixed():
    for judge in (lambda rules: signals([], rules), lambda rules: next_signals(Window(), points("0")[0], rules)):
        with pytest.raises(Invalid):
            judge([WESTERN_ELECTRIC[0], NELSON[1]])


@pytest.mark.parametrize(
    ("kind", "panel", "western", "nelson"),
    [
        (Kind.XBAR_R, Panel.LOCATION, 4, 8),
        (Kind.I_MR, Panel.LOCATION, 4, 8),
        (Kind.XBAR_S, Panel.SPREAD, 2, 4),
        (Kind.I_MR, Panel.SPREAD, 1, 1),
        (Kind.EWMA, Panel.LOCATION, 1, 1),
        (Kind.U, Panel.LOCATION, 2, 4),
    ],
)
def test_charts_take_the_rules_that_make_sense_there(kind, panel, western, nelson):
    assert len(rules_for(RuleSet.WESTERN_ELECTRIC, kind, panel)) == western
    assert len(rules_for(RuleSet.NELSON, kind, panel)) == nelson


distances = st.integers(-35, 35).map(lambda tenths: Fraction(tenths, 10))
# Random points alone would hardly ever make a pattern of fourteen: stretches that begin one, of any length, do.
stretches = st.one_of(
    st.lists(st.none() | distances, max_size=6),
    st.builds(lambda one, n: [one] * n, distances, st.integers(1, 10)),
    st.builds(lambda one, step, n: [one + step * i for i in range(n)], distances, distances, st.integers(1, 7)),
    st.builds(lambda a, b, n: [a, b] * n, distances, distances, st.integers(1, 8)),
    st.lists(st.integers(-10, 10).map(lambda tenths: Fraction(tenths, 10)), min_size=10, max_size=16),
)
some_points = st.lists(stretches, max_size=6).map(lambda found: [Point(one, LIMITS) for part in found for one in part])


def oracle(values: list[Fraction | None], rule_set: RuleSet) -> set[tuple[int, int]]:
    """Say which rule speaks where, written anew from the rules' words."""

    def row(end: int, n: int) -> list[Fraction] | None:
        window = values[end - n + 1 : end + 1] if end >= n - 1 else []
        known = [one for one in window if one is not None]
        return None if len(known) < n else known

    def same_side(end: int, n: int, of: int, sigma: int) -> bool:
        window: list[Fraction] = []
        for one in reversed(values[max(end - n + 1, 0) : end + 1]):
            if one is None:
                break
            window.append(one)
        return any(
            sum(side * one > sigma for one in window) >= of and side * window[0] > sigma for side in (1, -1) if window
        )

    def steps(end: int, n: int) -> list[Fraction]:
        window = row(end, n) or []
        return [b - a for a, b in itertools.pairwise(window)]

    found = set()
    for end in range(len(values)):
        one = row(end, 1)
        tests = [
            one is not None and abs(one[0]) > 3,
            same_side(end, 3, 2, 2),
            same_side(end, 5, 4, 1),
            same_side(end, 8, 8, 0),
        ]
        if rule_set is RuleSet.NELSON:
            trend, zigzag, calm, wild = steps(end, 6), steps(end, 14), row(end, 15), row(end, 8)
            tests = [
                tests[0],
                same_side(end, 9, 9, 0),
                bool(trend) and (min(trend) > 0 or max(trend) < 0),
                bool(zigzag) and all((a > 0 > b) or (a < 0 < b) for a, b in itertools.pairwise(zigzag)),
                tests[1],
                tests[2],
                calm is not None and max(map(abs, calm)) < 1,
                wild is not None and min(map(abs, wild)) > 1 and min(wild) < 0 < max(wild),
            ]
        found |= {(number, end) for number, broken in enumerate(tests, start=1) if broken}
    return found


@settings(max_examples=150, deadline=None)
@given(some_points, st.sampled_from(RuleSet))
def test_signals_are_those_of_the_words(series, rule_set):
    found = {(signal.rule.number, signal.at) for signal in signals(series, RULES[rule_set])}
    assert found == oracle([point.value for point in series], rule_set)


@settings(max_examples=150, deadline=None)
@given(some_points, st.sampled_from(RuleSet))
def test_point_by_point_gives_the_same_as_the_whole_series(series, rule_set):
    window, found = Window(), []
    for point in series:
        window, said = next_signals(window, point, RULES[rule_set])
        found.extend(said)
        assert len(window.points) <= 15
    assert tuple(found) == signals(series, RULES[rule_set])


OF = {
    kind: baseline(
        kind,
        [Measured.of(9), Measured.of(11), Measured.of(10)]
        if kind in (Kind.I_MR, Kind.EWMA)
        else [Measured.of(9, 11), Measured.of(10, 11, 8)]
        if kind.is_measured
        else [Counted.of(4, 20), Counted.of(6, 20)],
        weight=Fraction(1, 5) if kind is Kind.EWMA else None,
    )
    for kind in Kind
}


def subgroups_of(kind: Kind):
    value = st.integers(50, 150).map(lambda tenths: Fraction(tenths, 10))
    if not kind.is_measured:
        size = st.just(20) if kind in (Kind.NP, Kind.C) else st.integers(12, 30)
        return st.builds(Counted.of, st.integers(0, 12), size)
    return st.lists(value, min_size=1, max_size=1 if kind is Kind.I_MR else 4).map(
        lambda values: Measured(tuple(values))
    )


@settings(max_examples=120, deadline=None)
@given(st.data(), st.sampled_from(Kind), st.sampled_from(RuleSet))
def test_following_gives_the_same_as_the_whole_chart(data, kind, rule_set):
    series = data.draw(st.lists(st.none() | subgroups_of(kind), max_size=25))
    following, points_of, found = begin(OF[kind], rule_set), {}, {}
    for one in series:
        following, outcome = next_point(following, one)
        for panel in kind.panels:
            points_of.setdefault(panel, []).append(outcome.points[panel])
            found.setdefault(panel, []).extend(outcome.signals[panel])
        assert outcome.is_alarm == any(outcome.signals.values())
    whole = chart([Phase(OF[kind], series)], rule_set)
    for panel in kind.panels:
        assert whole.panel(panel).points == tuple(points_of.get(panel, ()))
        assert whole.panel(panel).signals == tuple(found.get(panel, ()))


def test_no_pattern_reaches_over_the_border_of_two_phases():
    low = Baseline(Kind.I_MR, "before", Fraction(0), Fraction(1), Fraction(1), 20)
    values = [Measured.of(Fraction(1, 2))] * 8
    one = chart([Phase(low, values)], RuleSet.WESTERN_ELECTRIC)
    assert [signal.at for signal in one.panel(Panel.LOCATION).signals] == [7]
    two = chart([Phase(low, values[:4]), Phase(low, values)], RuleSet.WESTERN_ELECTRIC)
    assert [signal.at for signal in two.panel(Panel.LOCATION).signals] == [11]
    assert two.panel(Panel.LOCATION).starts == ((0, "before"), (4, "before"))


def test_what_is_remembered_does_not_grow():
    following = begin(OF[Kind.EWMA], RuleSet.NELSON)
    sizes = set()
    for place in range(400):
        following, _ = next_point(following, Measured.of(10 + place % 3))
        sizes.add(len(str(following.average)))
    assert max(sizes) < 90


def test_unknown_subgroup_is_unknown_on_the_chart():
    following, _ = next_point(begin(OF[Kind.I_MR], RuleSet.NELSON), Measured.of(10))
    following, gap = next_point(following, None)
    assert [point.value for point in gap.points.values()] == [None, None]
    _, after = next_point(following, Measured.of(10))
    assert after.points[Panel.SPREAD].value is None


@pytest.mark.parametrize(
    ("kind", "one"),
    [
        (Kind.XBAR_R, Counted.of(1)),
        (Kind.P, Measured.of(1)),
        (Kind.P, Counted.of(3, 2)),
        (Kind.I_MR, Measured.of(1, 2)),
    ],
)
def test_what_a_chart_cannot_plot_is_refused(kind, one):
    with pytest.raises(Invalid):
        next_point(begin(OF[kind], RuleSet.NELSON), one)


def test_phases_of_different_kinds_make_no_chart():
    with pytest.raises(Invalid):
        chart([Phase(OF[Kind.P], []), Phase(OF[Kind.U], [])], RuleSet.NELSON)
    with pytest.raises(Invalid):
        chart([], RuleSet.NELSON)
