"""The arithmetic of advice: forecasts look back only, lives are fitted with what has not failed,
drifts are found in time.
"""

from dataclasses import replace
from datetime import UTC, datetime
from json import dumps, loads

import numpy as np
import pytest

from advice.engine.backtest import backtest
from advice.engine.drift import (
    FALSE_ALARM_EVERY,
    Usual,
    alarms_in,
    find_drift,
    found_within,
    limit_for,
    run_length,
    usual_of,
    usual_share,
)
from advice.engine.failure_log import FailureLog, MachineLog, comes_within, rolling, since_last, window_count
from advice.engine.failure_model import FAILURES_NEEDED, FailureModel, Thin, drivers, train
from advice.engine.life import Life, TooFewFailures, fit_life
from advice.engine.order import Job, best_order, order_of

START = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = 1500


def plant(machines: int = 6, hours: int = HOURS) -> FailureLog:
    """Pumps that get hot 30 hours before they fail and give an alarm 20 hours before; other alarms mean nothing."""
    random = np.random.default_rng(4)
    found = {}
    for number in range(machines):
        failures = np.sort(random.choice(np.arange(60, hours - 40, 120), size=5, replace=False)).astype(float)
        heat = 50 + random.standard_normal(hours)
        for at in failures.astype(int):
            heat[at - 30 : at] += 4
        found[f"P{number}"] = MachineLog(
            signals={"heat": heat},
            events={"hot": failures - 20, "noise": np.sort(random.integers(0, hours, 40)).astype(float)},
            failures={"seal": failures},
        )
    return FailureLog(START, hours, found)


def test_a_window_ends_before_its_hour_and_a_horizon_begins_with_it():
    grid, at = np.arange(30, dtype=float), np.array([5.0])
    assert np.flatnonzero(window_count(at, grid, 24)).tolist() == list(range(6, 30))
    assert np.flatnonzero(comes_within(at, grid, 3)).tolist() == [3, 4, 5]
    assert np.isnan(since_last(at, grid)[:6]).all()
    assert since_last(at, grid)[6] == 1
    mean, deviation = rolling(np.array([1.0, 3, np.nan, 5]), 2)
    assert np.isnan(mean[:2]).all()
    assert (mean[2], deviation[2]) == (2, 1)


def test_a_forecast_knows_nothing_of_its_hour_and_what_comes_after():
    log = plant()
    model = train(log, until=1000)
    one, grid = log.machines["P0"], np.array([1100.0])
    heat = one.signals["heat"].copy()
    heat[1100:] = 999
    later = {name: np.append(at[at < 1100], [1100.0, 1101.0]) for name, at in one.events.items()}
    other = replace(
        one, signals={"heat": heat}, events=later, failures={"seal": one.failures["seal"][one.failures["seal"] < 1100]}
    )
    assert model.probabilities("P0", one, grid) == model.probabilities("P0", other, grid)
    cut = FailureLog(
        START, 1000, {n: replace(m, signals={"heat": m.signals["heat"][:1000]}) for n, m in log.machines.items()}
    )
    for name, machine in cut.machines.items():
        kept = {kind: at[at < 1000] for kind, at in machine.events.items()}
        cut.machines[name] = replace(
            machine, events=kept, failures={"seal": machine.failures["seal"][machine.failures["seal"] < 1000]}
        )
    assert train(cut, until=1000) == model


def test_a_forecast_is_better_than_the_mean_interval_and_than_counting_alarms():
    found = backtest(plant())
    model, others = found.scores["model"], (found.scores["mean interval"], found.scores["event count"])
    assert (model.recall or 0) >= 0.9
    assert (model.precision or 0) >= 0.9
    assert all((model.f1 or 0) > (other.f1 or 0) for other in others)
    # One failure has up to 24 hours, and is one failure.
    assert model.hours_right + model.hours_missed > 10 * model.failures


def test_a_model_is_plain_numbers_and_names_what_drives_it():
    log = plant()
    model = train(log, until=1400)
    again = FailureModel.from_json(loads(dumps(model.as_json())))
    at = log.machines["P1"].failures["seal"]
    hour = int(at[at < 1300][-1]) - 5
    grid = np.array([float(hour)])
    assert again.probabilities("P1", log.machines["P1"], grid)[0, 0] > model.threshold
    why = drivers(again, "P1", log.machines["P1"], hour, "seal")
    assert {one.signal.partition(",")[0] for one in why} == {"heat", "hot"}
    heat = next(one for one in why if one.signal.startswith("heat, mean"))
    assert heat.value == pytest.approx(54, abs=1)
    assert heat.usual == pytest.approx(50, abs=0.5)


def test_thin_data_say_what_is_missing():
    log = plant(machines=1)
    with pytest.raises(Thin, match=f"{FAILURES_NEEDED} failures needed"):
        train(log, until=HOURS)
    with pytest.raises(Thin):
        backtest(log)


def test_a_life_solves_the_equations_of_likelihood():
    failed, censored = [5.1, 7.3, 8.8, 9.9, 12.5, 6.2], [4.0, 10.0, 10.0, 15.0]
    life = fit_life(failed, censored)
    every = np.array(failed + censored)
    k = life.shape
    assert (every**k * np.log(every)).sum() / (every**k).sum() - 1 / k == pytest.approx(np.log(failed).mean(), abs=1e-3)
    assert life.scale == pytest.approx(((every**k).sum() / len(failed)) ** (1 / k), rel=1e-3)
    assert life.b10.low < life.b10.value < life.b10.high < life.mean.value
    chance = life.fails_within(2, age=9)
    survived = (1 - 2.718281828 ** -((11 / life.scale) ** k), 1 - 2.718281828 ** -((9 / life.scale) ** k))
    assert chance.value == pytest.approx((survived[0] - survived[1]) / (1 - survived[1]), abs=1e-6)
    # Without what has not failed yet, lives would look shorter.
    assert fit_life(failed, []).mean.value < life.mean.value


def test_a_life_is_silent_with_few_failures():
    with pytest.raises(TooFewFailures, match="4 failures known, 5 needed"):
        fit_life([1, 2, 3, 4], [5] * 100)
    with pytest.raises(TooFewFailures):
        fit_life([3] * 9, [])


def test_shock_absorbers_last_as_the_literature_says():
    # Kilometres of vehicles until a shock absorber failed, or until now: Meeker and Escobar, 1998, table C.2.
    failed = [6700, 9120, 12200, 13150, 14300, 17520, 20100, 20900, 22700, 26510, 27490]
    still_good = [
        6950,
        7820,
        8790,
        9660,
        9820,
        11310,
        11690,
        11850,
        11880,
        12140,
        12870,
        13330,
        13470,
        14040,
        17540,
        17890,
        18450,
        18960,
        18980,
        19410,
        20100,
        20150,
        20320,
        23490,
        27410,
        27890,
        28100,
    ]
    life: Life = fit_life(failed, still_good)
    assert (round(life.shape, 2), round(life.scale)) == (3.16, 27719)
    assert (life.failures, life.censored) == (11, 27)


def test_run_lengths_are_those_of_the_tables():
    # Montgomery, table 9.3: k = 1/2, one-sided, twice the two-sided run lengths for no shift.
    assert run_length(0, 5) == pytest.approx(930, rel=0.02)
    assert run_length(1, 5) == pytest.approx(10.4, rel=0.02)
    assert run_length(0.0, limit_for(1000, learned_from=10**9)) == pytest.approx(1000, rel=0.01)


def test_false_alarms_are_as_rare_as_stated_and_a_drift_of_eight_percent_is_found_in_time():
    random = np.random.default_rng(8)
    alarms = figures = 0
    needed = []
    for _ in range(120):
        usual = usual_of(100 + 5 * random.standard_normal(100))
        assert usual is not None
        alarms += len(alarms_in(100 + 5 * random.standard_normal(400), usual))
        figures += 400
        drifted = 108 + 5 * random.standard_normal(60)
        needed.append(alarms_in(drifted, usual)[0] + 1)
        found = find_drift(drifted[: needed[-1]], usual)
        assert found is not None
        assert found.seen == needed[-1] - 1
    assert alarms / figures <= 1 / FALSE_ALARM_EVERY
    # Where single figures scatter by 5 %, 95 of 100 such drifts are found within 15 figures.
    assert np.percentile(needed, 95) <= 15
    assert np.mean(needed) == pytest.approx(found_within(0.08, Usual(100, 5, 100)), rel=0.25)


def test_a_drift_says_where_it_began_and_is_forgotten_when_it_is_over():
    usual = Usual(100, 5, 200)
    steady, drifted = [100.0] * 50, [110.0] * 30
    found = find_drift([*steady, *drifted], usual)
    assert found is not None
    assert found.begun == 50
    assert found.size == pytest.approx(0.1)
    assert find_drift([*steady, *drifted, *steady], usual) is None
    # One jam is no drift, and unknown hours say nothing.
    assert find_drift([*steady, 900.0, *steady, float("nan")], usual) is None
    assert usual_of([1.0] * 10) is None
    assert usual_share([0] * 100, [50] * 100) is None
    assert usual_share([1] * 100, [50] * 100) == Usual(0.02, pytest.approx((0.02 * 0.98 / 50) ** 0.5), 100)


def test_the_best_order_saves_changing_over_and_makes_nothing_late():
    def cost(before: int, after: int) -> float:
        return 60.0 if {before, after} == {1, 2} else 10.0

    jobs = [Job(1, 1, 100), Job(2, 2, 100), Job(3, 1, 100), Job(4, 3, 100), Job(5, 2, 100)]
    best = best_order(jobs, first=1, cost=cost)
    assert best.changing == 20
    assert [job.product for job in best.jobs] == [1, 1, 3, 2, 2]
    due = [*jobs[:4], replace(jobs[4], due=130.0)]
    early = [due[4], *due[:4]]
    assert best_order(early, first=2, cost=cost).jobs[0].key == 5
    # Of many jobs the best that moving and swapping finds, which a plan that is good already keeps.
    many = [Job(n, n % 3, 10) for n in range(24)]
    assert best_order(many, first=0, cost=cost).changing == 30
    tidy = sorted(many, key=lambda job: (job.product != 0, job.product))
    assert best_order(tidy, first=0, cost=lambda a, b: 10.0).jobs == tuple(tidy)
    assert order_of(jobs, first=None, cost=cost).changing == 60 + 60 + 10 + 10
