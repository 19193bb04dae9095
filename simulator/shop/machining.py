"""The machining demo plant: Orlicka Precision, who turn, mill and grind small parts in Hradec Králové.

Small, bar-fed parts with cycles of seconds: only so can twelve machines make the 64 to 88 orders of a weekday, each of
50 to 500 pieces with 30 to 90 minutes of set-up.
"""

from datetime import time
from decimal import Decimal

from simulator.plant import (
    BREAK,
    NO_DATA,
    NOT_SCHEDULED,
    RUNNING,
    BreakPlan,
    Habits,
    MaterialPlan,
    PersonPlan,
    ShiftPlan,
)
from simulator.plant import ReasonPlan as Reason
from simulator.shop.plan import Arrivals, Crew, Kind, Part, ShopPlan, Step, ToolPlan

SETUP, NO_ORDER = "SETUP", "NO-ORDER"

_MICRO = (("CHIPS", "Chips on the part"), ("BAR-END", "Bar used up"), ("DOOR", "Door open for a look"))
_FAILURES = (
    ("TOOL-BROKEN", "Tool broken"),
    ("SPINDLE", "Spindle too warm"),
    ("COOLANT", "Coolant pressure low"),
    ("FEEDER", "Bar feeder jammed"),
)

REASONS: dict[str, tuple[Reason, ...]] = {
    "running": (Reason(RUNNING, "Running", "#2e7d32", from_device_only=True),),
    "unplanned": (
        Reason(
            "MC-STOP",
            "Machining stop",
            "#c62828",
            children=(
                Reason("CHIPS", "Clear chips"),
                Reason("BAR-END", "Load a bar"),
                Reason("DOOR", "Door open"),
                Reason(
                    "MC-FAIL",
                    "Machine failure",
                    "#b71c1c",
                    children=(
                        Reason("TOOL-BROKEN", "Tool broken"),
                        Reason("SPINDLE", "Spindle"),
                        Reason("COOLANT", "Coolant"),
                        Reason("FEEDER", "Bar feeder"),
                    ),
                ),
            ),
        ),
    ),
    "planned": (
        Reason(NO_ORDER, "No order", "#90a4ae", from_device_only=True, waits_for="order"),
        Reason(BREAK, "Break", "#5c8fd6"),
    ),
    "changeover": (Reason(SETUP, "Set-up", "#6a1b9a"),),
    "not_scheduled": (Reason(NOT_SCHEDULED, "No shift", "#9e9e9e"),),
    "no_data": (Reason(NO_DATA, "Connection lost", "#bdbdbd", from_device_only=True),),
}


def _habits(micro: float, hours: float, minutes: float, rejects: float) -> Habits:
    return Habits(micro, _MICRO, hours, minutes, _FAILURES, rejects)


def _steps(*steps: tuple[str, str]) -> tuple[Step, ...]:
    return tuple(Step(kind, Decimal(seconds)) for kind, seconds in steps)


def _bill(*lines: tuple[str, str]) -> tuple[tuple[str, Decimal], ...]:
    return tuple((material, Decimal(quantity)) for material, quantity in lines)


def _crew(code: str, shift: str, first: int, *names: str) -> Crew:
    members = []
    for at, name in enumerate(names):
        first_name, last_name = name.split(" ")
        members.append((str(first + at), first_name, last_name))
    return Crew(code, shift, tuple(members))


_WORKDAYS = frozenset(range(1, 6))

MACHINING = ShopPlan(
    code="machining",
    enterprise=("ORLICKA", "Orlicka Precision"),
    site=("OPR", "Hradec Králové machining"),
    time_zone="Europe/Prague",
    area=("OPR-SHOP", "Machine shop"),
    shifts=(
        ShiftPlan("Early", time(6), time(14), (BreakPlan("Break", time(10), time(10, 30)),), _WORKDAYS),
        ShiftPlan("Late", time(14), time(22), (BreakPlan("Break", time(18), time(18, 30)),), _WORKDAYS),
        ShiftPlan("Night", time(22), time(6), (BreakPlan("Break", time(2), time(2, 30)),), _WORKDAYS),
        ShiftPlan("Weekend", time(6), time(18), (BreakPlan("Break", time(12), time(12, 30)),), frozenset({6, 7})),
    ),
    kinds=(
        Kind(
            "TURN",
            "Turning",
            (
                ("OPR-TURN-1", "Lathe 1"),
                ("OPR-TURN-2", "Lathe 2"),
                ("OPR-TURN-3", "Lathe 3"),
                ("OPR-TURN-4", "Lathe 4"),
            ),
            _habits(2.4, 14, 22, 0.008),
        ),
        Kind(
            "MILL",
            "Milling",
            (("OPR-MILL-1", "Mill 1"), ("OPR-MILL-2", "Mill 2"), ("OPR-MILL-3", "Mill 3")),
            _habits(1.6, 18, 28, 0.006),
        ),
        Kind(
            "GRIND",
            "Grinding",
            (("OPR-GRIND-1", "Grinder 1"), ("OPR-GRIND-2", "Grinder 2"), ("OPR-GRIND-3", "Grinder 3")),
            _habits(1.2, 24, 25, 0.004),
        ),
        Kind(
            "CHECK",
            "Inspection",
            (("OPR-CHECK-1", "Measuring cell 1"), ("OPR-CHECK-2", "Measuring cell 2")),
            _habits(0.6, 60, 15, 0.006),
            people_count=True,
        ),
    ),
    parts=(
        Part(
            "OPR-PIN",
            "Dowel pin 8 × 30",
            _steps(("TURN", "7.5"), ("GRIND", "6"), ("CHECK", "3")),
            _bill(("OPR-BAR-8", "3.2"), ("OPR-OIL", "0.4")),
            5,
            Decimal("8.000"),
        ),
        Part(
            "OPR-BUSH",
            "Guide bushing 12",
            _steps(("TURN", "9"), ("GRIND", "7"), ("CHECK", "3.5")),
            _bill(("OPR-BAR-20", "3.4"), ("OPR-OIL", "0.5"), ("OPR-TRAY", "4")),
            4,
            Decimal("12.000"),
        ),
        Part(
            "OPR-NUT",
            "Lock nut M16",
            _steps(("TURN", "8"), ("MILL", "9"), ("CHECK", "3")),
            _bill(("OPR-BAR-20", "2.1"), ("OPR-INSERT", "100"), ("OPR-OIL", "0.4")),
            4,
            Decimal("24.000"),
        ),
        Part(
            "OPR-PLATE",
            "Clamping plate",
            _steps(("MILL", "12.5"), ("GRIND", "8"), ("CHECK", "4")),
            _bill(("OPR-FLAT", "6"), ("OPR-OIL", "0.6"), ("OPR-TRAY", "10")),
            3,
            Decimal("40.000"),
        ),
        Part(
            "OPR-SHAFT",
            "Motor shaft 10",
            _steps(("TURN", "10"), ("MILL", "8"), ("GRIND", "7"), ("CHECK", "4")),
            _bill(("OPR-BAR-20", "9"), ("OPR-RING", "200"), ("OPR-OIL", "0.8"), ("OPR-TRAY", "5")),
            2,
            Decimal("10.000"),
        ),
        Part(
            "OPR-SCREW",
            "Bone screw blank",
            _steps(("TURN", "10"), ("MILL", "9"), ("CHECK", "5")),
            _bill(("OPR-TI-6", "2.8"), ("OPR-OIL", "0.5"), ("OPR-TRAY", "5"), ("OPR-BAG", "10"), ("OPR-CAP", "100")),
            2,
            Decimal("4.500"),
            requirement="ISO",
        ),
    ),
    materials=(
        MaterialPlan("OPR-BAR-8", "Bar steel 8 mm", "m", Decimal("2.10"), "Třinec Bars", 1, Decimal(60)),
        MaterialPlan("OPR-BAR-20", "Bar steel 20 mm", "m", Decimal("5.80"), "Třinec Bars", 1, Decimal(60)),
        MaterialPlan("OPR-FLAT", "Flat steel 50 × 12", "m", Decimal("7.40"), "Třinec Bars", 1, Decimal(30)),
        MaterialPlan("OPR-TI-6", "Titanium bar 6 mm", "m", Decimal("38.00"), "Alpine Titanium", 1, Decimal(30)),
        MaterialPlan("OPR-OIL", "Cutting oil", "l", Decimal("4.20"), "Lubra", 1, Decimal(20)),
        MaterialPlan("OPR-INSERT", "Locking insert", "pcs", Decimal("0.06"), "Plastik", 1, Decimal(1000)),
        MaterialPlan("OPR-RING", "Retaining ring", "pcs", Decimal("0.04"), "Seeger", 1, Decimal(1000)),
        MaterialPlan("OPR-CAP", "Protective cap", "pcs", Decimal("0.02"), "Plastik", 1, Decimal(1000)),
        MaterialPlan("OPR-TRAY", "Tray", "pcs", Decimal("0.90"), "Plastik", 1, Decimal(100)),
        MaterialPlan("OPR-BAG", "Clean bag", "pcs", Decimal("0.12"), "Plastik", 1, Decimal(100)),
    ),
    customers=("Hydra Motors", "Kontakt Drives", "Lumen Robotics", "Medis Implants", "Severn Pumps", "Tatra Gear"),
    weekday_arrivals=(Arrivals(6, 14, 4, 5), Arrivals(14, 22, 3, 4), Arrivals(22, 24, 1, 2), Arrivals(0, 6, 1, 2)),
    weekend_arrivals=Arrivals(0, 24, 1, 2),
    crews=(
        _crew("OPR-E", "Early", 3101, "Jan Novák", "Eva Malá", "Petr Dvořák", "Hana Bílá", "Karel Král"),
        _crew("OPR-L", "Late", 3201, "Marie Černá", "Josef Beneš", "Lucie Tichá", "Pavel Sova", "Dana Zelená"),
        _crew("OPR-N", "Night", 3301, "Tomáš Hrubý", "Ivana Jará", "Milan Kos", "Věra Nová", "Radek Pokorný"),
        _crew("OPR-W", "Weekend", 3401, "Jitka Slaná", "Aleš Vlk", "Olga Rychlá", "Filip Bureš", "Simona Krátká"),
    ),
    people=(
        PersonPlan("foreman.opr", "Franta", "Mistr", "supervisor"),
        PersonPlan("engineer.opr", "Ema", "Technická", "engineer"),
        PersonPlan("quality.opr", "Kvido", "Měřič", "quality"),
        PersonPlan("review.opr", "Rut", "Čtoucí", "quality"),
        PersonPlan("release.opr", "Pavla", "Propustková", "quality"),
        PersonPlan("operator.opr", "Olin", "Soustružník", "operator"),
    ),
    reasons=REASONS,
    tools=(
        ToolPlan("OPR-CUT-1", "Cut-off tool, lathe 1", "OPR-TURN-1", 6_000),
        ToolPlan("OPR-CUT-2", "Cut-off tool, lathe 2", "OPR-TURN-2", 6_000),
        ToolPlan("OPR-MILL-6", "End mill 6 mm", "OPR-MILL-1", 4_000),
        ToolPlan("OPR-WHEEL-1", "Grinding wheel, grinder 1", "OPR-GRIND-1", 20_000),
    ),
    hourly_rate=Decimal(28),
)
