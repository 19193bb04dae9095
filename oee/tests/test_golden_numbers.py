"""Published OEE examples, to the exact fraction. Each test names its source; rounding is for comparison only."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count
from zoneinfo import ZoneInfo

import pytest

from core.intervals import Interval
from enterprise.shift_calendar import Level, ShiftKind, ShiftRule, shift_occurrences
from oee.engine import (
    Category,
    CountingScheme,
    CountMode,
    CountRole,
    Increment,
    Kpis,
    MachineHistory,
    MachineSums,
    Policy,
    RateSpan,
    Reading,
    RunSpan,
    ShiftSpan,
    StateEvent,
    StepVerdict,
    TagConfig,
    read_counter,
    slice_window,
    sum_slices,
)

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
REASONS = count(1)


def sums_of(
    *phases: tuple[Category, int],
    cycle: Fraction,
    good: int,
    reject: int = 0,
    breaks: tuple[Interval, ...] = (),
) -> MachineSums:
    """Return the sums of a machine that went through phases (category, minutes) and made pieces of one product."""
    at, states = START, []
    for category, minutes in phases:
        states.append(StateEvent(at, next(REASONS), category))
        at += timedelta(minutes=minutes)
    window = Interval(START, at)
    history = MachineHistory(
        states=tuple(states),
        increments=(
            Increment(START, CountRole.GOOD, Fraction(good)),
            Increment(START + timedelta(minutes=90), CountRole.REJECT, Fraction(reject)),
        ),
        shifts=(ShiftSpan(1, START.date(), window, breaks),),
        runs=(RunSpan(1, 1, START, None),),
        rates=(RateSpan(1, 1, cycle, START, None),),
    )
    slices, _ = slice_window(history, window)
    return sum_slices(slices, rates={1: cycle}, scheme=CountingScheme(), policy=Policy())


def percent(ratio: Fraction | None, places: int = 2) -> str:
    """Return a ratio as published: percent, rounded half up."""
    assert ratio is not None
    return str((Decimal(ratio.numerator) / Decimal(ratio.denominator) * 100).quantize(Decimal(10) ** -places))


def shift_of_the_vorne_worksheet() -> MachineSums:
    breaks = tuple(
        Interval(START + timedelta(minutes=begin), START + timedelta(minutes=begin + length))
        for begin, length in ((120, 15), (240, 30), (360, 15))
    )
    # The machine stands in its breaks: 120 min run, break, 105 min run, break, 47 min down, …: 373 min run in all.
    return sums_of(
        (Category.RUNNING, 120),
        (Category.PLANNED, 15),
        (Category.RUNNING, 105),
        (Category.PLANNED, 30),
        (Category.UNPLANNED, 47),
        (Category.RUNNING, 43),
        (Category.PLANNED, 15),
        (Category.RUNNING, 105),
        cycle=Fraction(1),
        good=18_848,
        reject=423,
        breaks=breaks,
    )


def test_vorne_worksheet_gives_74_79_percent():
    """oee.com worksheet: 480 min, breaks 2 × 15 + 30, down 47, ideal 60 ppm, 19,271 pieces, 423 rejects."""
    sums = shift_of_the_vorne_worksheet()
    kpis = Kpis.of(sums)
    assert sums.times.planned_busy_time == 420 * 60 * 1_000_000
    assert sums.times.actual_production_time == 373 * 60 * 1_000_000
    assert kpis.availability == Fraction(373, 420)
    assert kpis.effectiveness == Fraction(19_271, 373 * 60)
    assert kpis.quality_ratio == Fraction(18_848, 19_271)
    assert kpis.oee_index == Fraction(18_848, 420 * 60)
    assert [
        percent(ratio) for ratio in (kpis.availability, kpis.effectiveness, kpis.quality_ratio, kpis.oee_index)
    ] == [
        "88.81",
        "86.11",
        "97.80",
        "74.79",
    ]
    exact = (kpis.availability, kpis.effectiveness, kpis.quality_ratio, kpis.oee_index)
    assert [percent(ratio, 4) for ratio in exact] == ["88.8095", "86.1081", "97.8050", "74.7937"]


def test_teep_of_the_vorne_worksheet_on_24_hours_is_21_81_percent():
    """TEEP of the worksheet's shift when it is the only one of its day: OEE × 420/1440."""
    rest_of_day = sums_of((Category.NOT_SCHEDULED, 960), cycle=Fraction(1), good=0)
    kpis = Kpis.of(shift_of_the_vorne_worksheet() + rest_of_day)
    assert kpis.utilisation == Fraction(420, 1440)
    assert kpis.teep == Fraction(18_848, 420 * 60) * Fraction(420, 1440)
    assert percent(kpis.teep) == "21.81"


def test_vorne_worksheet_example_2_gives_77_59_percent():
    """Vorne worksheet, example 2: 435 min planned, down 30, 2 pieces a minute, 700 made, 25 rejected."""
    kpis = Kpis.of(sums_of((Category.RUNNING, 405), (Category.UNPLANNED, 30), cycle=Fraction(30), good=675, reject=25))
    assert kpis.availability == Fraction(405, 435)
    assert kpis.effectiveness == Fraction(700, 810)
    assert kpis.quality_ratio == Fraction(675, 700)
    assert [
        percent(ratio) for ratio in (kpis.availability, kpis.effectiveness, kpis.quality_ratio, kpis.oee_index)
    ] == ["93.10", "86.42", "96.43", "77.59"]
    exact = (kpis.availability, kpis.effectiveness, kpis.quality_ratio, kpis.oee_index)
    assert [percent(ratio, 4) for ratio in exact] == ["93.1034", "86.4198", "96.4286", "77.5862"]


def test_rhize_example_1_keeps_performance_of_111_11_percent_and_flags_it():
    """Rhize KPI example 1: 3 h, 30 min delay, 10 s a piece, 800 good and 200 rejected.

    Its actual cycle time of 10.8 s contradicts its own production time and quantity, which make 9.0 s.
    """
    sums = sums_of((Category.RUNNING, 150), (Category.UNPLANNED, 30), cycle=Fraction(10), good=800, reject=200)
    kpis = Kpis.of(sums)
    assert sums.times.actual_production_time == 9 * 1_000_000 * sums.quantities.produced
    assert kpis.effectiveness == Fraction(10, 9)
    assert kpis.ideal_rate_suspect
    assert kpis.oee_index == Fraction(20, 27)
    assert [
        percent(ratio) for ratio in (kpis.availability, kpis.effectiveness, kpis.quality_ratio, kpis.oee_index)
    ] == ["83.33", "111.11", "80.00", "74.07"]


def test_rhize_example_2_sums_two_machines_over_a_shift():
    """Rhize KPI example 2: 06–14, 30 min delay each; A 800/200, B 700/300 at 10 s: .277778, .243056, both .260417."""
    a, b = (
        sums_of((Category.RUNNING, 450), (Category.UNPLANNED, 30), cycle=Fraction(10), good=good, reject=1000 - good)
        for good in (800, 700)
    )
    assert a.times.actual_production_time == b.times.actual_production_time == 27_000 * 1_000_000
    assert (a + b).times.actual_production_time == 54_000 * 1_000_000
    assert (a + b + a + b).times.actual_production_time == 108_000 * 1_000_000
    assert Kpis.of(a).availability == Kpis.of(a + b).availability == Fraction(15, 16)
    assert Kpis.of(a).effectiveness == Kpis.of(b).effectiveness == Fraction(10, 27)
    assert (Kpis.of(a).quality_ratio, Kpis.of(b).quality_ratio) == (Fraction(8, 10), Fraction(7, 10))
    assert percent(Kpis.of(a).oee_index, 4) == "27.7778"
    assert percent(Kpis.of(b).oee_index, 4) == "24.3056"
    assert percent(Kpis.of(a + b).oee_index, 4) == "26.0417"


def three_machines() -> list[MachineSums]:
    """A: 10 s, 2240/50, down 32; B: 45 s, 450/25, down 18; C: 70 s, 229/11; 455 min net available time each."""
    return [
        sums_of((Category.RUNNING, 455 - down), (Category.UNPLANNED, down), cycle=Fraction(s), good=n - bad, reject=bad)
        for s, n, bad, down in ((10, 2240, 50, 32), (45, 450, 25, 18), (70, 229, 11, 0))
    ]


def test_three_machines_weigh_to_68_7241_percent():
    """Lean Execution / Versalytics OEE example: 80.22, 70.05, 55.90 %; weighted by net available time 68.7241 %."""
    a, b, c = three_machines()
    assert [percent(Kpis.of(machine).oee_index) for machine in (a, b, c)] == ["80.22", "70.05", "55.90"]
    assert percent(Kpis.of(MachineSums.total([a, b, c])).oee_index, 4) == "68.7241"
    kpis_of_a, kpis_of_b = Kpis.of(a), Kpis.of(b)
    assert [percent(r, 4) for r in (kpis_of_a.availability, kpis_of_a.effectiveness, kpis_of_a.quality_ratio)] == [
        "92.9670",
        "88.2585",
        "97.7679",
    ]
    assert [percent(r, 4) for r in (kpis_of_b.availability, kpis_of_b.effectiveness, kpis_of_b.quality_ratio)] == [
        "96.0440",
        "77.2311",
        "94.4444",
    ]


def test_oee_is_the_product_of_its_factors_for_a_mix_too():
    kpis = Kpis.of(MachineSums.total(three_machines()))
    assert kpis.availability is not None
    assert kpis.effectiveness is not None
    assert kpis.quality_ratio is not None
    assert kpis.availability * kpis.effectiveness * kpis.quality_ratio == kpis.oee_index


def test_waycalculator_keeps_79_1667_unrounded():
    """waycalculator: 480 min, run 420, 1 min a piece, 400 made, 380 good. Rounded factors would give 79.1."""
    kpis = Kpis.of(sums_of((Category.RUNNING, 420), (Category.UNPLANNED, 60), cycle=Fraction(60), good=380, reject=20))
    assert kpis.oee_index == Fraction(380, 480)
    assert percent(kpis.oee_index, 4) == "79.1667"


def test_two_machine_line_gives_75_100_50():
    """oee.institute on lines: a 60 s and a 30 s machine, the bottleneck perfect: mean 75, bottleneck 100,
    fastest 50.
    """
    bottleneck = sums_of((Category.RUNNING, 480), cycle=Fraction(60), good=480)
    fastest = sums_of((Category.RUNNING, 480), cycle=Fraction(30), good=480)
    assert Kpis.of(bottleneck + fastest).oee_index == Fraction(75, 100)
    assert Kpis.of(bottleneck).oee_index == 1
    assert Kpis.of(fastest).oee_index == Fraction(50, 100)


@pytest.mark.parametrize(("evening", "hours"), [(date(2026, 3, 28), 7), (date(2026, 10, 24), 9), (date(2026, 5, 5), 8)])
def test_night_shift_is_as_long_as_the_clocks_make_it(evening, hours):
    """Europe/Warsaw, 22–06: 7 h from 28 to 29 March 2026, 9 h from 24 to 25 October 2026 (IANA time zone database)."""
    night = ShiftRule(1, Level.SITE, ShiftKind.REGULAR, "Night", frozenset(range(1, 8)), time(22), time(6))
    noon = datetime.combine(evening, time(12), tzinfo=UTC)
    window = Interval(noon, noon + timedelta(hours=11))
    shifts = shift_occurrences([night], [], ZoneInfo("Europe/Warsaw"), window)
    assert [shift.end - shift.start for shift in shifts if shift.shift_date == evening] == [timedelta(hours=hours)]


def test_counter_of_65536_rolls_over_from_65530_to_4_as_10_pieces():
    """Arithmetic modulo 2¹⁶: 65530 → 4 is +10."""
    config = TagConfig(role=CountRole.GOOD, mode=CountMode.RUNNING, modulus=65_536)
    readings = [Reading(START, Decimal(65_530)), Reading(START + timedelta(seconds=1), Decimal(4))]
    moment = START + timedelta(seconds=1)
    counted, steps = read_counter(config, readings)
    assert counted == [Increment(moment, CountRole.GOOD, Fraction(10), since=START)]
    assert [step.verdict for step in steps] == [StepVerdict.ROLLOVER]


@pytest.mark.parametrize(
    ("sums", "expected"),
    [
        (MachineSums(), (None, None, None, None)),
        (sums_of((Category.NO_DATA, 60), cycle=Fraction(1), good=0), (None, None, None, None)),
        (sums_of((Category.UNPLANNED, 60), cycle=Fraction(1), good=0), (0, None, None, 0)),
    ],
    ids=["nothing planned", "nothing known", "planned but never ran"],
)
def test_unknown_is_none_and_never_0_or_1(sums, expected):
    kpis = Kpis.of(sums)
    assert (kpis.availability, kpis.effectiveness, kpis.quality_ratio, kpis.oee_index) == expected
