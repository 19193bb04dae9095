"""Let closed shifts be compared again where knowledge changed that numbers follow from,
and no machine's past is marked.
"""

from django.db.models import QuerySet

from core.master_data import follows
from enterprise.models import Line, Machine
from oee.models import ClosingCheck, OeePolicy, TouchedClosing


@follows(OeePolicy)
def policy_changed(*, before: OeePolicy | None, after: OeePolicy | None) -> None:
    """Let a site's closings be compared again: its policies apply when numbers are read."""
    _touch(Machine.objects.filter(line__area__site__in={p.site_id for p in (before, after) if p is not None}))


@follows(Line)
def line_changed(*, before: Line | None, after: Line | None) -> None:
    """Let a line's closings be compared again when other machines stand for it now."""
    if before is not None and after is not None and before.oee_mode != after.oee_mode:
        _touch(Machine.objects.filter(line=after))


@follows(Machine)
def machine_changed(*, before: Machine | None, after: Machine | None) -> None:
    """Let a line's closings be compared again when it has other machines, or another one sets its pace."""
    _touch(Machine.objects.filter(line__in={m.line_id for m in (before, after) if m is not None}))


def _touch(machines: QuerySet[Machine]) -> None:
    ids = list(machines.values_list("id", flat=True))
    touched = ClosingCheck.objects.filter(machine_ids__overlap=ids).values_list("closing_id", flat=True)
    TouchedClosing.objects.bulk_create(TouchedClosing(closing_id=closing_id) for closing_id in touched)
