"""The catalogue of elements and KPIs: the same numbers as the engine's, from formulas that people read."""

from dataclasses import fields
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oee.engine import Category, Kpis, MachineSums, Quantities, TimeElements
from oee.engine.catalogue import ELEMENTS, KPIS, compute
from oee.engine.element_values import element_values
from oee.engine.ledger import BigLoss, ledger
from oee.tests.test_golden_numbers import (
    percent,
    shift_of_the_vorne_worksheet,
    sums_of,
    three_machines,
)

CATALOGUE_CODES = {
    "availability": "availability",
    "effectiveness": "effectiveness",
    "quality_ratio": "quality_ratio",
    "oee_index": "oee_index",
    "utilisation": "utilisation",
    "teep": "teep",
    "setup_rate": "setup_rate",
    "technical_efficiency": "technical_efficiency",
    "scrap_ratio": "scrap_ratio",
    "rework_ratio": "rework_ratio",
    "throughput_rate": "busy_hour_output",
    "coverage": "coverage",
}
"""The engine's ratios, and what the catalogue calls them."""

microseconds = st.sampled_from([0, 0, 1, 60_000_000, 3_600_000_000]) | st.integers(0, 10**11)
pieces = st.sampled_from([Fraction(0), Fraction(0), Fraction(1), Fraction(7, 3)]) | st.fractions(
    0, 1000, max_denominator=9
)


@st.composite
def machine_sums(draw):
    """Draw what one machine may have come to: with or without rates, pieces, data and planned time."""
    good, scrap, rework, infeed = (draw(pieces) for _ in range(4))
    produced = good + scrap + rework
    cycle = draw(st.none() | st.fractions(Fraction(1, 10), 100, max_denominator=60))
    has_data = draw(st.booleans())
    times = TimeElements(*(draw(microseconds) for _ in fields(TimeElements)))
    startup = scrap * draw(st.fractions(0, 1, max_denominator=4))
    expected = times.planned_busy_time + times.no_data_time
    rated = cycle is not None and has_data
    return MachineSums(
        times,
        Quantities(produced, good, scrap, rework, infeed, startup),
        ideal_time=produced * cycle if rated else Fraction(0),
        ideal_time_of_good=good * cycle if rated else Fraction(0),
        ideal_time_of_startup_scrap=startup * cycle if rated else Fraction(0),
        quantity_without_rate=produced if has_data and cycle is None else Fraction(0),
        quantity_without_data=Fraction(0) if has_data else produced,
        ideal_quantity_of_planned_time=Fraction(expected, 10**6) / cycle if cycle else Fraction(0),
        planned_time_without_rate=0 if cycle else expected,
    )


sums_of_some = st.lists(machine_sums(), min_size=0, max_size=3).map(MachineSums.total)


@settings(max_examples=400, deadline=None)
@given(sums_of_some)
def test_formulas_give_what_the_engine_gives(sums):
    by_formula, by_engine = compute(element_values(sums)), Kpis.of(sums)
    for of_engine, code in CATALOGUE_CODES.items():
        assert by_formula[code] == getattr(by_engine, of_engine), code


@settings(max_examples=200, deadline=None)
@given(sums_of_some)
def test_oee_is_the_product_of_its_factors_and_with_the_six_losses_it_makes_one(sums):
    kpis = compute(element_values(sums))
    factors = [kpis[code] for code in ("availability", "effectiveness", "quality_ratio")]
    if None not in factors and kpis["oee_index"] is not None:
        assert factors[0] * factors[1] * factors[2] == kpis["oee_index"]
    losses = [value for code, value in kpis.items() if code.startswith("loss_")]
    if kpis["oee_index"] is not None and kpis["loss_reduced_speed"] is not None:
        assert sum(losses) + kpis["oee_index"] == 1


@settings(max_examples=200, deadline=None)
@given(sums_of_some)
def test_elements_add_up_to_the_window(sums):
    values = element_values(sums)
    assert set(values) == set(ELEMENTS)
    assert values["CT"] == values["UST"] + values["POT"]
    assert values["POT"] == values["PBT"] + values["PDOT"] + values["NDT"] - values["NDLT"]
    assert values["PBT"] == values["AUBT"] + values["UDT"] + values["NDLT"]
    assert values["AUBT"] == values["AUPT"] + values["ADET"] + values["MST"]


def test_every_formula_is_written_over_the_catalogues_elements():
    assert len(KPIS) >= 30
    for kpi in KPIS.values():
        kpi.formula.check(ELEMENTS)
        assert kpi.meaning.endswith(".")
        assert kpi.source
    for element in ELEMENTS.values():
        assert element.meaning.endswith(".")
        assert element.source
    assert not {code.casefold() for code in KPIS} & {code.casefold() for code in ELEMENTS}


def test_nothing_known_is_none_everywhere():
    assert set(compute({}).values()) == {None}
    assert set(compute(dict.fromkeys(ELEMENTS)).values()) == {None}
    # Of a machine that nobody planned, only what needs nothing but calendar time is known.
    idle = MachineSums(TimeElements(unscheduled_time=3_600_000_000))
    known = {code for code, value in compute(element_values(idle)).items() if value is not None}
    assert known == {"utilisation", "loading"}


def test_minor_stops_move_from_availability_to_performance_and_leave_oee():
    """Own example: 60 min, 10 of them minor stops; 40 pieces of 60 s, 38 good."""
    minute = Fraction(60)
    common = {"PBT": 60 * minute, "APT": 50 * minute, "AUST": Fraction(0), "IPT": 40 * minute, "IGT": 38 * minute}
    as_stops = compute({**common, "MST": Fraction(0), "ADET": 10 * minute})
    as_speed = compute({**common, "MST": 10 * minute, "ADET": Fraction(0)})
    assert (as_stops["availability"], as_stops["effectiveness"]) == (Fraction(5, 6), Fraction(4, 5))
    assert (as_speed["availability"], as_speed["effectiveness"]) == (Fraction(1), Fraction(2, 3))
    assert as_stops["oee_index"] == as_speed["oee_index"] == Fraction(38, 60)
    assert as_stops["technical_efficiency"] == as_speed["technical_efficiency"] == Fraction(5, 6)


def decimals(value: Fraction | None, places: int = 6) -> str:
    """Return a ratio as the golden numbers are listed."""
    assert value is not None
    return str((Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal(10) ** -places))


FACTORS = ("availability", "effectiveness", "quality_ratio", "oee_index")
GOLDEN = {
    "oee.com worksheet: 420 min planned, down 47, 1 s, 19,271 pieces, 423 rejects": (
        shift_of_the_vorne_worksheet(),
        (".888095", ".861081", ".978050", ".747937"),
    ),
    "Vorne worksheet, example 2: 435 min, down 30, 2 ppm, 700 pieces, 25 rejects": (
        sums_of((Category.RUNNING, 405), (Category.UNPLANNED, 30), cycle=Fraction(30), good=675, reject=25),
        (".931034", ".864198", ".964286", ".775862"),
    ),
    "Rhize KPI example 1: 3 h, 30 min delay, 10 s, 800 + 200": (
        sums_of((Category.RUNNING, 150), (Category.UNPLANNED, 30), cycle=Fraction(10), good=800, reject=200),
        (".833333", "1.111111", ".800000", ".740741"),
    ),
    "Rhize KPI example 2, machine A: 06–14, 30 min delay, 10 s, 800 + 200": (
        sums_of((Category.RUNNING, 450), (Category.UNPLANNED, 30), cycle=Fraction(10), good=800, reject=200),
        (".937500", ".370370", ".800000", ".277778"),
    ),
    "Lean Execution / Versalytics, machine A": (three_machines()[0], (".929670", ".882585", ".977679", ".802198")),
    "Lean Execution / Versalytics, machine B": (three_machines()[1], (".960440", ".772311", ".944444", ".700549")),
    "waycalculator: 480 min, run 420, 1 min, 400 pieces, 380 good": (
        sums_of((Category.RUNNING, 420), (Category.UNPLANNED, 60), cycle=Fraction(60), good=380, reject=20),
        (".875000", ".952381", ".950000", ".791667"),
    ),
}


@pytest.mark.parametrize(("sums", "published"), GOLDEN.values(), ids=GOLDEN)
def test_published_factors_come_out_of_the_formulas(sums, published):
    kpis = compute(element_values(sums))
    assert tuple(decimals(kpis[code]).removeprefix("0") for code in FACTORS) == published


def rhize_machine(good: int) -> MachineSums:
    """Return a machine of Rhize KPI example 2: 06–14, 30 min delay, 10 s a piece, 1,000 pieces."""
    return sums_of((Category.RUNNING, 450), (Category.UNPLANNED, 30), cycle=Fraction(10), good=good, reject=1000 - good)


def perfect(cycle: int) -> MachineSums:
    """Return a machine of a two-machine line that makes a piece a minute all day."""
    return sums_of((Category.RUNNING, 480), cycle=Fraction(cycle), good=480)


OEE_OF_SUMS = {
    "Rhize KPI example 2, machine B": (rhize_machine(700), "0.243056"),
    "Rhize KPI example 2, A and B": (rhize_machine(800) + rhize_machine(700), "0.260417"),
    "Lean Execution / Versalytics, machine C": (three_machines()[2], "0.558974"),
    "Lean Execution / Versalytics, weighted": (MachineSums.total(three_machines()), "0.687241"),
    "oee.institute, 60 s and 30 s: the line's mean": (perfect(60) + perfect(30), "0.750000"),
    "oee.institute, 60 s and 30 s: the bottleneck": (perfect(60), "1.000000"),
    "oee.institute, 60 s and 30 s: the fastest": (perfect(30), "0.500000"),
}


@pytest.mark.parametrize(("sums", "published"), OEE_OF_SUMS.values(), ids=OEE_OF_SUMS)
def test_published_oee_of_machines_and_lines_comes_out_of_the_formula(sums, published):
    assert decimals(compute(element_values(sums))["oee_index"]) == published


def test_teep_of_the_worksheet_on_24_hours_is_oee_times_420_of_1440():
    """Vorne worksheet's shift on 24 h: .747937 × .291667 = .218148; its loading leaves the breaks out."""
    day = shift_of_the_vorne_worksheet() + sums_of((Category.NOT_SCHEDULED, 960), cycle=Fraction(1), good=0)
    kpis = compute(element_values(day))
    assert (decimals(kpis["utilisation"]), percent(kpis["teep"], 4)) == ("0.291667", "21.8148")
    assert kpis["loading"] == Fraction(480, 1440)
    assert kpis["planned_downtime_ratio"] == Fraction(60, 480)


ISO_TABLE = {
    "worker_efficiency": ("APWT / APAT", Fraction(6, 8)),
    "allocation_ratio": ("AUBT / AOET", Fraction(400, 450)),
    "throughput_rate": ("PQ / AOET, an hour", Fraction(1000 * 3600, 450)),
    "allocation_efficiency": ("AUBT / PBT", Fraction(400, 420)),
    "utilization_efficiency": ("APT / AUBT", Fraction(300, 400)),
    "availability": ("APT / PBT", Fraction(300, 420)),
    "effectiveness": ("PRU × PQ / APT", Fraction(250, 300)),
    "quality_ratio": ("GQ / PQ", Fraction(900, 1000)),
    "oee_index": ("availability × effectiveness × quality", Fraction(300, 420) * Fraction(250, 300) * Fraction(9, 10)),
    "nee_index": ("AUPT / PBT × effectiveness × quality", Fraction(340, 420) * Fraction(250, 300) * Fraction(9, 10)),
    "setup_rate": ("ASUT / AUPT", Fraction(40, 340)),
    "technical_efficiency": ("APT / (APT + ADET)", Fraction(300, 360)),
    "production_process_ratio": ("APT / AOET", Fraction(300, 450)),
    "actual_to_planned_scrap": ("SQ / PSQ", Fraction(60, 50)),
    "first_pass_yield": ("GP / IP", Fraction(90, 95)),
    "scrap_ratio": ("SQ / PQ", Fraction(60, 1000)),
    "rework_ratio": ("RQ / PQ", Fraction(40, 1000)),
    "fall_off_ratio": ("SQ / PQ of the first operation", Fraction(80, 1050)),
    "equipment_load": ("PQ / EPC", Fraction(1000, 1680)),
    "corrective_maintenance_ratio": ("CMT / (CMT + PMT)", Fraction(30, 50)),
    "mttf": ("mean of TTF", Fraction(300, 3)),
    "mttr": ("mean of TTR", Fraction(30, 3)),
    "mtbf": ("mean of TBF", Fraction(330, 3)),
}
A_WORK_UNIT = {
    "CT": 1440,
    "POT": 480,
    "PBT": 420,
    "APT": 300,
    "AUST": 40,
    "AUPT": 340,
    "ADET": 60,
    "MST": 0,
    "AUBT": 400,
    "AOET": 450,
    "PQ": 1000,
    "GQ": 900,
    "SQ": 60,
    "RQ": 40,
    "PSQ": 50,
    "GP": 90,
    "IP": 95,
    "PQ1": 1050,
    "SQ_ALL": 80,
    "IPT": 250,
    "IGT": 225,
    "IPQ": 1680,
    "CMT": 30,
    "PMT": 20,
    "FE": 3,
    "TTR_SUM": 30,
    "APWT": 6,
    "APAT": 8,
}


@pytest.mark.parametrize("code", ISO_TABLE)
def test_formula_of_iso_22400_2_gives_its_quotient(code):
    """ISO 22400-2 (as in hsu-aut/IndustrialStandard-ODP-ISO22400-2): each KPI over made-up elements."""
    assert compute({name: Fraction(value) for name, value in A_WORK_UNIT.items()})[code] == ISO_TABLE[code][1]


@settings(max_examples=200, deadline=None)
@given(sums_of_some)
def test_ledger_closes_and_its_costs_are_what_oee_lacks(sums):
    found = ledger(sums)
    assert sum(line.seconds for line in found.lines) == found.calendar_seconds == element_values(sums)["CT"]
    costs = [line.oee_cost for line in found.lines if line.oee_cost is not None]
    if found.busy_seconds:
        assert sum(costs) + sums.ideal_time_of_good / found.busy_seconds == 1


def test_ledger_of_the_vorne_worksheet():
    """Its OEE of 74.79 % and what each loss takes of the rest."""
    found = ledger(shift_of_the_vorne_worksheet())
    assert found.of("stops").seconds == 47 * 60
    assert found.of("rejects").seconds == 423
    assert found.of("reduced_speed").seconds == 373 * 60 - 19_271
    assert found.of("productive").seconds == 18_848
    assert found.big_losses()[BigLoss.BREAKDOWNS] == 47 * 60
