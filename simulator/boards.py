"""The dashboards that a demo plant begins with: one for each who works with numbers.

Engineers change them as they like.
"""

from typing import Any

from django.db import transaction

from accounts.models import Role
from core import master_data
from dashboards.models import Dashboard, Tile

_Kind, _Content = Tile.Kind, Tile.Content

BOARDS: tuple[tuple[str, str, str, str, tuple[dict[str, Any], ...]], ...] = (
    (
        "operator",
        "My shift",
        Role.OPERATOR,
        Dashboard.Period.SHIFT,
        (
            {"kind": _Kind.KPI, "kpi": "oee_index", "width": 3},
            {"kind": _Kind.KPI, "kpi": "availability", "width": 3},
            {"kind": _Kind.KPI, "kpi": "effectiveness", "width": 3},
            {"kind": _Kind.KPI, "kpi": "quality_ratio", "width": 3},
            {"kind": _Kind.TIMELINE, "width": 12},
            {"kind": _Kind.TABLE, "content": _Content.LINES, "width": 6},
            {"kind": _Kind.PARETO, "losses": "reason", "measure": "time", "rows": 8, "width": 6},
        ),
    ),
    (
        "supervisor",
        "The plant today",
        Role.SUPERVISOR,
        Dashboard.Period.DAY,
        (
            {"kind": _Kind.TABLE, "content": _Content.LINES, "width": 8},
            {"kind": _Kind.KPI, "kpi": "oee_index", "width": 4},
            {"kind": _Kind.TREND, "kpi": "oee_index", "step": "hour", "by_line": True, "width": 6},
            {"kind": _Kind.PARETO, "losses": "reason", "measure": "time", "rows": 10, "width": 6},
            {"kind": _Kind.PLAN, "plan_by": "order", "width": 6},
            {"kind": _Kind.TABLE, "content": _Content.LATE, "width": 6},
            {"kind": _Kind.TIMELINE, "width": 12},
        ),
    ),
    (
        "planner",
        "Plan and losses of the week",
        Role.ENGINEER,
        Dashboard.Period.WEEK,
        (
            {"kind": _Kind.PLAN, "plan_by": "day", "width": 6},
            {"kind": _Kind.PLAN, "plan_by": "line", "width": 6},
            {"kind": _Kind.TREND, "kpi": "oee_index", "step": "day", "by_line": True, "width": 6},
            {"kind": _Kind.PARETO, "losses": "machine", "measure": "pieces", "width": 6},
            {"kind": _Kind.KPI, "kpi": "setup_rate", "width": 3},
            {"kind": _Kind.KPI, "kpi": "utilisation", "width": 3},
            {"kind": _Kind.KPI, "kpi": "coverage", "width": 3},
            {"kind": _Kind.KPI, "kpi": "teep", "width": 3},
            {"kind": _Kind.TABLE, "content": _Content.ORDERS, "rows": 20, "width": 12},
        ),
    ),
    (
        "quality",
        "Quality of the week",
        Role.QUALITY,
        Dashboard.Period.WEEK,
        (
            {"kind": _Kind.KPI, "kpi": "quality_ratio", "width": 4},
            {"kind": _Kind.KPI, "kpi": "scrap_ratio", "width": 4},
            {"kind": _Kind.KPI, "kpi": "first_pass_yield", "width": 4},
            {"kind": _Kind.TREND, "kpi": "scrap_ratio", "step": "shift", "by_line": True, "width": 12},
            {
                "kind": _Kind.TEXT,
                "title": "What counts",
                "width": 12,
                "text": "Rejects of every counter count, start-up included.",
            },
        ),
    ),
)


@transaction.atomic
def create_dashboards() -> int:
    """Make the dashboards that are not there yet, of every site; return how many were made."""
    made = 0
    for place, (code, name, role, period, tiles) in enumerate(BOARDS, start=1):
        if Dashboard.objects.filter(code=code).exists():
            continue
        board = master_data.save(Dashboard(code=code, name=name, role=role, period=period, position=10 * place))
        for number, values in enumerate(tiles, start=1):
            master_data.save(Tile(dashboard=board, position=10 * number, **values))
        made += 1
    return made
