"""The panel of an order's costs, for pages of orders: `screens/_costs.html` with what `panel` returns as `costs`."""

from datetime import datetime
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext

from core.master_data import site_id_of
from core.reader import localized, said
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
            "kind": capfirst(said(row.kind)),
            "planned": localized(cents(row.planned) or "") or gettext("unknown"),
            "actual": localized(cents(row.actual) or "") or gettext("unknown"),
            "difference": localized(cents(row.difference) or ""),
            "missing": ", ".join(row.missing),
        }
        for row in found.rows
    ]
    return {"currency": found.currency, "rows": rows}
