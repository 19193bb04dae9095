"""When a job shop works: spans between breaks and shifts' ends. Pure: the same answer for the same time, always."""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta

from core.intervals import Interval
from enterprise.shift_calendar import BreakRule, Level, ShiftKind, ShiftOccurrence, ShiftRule, shift_occurrences
from simulator.plant import BREAK, NOT_SCHEDULED
from simulator.shop.plan import ShopPlan

_AHEAD = timedelta(days=21)
_NEAR = timedelta(days=7)


class WorkCalendar:
    """The shifts of a shop from a moment on, worked out as far as somebody asked, and a bit more."""

    def __init__(self, plan: ShopPlan, begins_at: datetime) -> None:
        self._zone = plan.zone
        self._rules = [
            ShiftRule(
                id=number,
                level=Level.SITE,
                kind=ShiftKind.REGULAR,
                name=shift.name,
                weekdays=shift.weekdays,
                start_time=shift.start,
                end_time=shift.end,
                breaks=tuple(BreakRule(pause.start, pause.end) for pause in shift.breaks),
            )
            for number, shift in enumerate(plan.shifts, start=1)
        ]
        self._begins_at = begins_at - timedelta(days=2)
        self._known_until = self._begins_at
        self._shifts: list[ShiftOccurrence] = []
        self._spans: list[Interval] = []
        self._starts: list[datetime] = []

    def span_at(self, at: datetime) -> Interval:
        """Return the span of working time that covers a moment, or else the next one."""
        self._know(at)
        place = bisect_right(self._starts, at)
        if place and self._spans[place - 1].end > at:
            return self._spans[place - 1]
        return self._spans[place]

    def next_working(self, at: datetime) -> datetime:
        """Return the moment itself if somebody works then, otherwise when somebody does again."""
        return max(at, self.span_at(at).start)

    def pause_at(self, at: datetime) -> str:
        """Return why nobody works at a moment: a break within a shift, or no shift."""
        return BREAK if self.shift_at(at) is not None else NOT_SCHEDULED

    def shift_at(self, at: datetime) -> ShiftOccurrence | None:
        """Return the shift that covers a moment."""
        self._know(at)
        return next((shift for shift in self._around(at) if shift.start <= at < shift.end), None)

    def shifts_in(self, start: datetime, end: datetime) -> list[ShiftOccurrence]:
        """Return the shifts that touch [start, end), in order."""
        self._know(end)
        return [shift for shift in self._shifts if shift.end > start and shift.start < end]

    def spans_in(self, start: datetime, end: datetime) -> list[Interval]:
        """Return the spans of working time that touch [start, end), in order."""
        self._know(end)
        first = max(bisect_right(self._starts, start) - 1, 0)
        return [span for span in self._spans[first : bisect_right(self._starts, end)] if span.end > start]

    def after_working(self, at: datetime, length: timedelta) -> datetime:
        """Return when so much working time has passed since a moment."""
        span = self.span_at(at)
        at = max(at, span.start)
        while span.end - at < length:
            length -= span.end - at
            span = self.span_at(span.end)
            at = span.start
        return at + length

    def _around(self, at: datetime) -> list[ShiftOccurrence]:
        place = bisect_right(self._shift_starts, at)
        return self._shifts[max(place - 1, 0) : place]

    def _know(self, at: datetime) -> None:
        if at + _NEAR < self._known_until:
            return
        self._known_until = at + _AHEAD
        window = Interval(self._begins_at.astimezone(UTC), self._known_until.astimezone(UTC))
        self._shifts = shift_occurrences(self._rules, [], self._zone, window)
        self._shift_starts = [shift.start for shift in self._shifts]
        spans: list[Interval] = []
        for shift in self._shifts:
            at_ = shift.start
            for pause in shift.breaks:
                spans.append(Interval(at_, pause.start))
                at_ = pause.end
            spans.append(Interval(at_, shift.end))
        # A shift that follows at once goes on where the one before stops.
        joined: list[Interval] = []
        for span in spans:
            if joined and joined[-1].end == span.start:
                joined[-1] = Interval(joined[-1].start, span.end)
            else:
                joined.append(span)
        self._spans = joined
        self._starts = [span.start for span in joined]
