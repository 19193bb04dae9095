"""The demo plant: Vistula Beverages, who fill water in Kraków on a PET line and a glass line."""

from datetime import time
from decimal import Decimal
from fractions import Fraction

from simulator.plant import (
    NO_DATA,
    BreakPlan,
    CleaningPlan,
    CounterPlan,
    Habits,
    LinePlan,
    MachinePlan,
    PersonPlan,
    PlantPlan,
    ShiftPlan,
    WeeklyFault,
)
from simulator.vistula_people import CREWS, CUSTOMERS
from simulator.vistula_products import MATERIALS, PRODUCTS
from simulator.vistula_reasons import REASONS


def _break(name: str, hour: int, minute: int) -> BreakPlan:
    end = hour * 60 + minute + 30
    return BreakPlan(name, time(hour, minute), time(end // 60, end % 60))


EARLY = ShiftPlan("Early", time(6), time(14), (_break("Breakfast", 10, 0),))
LATE = ShiftPlan("Late", time(14), time(22), (_break("Dinner", 18, 0),))
NIGHT = ShiftPlan("Night", time(22), time(6), (_break("Night break", 2, 0),))

_MONDAY_TO_SATURDAY = frozenset(range(1, 7))
_SUNDAY = frozenset({7})

_GOOD = CounterPlan("good", "GOOD")
_REJECT = CounterPlan("reject", "REJECT")

PET = LinePlan(
    code="PET",
    name="PET line",
    machines=(
        MachinePlan(
            code="PET-BLOWER",
            name="Blower and rinser",
            pace=Fraction(115, 100),
            counters=(CounterPlan("total", "TOTAL"), _REJECT),
            sample_seconds=20,
            habits=Habits(
                micro_stops_per_hour=2.0,
                micro_stops=(("MICRO-JAM", "Preform jam at infeed rail"), ("MICRO-SENSOR", "Preform sensor blinded")),
                hours_between_breakdowns=14,
                mean_repair_minutes=8,
                breakdowns=(
                    ("FAIL-HEATER", "Oven zone 4 below temperature"),
                    ("SUPPLY-PREFORM", "Preform hopper empty"),
                    ("FAIL-AIR", "Blowing air below 36 bar"),
                ),
                reject_share=0.004,
            ),
        ),
        MachinePlan(
            code="PET-FILLER",
            name="Filler and capper",
            pace=Fraction(1),
            counters=(CounterPlan("good", "GOOD", is_running=True, modulus=65_536), _REJECT),
            sample_seconds=10,
            is_constraint=True,
            habits=Habits(
                micro_stops_per_hour=4.5,
                micro_stops=(
                    ("MICRO-FALLEN", "Fallen bottle at star wheel"),
                    ("MICRO-CAP", "Cap misfed"),
                    ("MICRO-SENSOR", "Level sensor blinded"),
                ),
                hours_between_breakdowns=4.5,
                mean_repair_minutes=9,
                breakdowns=(
                    ("FAIL-VALVE", "Filling valve 23 does not close"),
                    ("FAIL-CAPPER", "Capping head torque too low"),
                    ("SUPPLY-CAPS", "Cap hopper empty"),
                    ("FAIL-DRIVE", "Drive fault, main carousel"),
                    ("STOP-UNKNOWN", ""),
                ),
                reject_share=0.011,
            ),
        ),
        MachinePlan(
            code="PET-LABELLER",
            name="Labeller",
            pace=Fraction(115, 100),
            counters=(_GOOD, _REJECT),
            sample_seconds=20,
            habits=Habits(
                micro_stops_per_hour=3.5,
                micro_stops=(("MICRO-LABEL", "Label not cut"), ("MICRO-JAM", "Jam at infeed screw")),
                hours_between_breakdowns=9,
                mean_repair_minutes=6,
                breakdowns=(
                    ("SUPPLY-LABELS", "Label reel at its end"),
                    ("FAIL-SENSOR", "Print mark not found"),
                ),
                reject_share=0.006,
            ),
        ),
        MachinePlan(
            code="PET-PACKER",
            name="Shrink packer",
            pace=Fraction(120, 100),
            counters=(CounterPlan("packs", "GOOD", is_running=True, pieces_per_pulse=6),),
            sample_seconds=30,
            habits=Habits(
                micro_stops_per_hour=2.5,
                micro_stops=(("MICRO-FALLEN", "Fallen bottle in lane 3"), ("MICRO-SENSOR", "Pack sensor blinded")),
                hours_between_breakdowns=10,
                mean_repair_minutes=7,
                breakdowns=(("SUPPLY-FILM", "Film reel at its end"), ("FAIL-CHAIN", "Lug chain overload")),
            ),
        ),
    ),
    rates={
        "STILL-05": Decimal(14_400),
        "SPARK-05": Decimal(14_400),
        "STILL-15": Decimal(9_000),
        "SPARK-15": Decimal(9_000),
    },
    # Two days around: eight orders of a kind, then seven, so that the bottle changes once a day.
    sequence=(*("STILL-05",) * 8, *("SPARK-05",) * 7, *("SPARK-15",) * 8, *("STILL-15",) * 7),
    order_starts=(
        *(time(1, 20), time(3), time(4, 30)),
        *(time(6), time(7, 40), time(9, 20), time(11), time(12, 30)),
        *(time(14), time(15, 40), time(17, 20), time(19), time(20, 30)),
        *(time(22), time(23, 40)),
    ),
    lot_change_minutes=(2, 4),
    flavour_change_minutes=(10, 18),
    format_change_minutes=(28, 45),
    buffer_seconds=75,
    cleaning=CleaningPlan(time(4, 10), 40, frozenset({1, 3, 5})),
    weekly_faults=(
        WeeklyFault(4, time(9, 20), "PET-FILLER", 48, "FAIL-DRIVE", "Drive fault, main carousel"),
        WeeklyFault(2, time(11, 5), "PET-LABELLER", 22, NO_DATA, "Gateway does not answer"),
    ),
    works_on_holidays=True,
)

GLASS = LinePlan(
    code="GLASS",
    name="Glass line",
    machines=(
        MachinePlan(
            code="GLASS-DEPALLETISER",
            name="Depalletiser",
            pace=Fraction(125, 100),
            counters=(_GOOD,),
            sample_seconds=30,
            habits=Habits(
                micro_stops_per_hour=1.5,
                micro_stops=(("MICRO-FALLEN", "Bottle fallen on the table"),),
                hours_between_breakdowns=20,
                mean_repair_minutes=6,
                breakdowns=(
                    ("SUPPLY-BOTTLES", "No pallet at the infeed"),
                    ("FAIL-GRIPPER", "Layer gripper does not close"),
                ),
            ),
        ),
        MachinePlan(
            code="GLASS-WASHER",
            name="Bottle washer",
            pace=Fraction(115, 100),
            counters=(CounterPlan("total", "TOTAL"), _REJECT),
            sample_seconds=30,
            habits=Habits(
                micro_stops_per_hour=1.0,
                micro_stops=(("MICRO-JAM", "Bottle across the infeed"),),
                hours_between_breakdowns=30,
                mean_repair_minutes=12,
                breakdowns=(("FAIL-HEATER", "Lye below temperature"), ("FAIL-CHAIN", "Carrier chain overload")),
                reject_share=0.005,
            ),
        ),
        MachinePlan(
            code="GLASS-FILLER",
            name="Filler and crowner",
            pace=Fraction(1),
            counters=(_GOOD, _REJECT),
            sample_seconds=15,
            is_constraint=True,
            habits=Habits(
                micro_stops_per_hour=5.5,
                micro_stops=(
                    ("MICRO-FALLEN", "Fallen bottle at star wheel"),
                    ("MICRO-CAP", "Crown misfed"),
                    ("MICRO-JAM", "Bottle burst, carousel rinsing"),
                ),
                hours_between_breakdowns=6,
                mean_repair_minutes=8,
                breakdowns=(
                    ("FAIL-VALVE", "Filling valve 8 does not close"),
                    ("FAIL-CAPPER", "Crowner out of step"),
                    ("STOP-CREW", "Waiting for an operator"),
                    ("STOP-UNKNOWN", ""),
                ),
                reject_share=0.018,
            ),
        ),
        MachinePlan(
            code="GLASS-LABELLER",
            name="Labeller",
            pace=Fraction(115, 100),
            counters=(_GOOD, CounterPlan("rework", "REWORK")),
            sample_seconds=20,
            habits=Habits(
                micro_stops_per_hour=4.0,
                micro_stops=(("MICRO-LABEL", "Label skewed"), ("MICRO-SENSOR", "Glue sensor blinded")),
                hours_between_breakdowns=11,
                mean_repair_minutes=7,
                breakdowns=(("SUPPLY-LABELS", "Label magazine empty"), ("FAIL-SENSOR", "Camera without picture")),
                reject_share=0.008,
            ),
        ),
        MachinePlan(
            code="GLASS-PACKER",
            name="Crate packer",
            pace=Fraction(120, 100),
            counters=(CounterPlan("crates", "GOOD", is_running=True, pieces_per_pulse=20),),
            sample_seconds=30,
            habits=Habits(
                micro_stops_per_hour=2.0,
                micro_stops=(("MICRO-JAM", "Crate across the infeed"),),
                hours_between_breakdowns=14,
                mean_repair_minutes=8,
                breakdowns=(("FAIL-GRIPPER", "Gripper head lost a bottle"), ("FAIL-CHAIN", "Crate chain overload")),
            ),
        ),
    ),
    rates={"STILL-033": Decimal(6_000), "SPARK-033": Decimal(6_000), "SPARK-07": Decimal(4_500)},
    sequence=(*("SPARK-033",) * 7, *("STILL-033",) * 7, *("SPARK-07",) * 6),
    order_starts=(
        *(time(6), time(7, 40), time(9, 20), time(11), time(12, 30)),
        *(time(14), time(15, 40), time(17, 20), time(19), time(20, 30)),
    ),
    lot_change_minutes=(2, 4),
    flavour_change_minutes=(12, 20),
    format_change_minutes=(30, 50),
    buffer_seconds=90,
    cleaning=CleaningPlan(time(21, 15), 45, frozenset({1, 2, 3, 4, 5, 6})),
    weekly_faults=(
        WeeklyFault(3, time(16, 40), "GLASS-FILLER", 14, NO_DATA, "Gateway does not answer"),
        WeeklyFault(5, time(8, 30), "GLASS-WASHER", 35, "FAIL-HEATER", "Lye below temperature"),
    ),
    own_shifts=(
        ShiftPlan("Early", EARLY.start, EARLY.end, EARLY.breaks, _MONDAY_TO_SATURDAY),
        ShiftPlan("Late", LATE.start, LATE.end, LATE.breaks, _MONDAY_TO_SATURDAY),
        ShiftPlan("Sunday overtime", time(6), time(12), (_break("Breakfast", 9, 0),), _SUNDAY, is_overtime=True),
    ),
)

VISTULA = PlantPlan(
    enterprise=("VISTULA", "Vistula Beverages"),
    site=("KRAKOW", "Kraków"),
    time_zone="Europe/Warsaw",
    area=("FILLING", "Filling hall"),
    shifts=(EARLY, LATE, NIGHT),
    lines=(PET, GLASS),
    products=PRODUCTS,
    reasons=REASONS,
    holidays=(
        (1, 1, "New Year's Day"),
        (1, 6, "Epiphany"),
        (5, 1, "Labour Day"),
        (5, 3, "Constitution Day"),
        (8, 15, "Assumption of Mary"),
        (11, 1, "All Saints' Day"),
        (11, 11, "Independence Day"),
        (12, 24, "Christmas Eve"),
        (12, 25, "Christmas Day"),
        (12, 26, "Second Day of Christmas"),
    ),
    people=(
        PersonPlan("admin", "Ada", "Nowak", "admin"),
        PersonPlan("engineer", "Emil", "Wójcik", "engineer"),
        PersonPlan("supervisor", "Sylwia", "Kamińska", "supervisor"),
        PersonPlan("quality", "Kinga", "Mazur", "quality"),
        PersonPlan("release", "Roman", "Dudek", "quality"),
        PersonPlan("operator", "Oskar", "Zieliński", "operator"),
    ),
    materials=MATERIALS,
    crews=CREWS,
    customers=CUSTOMERS,
)
