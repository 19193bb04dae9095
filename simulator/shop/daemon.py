"""Let a job shop live: its machines deliver, its people do what is due, and the diary tells of it,
until somebody stops it.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from django.db import DatabaseError, connection

from enterprise.models import Site
from simulator import diary
from simulator.delivery import TIDY, Untidiness
from simulator.diary import Delivered
from simulator.models import Simulation
from simulator.mqtt import MqttLink, MqttTransport
from simulator.progress import ProgressFile
from simulator.services import devices_folder, plant_identity, provide_keys, queues_folder
from simulator.shop.doing import Doer
from simulator.shop.floor import ShopFloor
from simulator.shop.life import Life, first_hour
from simulator.shop.machine_feed import MachineFeed
from simulator.shop.plan import ShopPlan
from simulator.shop.working import Fault
from simulator.shop_floor import ShopFloor as Devices
from simulator.stops import ScriptedFault

logger = logging.getLogger("simulate")
Via = Simulation.Via

PEOPLE_FILE = "people.json"
_SEEN_EVERY, _REPORT_EVERY = 5.0, 60.0
_DOES_FOR = 1.0
"""People do what is due for so many seconds; then the machines deliver."""


@dataclass(frozen=True, slots=True)
class How:
    """How a shop is to live: where the server is, how long its past is, how untidy its devices are,
    and how fast time goes.
    """

    url: str
    seed: int
    history: timedelta
    speed: float = 1.0
    interval: float = 1.0
    untidiness: Untidiness = TIDY
    until: datetime | None = None
    once: bool = False
    broker: str = ""
    """Address of an MQTT broker that the machines send by; empty = over HTTP."""


def shop_folder(plan: ShopPlan) -> Path:
    """Return where a shop's devices and people keep what is theirs."""
    return devices_folder() / plan.code


def passwords(plan: ShopPlan) -> dict[str, str]:
    """Return the passwords that the shop's people sign with, as `create_demo` has kept them; none where it has not."""
    path = shop_folder(plan) / PEOPLE_FILE
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return kept


def live(plan: ShopPlan, how: How, script: Iterable[ScriptedFault], stop: threading.Event) -> None:
    """Live until `stop` is set, or the time has come that `how` names. Raises Site.DoesNotExist without the plant."""
    site, started = Site.objects.get(code=plan.site[0]), datetime.now(UTC)
    simulation = diary.plan_life(site=site, seed=how.seed, begins_at=first_hour(started, history=how.history))
    diary.begin(simulation, at=started, speed=Decimal(str(how.speed)), via=Via.MQTT if how.broker else Via.HTTP)
    if simulation.seed != how.seed:
        logger.warning("The plant lives on with seed %d, which it was begun with", simulation.seed)
    # What is past is delivered already; what is still to come becomes part of the plant's life.
    wanted = [(fault.machine, fault.starts_at, round(fault.minutes), fault.reason, fault.detail) for fault in script]
    logger.info("%d new faults to come", diary.keep_faults(simulation, wanted, now=started))
    floor = floor_of(plan, simulation)
    link = MqttLink(how.broker) if how.broker else None
    devices = _devices(plan, floor, how, link)
    life = Life(floor, Doer(plan, site, seed=simulation.seed, passwords=passwords(plan)), simulation)
    try:
        _work(devices, life, simulation, _clock(simulation, devices, how), stop, how)
    finally:
        devices.stop()
        if link is not None:
            link.close()
        diary.stop(simulation, at=datetime.now(UTC))
        logger.info("Stopped: %s", devices.tally)


def floor_of(plan: ShopPlan, simulation: Simulation) -> ShopFloor:
    """Return a shop as its simulation was begun, with the faults that became part of its life."""
    faults = [
        Fault(one.machine.code, one.at, one.minutes, one.reason, one.detail)
        for one in simulation.faults.select_related("machine")
    ]
    return ShopFloor(plan, seed=simulation.seed, begins_at=simulation.begins_at, faults=faults)


def _devices(plan: ShopPlan, floor: ShopFloor, how: How, link: MqttLink | None) -> Devices:
    plant_id = plant_identity(plan)
    progress_file = ProgressFile(shop_folder(plan) / "progress.json", plant_id=plant_id, seed=floor.seed)
    kept = progress_file.read()
    return Devices.open(
        [MachineFeed(floor, machine, kept.get(machine)) for machine in plan.machines],
        how.url,
        provide_keys(plan.machines, shop_folder(plan) / "keys.json"),
        queues_folder(plant_id, seed=floor.seed),
        progress_file,
        how.untidiness,
        seed=floor.seed,
        transports=None if link is None else {code: MqttTransport(link, _topic(plan, code)) for code in plan.machines},
    )


def _topic(plan: ShopPlan, machine: str) -> str:
    """Return under which topic a machine's gateway sends its batches."""
    return f"{plan.enterprise[0]}/{plan.site[0]}/{plan.area[0]}/{machine}/{machine}/batch"


def _clock(simulation: Simulation, devices: Devices, how: How) -> Callable[[], datetime]:
    """Return the simulated clock: the real one, or one that starts where life stopped and runs fast until it meets
    it.
    """
    until = how.until or datetime.max.replace(tzinfo=UTC)
    if how.speed == 1:
        return lambda: min(datetime.now(UTC), until)
    delivered = [station.feed.progress.until or simulation.begins_at for station in devices.stations]
    began, starts_at = time.monotonic(), min(simulation.done_until, *delivered)
    return lambda: min(datetime.now(UTC), until, starts_at + timedelta(seconds=(time.monotonic() - began) * how.speed))


def _work(
    devices: Devices, life: Life, simulation: Simulation, clock: Callable[[], datetime], stop: threading.Event, how: How
) -> None:
    if how.speed == 1:
        devices.plan_backlog(clock())
    else:
        devices.go_live(clock())
    seen, report = 0.0, time.monotonic() + _REPORT_EVERY
    while not stop.is_set():
        now = clock()
        devices.tick(now)
        sent = devices.deliver_backlog(clock=time.monotonic())
        # People sign what the machines said, so the past is delivered first.
        did = 0 if devices.backlog else _do(life, now, stop)
        if time.monotonic() >= seen:
            seen = time.monotonic() + _SEEN_EVERY
            devices.keep_progress()
            note_seen(simulation, devices, now)
        if time.monotonic() >= report:
            report = time.monotonic() + _REPORT_EVERY
            logger.info("So far %s", devices.tally)
        if not sent and not did:
            if how.once or (how.until and now >= how.until):
                break
            stop.wait(how.interval)
    note_seen(simulation, devices, clock())


def _do(life: Life, now: datetime, stop: threading.Event) -> int:
    """Let people do what is due, for a moment; a database that is away is asked again later."""
    deadline = time.monotonic() + _DOES_FOR
    try:
        return life.go_on(now, recorded_at=now, stops=lambda: stop.is_set() or time.monotonic() > deadline)
    except DatabaseError as error:
        logger.warning("People wait for the database: %s", error)
        connection.close()
        return 0


def note_seen(simulation: Simulation, devices: Devices, now: datetime) -> None:
    """Note in the diary that a plant lives and what its devices delivered; a database that is away is told later."""
    try:
        diary.seen(simulation, at=datetime.now(UTC), simulated_at=now, delivered=delivered_by(devices))
    except DatabaseError as error:
        logger.warning("The diary waits for the database: %s", error)
        connection.close()


def delivered_by(devices: Devices) -> list[Delivered]:
    """Return what each line's devices delivered so far."""
    found = []
    for station in devices.stations:
        tally = station.client.delivered() + station.history
        waiting = station.client.queue_length() + len(station.outbox)
        waiting += sum(len(batch.facts) for batch in devices.backlog if batch.station is station)
        found.append(Delivered(station.code, tally.accepted, tally.duplicates, tally.refused, waiting))
    return found
