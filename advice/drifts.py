"""Cycle times and reject rates of a machine and product that creep up, found in the stored hours."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from advice.engine.drift import (
    BASELINE_NEEDED,
    FALSE_ALARM_EVERY,
    Drift,
    Usual,
    find_drift,
    found_within,
    usual_of,
    usual_share,
)
from advice.findings import Finding, Found, Quiet, rounded, stored
from advice.models import Kind
from advice.own_log import known_window, produced_of
from core.intervals import HOUR, Interval
from enterprise.models import Machine, Site
from oee.engine import Category, CountRole
from oee.scopes import every_machine_of
from oee.selectors import schemes_of
from oee.slicing import slices_of
from products.models import Product
from workorders.models import Run

LOOKED_BACK = timedelta(days=42)
LEARNED_SHARE = 0.6
"""The first part of the hours of a product, at least `BASELINE_NEEDED`, is what is usual."""
LEAST = 0.02
WATCHED = 0.08
"""The drift of which is said after how many hours it is found."""
_HOUR_US = 3_600_000_000
_ENOUGH_RUNNING = _HOUR_US // 4
_Hour = tuple[datetime, float, float, float]
"""When, seconds run, pieces made, rejects."""


@dataclass(frozen=True, slots=True)
class _Series:
    """The hours of a product on a machine: the first `learned` of them say what is usual, the others are watched."""

    machine: Machine
    product: Product
    rows: list[_Hour]
    learned: int
    window: Interval


def drifts(site: Site, *, now: datetime) -> list[Found]:
    """Return what drifts, by machine and product; of each the usual hours are its own."""
    machines = every_machine_of(site)
    window = known_window(machines, now=now, longest=LOOKED_BACK)
    if window is None:
        return [Quiet(kind=Kind.CYCLE_DRIFT, subject=f"cycle drift site {site.pk}", why="nothing_known")]
    found: list[Found] = []
    hours = _hours(machines, window, now=now)
    names = Product.objects.in_bulk({product for _, product in hours})
    for machine in machines:
        of_machine = {product: rows for (pk, product), rows in hours.items() if pk == machine.pk}
        most = max((len(rows) for rows in of_machine.values()), default=0)
        if of_machine and most <= BASELINE_NEEDED:
            facts = {"hours": most, "needed": BASELINE_NEEDED + 1}
            subject = f"cycle drift machine {machine.pk}"
            found.append(
                Quiet(
                    kind=Kind.CYCLE_DRIFT,
                    subject=subject,
                    why="thin_hours",
                    facts=facts,
                    line=machine.line,
                    machine=machine,
                )
            )
        for product_id, rows in of_machine.items():
            learned = max(BASELINE_NEEDED, int(len(rows) * LEARNED_SHARE))
            if len(rows) > learned:
                series = _Series(machine, names[product_id], rows, learned, window)
                found += [*_cycle(series, now=now), *_rejects(series, now=now)]
    return found


def _hours(machines: list[Machine], window: Interval, *, now: datetime) -> dict[tuple[int, int], list[_Hour]]:
    schemes = schemes_of([machine.pk for machine in machines])
    slices = slices_of(machines, window, now=now, by_hour=True, by_run=True)
    runs = {piece.key.run_id for pieces in slices.values() for piece in pieces if piece.key.run_id is not None}
    products = dict(Run.objects.filter(pk__in=runs).values_list("pk", "work_order__product_id"))
    sums: dict[tuple[int, int, datetime], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for machine in machines:
        for piece in slices[machine.pk]:
            product = products.get(piece.key.run_id or 0)
            if product is None or not piece.key.has_data:
                continue
            row = sums[machine.pk, product, piece.key.hour]
            row[0] += piece.microseconds.get(Category.RUNNING, 0)
            row[1] += produced_of(piece.quantities, counts_total=schemes[machine.pk].counts_total)
            row[2] += float(piece.quantities.get(CountRole.REJECT, 0))
    found: dict[tuple[int, int], list[_Hour]] = defaultdict(list)
    for (machine_id, product, hour), (ran, made, bad) in sorted(sums.items()):
        if ran >= _ENOUGH_RUNNING and made > 0:
            found[machine_id, product].append((hour, ran / 1_000_000, made, bad))
    return dict(found)


def _cycle(of: _Series, *, now: datetime) -> Iterator[Finding]:
    figures = [ran / made for _, ran, made, _ in of.rows]
    usual = usual_of(figures[: of.learned])
    drift = _worth_saying(figures[of.learned :], usual)
    if usual is None or drift is None:
        return
    running = sum(ran for _, ran, _, _ in of.rows) / 3600
    weeks = (of.window.end - of.window.start) / timedelta(days=7)
    gain = running / weeks * drift.size / (1 + drift.size)
    yield _finding(of, Kind.CYCLE_DRIFT, usual, drift, gain=gain, now=now)


def _rejects(of: _Series, *, now: datetime) -> Iterator[Finding]:
    before, watched = of.rows[: of.learned], of.rows[of.learned :]
    usual = usual_share([bad for *_, bad in before], [made for _, _, made, _ in before])
    drift = _worth_saying([bad / made for _, _, made, bad in watched], usual)
    if usual is None or drift is None:
        return
    hours = sum(ran for _, ran, _, _ in watched[drift.begun :]) / 3600
    span = (watched[-1][0] + HOUR - watched[drift.begun][0]) / timedelta(days=7)
    gain = hours / span * max(0.0, drift.level - usual.centre)
    yield _finding(of, Kind.REJECT_DRIFT, usual, drift, gain=gain, now=now)


def _worth_saying(figures: list[float], usual: Usual | None) -> Drift | None:
    """Return the drift of figures from what is usual; None where it is none, or a small one."""
    drift = None if usual is None else find_drift(figures, usual)
    return None if drift is None or drift.size < LEAST else drift


def _finding(of: _Series, kind: Kind, usual: Usual, drift: Drift, *, gain: float, now: datetime) -> Finding:
    machine, product, watched = of.machine, of.product, of.rows[of.learned :]
    within = found_within(WATCHED, usual)
    evidence: dict[str, Any] = {
        "product": product.code,
        "usual": usual.centre,
        "deviation": usual.deviation,
        "learned_hours": usual.number,
        "level": drift.level,
        "size": round(drift.size, 4),
        "begun_at": watched[drift.begun][0].isoformat(),
        "seen_at": (watched[drift.seen][0] + HOUR).isoformat(),
        "false_alarm_every": FALSE_ALARM_EVERY,
        "watched": WATCHED,
        "found_within": None if within is None else round(within, 1),
        "links": [
            {"page": "trends", "machine": machine.code, "line": machine.line.code},
            {"page": "stops", "machine": machine.code, "line": machine.line.code},
        ],
    }
    hourly = machine.hourly_cost
    return Finding(
        kind=kind,
        subject=f"{kind} machine {machine.pk} product {product.pk}",
        evidence=evidence,
        says=(product.pk, evidence["begun_at"], round(drift.size, 2)),
        strength=stored(drift.size, 6),
        window=of.window,
        valid_until=now + timedelta(days=7),
        line=machine.line,
        machine=machine,
        component=product.code,
        gain_hours=stored(gain),
        gain_money=None if hourly is None else rounded(gain * float(hourly), 2),
    )
