"""Read the diary of the simulated plants: what a page and REST tell of how they live."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.master_data import in_scope
from enterprise.models import Site
from simulator.models import SimulatedFault, SimulatedHour, SimulatedLine, Simulation

HOURS_BACK = timedelta(hours=48)
MOST_FAULTS = 50


@dataclass(frozen=True, slots=True)
class PlantLife:
    """How a simulated plant lives: whether it runs, its lines' deliveries, its last hours, and its faults to come."""

    simulation: Simulation
    is_running: bool
    lines: Sequence[SimulatedLine]
    hours: Sequence[SimulatedHour]
    faults: Sequence[SimulatedFault]

    @property
    def totals(self) -> dict[str, int]:
        """What its people did in the hours that are shown."""
        return {name: sum(getattr(hour, name) for hour in self.hours) for name in SimulatedHour.COUNTED}

    @property
    def is_behind(self) -> bool:
        """Whether its people have more than an hour to catch up with."""
        now = self.simulation.simulated_at
        return now is not None and self.simulation.done_until < now - timedelta(hours=1)


def plants_of(user: Any, *, now: datetime) -> list[PlantLife]:
    """Return the simulated plants of the sites whose simulations somebody may see; four queries for any number."""
    seen = in_scope(Site.objects.all(), user, Site.site_paths)
    allowed = [site.pk for site in seen if user.may("view", "simulation", site.pk)]
    simulations = list(Simulation.objects.filter(site__in=allowed).select_related("site").order_by("site__name"))
    lines: dict[int, list[SimulatedLine]] = defaultdict(list)
    hours: dict[int, list[SimulatedHour]] = defaultdict(list)
    faults: dict[int, list[SimulatedFault]] = defaultdict(list)
    for line in SimulatedLine.objects.filter(simulation__in=simulations).select_related("line").order_by("line__code"):
        lines[line.simulation_id].append(line)
    for hour in SimulatedHour.objects.filter(simulation__in=simulations, hour_at__gt=now - HOURS_BACK):
        hours[hour.simulation_id].append(hour)
    to_come = SimulatedFault.objects.filter(simulation__in=simulations, at__gt=now).select_related("machine")
    for fault in to_come.order_by("at")[:MOST_FAULTS]:
        faults[fault.simulation_id].append(fault)
    return [PlantLife(one, one.runs(now=now), lines[one.pk], hours[one.pk], faults[one.pk]) for one in simulations]
