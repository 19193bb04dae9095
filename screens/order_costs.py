"""The panel of an order's costs, for pages of orders: `screens/_costs.html` with what `panel` returns as `costs`."""

from datetime import datetime
from typing import Any

from core.master_data import site_id_of
from oee.cost_api import cents
from oee.costs import costs_of
from workorders.models import WorkOrder


def panel(order: WorkOrder, user: Any, *, now: datetime) -> dict[str, Any] | None:
    """Return what the panel shows of an order's costs; None for somebody who may not know them."""
    if not user.may("view", "cost", site_id_of(order)):
        return None
    found = costs_of(order, now=now)
    rows = [
        {
            "kind": row.kind.capitalize(),
            "planned": cents(row.planned) or "unknown",
            "actual": cents(row.actual) or "unknown",
            "difference": cents(row.difference) or "",
            "missing": ", ".join(row.missing),
        }
        for row in found.rows
    ]
    return {"currency": found.currency, "rows": rows}
