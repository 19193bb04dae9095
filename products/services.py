"""What must follow when an ideal rate changes."""

from core.announcements import announce
from core.changes import Change, mark
from core.master_data import follows
from products.models import IdealRate


@follows(IdealRate)
def ideal_rate_changed(*, before: IdealRate | None, after: IdealRate | None) -> None:
    """Mark the time in which a rate held or holds on its machine."""
    rates = [rate for rate in (before, after) if rate is not None]
    mark(Change(rate.machine_id, rate.valid_from, rate.valid_until) for rate in rates)
    announce("machine", (rate.machine_id for rate in rates))
