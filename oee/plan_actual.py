"""What was planned against what was made: the target of planned time and the good pieces, by line and day."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from core.intervals import Interval
from enterprise.models import Machine
from oee.engine import Slice
from oee.selectors import sums_for, target_quantity
from oee.slicing import slices_of


@dataclass(frozen=True, slots=True)
class PlanAndActual:
    """A line's day: the target of its planned time so far (None = not known), good and rejected pieces."""

    line_id: int
    day: date
    target: Fraction | None
    good: Fraction
    reject: Fraction

    @property
    def delta(self) -> Fraction | None:
        """Good pieces ahead of the target (positive) or behind."""
        return None if self.target is None else self.good - self.target


def plan_and_actual(
    groups: Mapping[int, Sequence[Machine]], window: Interval, zone: ZoneInfo, *, now: datetime
) -> list[PlanAndActual]:
    """Return the target and the pieces of each line (its machines by its id) for each day of a window, by day and line.

    An hour belongs to the day in which it begins on the zone's clock. The number of queries does not grow.
    """
    machines = [machine for group in groups.values() for machine in group]
    if not machines or window.start >= now:
        return []
    slices = slices_of(machines, window, now=now, by_day={machine.pk: zone for machine in machines})
    sums = sums_for(machines, slices.values())
    by_day: dict[date, dict[int, list[Slice]]] = defaultdict(lambda: defaultdict(list))
    for machine_id, pieces in slices.items():
        for piece in pieces:
            start = max(piece.key.hour, window.start)
            by_day[start.astimezone(zone).date()][machine_id].append(piece)
    found = []
    for day, of_day in sorted(by_day.items()):
        # What the site asks of its planned time may change from one day to the next.
        whole_day = Interval.utc(_midnight(day, zone), _midnight(day + timedelta(days=1), zone))
        for line_id, group in groups.items():
            whole = sums.report(group, whole_day, of_day, now=now)
            found.append(
                PlanAndActual(
                    line_id,
                    day,
                    target_quantity(whole),
                    whole.sums.quantities.good,
                    whole.sums.quantities.scrap,
                )
            )
    return found


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)
