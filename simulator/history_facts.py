"""What the machines of a plant said in its past, and the hours that follow from it, a line at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.intervals import Interval
from counts.models import CountTag
from counts.services import NewReading, record_readings
from downtime.models import StateReason
from downtime.services import NewState, record_states
from enterprise.models import Machine
from oee.hours import bring_up_to_date, whole_hours
from simulator.facts import CountFact, StateFact
from simulator.line_day import LineDay, simulate_day
from simulator.plant import LinePlan, PlantPlan
from simulator.working_time import DAY, day_window

SOURCE = "history"
LARGEST_BATCH = 20_000


@dataclass(frozen=True, slots=True)
class Past:
    """Which days of which plant: production days from `first` on, so many; `end` is where the last one ends."""

    plant: PlantPlan
    first: date
    days: int
    seed: int

    @property
    def all_days(self) -> list[date]:
        """The production days, in order."""
        return [self.first + DAY * number for number in range(self.days)]

    @property
    def window(self) -> Interval:
        """From the first day's start to the last day's end."""
        return Interval(day_window(self.plant, self.first).start, self.end)

    @property
    def end(self) -> datetime:
        """Where the last day ends."""
        return day_window(self.plant, self.first + DAY * (self.days - 1)).end


def days_of(past: Past, line: LinePlan) -> Iterator[LineDay]:
    """Yield a line's days, each beginning with the counters as the day before left them."""
    readings: Mapping[str, int] = {}
    for day in past.all_days:
        simulated = simulate_day(past.plant, line, day, seed=past.seed, readings=readings)
        readings = simulated.readings
        yield simulated


def write_facts(past: Past, line: LinePlan) -> int:
    """Write all that a line's devices would have sent, day by day; return how many facts."""
    tags = {tag.tag_path: tag for tag in CountTag.objects.filter(machine__line__code=line.code)}
    machines = dict(Machine.objects.filter(line__code=line.code).values_list("code", "pk"))
    reasons = dict(StateReason.objects.without_tree_fields().values_list("code", "pk"))
    running = {path for path, tag in tags.items() if tag.mode == CountTag.Mode.RUNNING}
    written = 0
    for simulated in days_of(past, line):
        readings = [
            NewReading(tags[fact.tag].pk, tags[fact.tag].machine_id, fact.tag in running, fact.at, fact.value, SOURCE)
            for fact in simulated.facts
            if isinstance(fact, CountFact)
        ]
        states = [
            NewState(machines[fact.machine], fact.at, reasons[fact.state], fact.detail, SOURCE)
            for fact in simulated.facts
            if isinstance(fact, StateFact)
        ]
        for at in range(0, len(readings), LARGEST_BATCH):
            record_readings(readings[at : at + LARGEST_BATCH], recorded_at=simulated.window.end)
        record_states(states, recorded_at=simulated.window.end)
        written += len(readings) + len(states)
    return written


def store_hours(past: Past, line: LinePlan) -> int:
    """Compute and keep the hours of a line's machines, as the keeper does; return how many."""
    stored = 0
    for machine in Machine.objects.filter(line__code=line.code).select_related("line__area__site").order_by("pk"):
        hours = whole_hours(past.window, [machine], now=past.end + DAY)
        if hours is not None:
            bring_up_to_date([machine.pk], hours)
            stored += (hours.end - hours.start) // timedelta(hours=1)
    return stored
