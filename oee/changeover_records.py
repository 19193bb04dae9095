"""What people wrote down of changeovers beside what the counts say of the same ones: two looks, each with its name."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from core.intervals import Interval, microseconds
from oee.changeovers import Changeover as Counted
from oee.changeovers import changeovers_of
from workorders.models import Changeover


@dataclass(frozen=True, slots=True)
class RecordedChangeover:
    """A record, and the changeover that led to the same run as the counts tell it; None where they tell none."""

    record: Changeover
    counted: Counted | None

    @property
    def first_good_at(self) -> datetime | None:
        """When the first good piece came: as somebody noted it, or else as it was counted."""
        if self.record.first_good_at is not None:
            return self.record.first_good_at
        return self.counted.ended_at if self.counted else None

    @property
    def first_good_from(self) -> str:
        """Where that is from: `written`, `counted`, or "" when nobody knows."""
        if self.record.first_good_at is not None:
            return "written"
        return "counted" if self.first_good_at is not None else ""

    @property
    def duration(self) -> timedelta | None:
        """From its begin to the first good piece, or else to its end; None while both are to come."""
        end = self.first_good_at or self.record.ended_at
        return None if end is None or end < self.record.started_at else end - self.record.started_at

    @property
    def target(self) -> timedelta | None:
        """What the targets allowed when it began."""
        minutes = self.record.target_minutes
        return None if minutes is None else timedelta(microseconds=int(Fraction(minutes) * 60_000_000))

    @property
    def over_target(self) -> timedelta | None:
        """How much longer than its target it took; negative = shorter, None = one of them is not known."""
        return None if self.duration is None or self.target is None else self.duration - self.target

    @property
    def target_reached(self) -> Fraction | None:
        """Target / duration: 1 = as planned, less = it took longer."""
        if not self.duration or self.target is None:
            return None
        return Fraction(microseconds(self.target), microseconds(self.duration))


def beside_counts(records: Sequence[Changeover], *, now: datetime) -> list[RecordedChangeover]:
    """Return records, in their order, each with what was counted. `line` and `run` are read: select them.

    What was counted of one line's records costs one look over the window of their runs.
    """
    by_line: dict[int, list[Changeover]] = defaultdict(list)
    for record in records:
        if record.run is not None and record.run.started_at < now:
            by_line[record.line_id].append(record)
    counted: dict[int, Counted] = {}
    for of_line in by_line.values():
        begun = [record.run.started_at for record in of_line if record.run is not None]
        window = Interval(min(begun), max(begun) + timedelta(microseconds=1))
        counted |= {found.run_id: found for found in changeovers_of(of_line[0].line, window, now=now)}
    return [RecordedChangeover(record, counted.get(record.run_id or 0)) for record in records]
