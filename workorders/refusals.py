"""How a step that an order's life does not have is refused: in words, with its status and what can be done instead."""

from typing import Any

from core.errors import Conflict
from workorders.models import WorkOrder
from workorders.selectors import allowed


def refusal(order: WorkOrder, words: str, *, field: str | None = None, code: str = "", **facts: Any) -> Conflict:
    """Return the refusal of a step; a machine reads `status`, `allowed` and further facts beside the words."""
    return Conflict(words, field=field, code=code, facts={"status": order.status, "allowed": allowed(order), **facts})


def not_from_here(order: WorkOrder, words: str) -> Conflict:
    """Return the refusal of a step that cannot be taken from where an order is; the words say where that is."""
    possible = ", ".join(allowed(order)) or "nothing"
    return refusal(order, f"{words}; what can be done now: {possible}.")
