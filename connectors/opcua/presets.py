"""State maps to begin with, as data: what the words and numbers of OPC 40001-1 and PackML mean for OEE.

OPC 40001-1 (Machinery): the states of MachineryItemState_StateMachineType and MachineryOperationModeStateMachineType,
with the numbers (StateNumber) and the node ids of its nodeset, version 1.03. Categories follow the reading of OPC
40501-1, C.2.3 (running = Executing + Processing, set-up = Executing + Setup, delay = OutOfService) and OPC 40001-1,
Table 68 (delay, down time without an order, planned maintenance). Where the two differ, or where Table 68 asks whether
an order is registered, which a machine cannot say, it is an unplanned stop: whether time was planned is the calendar's
and the orders' to say.

PackML: the state numbers of ISA-TR88.00.02, which are also the StateNumbers of the PackML nodeset (OPC 30050); and the
StateEnumeration of OPC 30060 (Tobacco Machine Communication), Table 203, which numbers the same states otherwise.
Only Execute produces; all else is an unplanned stop until somebody says otherwise.
"""

Row = tuple[str, str, str]
"""Value pattern, category of the state reason, name. The first row that matches holds."""

_MACHINERY_ROWS: tuple[tuple[str, str, str, str], ...] = (
    ("Executing", "Processing", "running", "Processing"),
    ("Executing", "Setup", "changeover", "Setup"),
    ("Executing", "Maintenance", "planned", "Maintenance"),
    # A machine that gives no mode, executes; nothing says that it does so for another purpose than production.
    ("Executing", "None", "running", "Executing without a mode"),
    ("NotExecuting", "Processing", "unplanned", "Not executing"),
    ("NotExecuting", "Setup", "changeover", "Setup"),
    ("NotExecuting", "Maintenance", "planned", "Maintenance"),
    ("NotExecuting", "None", "unplanned", "Not executing"),
    ("OutOfService", "Processing", "unplanned", "Out of service"),
    ("OutOfService", "Setup", "unplanned", "Out of service"),
    ("OutOfService", "Maintenance", "planned", "Maintenance"),
    ("OutOfService", "None", "unplanned", "Out of service"),
    ("NotAvailable", "Processing", "unplanned", "Not available"),
    ("NotAvailable", "Setup", "unplanned", "Not available"),
    ("NotAvailable", "Maintenance", "planned", "Maintenance"),
    # Table 68 counts it as down time only while there is no order: switched off.
    ("NotAvailable", "None", "not_scheduled", "Switched off"),
)
ITEM_STATES: dict[str, tuple[int, int]] = {
    "NotAvailable": (0, 5005),
    "OutOfService": (1, 5004),
    "NotExecuting": (2, 5007),
    "Executing": (3, 5006),
}
"""State → its StateNumber, and the identifier of its node in http://opcfoundation.org/UA/Machinery/."""
OPERATION_MODES: dict[str, tuple[int, int]] = {
    "None": (0, 5024),
    "Maintenance": (1, 5025),
    "Setup": (2, 5027),
    "Processing": (3, 5026),
}
"""Mode → its StateNumber, and the identifier of its node."""

MACHINERY: tuple[Row, ...] = (
    *((f"{state}+{mode}", category, name) for state, mode, category, name in _MACHINERY_ROWS),
    *(
        (f"{ITEM_STATES[state][0]}+{OPERATION_MODES[mode][0]}", category, name)
        for state, mode, category, name in _MACHINERY_ROWS
    ),
    *(
        (
            f"nsu=*/UA/Machinery/;i={ITEM_STATES[state][1]}+nsu=*/UA/Machinery/;i={OPERATION_MODES[mode][1]}",
            category,
            name,
        )
        for state, mode, category, name in _MACHINERY_ROWS
    ),
)
"""For MachineryItemState (position 1) and MachineryOperationMode (position 2), each as CurrentState (a text),
CurrentState/Number, or CurrentState/Id."""

MACHINERY_STATE: tuple[Row, ...] = tuple(
    row
    for state, category, name in (
        ("Executing", "running", "Executing without a mode"),
        ("NotExecuting", "unplanned", "Not executing"),
        ("OutOfService", "unplanned", "Out of service"),
        ("NotAvailable", "unplanned", "Not available"),
    )
    for row in (
        (state, category, name),
        (str(ITEM_STATES[state][0]), category, name),
        (f"nsu=*/UA/Machinery/;i={ITEM_STATES[state][1]}", category, name),
    )
)
"""For MachineryItemState alone, of a machine that has no operation mode."""

TR88: dict[int, str] = {
    1: "Clearing",
    2: "Stopped",
    3: "Starting",
    4: "Idle",
    5: "Suspended",
    6: "Execute",
    7: "Stopping",
    8: "Aborting",
    9: "Aborted",
    10: "Holding",
    11: "Held",
    12: "Unholding",
    13: "Suspending",
    14: "Unsuspending",
    15: "Resetting",
    16: "Completing",
    17: "Complete",
}
OPC_30060: dict[int, str] = {
    0: "Stopped",
    1: "Resetting",
    2: "Idle",
    3: "Starting",
    4: "Execute",
    5: "Completing",
    6: "Complete",
    7: "Aborting",
    8: "Aborted",
    9: "Stopping",
    10: "Clearing",
    11: "Suspending",
    12: "Suspended",
    13: "Unsuspending",
    14: "Holding",
    15: "Held",
    16: "Unholding",
}


def _packml(states: dict[str, str]) -> tuple[Row, ...]:
    return tuple((value, "running" if name == "Execute" else "unplanned", name) for value, name in states.items())


PRESETS: dict[str, tuple[Row, ...]] = {
    "machinery": MACHINERY,
    "machinery-item-state": MACHINERY_STATE,
    "packml-tr88": _packml({str(number): name for number, name in TR88.items()}),
    "packml-opc30060": _packml({str(number): name for number, name in OPC_30060.items()}),
    "packml-names": _packml({name: name for name in TR88.values()}),
}
"""The tables by the code that a state map made from one has."""

RIVALS: dict[str, str] = {"packml-tr88": "packml-opc30060", "packml-opc30060": "packml-tr88"}
"""Presets that are easily taken for each other: the same numbers, but other states."""
