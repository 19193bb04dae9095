"""The pure heart: a machine's history in, time elements, quantities and KPIs out. No Django, no clock, no floats."""

from oee.engine.counters import increments
from oee.engine.elements import (
    Changeover,
    CountingScheme,
    MachineSums,
    Overtime,
    Policy,
    Quantities,
    TimeElements,
    sum_slices,
)
from oee.engine.facts import (
    Calendar,
    Category,
    CountMode,
    CountRole,
    Increment,
    MachineHistory,
    RateSpan,
    Reading,
    ResetPolicy,
    RunSpan,
    ShiftSpan,
    StateCorrection,
    StateEvent,
    TagConfig,
)
from oee.engine.kpis import Kpis
from oee.engine.slices import ReasonSlice, Segment, Slice, SliceKey, segments, slice_window
from oee.engine.states import Stretch, timeline

__all__ = [
    "Calendar",
    "Category",
    "Changeover",
    "CountMode",
    "CountRole",
    "CountingScheme",
    "Increment",
    "Kpis",
    "MachineHistory",
    "MachineSums",
    "Overtime",
    "Policy",
    "Quantities",
    "RateSpan",
    "Reading",
    "ReasonSlice",
    "ResetPolicy",
    "RunSpan",
    "Segment",
    "ShiftSpan",
    "Slice",
    "SliceKey",
    "StateCorrection",
    "StateEvent",
    "Stretch",
    "TagConfig",
    "TimeElements",
    "increments",
    "segments",
    "slice_window",
    "sum_slices",
    "timeline",
]
