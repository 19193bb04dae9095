"""Where lower floors are stopped: no run begins on a line whose constraint machine is down."""

from typing import Any, cast

from django.utils.translation import gettext as _

from core.errors import Conflict
from core.locks import take_turns
from core.master_data import precedes
from enterprise.models import Machine
from maintenance.models import MaintenanceOrder
from maintenance.selectors import down_machines
from workorders.models import Run


def words_on(order: MaintenanceOrder, machine: Machine) -> str:
    """Say that a machine is down for maintenance, and by which order."""
    assert order.down_since is not None
    since = order.down_since.astimezone(machine.line.area.site.zone)
    return _("%(machine)s is down for maintenance since %(since)s: %(order)s.") % {
        "machine": machine,
        "since": f"{since:%Y-%m-%d %H:%M}",
        "order": order,
    }


@precedes(Run)
def refuse_to_run(run: Run) -> None:
    """Refuse to begin a run that reaches into the time in which the line's constraint machine is down."""
    if cast(Any, run).pk is not None:
        return
    machines = list(
        Machine.objects.filter(line=run.line_id, is_constraint=True).select_related("line__area__site").order_by("id")
    )
    for machine in machines:
        take_turns("machine is down", machine.pk)
    blocked = down_machines(machine.pk for machine in machines)
    for machine in machines:
        order = blocked.get(machine.pk)
        if order is None or order.down_since is None:
            continue
        if run.ended_at is None or run.ended_at > order.down_since:
            raise Conflict(words_on(order, machine), field="line", code="maintenance")
