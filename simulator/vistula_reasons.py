"""Why the machines of Vistula Beverages stand: the tree of state reasons."""

from simulator.plant import (
    BLOCKED,
    BREAK,
    CHANGE_FLAVOUR,
    CHANGE_FORMAT,
    CHANGE_LOT,
    CLEANING,
    NO_DATA,
    NOT_SCHEDULED,
    RUNNING,
    STARVED,
    ReasonPlan,
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
                        ReasonPlan(STARVED, "Starved: nothing comes", from_device_only=True, waits_for="upstream"),
                        ReasonPlan(BLOCKED, "Blocked: cannot hand on", from_device_only=True, waits_for="downstream"),
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
                ReasonPlan(CHANGE_LOT, "Other lot, same product"),
                ReasonPlan(CHANGE_FLAVOUR, "Other product, same bottle"),
                ReasonPlan(CHANGE_FORMAT, "Other bottle"),
            ),
        ),
    ),
    "not_scheduled": (ReasonPlan(NOT_SCHEDULED, "No shift", "#9e9e9e"),),
    "no_data": (ReasonPlan(NO_DATA, "Connection lost", "#bdbdbd", from_device_only=True),),
}
