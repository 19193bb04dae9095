"""What has to be done before an operation may be finished: apps above declare it, whoever finishes one asks."""

from collections.abc import Callable
from datetime import datetime

from workorders.models import Operation

Gate = Callable[[Operation, datetime], None]
_gates: list[Gate] = []


def before_finishing(gate: Gate) -> Gate:
    """Declare a gate: it raises Conflict, in words for the person at the machine, when something is missing."""
    _gates.append(gate)
    return gate


def refuse_unfinished(*, operation: Operation, now: datetime) -> None:
    """Raise Conflict when an operation cannot be finished yet. To be called in the transaction that finishes it."""
    for gate in _gates:
        gate(operation, now)
