"""Run rules: which patterns of points say that something changed. Two sets, never mixed.

Western Electric: Statistical Quality Control Handbook (1956), the four tests for instability of one half of a chart.
Nelson: L. S. Nelson, The Shewhart Control Chart — Tests for Special Causes, Journal of Quality Technology 16 (1984),
the eight tests. They differ in the run on one side of the centre: eight points there, nine here.

A rule speaks at the point that completes its pattern, and again at each further point for which it holds. On a limit is
not beyond it; on the centre is on neither side. An unknown point breaks every pattern. Comparisons are exact.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from core.errors import Invalid
from quality.spc.charts import Kind, Panel, Point


class RuleSet(StrEnum):
    """Whose rules."""

    WESTERN_ELECTRIC = "western_electric"
    NELSON = "nelson"


@dataclass(frozen=True, slots=True)
class KnownPoint:
    """A point of a window, by its distance from the centre."""

    value: Fraction
    off: Fraction
    sigma: Fraction
    is_beyond: bool


Finder = Callable[[Sequence[KnownPoint]], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its set and number, what it says, how many points it looks at, and how many of them break it.

    `find` takes the last points, up to `window` and at least `needed` of them, and returns the places, in them, of
    those that break it; the last is among them, or none are. Two of three are broken by the first two: the third cannot
    mend it.
    """

    rule_set: RuleSet
    number: int
    text: str
    window: int
    needed: int
    find: Finder

    @property
    def code(self) -> str:
        """Its short name on a chart: W4, N2."""
        return f"{self.rule_set.value[0].upper()}{self.number}"


@dataclass(frozen=True, slots=True)
class Signal:
    """A broken rule: `points` are the places, from 0, of the points that break it; it spoke at the last."""

    rule: Rule
    points: tuple[int, ...]

    @property
    def at(self) -> int:
        """The place of the point that completed the pattern."""
        return self.points[-1]


@dataclass(frozen=True, slots=True)
class Window:
    """What the next point is judged with: how many points were there, and the last of them."""

    count: int = 0
    points: tuple[Point, ...] = ()


def _beyond_limits(points: Sequence[KnownPoint]) -> tuple[int, ...]:
    return (0,) if points[0].is_beyond else ()


def _beyond(needed: int, sigmas: int) -> Finder:
    """Return what finds so many points beyond so many sigmas on one side, the last among them."""

    def find(points: Sequence[KnownPoint]) -> tuple[int, ...]:
        for side in (1, -1):
            places = tuple(i for i, one in enumerate(points) if side * one.off > sigmas * one.sigma)
            if len(places) >= needed and places[-1] == len(points) - 1:
                return places
        return ()

    return find


def _trend(points: Sequence[KnownPoint]) -> tuple[int, ...]:
    steps = [b.value - a.value for a, b in itertools.pairwise(points)]
    return _all(points, all(step > 0 for step in steps) or all(step < 0 for step in steps))


def _alternating(points: Sequence[KnownPoint]) -> tuple[int, ...]:
    steps = [b.value - a.value for a, b in itertools.pairwise(points)]
    return _all(points, all(a * b < 0 for a, b in itertools.pairwise(steps)))


def _hugging(points: Sequence[KnownPoint]) -> tuple[int, ...]:
    return _all(points, all(abs(one.off) < one.sigma for one in points))


def _avoiding(points: Sequence[KnownPoint]) -> tuple[int, ...]:
    both_sides = any(one.off > 0 for one in points) and any(one.off < 0 for one in points)
    return _all(points, both_sides and all(abs(one.off) > one.sigma for one in points))


def _all(points: Sequence[KnownPoint], broken: bool) -> tuple[int, ...]:
    return tuple(range(len(points))) if broken else ()


def _rules(rule_set: RuleSet, *rules: tuple[str, int, int, Finder]) -> tuple[Rule, ...]:
    return tuple(Rule(rule_set, number, *rule) for number, rule in enumerate(rules, start=1))


WESTERN_ELECTRIC = _rules(
    RuleSet.WESTERN_ELECTRIC,
    ("A point beyond a control limit", 1, 1, _beyond_limits),
    ("Two of three points in a row beyond 2 sigma, on one side", 3, 2, _beyond(2, 2)),
    ("Four of five points in a row beyond 1 sigma, on one side", 5, 4, _beyond(4, 1)),
    ("Eight points in a row on one side of the centre", 8, 8, _beyond(8, 0)),
)
NELSON = _rules(
    RuleSet.NELSON,
    ("A point beyond a control limit", 1, 1, _beyond_limits),
    ("Nine points in a row on one side of the centre", 9, 9, _beyond(9, 0)),
    ("Six points in a row, each higher or each lower than the one before", 6, 6, _trend),
    ("Fourteen points in a row, alternating up and down", 14, 14, _alternating),
    ("Two of three points in a row beyond 2 sigma, on one side", 3, 2, _beyond(2, 2)),
    ("Four of five points in a row beyond 1 sigma, on one side", 5, 4, _beyond(4, 1)),
    ("Fifteen points in a row within 1 sigma of the centre", 15, 15, _hugging),
    ("Eight points in a row beyond 1 sigma, on both sides", 8, 8, _avoiding),
)
RULES = {RuleSet.WESTERN_ELECTRIC: WESTERN_ELECTRIC, RuleSet.NELSON: NELSON}

# Without zones: what holds for figures that are not normal.
_WITHOUT_ZONES = {RuleSet.WESTERN_ELECTRIC: (1, 4), RuleSet.NELSON: (1, 2, 3, 4)}


def rules_for(rule_set: RuleSet, kind: Kind, panel: Panel = Panel.LOCATION) -> tuple[Rule, ...]:
    """Return the rules of a set that make sense on a chart.

    Means and single values: all. Ranges, deviations and counts are not normal: only those without zones (Nelson 1984
    allows his first four). Figures that share values with their neighbours, moving ranges and EWMAs, are not
    independent: only the limits.
    """
    if kind is Kind.EWMA or (kind is Kind.I_MR and panel is Panel.SPREAD):
        return RULES[rule_set][:1]
    if panel is Panel.LOCATION and kind.is_measured:
        return RULES[rule_set]
    return tuple(rule for rule in RULES[rule_set] if rule.number in _WITHOUT_ZONES[rule_set])


def next_signals(window: Window, point: Point, rules: Sequence[Rule]) -> tuple[Window, tuple[Signal, ...]]:
    """Judge one more point, at the cost of the rules' windows; give the window back for the next one.

    Raise `Invalid` where rules of both sets are mixed.
    """
    _check(rules)
    longest = max((rule.window for rule in rules), default=1)
    points = (*window.points, point)[-longest:]
    return Window(window.count + 1, points), tuple(_broken(points, window.count, rules))


def signals(points: Sequence[Point], rules: Sequence[Rule]) -> tuple[Signal, ...]:
    """Return every broken rule of a series of points of one phase, by the point that completed it.

    Raise `Invalid` where rules of both sets are mixed.
    """
    _check(rules)
    longest = max((rule.window for rule in rules), default=1)
    found: list[Signal] = []
    for at in range(len(points)):
        found.extend(_broken(points[max(at + 1 - longest, 0) : at + 1], at, rules))
    return tuple(found)


def _broken(points: Sequence[Point], at: int, rules: Sequence[Rule]) -> Iterable[Signal]:
    """Return the rules that the last of some points breaks, whose place is `at`."""
    known = _known(points)
    for rule in rules:
        seen = known[-rule.window :]
        if len(seen) >= rule.needed and (places := rule.find(seen)):
            yield Signal(rule, tuple(at + 1 - len(seen) + place for place in places))


def _known(points: Iterable[Point]) -> list[KnownPoint]:
    """Return the points since the last unknown one."""
    found: list[KnownPoint] = []
    for point in points:
        value, limits = point.value, point.limits
        if value is None:
            found.clear()
        else:
            found.append(KnownPoint(value, value - limits.centre, limits.sigma, limits.is_beyond(value)))
    return found


def _check(rules: Sequence[Rule]) -> None:
    if len({rule.rule_set for rule in rules}) > 1:
        raise Invalid("Rules of one set at a time.", field="rules")
