"""What can be called for at a bottling plant, and what its machines need: call types, plans of maintenance, tools."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from accounts.models import Role, User
from andon.models import CallType, EscalationStep
from enterprise.models import Machine, Site
from maintenance.models import Basis, MaintenancePlan, Tool
from maintenance.services import Said, mount_tool
from simulator.making import ensure
from simulator.plant import PlantPlan

MAINTENANCE, MATERIAL, QUALITY = "VB-MAINT", "VB-MATERIAL", "VB-QUALITY"
_CALL_TYPES = (
    (MAINTENANCE, "Maintenance", "tools", CallType.Tone.UNPLANNED),
    (MATERIAL, "Material", "box-seam", CallType.Tone.CALL),
    (QUALITY, "Quality", "patch-check", CallType.Tone.CHANGEOVER),
)
LUBRICATE = "VB-LUBRICATE"
# Code, name, which line's constraint, counted in, after so many, and how many days ago it was done last.
_PLANS = (
    (LUBRICATE, "Lubricate the star wheels", 0, Basis.RUN_HOURS, 400, 12),
    ("VB-SEALS", "Exchange the valves' seals", 0, Basis.CYCLES, 5_000_000, 20),
    ("VB-CHECK-PET", "Check guards and belts", 0, Basis.CALENDAR, 7, 4),
    ("VB-CHECK-GLASS", "Check guards and belts", 1, Basis.CALENDAR, 7, 2),
    ("VB-INSPECT", "Inspect the washer's nozzles", 1, Basis.CALENDAR, 30, 33),
)
_TOOLS = (("VB-VALVES", "Set of filling valves", 0), ("VB-CUPS", "Gripper cups", 1))
_PIECES = Decimal(2_000_000)


def create_call_types() -> dict[str, CallType]:
    """Return the things to call for, by code; who does not come within ten minutes, the supervisors hear of."""
    types = {}
    for place, (code, name, icon, tone) in enumerate(_CALL_TYPES, start=1):
        types[code] = ensure(CallType, {"code": code}, name=name, icon=icon, tone=tone, position=10 * place)
        ensure(EscalationStep, {"call_type": types[code], "after_minutes": 10}, role=Role.SUPERVISOR)
    return types


def create_upkeep(
    plant: PlantPlan,
    site: Site,
    *,
    counted_from: Callable[[int], datetime],
    mounted_at: datetime,
    recorded_at: datetime,
    actor: User,
) -> None:
    """Make plans for the lines' constraints, and mount a tool on each;
    `counted_from` is given the days since it was done.
    """
    machines = [Machine.objects.get(code=line.constraint.code) for line in plant.lines]
    for code, name, place, basis, every, days in _PLANS:
        if place < len(machines):
            ensure(
                MaintenancePlan,
                {"code": code},
                name=name,
                machine=machines[place],
                basis=basis,
                every=Decimal(every),
                counted_from=counted_from(days),
                instructions="As the maker's manual has it; note what was worn.",
            )
    for code, name, place in _TOOLS:
        if place < len(machines):
            tool = ensure(Tool, {"code": code}, name=name, site=site, life=_PIECES)
            key = f"demo tool {code}"
            said = Said(at=mounted_at, recorded_at=recorded_at, actor=actor, idempotency_key=key)
            mount_tool(tool=tool, machine=machines[place], said=said)
