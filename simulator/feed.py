"""What a line's devices have to deliver: the days that are missing, newest first, and then what happens now."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Protocol

from simulator.facts import Fact
from simulator.gauging import readings
from simulator.line_day import LineDay, simulate_day
from simulator.plant import LinePlan, PlantPlan
from simulator.progress import LineProgress
from simulator.stops import ScriptedFault
from simulator.working_time import DAY, production_day


class Feed(Protocol):
    """What somebody's devices have to deliver, and how far that has come; `code` is that of their line."""

    code: str
    progress: LineProgress

    def backlog(self, now: datetime) -> Iterator[tuple[date, list[Fact]]]:
        """Yield what was to be reported up to a moment and is not delivered, day by day, the newest day first."""

    def between(self, after: datetime, until: datetime) -> list[Fact]:
        """Return what happened after a moment up to another, in order of time."""

    def note_delivered(self, day: date) -> None:
        """Note that a past day is wholly delivered."""

    def start_live(self, now: datetime) -> None:
        """Note that the running day is delivered up to now."""

    def note_live(self, until: datetime) -> None:
        """Note that the live stream is delivered up to a moment."""


class LineFeed:
    """Generate a line's days one after the other, and say what of them is still to be delivered."""

    def __init__(
        self,
        plant: PlantPlan,
        line: LinePlan,
        progress: LineProgress,
        *,
        seed: int,
        script: Sequence[ScriptedFault] = (),
        measures: bool = False,
    ) -> None:
        """`measures` = what happens now includes what the line's scale measures."""
        self.line = line
        self.code = line.code
        self.progress = progress
        self.seed = seed
        self._plant = plant
        self._script = script
        self._measures = measures
        # Where the live stream of an earlier start ended.
        self._resumes_at = progress.until
        self._days: dict[date, LineDay] = {}
        self._readings_after: dict[date, dict[str, int]] = {}

    def backlog(self, now: datetime) -> Iterator[tuple[date, list[Fact]]]:
        """Yield what was to be reported up to a moment and is not delivered, day by day, the newest day first."""
        day = production_day(self._plant, now)
        while day >= self.progress.from_day:
            if not self.progress.is_delivered(day):
                yield day, self._undelivered(day, now)
            day -= DAY

    def between(self, after: datetime, until: datetime) -> list[Fact]:
        """Return what happened after a moment up to another, in order of time."""
        facts: list[Fact] = []
        day = production_day(self._plant, after)
        while day <= production_day(self._plant, until):
            facts.extend(_part(self._day(day).facts, after, until))
            day += DAY
        if self._measures:
            facts = sorted([*facts, *readings(self.line, after, until, seed=self.seed)], key=_time)
        return facts

    def note_delivered(self, day: date) -> None:
        """Note that a past day is wholly delivered."""
        self._day(day)
        self.progress.day_is_delivered(day, self._readings_after)
        self._days.pop(day, None)

    def start_live(self, now: datetime) -> None:
        """Note that the running day is delivered up to now. What an earlier start left open is backlog."""
        self.progress.until = now

    def note_live(self, until: datetime) -> None:
        """Note that the live stream is delivered up to a moment; the days that it left behind are past."""
        day = production_day(self._plant, self.progress.until or until)
        while day < production_day(self._plant, until):
            self.note_delivered(day)
            day += DAY
        self.progress.until = until

    def _undelivered(self, day: date, now: datetime) -> list[Fact]:
        facts = self._day(day).facts
        resumes_at = self._resumes_at
        if resumes_at is not None and production_day(self._plant, resumes_at) == day:
            return _part(facts, resumes_at, now)
        return list(facts[: bisect_right(facts, now, key=_time)])

    def _day(self, day: date) -> LineDay:
        if day not in self._days:
            self._generate(day)
        return self._days[day]

    def _generate(self, wanted: date) -> None:
        """Generate a day, and those before it whose counters lead to it."""
        day, readings = self.progress.from_day, self.progress.readings
        while day in self._readings_after and day < wanted:
            readings = self._readings_after[day]
            day += DAY
        while day <= wanted:
            simulated = simulate_day(
                self._plant, self.line, day, seed=self.seed, readings=readings, script=self._script
            )
            readings = dict(simulated.readings)
            self._days[day] = simulated
            self._readings_after[day] = readings
            day += DAY


def _time(fact: Fact) -> datetime:
    return fact.at


def _part(facts: Sequence[Fact], after: datetime, until: datetime) -> list[Fact]:
    return list(facts[bisect_right(facts, after, key=_time) : bisect_right(facts, until, key=_time)])
