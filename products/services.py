"""What must follow when an ideal rate changes."""

from core.announcements import announce
from core.changes import Change, mark
from core.master_data import follows
from core.retention import refuse_closed
from products.models import IdealRate


@follows(IdealRate)
def ideal_rate_changed(*, before: IdealRate | None, after: IdealRate | None) -> None:
    """Mark the time in which a rate held or holds on its machine."""
    rates = [rate for rate in (before, after) if rate is not None]
    _refuse_closed_rates(before, after)
    mark(Change(rate.machine_id, rate.valid_from, rate.valid_until) for rate in rates)
    announce("machine", (rate.machine_id for rate in rates))


def _refuse_closed_rates(before: IdealRate | None, after: IdealRate | None) -> None:
    """Raise Closed for a change of what a rate says about closed time; one that holds there may still end later."""
    if before is not None and after is not None and _meaning(before) == _meaning(after):
        if before.valid_until != after.valid_until:
            ends = [at for at in (before.valid_until, after.valid_until) if at is not None]
            refuse_closed(min(ends), field="valid_until")
        return
    for rate in (before, after):
        if rate is not None:
            refuse_closed(rate.valid_from, field="valid_from")


def _meaning(rate: IdealRate) -> tuple[object, ...]:
    return rate.machine_id, rate.product_id, rate.ideal_cycle_time, rate.valid_from
