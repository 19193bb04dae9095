"""What the machines of a job shop have to deliver: states and counts,
the days that are missing and then what happens now.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from simulator.facts import CountFact, Fact, StateFact
from simulator.progress import LineProgress
from simulator.shop.floor import ShopFloor
from simulator.shop.machining import NO_ORDER
from simulator.shop.plan import tag_path
from simulator.shop.working import Counted, Stretch

GOOD, REJECT = "good", "reject"
_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)


def facts_between(floor: ShopFloor, machine: str, after: datetime, until: datetime) -> list[Fact]:
    """Return what a machine says after a moment up to another, in order of time; the shop works so far first."""
    floor.run(until)
    facts: list[Fact] = []
    at = max(after, floor.begins_at - _TICK)
    for start, end, stretches, counted in _occupied(floor, machine, after, until):
        facts.extend(_idle(floor, machine, at, start))
        facts.extend(StateFact(machine, one.start, one.reason, one.detail) for one in stretches)
        facts.extend(_counts(machine, counted))
        at = end
    facts.extend(_idle(floor, machine, at, until + _TICK))
    return sorted((fact for fact in facts if after < fact.at <= until), key=_time)


def _occupied(
    floor: ShopFloor, machine: str, after: datetime, until: datetime
) -> Iterator[tuple[datetime, datetime, Iterable[Stretch], Iterable[Counted]]]:
    """Yield when a machine had something to do, or was broken: from, until, its states and what it counted."""
    works = [step.work for step in floor.works_between(machine, after, until) if step.work is not None]
    spans = [(work.start, work.end, work.stretches, work.counted) for work in works]
    repairs = [one for one in floor.repairs[machine] if one.end > after and one.start <= until]
    yield from sorted([*spans, *((one.start, one.end, (one,), ()) for one in repairs)], key=lambda span: span[0])


def _idle(floor: ShopFloor, machine: str, start: datetime, end: datetime) -> Iterator[StateFact]:
    """Yield what a machine says that has nothing to do in [start, end)."""
    calendar, at = floor.calendar, max(start, floor.begins_at)
    if at >= end:
        return
    for span in calendar.spans_in(at, end):
        if span.start > at:
            yield StateFact(machine, at, calendar.pause_at(at))
        at = max(at, span.start)
        if at >= end:
            return
        yield StateFact(machine, at, NO_ORDER)
        at = span.end
    if at < end:
        yield StateFact(machine, at, calendar.pause_at(at))


def _counts(machine: str, counted: Iterable[Counted]) -> Iterator[CountFact]:
    for one in counted:
        if one.good:
            yield CountFact(tag_path(machine, GOOD), one.at, one.good)
        if one.reject:
            yield CountFact(tag_path(machine, REJECT), one.at, one.reject)


def _time(fact: Fact) -> datetime:
    return fact.at


class MachineFeed:
    """Say what of a machine's facts is still to be delivered; its days are those of UTC."""

    def __init__(self, floor: ShopFloor, machine: str, progress: LineProgress | None = None) -> None:
        self.code = machine
        self.progress = progress or LineProgress(from_day=floor.begins_at.date())
        self._floor = floor
        self._resumes_at = self.progress.until

    def backlog(self, now: datetime) -> Iterator[tuple[date, list[Fact]]]:
        """Yield what was to be reported up to a moment and is not delivered, day by day, the newest day first."""
        self._floor.run(now)
        day = now.astimezone(UTC).date()
        while day >= self.progress.from_day:
            if not self.progress.is_delivered(day):
                start = datetime.combine(day, time(), tzinfo=UTC)
                until = min(now, start + _DAY - _TICK)
                after = start - _TICK
                if self._resumes_at is not None and self._resumes_at.date() == day:
                    after = self._resumes_at
                yield day, facts_between(self._floor, self.code, after, until)
            day -= _DAY

    def between(self, after: datetime, until: datetime) -> list[Fact]:
        """Return what happened after a moment up to another, in order of time."""
        return facts_between(self._floor, self.code, after, until)

    def note_delivered(self, day: date) -> None:
        """Note that a past day is wholly delivered."""
        self.progress.day_is_delivered(day, {self.progress.from_day + _DAY * ago: {} for ago in range(400)})

    def start_live(self, now: datetime) -> None:
        """Note that the running day is delivered up to now. What an earlier start left open is backlog."""
        self.progress.until = now

    def note_live(self, until: datetime) -> None:
        """Note that the live stream is delivered up to a moment; the days that it left behind are past."""
        day = (self.progress.until or until).date()
        while day < until.date():
            self.note_delivered(day)
            day += _DAY
        self.progress.until = until
