"""The demo plant: Vistula Beverages, who fill water in Kraków on a PET line and a glass line."""

from datetime import time
from decimal import Decimal
from fractions import Fraction

from simulator.plant import (
    BLOCKED,
    BREAK,
    CHANGE_FLAVOUR,
    CHANGE_FORMAT,
    CLEANING,
    NO_DATA,
    NOT_SCHEDULED,
    RUNNING,
    STARVED,
    BreakPlan,
    CleaningPlan,
    CounterPlan,
    CrewPlan,
    Habits,
    LinePlan,
    MachinePlan,
    MaterialPlan,
    PersonPlan,
    PlantPlan,
    ProductPlan,
    ReasonPlan,
    ShiftPlan,
    WeeklyFault,
)

# By category, as `downtime.StateReason.Category` calls them.
REASONS: dict[str, tuple[ReasonPlan, ...]] = {
    "running": (ReasonPlan(RUNNING, "Running", "#2e7d32", from_device_only=True),),
    "unplanned": (
        ReasonPlan(
            "STOP",
            "Unplanned stop",
            "#c62828",
            children=(
                ReasonPlan("STOP-UNKNOWN", "Not yet explained", "#d84315"),
                ReasonPlan(
                    "MICRO",
                    "Micro-stop",
                    "#ef6c00",
                    children=(
                        ReasonPlan("MICRO-FALLEN", "Fallen bottle"),
                        ReasonPlan("MICRO-JAM", "Jam at infeed"),
                        ReasonPlan("MICRO-CAP", "Cap misfed"),
                        ReasonPlan("MICRO-LABEL", "Label misfed"),
                        ReasonPlan("MICRO-SENSOR", "Sensor blinded"),
                    ),
                ),
                ReasonPlan(
                    "FAIL",
                    "Equipment failure",
                    "#b71c1c",
                    children=(
                        ReasonPlan(
                            "FAIL-MECH",
                            "Mechanical",
                            children=(
                                ReasonPlan("FAIL-VALVE", "Filling valve"),
                                ReasonPlan("FAIL-CHAIN", "Conveyor chain"),
                                ReasonPlan("FAIL-GRIPPER", "Gripper"),
                                ReasonPlan("FAIL-CAPPER", "Capping head"),
                            ),
                        ),
                        ReasonPlan(
                            "FAIL-ELEC",
                            "Electrical",
                            children=(
                                ReasonPlan("FAIL-DRIVE", "Drive"),
                                ReasonPlan("FAIL-SENSOR", "Sensor"),
                                ReasonPlan("FAIL-HEATER", "Heater lamp"),
                            ),
                        ),
                        ReasonPlan("FAIL-AIR", "Compressed air"),
                    ),
                ),
                ReasonPlan(
                    "FLOW",
                    "Material flow",
                    "#f9a825",
                    children=(
                        ReasonPlan(STARVED, "Starved: nothing comes", from_device_only=True),
                        ReasonPlan(BLOCKED, "Blocked: cannot hand on", from_device_only=True),
                    ),
                ),
                ReasonPlan(
                    "SUPPLY",
                    "Supply missing",
                    "#ad1457",
                    children=(
                        ReasonPlan("SUPPLY-PREFORM", "Preforms"),
                        ReasonPlan("SUPPLY-CAPS", "Caps"),
                        ReasonPlan("SUPPLY-LABELS", "Labels"),
                        ReasonPlan("SUPPLY-BOTTLES", "Empty bottles"),
                        ReasonPlan("SUPPLY-FILM", "Shrink film"),
                    ),
                ),
                ReasonPlan("STOP-CREW", "Waiting for an operator", "#8e24aa"),
            ),
        ),
    ),
    "planned": (
        ReasonPlan(
            "PLANNED",
            "Planned stop",
            "#1565c0",
            children=(
                ReasonPlan(BREAK, "Break", "#5c8fd6"),
                ReasonPlan(
                    "CLEAN",
                    "Cleaning",
                    children=(
                        ReasonPlan(CLEANING, "Cleaning in place"),
                        ReasonPlan("CLEAN-AREA", "Area cleaning"),
                    ),
                ),
                ReasonPlan("MAINTENANCE", "Planned maintenance"),
                ReasonPlan("MEETING", "Meeting"),
            ),
        ),
    ),
    "changeover": (
        ReasonPlan(
            "CHANGE",
            "Changeover",
            "#6a1b9a",
            children=(
                ReasonPlan(CHANGE_FLAVOUR, "Other product, same bottle"),
                ReasonPlan(CHANGE_FORMAT, "Other bottle"),
            ),
        ),
    ),
    "not_scheduled": (ReasonPlan(NOT_SCHEDULED, "No shift", "#9e9e9e"),),
    "no_data": (ReasonPlan(NO_DATA, "Connection lost", "#bdbdbd", from_device_only=True),),
}


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
    sequence=("STILL-05", "SPARK-05", "SPARK-15", "STILL-15"),
    order_starts=(time(6, 40), time(14, 50), time(23, 10)),
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
                hours_between_breakdowns=12,
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
                hours_between_breakdowns=18,
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
                micro_stops_per_hour=6.5,
                micro_stops=(
                    ("MICRO-FALLEN", "Fallen bottle at star wheel"),
                    ("MICRO-CAP", "Crown misfed"),
                    ("MICRO-JAM", "Bottle burst, carousel rinsing"),
                ),
                hours_between_breakdowns=3.5,
                mean_repair_minutes=10,
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
                hours_between_breakdowns=7,
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
                hours_between_breakdowns=9,
                mean_repair_minutes=8,
                breakdowns=(("FAIL-GRIPPER", "Gripper head lost a bottle"), ("FAIL-CHAIN", "Crate chain overload")),
            ),
        ),
    ),
    rates={"STILL-033": Decimal(6_000), "SPARK-033": Decimal(6_000), "SPARK-07": Decimal(4_500)},
    sequence=("SPARK-033", "STILL-033", "SPARK-07"),
    order_starts=(time(6), time(13, 20)),
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

# --- what the bottles are made of, for a thousand of them ---

Bill = tuple[tuple[str, Decimal, str], ...]

_THOUSAND = Decimal(1000)
MATERIALS = (
    MaterialPlan("WATER", "Spring water", "l", Decimal("0.0011")),
    MaterialPlan("CO2", "Carbon dioxide, food grade", "kg", Decimal("0.42"), "Airwell Gases", 7, Decimal(500), 720),
    MaterialPlan("PREFORM-05", "Preform 18 g", "pcs", Decimal("0.031"), "Preformex", 2, Decimal(12_000)),
    MaterialPlan("PREFORM-15", "Preform 32 g", "pcs", Decimal("0.052"), "Preformex", 2, Decimal(7_000)),
    MaterialPlan("CAP-26", "Screw cap 26 mm", "pcs", Decimal("0.0065"), "Capella Closures", 3, Decimal(50_000), 540),
    MaterialPlan("LABEL-PET", "Wrap label", "pcs", Decimal("0.0042"), "Etigraf", 7, Decimal(40_000), 360),
    MaterialPlan("FILM", "Shrink film", "kg", Decimal("1.85"), "Foliplast", 3, Decimal(450)),
    MaterialPlan("BOTTLE-033", "Returnable bottle 0.33 L", "pcs", Decimal("0.012"), "Own pool", 2, Decimal(2_400)),
    MaterialPlan("BOTTLE-07", "Returnable bottle 0.7 L", "pcs", Decimal("0.016"), "Own pool", 2, Decimal(1_200)),
    MaterialPlan("CROWN", "Crown cork 26 mm", "pcs", Decimal("0.0038"), "Capella Closures", 7, Decimal(100_000), 720),
    MaterialPlan("LABEL-GLASS", "Paper label", "pcs", Decimal("0.0031"), "Etigraf", 7, Decimal(60_000), 360),
)


def _bill(litres: str, *, sparkling: bool, bottle: str, closure: str, label: str, film: str = "") -> Bill:
    """Return what a thousand bottles need; a little more of what is lost on the way."""
    water = Decimal(litres) * _THOUSAND
    rows = [
        ("WATER", water * Decimal("1.02"), "FILLER"),
        (bottle, _THOUSAND * Decimal("1.005"), "DEPALLETISER" if bottle.startswith("BOTTLE") else "BLOWER"),
        (closure, _THOUSAND * Decimal("1.008"), "FILLER"),
        (label, _THOUSAND * Decimal("1.01"), "LABELLER"),
    ]
    if sparkling:
        rows.append(("CO2", water * Decimal("0.0065"), "FILLER"))
    if film:
        rows.append(("FILM", Decimal(film), "PACKER"))
    return tuple(rows)


def _pet(litres: str, preform: str, film: str, *, sparkling: bool) -> Bill:
    return _bill(litres, sparkling=sparkling, bottle=preform, closure="CAP-26", label="LABEL-PET", film=film)


def _glass(litres: str, bottle: str, *, sparkling: bool) -> Bill:
    return _bill(litres, sparkling=sparkling, bottle=bottle, closure="CROWN", label="LABEL-GLASS")


PRODUCTS = (
    ProductPlan("STILL-05", "Still water 0.5 L PET", "PET 0.5 L", _pet("0.5", "PREFORM-05", "3.2", sparkling=False)),
    ProductPlan("SPARK-05", "Sparkling water 0.5 L PET", "PET 0.5 L", _pet("0.5", "PREFORM-05", "3.2", sparkling=True)),
    ProductPlan("STILL-15", "Still water 1.5 L PET", "PET 1.5 L", _pet("1.5", "PREFORM-15", "5.8", sparkling=False)),
    ProductPlan("SPARK-15", "Sparkling water 1.5 L PET", "PET 1.5 L", _pet("1.5", "PREFORM-15", "5.8", sparkling=True)),
    ProductPlan("STILL-033", "Still water 0.33 L glass", "Glass 0.33 L", _glass("0.33", "BOTTLE-033", sparkling=False)),
    ProductPlan(
        "SPARK-033", "Sparkling water 0.33 L glass", "Glass 0.33 L", _glass("0.33", "BOTTLE-033", sparkling=True)
    ),
    ProductPlan("SPARK-07", "Sparkling water 0.7 L glass", "Glass 0.7 L", _glass("0.7", "BOTTLE-07", sparkling=True)),
)


# --- who works where: the machine leader first ---

CREWS = (
    CrewPlan("PET-EARLY", "PET", "Early", (("1001", "Marek", "Lis"), ("1002", "Hanna", "Duda")), Decimal("11.50")),
    CrewPlan("PET-LATE", "PET", "Late", (("1003", "Piotr", "Sowa"), ("1004", "Zofia", "Kania")), Decimal("11.50")),
    CrewPlan("PET-NIGHT", "PET", "Night", (("1005", "Adam", "Wilk"), ("1006", "Ewa", "Jeż")), Decimal("13.80")),
    CrewPlan("GLASS-EARLY", "GLASS", "Early", (("1007", "Jan", "Bóbr"), ("1008", "Ola", "Gil")), Decimal("11.50")),
    CrewPlan("GLASS-LATE", "GLASS", "Late", (("1009", "Igor", "Kos"), ("1010", "Lena", "Czyż")), Decimal("11.50")),
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
        PersonPlan("operator", "Oskar", "Zieliński", "operator"),
    ),
    materials=MATERIALS,
    crews=CREWS,
)
