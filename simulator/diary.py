"""Write the diary of a simulated plant, and read what of it a page shows. Only simulators write it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from enterprise.models import Line, Machine, Site
from simulator.models import SimulatedFault, SimulatedHour, SimulatedLine, Simulation


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a line's devices delivered since the start, what waits, and whether anything arrived just now."""

    line: str
    accepted: int
    duplicates: int
    refused: int
    waiting: int


@transaction.atomic
def plan_life(*, site: Site, seed: int, begins_at: datetime) -> Simulation:
    """Return a plant's simulation; one that is planned already keeps its seed and its first hour."""
    found = Simulation.objects.select_for_update().filter(site=site).first()
    if found is None:
        found = Simulation.objects.create(site=site, seed=seed, begins_at=begins_at, done_until=begins_at)
    return found


def begin(simulation: Simulation, *, at: datetime, speed: Decimal = Decimal(1), via: str = "http") -> None:
    """Say that a plant's simulation starts now; what its devices delivered is counted anew."""
    SimulatedLine.objects.filter(simulation=simulation).update(accepted=0, duplicates=0, refused=0, waiting=0)
    simulation.started_at, simulation.seen_at, simulation.speed, simulation.via = at, at, speed, via
    simulation.save(update_fields=["started_at", "seen_at", "speed", "via"])


def seen(simulation: Simulation, *, at: datetime, simulated_at: datetime, delivered: Iterable[Delivered]) -> None:
    """Note that a simulation lives, how far its time is, and what its devices delivered so far."""
    Simulation.objects.filter(pk=simulation.pk).update(seen_at=at, simulated_at=simulated_at)
    stored = {row.line.code: row for row in SimulatedLine.objects.filter(simulation=simulation).select_related("line")}
    now_there = {one.line: one for one in delivered}
    for line in Line.objects.filter(code__in=now_there.keys() - stored.keys()):
        stored[line.code] = SimulatedLine(simulation=simulation, line=line)
    for code, one in now_there.items():
        row = stored.get(code)
        if row is None:
            continue
        has_news = (row.accepted, row.duplicates) != (one.accepted, one.duplicates)
        if row.pk is not None and not has_news and (row.refused, row.waiting) == (one.refused, one.waiting):
            continue
        row.accepted, row.duplicates, row.refused, row.waiting = one.accepted, one.duplicates, one.refused, one.waiting
        if has_news and one.accepted + one.duplicates:
            row.delivered_at = at
        row.save()


def stop(simulation: Simulation, *, at: datetime) -> None:
    """Note that a simulation was stopped."""
    Simulation.objects.filter(pk=simulation.pk).update(stopped_at=at, seen_at=at)


def note_hour(simulation: Simulation, hour_at: datetime, counted: Mapping[str, int], *, is_done: bool) -> None:
    """Write what was done in an hour so far; when all of it is, the next start goes on after it."""
    with transaction.atomic():
        SimulatedHour.objects.update_or_create(
            simulation=simulation, hour_at=hour_at, defaults={**counted, "is_done": is_done}
        )


def done_until(simulation: Simulation, at: datetime) -> None:
    """Note that all that people did before a moment is written."""
    Simulation.objects.filter(pk=simulation.pk).update(done_until=at)
    simulation.done_until = at


def keep_faults(simulation: Simulation, faults: Iterable[tuple[str, datetime, int, str, str]], *, now: datetime) -> int:
    """Keep faults of a script that are still to come, as (machine, at, minutes, reason, detail);
    return how many are new.
    """
    new = 0
    for code, at, minutes, reason, detail in faults:
        machine = Machine.objects.filter(code=code, line__area__site=simulation.site_id).first()
        if machine is None or at <= now:
            continue
        _, is_new = SimulatedFault.objects.get_or_create(
            machine=machine,
            at=at,
            defaults={"simulation": simulation, "minutes": minutes, "reason": reason, "detail": detail},
        )
        new += is_new
    return new
