"""Failures ahead, and components near the end of their life: learned from the site's own history,
silent when it is thin.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
from django.db import transaction

from advice.engine.backtest import Backtest, Score, backtest
from advice.engine.failure_evidence import renewals_of
from advice.engine.failure_log import MachineLog
from advice.engine.failure_model import FAILURES_NEEDED, HORIZON, FailureModel, Thin, drivers, named_weights, train
from advice.engine.life import FAILURES_NEEDED as LIVES_NEEDED
from advice.engine.life import Life, TooFewFailures, fit_life
from advice.findings import Finding, Found, Quiet, rounded, stored
from advice.models import AdviceModel, Kind
from advice.own_log import OwnLog
from core.locks import take_turns
from downtime.selectors import all_reasons
from enterprise.models import Machine, Site
from oee.reason_times import reason_times

RETRAIN_AFTER = timedelta(days=7)
PRECISION_NEEDED = 0.5
TRIED_NEEDED = 3
"""Failures that a back-test must have tried a model on."""
MOST_DRIVERS = 5
LIFE_HORIZON = 168
"""Hours of running ahead for which a component's end is foretold."""
LIFE_CHANCE = 0.5


def train_failure_model(
    site: Site, own: OwnLog, *, now: datetime, say: Callable[[str], None] = lambda words: None
) -> AdviceModel | Quiet:
    """Learn from a site's history, try it on the later part of it, keep both as the next version; or say why not."""
    try:
        tried = backtest(own.log, say=say)
        say("training on everything")
        model = train(own.log, until=own.log.hours)
    except Thin:
        known = own.log.failures_before(own.log.hours)
        return _quiet(site, "thin_failures", failures=known, needed=FAILURES_NEEDED, hours=own.log.hours)
    with transaction.atomic():
        take_turns("model of advice", site.pk)
        last = AdviceModel.objects.filter(site=site, kind=Kind.FAILURE).order_by("-version").first()
        return AdviceModel.objects.create(
            site=site,
            kind=Kind.FAILURE,
            version=last.version + 1 if last else 1,
            trained_at=now,
            window_start=own.window.start,
            window_end=own.window.end,
            parameters=model.as_json(),
            report=report_of(tried, model),
        )


def report_of(tried: Backtest, model: FailureModel) -> dict[str, Any]:
    """Return a back-test as it is stored."""
    return {
        "horizon": tried.horizon,
        "tested_hours": tried.tested_until - tried.tested_from,
        "threshold": model.threshold,
        "weights": named_weights(model),
        "scores": {name: _score(score) for name, score in tried.scores.items()},
        "components": {name: _score(score) for name, score in tried.by_component.items()},
    }


def _score(score: Score) -> dict[str, Any]:
    return {
        "failures": score.failures,
        "seen": score.seen,
        "warnings": score.warnings,
        "right": score.warnings_right,
        "precision": score.precision,
        "recall": score.recall,
        "hour_precision": score.hour_precision,
        "hour_recall": score.hour_recall,
        "lead": score.median_lead,
        "f1": score.f1,
    }


def failures_ahead(site: Site, own: OwnLog, *, now: datetime) -> list[Found]:
    """Return which components will likely fail within the horizon, by the site's newest model;
    trains one when it is old.
    """
    model = AdviceModel.objects.filter(site=site, kind=Kind.FAILURE).order_by("-version").first()
    if model is None or now - model.trained_at >= RETRAIN_AFTER:
        found = train_failure_model(site, own, now=now)
        if isinstance(found, Quiet):
            return [found]
        model = found
    score, plain = model.report["scores"]["model"], model.report["scores"]["mean interval"]
    if score["failures"] < TRIED_NEEDED:
        return [_quiet(site, "thin_trial", failures=score["failures"], needed=TRIED_NEEDED)]
    facts = {name: score[name] for name in ("failures", "seen", "warnings", "right")}
    if (score["precision"] or 0) < PRECISION_NEEDED:
        return [_quiet(site, "poor_trial", **facts)]
    if (score["f1"] or 0) <= (plain["f1"] or 0):
        return [_quiet(site, "no_better_than_interval", **facts)]
    learned = FailureModel.from_json(model.parameters)
    return [finding for name in own.log.machines for finding in _of_machine(site, own, name, learned, model, now=now)]


def _of_machine(
    site: Site, own: OwnLog, name: str, learned: FailureModel, model: AdviceModel, *, now: datetime
) -> list[Finding]:
    machine, hour = own.machines[name], own.log.hours
    # The grid's moment is the end of the log: facts of all its hours are known.
    padded = _up_to(own, name)
    chances = learned.probabilities(name, padded, np.array([float(hour)]))[0]
    found = []
    for component, chance in zip(learned.evidence.components, chances, strict=True):
        if chance < learned.threshold or chance < 0.05:
            continue
        why = drivers(learned, name, padded, hour, component)[:MOST_DRIVERS]
        ages = _ages(own, name, component)
        evidence = {
            "component": component,
            "component_name": _name(component),
            "probability": round(float(chance), 4),
            "horizon_hours": HORIZON,
            "drivers": [
                {"signal": d.signal, "value": d.value, "usual": d.usual, "unit": d.unit, "says": round(d.says, 3)}
                for d in why
            ],
            "age_run_hours": ages,
            "trial": model.report["scores"]["model"],
            "links": [{"page": "stops", "machine": machine.code, "line": machine.line.code}],
        }
        found.append(
            Finding(
                kind=Kind.FAILURE,
                subject=f"failure machine {machine.pk} {component}",
                evidence=evidence,
                says=(component, own.window.end.isoformat()),
                strength=stored(float(chance), 6),
                window=own.window,
                valid_until=now + timedelta(hours=HORIZON),
                line=machine.line,
                machine=machine,
                component=component,
                probability=rounded(min(1.0, float(chance)), 6),
                horizon_hours=HORIZON,
                gain_hours=_mean_stop(own, machine, component, now=now),
                model=model,
            )
        )
    return found


def _up_to(own: OwnLog, name: str) -> MachineLog:
    """Return a machine's log with one unknown hour more, in which the question is asked."""
    one = own.log.machines[name]
    padded = {signal: np.append(values, np.nan) for signal, values in one.signals.items()}
    return replace(one, signals=padded)


def _mean_stop(own: OwnLog, machine: Machine, component: str, *, now: datetime) -> Decimal | None:
    """Return what one such failure cost in hours of planned time, on average of those known of the machine;
    None without any.
    """
    reason = next((pk for pk, one in all_reasons().items() if one.code == component), None)
    rows = [row for row in reason_times([machine], own.window, now=now) if row.reason_id == reason]
    times, number = sum(row.microseconds for row in rows), sum(row.occurrences for row in rows)
    return rounded(times / number / 3_600_000_000) if number else None


def lives(site: Site, own: OwnLog, *, now: datetime) -> list[Found]:
    """Return which components are likely to reach their end within the next hours of running.

    A component of one name is taken as one kind over all machines of the site: ages at its failures, and those reached
    without (at preventive maintenance and now), in hours of running.
    """
    found: list[Found] = []
    for component in own.log.components:
        failed, survived, current = _lives_of(own, component)
        try:
            life = fit_life(failed, survived + list(current.values()))
        except TooFewFailures:
            found.append(
                Quiet(
                    kind=Kind.LIFE,
                    subject=f"life site {site.pk} {component}",
                    why="thin_lives",
                    facts={"component": _name(component), "failures": len(failed), "needed": LIVES_NEEDED},
                )
            )
            continue
        if life.mean.value < LIFE_HORIZON:
            facts = {"component": _name(component), "mean": round(life.mean.value, 1), "horizon": LIFE_HORIZON}
            found.append(
                Quiet(kind=Kind.LIFE, subject=f"life site {site.pk} {component}", why="short_life", facts=facts)
            )
            continue
        for name, age in current.items():
            finding = _near_end(own, name, component, life, age, now=now)
            if finding is not None:
                found.append(finding)
    return found


def _near_end(own: OwnLog, name: str, component: str, life: Life, age: float, *, now: datetime) -> Finding | None:
    chance, b10 = life.fails_within(LIFE_HORIZON, age=age), life.b10
    # Without wear-out (shape 1 or less) a new one fails as soon as an old one: exchanging it gains nothing.
    if life.shape <= 1.2 or age < b10.value or chance.value < LIFE_CHANCE:
        return None
    machine = own.machines[name]
    mean = life.mean
    evidence = {
        "component": component,
        "component_name": _name(component),
        "age_run_hours": round(age, 1),
        "horizon_run_hours": LIFE_HORIZON,
        "probability": [round(x, 4) for x in (chance.value, chance.low, chance.high)],
        "b10": [round(x, 1) for x in (b10.value, b10.low, b10.high)],
        "mean": [round(x, 1) for x in (mean.value, mean.low, mean.high)],
        "shape": round(life.shape, 3),
        "scale": round(life.scale, 1),
        "failures": life.failures,
        "censored": life.censored,
        "links": [{"page": "stops", "machine": machine.code, "line": machine.line.code}],
    }
    return Finding(
        kind=Kind.LIFE,
        subject=f"life machine {machine.pk} {component}",
        evidence=evidence,
        says=(component, round(age), life.failures),
        strength=stored(chance.value, 6),
        window=own.window,
        valid_until=now + timedelta(days=7),
        line=machine.line,
        machine=machine,
        component=component,
        probability=rounded(chance.value, 6),
        horizon_hours=LIFE_HORIZON,
    )


def _lives_of(own: OwnLog, component: str) -> tuple[list[float], list[float], dict[str, float]]:
    """Return ages at failure, ages at other renewals, and ages now by machine, in hours of running.

    The time before a machine's first renewal is of unknown age and left out.
    """
    failed: list[float] = []
    survived: list[float] = []
    current: dict[str, float] = {}
    for name, one in own.log.machines.items():
        ran = np.concatenate([[0.0], np.cumsum(own.running[name])])
        dead = set(one.failures.get(component, np.empty(0)).tolist())
        renewed = [at for at in renewals_of(one, component).tolist() if at >= 0]
        if not dead and not renewed:
            continue
        for before, at in pairwise(renewed):
            age = _run(ran, at) - _run(ran, before)
            (failed if at in dead else survived).append(age)
        current[name] = float(ran[-1]) - _run(ran, renewed[-1])
    return failed, survived, current


def _run(ran: Any, at: float) -> float:
    whole = min(int(at), len(ran) - 1)
    return float(ran[whole])


def _ages(own: OwnLog, name: str, component: str) -> float | None:
    age = _lives_of(own, component)[2].get(name)
    return None if age is None else round(age, 1)


def _name(code: str) -> str:
    reason = next((one for one in all_reasons().values() if one.code == code), None)
    return str(reason.name) if reason is not None else code


def _quiet(site: Site, why: str, **facts: Any) -> Quiet:
    return Quiet(kind=Kind.FAILURE, subject=f"failure site {site.pk}", why=why, facts=facts)
