"""Follow a process: plot subgroup after subgroup against a baseline, and say at once which rules the newest breaks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Context
from fractions import Fraction

from core.errors import Invalid
from quality.spc.charts import Baseline, Counted, Kind, Limits, Measured, Panel, Point, Subgroup, check_shares
from quality.spc.numbers import deviation, mean, root, rounded
from quality.spc.rules import RuleSet, Signal, Window, next_signals, rules_for, signals

# An EWMA remembers everything, so its exact fraction would grow with every point.
_FOLLOWED = Context(prec=34)


@dataclass(frozen=True, slots=True)
class Following:
    """What must be remembered between two points of a phase; its size does not grow. `begin` makes the first."""

    baseline: Baseline
    rule_set: RuleSet
    windows: dict[Panel, Window]
    previous: Fraction | None = None
    average: Fraction | None = None
    variance: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a subgroup: its point on each panel, and the rules that it broke there."""

    points: dict[Panel, Point]
    signals: dict[Panel, tuple[Signal, ...]]

    @property
    def is_alarm(self) -> bool:
        """Say whether any rule was broken."""
        return any(self.signals.values())


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of subgroups that one baseline judges."""

    baseline: Baseline
    subgroups: Sequence[Subgroup | None]


@dataclass(frozen=True, slots=True)
class Series:
    """A panel over all its phases: points, broken rules (places from the first point of all),
    and where each phase begins.
    """

    panel: Panel
    points: tuple[Point, ...]
    signals: tuple[Signal, ...]
    starts: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A control chart, ready to be drawn."""

    kind: Kind
    rule_set: RuleSet
    panels: tuple[Series, ...] = field(default=())

    def panel(self, panel: Panel) -> Series:
        """Return one of its panels. Raise `Invalid` where it has none such."""
        for series in self.panels:
            if series.panel is panel:
                return series
        raise Invalid("This chart has no such panel.", field="panel")


def begin(baseline: Baseline, rule_set: RuleSet) -> Following:
    """Begin to follow a process, with no point so far."""
    return Following(baseline, rule_set, {panel: Window() for panel in baseline.kind.panels})


def next_point(following: Following, subgroup: Subgroup | None) -> tuple[Following, Outcome]:
    """Plot the next subgroup, None being unknown, and judge it. The cost does not depend on how many were there before.

    Ends with the same as `chart` over the whole phase. Raise `Invalid` for a subgroup that the chart cannot plot.
    """
    following, points = _plot(following, subgroup)
    kind, windows, found = following.baseline.kind, {}, {}
    for panel, point in points.items():
        rules = rules_for(following.rule_set, kind, panel)
        windows[panel], found[panel] = next_signals(following.windows[panel], point, rules)
    return replace(following, windows=windows), Outcome(points, found)


def chart(phases: Iterable[Phase], rule_set: RuleSet) -> Chart:
    """Plot and judge whole phases, one after the other. No pattern reaches over the border of two.

    Raise `Invalid` without a phase, and for phases of different kinds.
    """
    of = tuple(phases)
    kinds = {phase.baseline.kind for phase in of}
    if len(kinds) != 1:
        raise Invalid("A chart needs phases of one kind.", field="phases")
    kind = kinds.pop()
    plotted = [_points(phase, rule_set) for phase in of]
    return Chart(kind, rule_set, tuple(_series(panel, of, plotted, kind, rule_set) for panel in kind.panels))


def _series(
    panel: Panel,
    phases: Sequence[Phase],
    plotted: Sequence[dict[Panel, list[Point]]],
    kind: Kind,
    rule_set: RuleSet,
) -> Series:
    points: list[Point] = []
    found: list[Signal] = []
    starts: list[tuple[int, str]] = []
    for phase, panels in zip(phases, plotted, strict=True):
        first = len(points)
        starts.append((first, phase.baseline.phase))
        for signal in signals(panels[panel], rules_for(rule_set, kind, panel)):
            found.append(replace(signal, points=tuple(first + place for place in signal.points)))
        points.extend(panels[panel])
    return Series(panel, tuple(points), tuple(found), tuple(starts))


def _points(phase: Phase, rule_set: RuleSet) -> dict[Panel, list[Point]]:
    following = begin(phase.baseline, rule_set)
    found: dict[Panel, list[Point]] = {panel: [] for panel in phase.baseline.kind.panels}
    for subgroup in phase.subgroups:
        following, points = _plot(following, subgroup)
        for panel, point in points.items():
            found[panel].append(point)
    return found


def _plot(following: Following, subgroup: Subgroup | None) -> tuple[Following, dict[Panel, Point]]:
    """Return the points of a subgroup, and what must be remembered of it."""
    of = following.baseline
    if subgroup is None:
        size = None if of.size is not None else 2
        unknown = {panel: Point(None, of.limits(size, panel)) for panel in of.kind.panels}
        return replace(following, previous=None), unknown
    if not of.kind.is_measured:
        return following, {Panel.LOCATION: _counted_point(of, subgroup)}
    if not isinstance(subgroup, Measured):
        raise Invalid("This chart is one of measured values.", field="subgroup")
    if of.kind is Kind.EWMA:
        return _average(following, subgroup)
    if of.kind is Kind.I_MR:
        return _individual(following, subgroup)
    return following, _subgroup_points(of, subgroup.values)


def _counted_point(of: Baseline, subgroup: Subgroup) -> Point:
    if not isinstance(subgroup, Counted):
        raise Invalid("This chart is one of counts.", field="subgroup")
    if of.kind in (Kind.P, Kind.NP):
        check_shares([subgroup])
    found = Fraction(subgroup.found)
    value = found / subgroup.inspected if of.kind in (Kind.P, Kind.U) else found
    return Point(value, of.limits(subgroup.inspected))


def _subgroup_points(of: Baseline, values: Sequence[Fraction]) -> dict[Panel, Point]:
    size = len(values)
    if size < 2:
        # One value has a mean, but says nothing of the spread.
        return {
            Panel.LOCATION: Point(values[0], of.limits(size)),
            Panel.SPREAD: Point(None, of.limits(of.size or 2, Panel.SPREAD)),
        }
    spread = max(values) - min(values) if of.kind is Kind.XBAR_R else deviation(values)
    return {
        Panel.LOCATION: Point(mean(values), of.limits(size)),
        Panel.SPREAD: Point(spread, of.limits(size, Panel.SPREAD)),
    }


def _individual(following: Following, subgroup: Measured) -> tuple[Following, dict[Panel, Point]]:
    if len(subgroup.values) != 1:
        raise Invalid("A chart of individual values takes them one by one.", field="subgroup")
    of, value = following.baseline, subgroup.values[0]
    moving = None if following.previous is None else abs(value - following.previous)
    points = {Panel.LOCATION: Point(value, of.limits()), Panel.SPREAD: Point(moving, of.limits(panel=Panel.SPREAD))}
    return replace(following, previous=value), points


def _average(following: Following, subgroup: Measured) -> tuple[Following, dict[Panel, Point]]:
    """Return z = λ x + (1 - λ) z' with limits of its exact variance: v = λ² σ² / n + (1 - λ)² v',
    both from z = centre, v = 0.

    For subgroups of one size that is σ² / n · λ / (2 - λ) · (1 - (1 - λ)^2i) (Montgomery, chapter 9; S. W. Roberts,
    1959). An unknown subgroup leaves both as they are.
    """
    of, weight = following.baseline, following.baseline.weight or Fraction(1)
    before = of.centre if following.average is None else following.average
    average = rounded(weight * (mean(subgroup.values) or Fraction(0)) + (1 - weight) * before, _FOLLOWED)
    fresh = weight**2 * of.of_values**2 / len(subgroup.values)
    variance = rounded(fresh + (1 - weight) ** 2 * following.variance, _FOLLOWED)
    sigma = root(variance)
    limits = Limits(of.centre, sigma, of.centre - of.width * sigma, of.centre + of.width * sigma)
    return replace(following, average=average, variance=variance), {Panel.LOCATION: Point(average, limits)}
