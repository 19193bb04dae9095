"""Set up the demo plant."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.intervals import Interval, floor_hour
from simulator.battery import create_battery_plant, expected_stages
from simulator.boards import create_dashboards
from simulator.diary import plan_life
from simulator.expectations import expected_week
from simulator.inspecting import create_quality
from simulator.services import (
    create_people,
    create_plant,
    devices_folder,
    keep_orders,
    keep_secret,
    provide_device_keys,
    provide_keys,
)
from simulator.shop.daemon import PEOPLE_FILE, floor_of, passwords, shop_folder
from simulator.shop.expectations import expected_life
from simulator.shop.life import first_hour
from simulator.shop.machining import MACHINING
from simulator.shop.setup import create_shop
from simulator.vistula import VISTULA
from simulator.working_time import day_window, production_day

VISTULA_DAYS, MACHINING_DAYS = 7, 1
WEEK = timedelta(days=7)


class Command(BaseCommand):
    """Make the demo plant, its people, keys, orders and schedule; what exists already stays as it is."""

    help = "Set up a demo plant: 'Vistula Beverages', the battery-pack line or the machining job shop (safe to repeat)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--plant",
            choices=["vistula", "battery", "machining"],
            default="vistula",
            help="Which plant; default vistula.",
        )
        parser.add_argument("--reset-passwords", action="store_true", help="Give the demo's people new passwords.")
        parser.add_argument("--history-days", type=int, help="Days of past orders; default 7 (machining: 1).")
        parser.add_argument(
            "--url", default="http://localhost:8000", help="Where the server will answer, to be printed."
        )
        parser.add_argument("--seed", type=int, default=1, help="Seed of the simulated plant; default 1.")

    def handle(self, *args: Any, **options: Any) -> None:
        now = datetime.now(UTC)
        create_dashboards()
        if options["plant"] == "battery":
            made = create_battery_plant(now=now)
            self.stdout.write(f"{made.site}: {made.units} serial units; the tracker is at {options['url']}/units/.")
            self._people(made.people)
            self.stdout.write(
                "\nWhat the MES should find of the stages of order BPK-1001, at /units/ and in the dashboards:"
            )
            for stage in expected_stages():
                self.stdout.write(f"  {stage}")
            return
        if options["plant"] == "machining":
            self._machining(options, now)
            return
        site = create_plant(VISTULA, now=now)
        today = production_day(VISTULA, now)
        days = VISTULA_DAYS if options["history_days"] is None else options["history_days"]
        begins = day_window(VISTULA, today - timedelta(days=days)).start
        orders = keep_orders(VISTULA, Interval(begins, now + timedelta(days=3)), now=now)
        keys_file = devices_folder() / "keys.json"
        keys = provide_device_keys(VISTULA, keys_file)
        self.stdout.write(
            f"{VISTULA.enterprise[1]}, {site}: {len(VISTULA.lines)} lines; {orders} orders planned or begun."
        )
        self.stdout.write(f"Keys of {len(keys)} gateways: {keys_file} (readable by its owner only).")
        self._people(create_people(VISTULA, site, reset_passwords=options["reset_passwords"]))
        create_quality(VISTULA, site, now=now, seed=options["seed"])
        self.stdout.write(
            f"\nSign in at {options['url']}/login/; the API documentation is at {options['url']}/api/docs/."
        )
        self.stdout.write("\nWhat the simulated machines make of the last 7 production days, as OEE should find it:")
        for row in expected_week(VISTULA, today, seed=options["seed"]):
            self.stdout.write(f"  {row}")

    def _machining(self, options: dict[str, Any], now: datetime) -> None:
        plan = MACHINING
        site, people = create_shop(plan, now=now)
        keys = provide_keys(plan.machines, shop_folder(plan) / "keys.json")
        if people:
            new = {one.username: one.password for one in people}
            keep_secret({**passwords(plan), **new}, shop_folder(plan) / PEOPLE_FILE)
        self.stdout.write(f"{plan.enterprise[1]}, {site}: {len(keys)} machines, {len(plan.parts)} parts.")
        self.stdout.write(
            f"Keys of machines, and what people sign with: {shop_folder(plan)} (readable by its owner only)."
        )
        self._people(people)
        self.stdout.write(f"\nHow it lives: {options['url']}/simulator/ (for engineers).")
        days = timedelta(days=MACHINING_DAYS if options["history_days"] is None else options["history_days"])
        simulation = plan_life(site=site, seed=options["seed"], begins_at=first_hour(now, history=days))
        start, end = max(simulation.begins_at, floor_hour(now - WEEK)), floor_hour(now)
        self.stdout.write(f"\nWhat the MES should find from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC:")
        for row in expected_life(floor_of(plan, simulation), start, end):
            self.stdout.write(f"  {row}")

    def _people(self, made: list[Any]) -> None:
        if not made:
            self.stdout.write("The people exist already and keep their passwords; --reset-passwords makes new ones.")
            return
        self.stdout.write("\nPeople and their passwords, shown this once:")
        for person in made:
            self.stdout.write(f"  {person.username:<12} {person.password:<18} {person.role}")
