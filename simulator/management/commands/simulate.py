"""Let the demo plant's machines work."""

import logging
import signal
import threading
import time
import tomllib
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from accounts.models import User
from core.intervals import Interval
from enterprise.models import Site
from simulator import diary
from simulator.beside import fill
from simulator.bookings import book
from simulator.delivery import TIDY, Untidiness
from simulator.feed import LineFeed
from simulator.models import Simulation
from simulator.progress import LineProgress, ProgressFile
from simulator.services import (
    devices_folder,
    devices_memory,
    keep_orders,
    plant_identity,
    provide_device_keys,
    queues_folder,
)
from simulator.shop.daemon import How, live, note_seen
from simulator.shop.machining import MACHINING
from simulator.shop_floor import ShopFloor
from simulator.stops import ScriptedFault
from simulator.vistula import VISTULA
from simulator.working_time import day_window

logger = logging.getLogger("simulate")

_EVERY = {"orders": 15.0, "progress": 5.0, "report": 60.0, "beside": 60.0}
_PLAN_AHEAD = timedelta(days=3)
VISTULA_DAYS, MACHINING_DAYS = 7, 1


def moment(text: str) -> datetime:
    """Read an ISO time with a zone from the command line."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
    if at.tzinfo is None:
        raise ArgumentTypeError("write the time with a zone, like 2026-03-01T08:00:00Z")
    return at.astimezone(UTC)


class Command(BaseCommand):
    """Deliver the demo plant's facts through the ingestion interface until somebody stops it (Ctrl-C, SIGTERM)."""

    help = "Simulate a demo plant: first the missing history, then live. Run create_demo before."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--plant", choices=["vistula", "machining"], default="vistula", help="Which plant; default vistula."
        )
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="The server; default %(default)s.")
        parser.add_argument(
            "--via",
            default="http",
            help="http, or a broker like mqtt://127.0.0.1:1883 (machining; docs/simulator.md has its connector).",
        )
        parser.add_argument(
            "--history-days", type=int, help="Days of history at the first start; default 7 (machining: 1)."
        )
        parser.add_argument("--seed", type=int, default=1, help="The same seed makes the same history; default 1.")
        parser.add_argument("--interval", type=float, default=1.0, help="Seconds between live deliveries; default 1.")
        parser.add_argument("--late", type=float, default=0.02, help="Share of live items held back 30–300 s.")
        parser.add_argument("--duplicates", type=float, default=0.03, help="Share of live items sent twice.")
        parser.add_argument("--shuffled", type=float, default=0.2, help="Share of live batches sent out of order.")
        parser.add_argument("--speed", type=float, default=1.0, help="Play the history live, so many times as fast.")
        parser.add_argument("--faults", type=Path, help="A TOML file of faults to come; docs/simulator.md has one.")
        parser.add_argument("--once", action="store_true", help="Deliver what is missing up to now, then stop.")
        parser.add_argument("--until", type=moment, help="Stop when the simulated time reaches this (ISO, with zone).")

    def handle(self, *args: Any, **options: Any) -> None:
        # One line for every request would hide what the simulator itself has to say.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        if options["plant"] == "machining":
            self._machining(options, stop)
            return
        if options["via"] != "http":
            raise CommandError("Only the machining plant sends by MQTT: --plant machining.")
        plant_id, seed = self._plant_identity(), options["seed"]
        progress_file = ProgressFile(devices_folder() / "progress.json", plant_id=plant_id, seed=seed)
        feeds = self._feeds(progress_file.read(), options)
        clock = _clock(feeds, options)
        untidiness = _untidiness(options)
        keys = provide_device_keys(VISTULA, devices_folder() / "keys.json")
        queues = queues_folder(plant_id, seed=seed)
        floor = ShopFloor.open(feeds, options["url"], keys, queues, progress_file, untidiness, seed=seed)
        simulation = self._simulation(feeds, options)
        _work(floor, clock, stop, options, simulation)
        diary.stop(simulation, at=datetime.now(UTC))

    def _machining(self, options: dict[str, Any], stop: threading.Event) -> None:
        days = MACHINING_DAYS if options["history_days"] is None else options["history_days"]
        how = How(
            url=options["url"],
            seed=options["seed"],
            history=timedelta(days=days),
            speed=options["speed"],
            interval=options["interval"],
            untidiness=_untidiness(options),
            until=options["until"],
            once=options["once"],
            broker="" if options["via"] == "http" else options["via"],
        )
        try:
            live(MACHINING, how, _script(options["faults"]), stop)
        except ValueError as error:
            raise CommandError(str(error)) from error
        except Site.DoesNotExist as error:
            raise CommandError(
                "There is no machining plant yet: run 'manage.py create_demo --plant machining' first."
            ) from error

    def _plant_identity(self) -> str:
        try:
            return plant_identity(VISTULA)
        except Exception as error:
            raise CommandError(f"There is no demo plant yet: run 'manage.py create_demo' first ({error}).") from error

    def _simulation(self, feeds: list[LineFeed], options: dict[str, Any]) -> Simulation:
        begins = min(day_window(VISTULA, feed.progress.from_day).start for feed in feeds)
        site = Site.objects.get(code=VISTULA.site[0])
        simulation = diary.plan_life(site=site, seed=options["seed"], begins_at=begins)
        diary.begin(simulation, at=datetime.now(UTC), speed=Decimal(str(options["speed"])))
        diary.keep_faults(
            simulation,
            [
                (one.machine, one.starts_at, round(one.minutes), one.reason, one.detail)
                for one in _script(options["faults"])
            ],
            now=datetime.now(UTC),
        )
        return simulation

    def _feeds(self, kept: dict[str, LineProgress], options: dict[str, Any]) -> list[LineFeed]:
        now, script = datetime.now(UTC), _script(options["faults"])
        days = VISTULA_DAYS if options["history_days"] is None else options["history_days"]
        return [
            LineFeed(
                VISTULA,
                line,
                kept.get(line.code) or devices_memory(VISTULA, line, now=now, history_days=days),
                seed=options["seed"],
                script=script,
                measures=True,
            )
            for line in VISTULA.lines
        ]


def _fill_beside(now: datetime) -> None:
    try:
        fill(VISTULA, now=now)
    except DatabaseError as error:
        logger.warning("What is beside the orders waits for the database: %s", error)
    finally:
        connection.close()


def _untidiness(options: dict[str, Any]) -> Untidiness:
    if options["once"]:
        return TIDY
    return Untidiness(
        late_share=options["late"], duplicate_share=options["duplicates"], shuffled_share=options["shuffled"]
    )


def _clock(feeds: list[LineFeed], options: dict[str, Any]) -> Callable[[], datetime]:
    """Return the simulated clock: the real one, or one that starts in the past and runs fast until it meets it."""
    until: datetime = options["until"] or datetime.max.replace(tzinfo=UTC)
    if options["speed"] == 1:
        return lambda: min(datetime.now(UTC), until)
    began = time.monotonic()
    starts_at = min(feed.progress.until or day_window(VISTULA, feed.progress.from_day).start for feed in feeds)
    return lambda: min(
        datetime.now(UTC), until, starts_at + timedelta(seconds=(time.monotonic() - began) * options["speed"])
    )


def _work(
    floor: ShopFloor,
    clock: Callable[[], datetime],
    stop: threading.Event,
    options: dict[str, Any],
    simulation: Simulation,
) -> None:
    if options["speed"] == 1:
        floor.plan_backlog(clock())
    else:
        floor.go_live(clock())
    missing = sum(len(batch.facts) for batch in floor.backlog)
    logger.info("%d items of history to deliver to %s, the newest day first", missing, options["url"])
    due = dict.fromkeys(_EVERY, 0.0)
    for task in ("report", "beside"):
        due[task] = time.monotonic() + _EVERY[task]
    refused: set[str] = set()
    while not stop.is_set():
        now = clock()
        if _is_due("orders", due):
            _keep_orders(floor, now, refused, seed=options["seed"])
        if not floor.backlog and _is_due("beside", due):
            _fill_beside(now)
        floor.tick(now)
        if floor.deliver_backlog(clock=time.monotonic()):
            left = sum(len(batch.facts) for batch in floor.backlog)
            logger.info("History: %d of %d items delivered", missing - left, missing)
        elif (options["once"] and not floor.backlog) or (
            options["until"] and now >= options["until"] and not floor.backlog
        ):
            break
        else:
            stop.wait(options["interval"])
        if _is_due("progress", due):
            floor.keep_progress()
            note_seen(simulation, floor, now)
        if _is_due("report", due):
            logger.info("So far %s", floor.tally)
    floor.stop()
    logger.info("Stopped: %s", floor.tally)


def _is_due(task: str, due: dict[str, float]) -> bool:
    if time.monotonic() < due[task]:
        return False
    due[task] = time.monotonic() + _EVERY[task]
    return True


def _keep_orders(floor: ShopFloor, now: datetime, refused: set[str], *, seed: int) -> None:
    """Keep the orders and book what people would; a database that is away for a moment is asked again later."""
    begins = min(day_window(VISTULA, station.feed.progress.from_day).start for station in floor.stations)
    try:
        keep_orders(VISTULA, Interval(begins, now + _PLAN_AHEAD), now=now)
        supervisor = User.objects.filter(username="supervisor").first()
        if supervisor is not None and begins < now:
            book(VISTULA, Interval(begins, now), actor=supervisor, now=now, refused=refused, seed=seed)
    except DatabaseError as error:
        logger.warning("Orders wait for the database: %s", error)
    finally:
        connection.close()


def _script(path: Path | None) -> list[ScriptedFault]:
    """Read a fault script: [[fault]] tables with machine, at (with zone), minutes, reason and detail."""
    if path is None:
        return []
    try:
        tables = tomllib.loads(path.read_text())["fault"]
        faults = [
            ScriptedFault(
                table["machine"],
                table["at"].astimezone(UTC),
                table["minutes"],
                table["reason"],
                table.get("detail", ""),
            )
            for table in tables
        ]
        if any(table["at"].tzinfo is None for table in tables):
            raise ValueError("'at' needs a zone, like 2026-03-01T08:00:00Z")
    except (OSError, KeyError, ValueError, AttributeError) as error:
        raise CommandError(f"{path} is no fault script: {error}") from error
    return faults
