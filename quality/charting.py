"""Control charts of stored results: points, baselines, and the signals that follow from them.

A point is made of results in the order of their moments, never of their arrival: those of one inspection together,
readings of gauges one after the other. So late, repeated and corrected results end in the same chart and the same
signals.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal
from fractions import Fraction

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from core.announcements import announce
from core.errors import Conflict, Invalid
from core.locks import take_turns
from quality.judging import Held, held
from quality.models import Characteristic, ChartPhase, ControlChart, Result, Signal, SignalAcknowledgement
from quality.spc.charts import Baseline, Counted, Kind, Measured, Subgroup, baseline
from quality.spc.monitor import Chart, Phase, chart
from quality.spc.rules import RuleSet
from workorders.models import Run

MOST_RESULTS = 20_000
"""So many results are drawn and learned from at once; ask for a shorter time where there are more."""
_LOOK_BACK = 100
_STORED = Context(prec=40)
_COUNTED = {Kind.P, Kind.NP}


@dataclass(frozen=True, slots=True)
class Plotted:
    """A subgroup with the moment of its last result, which names the point."""

    at: datetime
    subgroup: Subgroup


@dataclass(frozen=True, slots=True)
class ChartData:
    """A chart ready to be drawn: None without a baseline, and the moments of its points."""

    chart: Chart | None
    points: tuple[Plotted, ...]
    moments: tuple[datetime, ...]


def results_on(of: ControlChart) -> QuerySet[Result]:
    """Return the results that a chart follows, of all versions of its plan."""
    same = Q(characteristic__plan__code=of.characteristic.plan.code, characteristic__code=of.characteristic.code)
    # A plan of all sites is followed at the chart's own.
    here = Q(inspection__site=of.site_id) | Q(tag__isnull=False, machine__line__area__site=of.site_id)
    rows = Result.objects.filter(same & here)
    if of.machine_id is not None:
        rows = rows.filter(machine=of.machine_id)
    if of.product_id is not None:
        # A gauge does not know what is made; the run of its line at that moment does.
        runs = Run.objects.filter(
            Q(ended_at__isnull=True) | Q(ended_at__gt=OuterRef("occurred_at")),
            line=OuterRef("machine__line"),
            started_at__lte=OuterRef("occurred_at"),
            work_order__product=of.product_id,
        )
        rows = rows.filter(Q(product=of.product_id) | (Q(tag__isnull=False) & Exists(runs)))
    return rows


def plotted(
    of: ControlChart, start: datetime | None = None, end: datetime | None = None, most: int | None = MOST_RESULTS
) -> list[Plotted]:
    """Return a chart's points of a time, in order. Raises Invalid for more than 20,000 results.

    A point is as many results as the chart's subgroups have; what is left over at the end waits for more.
    """
    rows = results_on(of)
    if start is not None:
        rows = rows.filter(occurred_at__gte=start)
    if end is not None:
        rows = rows.filter(occurred_at__lt=end)
    if most is not None and rows[most : most + 1].exists():
        raise Invalid(f"There are more than {most} results; choose a shorter time.", field="starts_at")
    by_source: dict[int, list[Held]] = defaultdict(list)
    for one in held(rows):
        if _counts(of, one):
            by_source[one.result.inspection_id or 0].append(one)
    points = []
    for found in by_source.values():
        for first in range(0, len(found) - of.subgroup_size + 1, of.subgroup_size):
            together = found[first : first + of.subgroup_size]
            points.append(Plotted(together[-1].occurred_at, _subgroup(of, together)))
    return sorted(points, key=lambda point: (point.at, str(point.subgroup)))


def _counts(of: ControlChart, one: Held) -> bool:
    """Say whether a result can be plotted."""
    if Kind(of.kind) in _COUNTED:
        return one.is_good is not None
    return one.value is not None


def _subgroup(of: ControlChart, results: Sequence[Held]) -> Subgroup:
    kind = Kind(of.kind)
    if kind.is_measured:
        return Measured(tuple(one.value for one in results if one.value is not None))
    if kind in _COUNTED:
        return Counted.of(sum(one.is_good is False for one in results), len(results))
    # A fraction of a defect counts as begun.
    return Counted.of(sum(-(-(one.value or Fraction(0)) // 1) for one in results), len(results))


def baseline_of(phase: ChartPhase) -> Baseline:
    """Return a stored baseline, exactly as it was computed."""
    of = phase.chart
    kind = Kind(of.kind)
    return Baseline(
        kind,
        phase.name,
        Fraction(phase.centre),
        Fraction(phase.sigma) if phase.sigma else None,
        None if phase.size is None else Fraction(phase.size),
        phase.subgroups,
        None if of.weight is None else Fraction(of.weight),
    )


def phases_of(of: ControlChart) -> list[ChartPhase]:
    """Return the phases that hold, in order: of one moment the last one set."""
    found: dict[datetime, ChartPhase] = {}
    for phase in ChartPhase.objects.filter(chart=of).select_related("chart").order_by("starts_at", "id"):
        found[phase.starts_at] = phase
    return [found[at] for at in sorted(found)]


def chart_data(
    of: ControlChart, start: datetime | None = None, end: datetime | None = None, most: int | None = MOST_RESULTS
) -> ChartData:
    """Return a chart over a time, judged by the phases that held. Without a baseline nothing is judged."""
    points = plotted(of, start, end, most)
    phases = phases_of(of)
    drawn, moments = [], []
    for place, phase in enumerate(phases):
        until = phases[place + 1].starts_at if place + 1 < len(phases) else None
        of_phase = [p for p in points if p.at >= phase.starts_at and (until is None or p.at < until)]
        if of_phase or place == len(phases) - 1:
            drawn.append(Phase(baseline_of(phase), [point.subgroup for point in of_phase]))
            moments += [point.at for point in of_phase]
    if not drawn:
        return ChartData(None, tuple(points), ())
    return ChartData(chart(drawn, RuleSet(of.rule_set)), tuple(points), tuple(moments))


@transaction.atomic
def set_baseline(
    *,
    of: ControlChart,
    name: str,
    starts_at: datetime,
    learned_from: datetime,
    learned_until: datetime,
    actor: User,
    set_at: datetime,
    exclude: Iterable[int] = (),
    comment: str = "",
) -> ChartPhase:
    """Learn centre and spread from the points of a time, and judge by them from a moment on.

    A fact; the chart is judged anew.

    `exclude` are places of points, from 0, whose cause is known. Raises Invalid for too few points.
    """
    if learned_until <= learned_from:
        raise Invalid("The time to learn from ends after it starts.", field="learned_until")
    if not name.strip():
        raise Invalid("Name the phase.", field="name")
    take_turns("control chart", of.pk)
    points = plotted(of, learned_from, learned_until)
    excluded = sorted(set(exclude))
    if any(place < 0 or place >= len(points) for place in excluded):
        raise Invalid(f"There are {len(points)} points, counted from 0.", field="exclude")
    found = baseline(
        Kind(of.kind),
        [point.subgroup for point in points],
        name,
        exclude=excluded,
        **({} if of.weight is None else {"weight": of.weight}),
    )
    phase = ChartPhase.objects.create(
        chart=of,
        name=name.strip(),
        starts_at=starts_at,
        centre=_text(found.centre),
        sigma="" if found.sigma is None else _text(found.sigma),
        size=None if found.size is None else Decimal(found.size.numerator) / found.size.denominator,
        subgroups=found.subgroups,
        learned_from=learned_from,
        learned_until=learned_until,
        comment=comment,
        set_by=actor,
        set_at=set_at,
    )
    _refresh(of, set_at)
    return phase


def _text(value: Fraction) -> str:
    return str(_STORED.divide(Decimal(value.numerator), Decimal(value.denominator)))


def charts_of(results: Iterable[Result]) -> list[ControlChart]:
    """Return the charts that follow any of some results."""
    rows = list(results)
    characteristics = Characteristic.objects.filter(pk__in={row.characteristic_id for row in rows})
    codes = set(characteristics.values_list("plan__code", "code"))
    condition = Q(pk__in=[])
    for plan, code in codes:
        condition |= Q(characteristic__plan__code=plan, characteristic__code=code)
    charts = ControlChart.objects.filter(condition, is_active=True).select_related("characteristic__plan")
    machines = {row.machine_id for row in rows}
    products = {row.product_id for row in rows if row.tag_id is None}
    by_gauge = any(row.tag_id is not None for row in rows)
    return [
        one
        for one in charts.order_by("pk")
        if one.machine_id in (None, *machines) and (by_gauge or one.product_id in (None, *products))
    ]


def follow(results: Iterable[Result], *, at: datetime) -> list[Signal]:
    """Judge the charts that some results are on anew; return the signals that were not known.

    Call it in their transaction.
    """
    rows = list(results)
    new = []
    for of in charts_of(rows):
        take_turns("control chart", of.pk)
        new += _refresh(of, at, since=min(row.occurred_at for row in rows))
    return new


def refresh(of: ControlChart, *, at: datetime) -> list[Signal]:
    """Judge a chart anew, and store which rules are broken; return the signals that were not known."""
    with transaction.atomic():
        take_turns("control chart", of.pk)
        return _refresh(of, at)


def _refresh(of: ControlChart, at: datetime, since: datetime | None = None) -> list[Signal]:
    announce("chart", [of.pk])
    phases = phases_of(of)
    if not phases:
        return []
    start = phases[0].starts_at if since is None else judged_from(of, phases, since)
    data = chart_data(of, start, most=None)
    found: dict[tuple[str, datetime, str], str] = {}
    if data.chart is not None:
        for series in data.chart.panels:
            for signal in series.signals:
                moment = data.moments[signal.at]
                if since is None or moment >= since:
                    found[(series.panel.value, moment, signal.rule.code)] = signal.rule.text
    rows = Signal.objects.filter(chart=of)
    if since is not None:
        rows = rows.filter(point_at__gte=since)
    stored = {(row.panel, row.point_at, row.rule): row for row in rows}
    gone = [row.pk for key, row in stored.items() if key not in found]
    if gone:
        Signal.objects.filter(pk__in=gone).delete()
    is_changed = bool(gone) or any(key not in stored for key in found)
    if is_changed and of.machine_id is not None:
        # Whoever stands at the machine is told, not only who looks at the chart.
        announce("machine", [of.machine_id])
    new = [
        Signal(chart=of, panel=panel, point_at=moment, rule=rule, text=text, detected_at=at)
        for (panel, moment, rule), text in found.items()
        if (panel, moment, rule) not in stored
    ]
    Signal.objects.bulk_create(new)
    return sorted(new, key=lambda signal: (signal.point_at, signal.rule))


def judged_from(of: ControlChart, phases: Sequence[ChartPhase], since: datetime) -> datetime:
    """Return from where on a chart is read to judge its points from a moment on as the whole phase would.

    Rules look back 15 points at most, so some more are enough, whatever else the phase has. Subgroups of readings are
    counted off from the phase's beginning; where inspections or void readings are among them, and for an EWMA, which
    remembers all, it is read whole.
    """
    before = [phase for phase in phases if phase.starts_at <= since]
    start = (before or phases[:1])[-1].starts_at
    if of.kind == ControlChart.Kind.EWMA:
        return start
    earlier = results_on(of).filter(occurred_at__gte=start, occurred_at__lt=since)
    if of.subgroup_size > 1 and (
        earlier.filter(tag__isnull=True).exists() or earlier.filter(corrections__is_void=True).exists()
    ):
        return start
    skipped = earlier.count() // of.subgroup_size * of.subgroup_size - _LOOK_BACK * of.subgroup_size
    if skipped <= 0:
        return start
    last, first = earlier.order_by("occurred_at").values_list("occurred_at", flat=True)[skipped - 1 : skipped + 1]
    # Readings of one moment are not parted.
    return first if last < first else start


@transaction.atomic
def acknowledge(*, signal: Signal, comment: str, actor: User, acknowledged_at: datetime) -> SignalAcknowledgement:
    """Say what a signal was. Raises Conflict when somebody said so already."""
    if not comment.strip():
        raise Invalid("Say what it was.", field="comment")
    take_turns("control chart", signal.chart_id)
    identity = {
        "chart_id": signal.chart_id,
        "panel": signal.panel,
        "point_at": signal.point_at,
        "rule": signal.rule,
    }
    known = SignalAcknowledgement.objects.filter(**identity).first()
    if known is not None:
        if (known.comment, known.acknowledged_by_id) == (comment.strip(), actor.pk):
            return known
        raise Conflict(f"{known.acknowledged_by} acknowledged it already: {known.comment}", field="comment")
    said = SignalAcknowledgement.objects.create(
        **identity, comment=comment.strip(), acknowledged_by=actor, acknowledged_at=acknowledged_at
    )
    announce("chart", [signal.chart_id])
    return said


MOST_CHARTS = 12
"""So many charts of a machine are drawn on one page."""


def charts_at_machine(machine_id: int) -> QuerySet[ControlChart]:
    """Return the charts that follow a machine, at most twelve, by their codes."""
    charts = ControlChart.objects.filter(machine=machine_id, is_active=True)
    return charts.select_related("machine", "site", "characteristic__plan").order_by("code", "pk")[:MOST_CHARTS]


def unanswered(charts: Iterable[ControlChart] | QuerySet[ControlChart]) -> QuerySet[Signal]:
    """Return the signals of charts of which nobody said what they were, the newest first."""
    same = {name: OuterRef(name) for name in ("chart", "panel", "point_at", "rule")}
    answered = Exists(SignalAcknowledgement.objects.filter(**same))
    return Signal.objects.filter(~answered, chart__in=charts).order_by("-point_at", "rule")


def acknowledgements_of(signals: Sequence[Signal]) -> dict[int, SignalAcknowledgement]:
    """Return what was said of signals, by the signal's id. One query."""
    charts = {signal.chart_id for signal in signals}
    said = SignalAcknowledgement.objects.filter(chart__in=charts, point_at__in={s.point_at for s in signals})
    by_identity = {
        (one.chart_id, one.panel, one.point_at, one.rule): one for one in said.select_related("acknowledged_by")
    }
    found = {
        signal.pk: by_identity.get((signal.chart_id, signal.panel, signal.point_at, signal.rule)) for signal in signals
    }
    return {pk: one for pk, one in found.items() if one is not None}
