"""State maps to begin with, as data: what MTConnect's words mean for OEE.

The words are those of the MTConnect Standard, Part 2 (Device Information Model), event types EXECUTION and
CONTROLLER_MODE, and the condition levels of Part 3. Their categories are our reading of the definitions there: a
program that is not executing is an unplanned stop until somebody says otherwise.
"""

Row = tuple[str, str, str]
"""Value pattern, category of the state reason, name. The first row that matches holds."""

EXECUTION: tuple[Row, ...] = (
    ("ACTIVE", "running", "Program runs"),
    ("READY", "unplanned", "Ready, no program runs"),
    ("WAIT", "unplanned", "Program waits"),
    ("FEED_HOLD", "unplanned", "Feed hold"),
    ("INTERRUPTED", "unplanned", "Program interrupted"),
    ("OPTIONAL_STOP", "unplanned", "Optional stop"),
    ("PROGRAM_OPTIONAL_STOP", "unplanned", "Optional stop"),
    ("PROGRAM_STOPPED", "unplanned", "Program stopped"),
    ("PROGRAM_COMPLETED", "unplanned", "Program completed"),
    ("STOPPED", "unplanned", "Stopped"),
)
"""For the data item of type EXECUTION alone."""

EXECUTION_AND_MODE: tuple[Row, ...] = (
    ("ACTIVE+AUTOMATIC", "running", "Program runs"),
    ("ACTIVE+SEMI_AUTOMATIC", "changeover", "Block by block"),
    ("ACTIVE+MANUAL", "changeover", "Set up by hand"),
    ("ACTIVE+MANUAL_DATA_INPUT", "changeover", "Set up by typed blocks"),
    ("ACTIVE+EDIT", "running", "Program runs"),
    *((f"{value}+*", category, name) for value, category, name in EXECUTION[1:]),
)
"""For EXECUTION (position 1) and CONTROLLER_MODE (position 2) together."""

EXECUTION_AND_CONDITION: tuple[Row, ...] = (
    ("ACTIVE+*", "running", "Program runs"),
    ("*+Fault", "unplanned", "Fault"),
    *((f"{value}+*", category, name) for value, category, name in EXECUTION[1:]),
)
"""For EXECUTION (position 1) and a condition (position 2) together."""

PRESETS: dict[str, tuple[Row, ...]] = {
    "mtconnect-execution": EXECUTION,
    "mtconnect-execution-mode": EXECUTION_AND_MODE,
    "mtconnect-execution-condition": EXECUTION_AND_CONDITION,
}
"""The tables by the code that a state map made from one has."""
