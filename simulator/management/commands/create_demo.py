"""Set up the demo plant."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.intervals import Interval
from simulator.battery import create_battery_plant
from simulator.boards import create_dashboards
from simulator.expectations import expected_week
from simulator.inspecting import create_quality
from simulator.services import create_people, create_plant, devices_folder, keep_orders, provide_device_keys
from simulator.vistula import VISTULA
from simulator.working_time import day_window, production_day


class Command(BaseCommand):
    """Make the demo plant, its people, keys, orders and schedule; what exists already stays as it is."""

    help = "Set up a demo plant: 'Vistula Beverages', or the battery-pack line (safe to repeat)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--plant", choices=["vistula", "battery"], default="vistula", help="Which plant; default vistula."
        )
        parser.add_argument("--reset-passwords", action="store_true", help="Give the demo's people new passwords.")
        parser.add_argument("--history-days", type=int, default=7, help="Days of past orders; default 7.")
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
            return
        site = create_plant(VISTULA, now=now)
        today = production_day(VISTULA, now)
        begins = day_window(VISTULA, today - timedelta(days=options["history_days"])).start
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

    def _people(self, made: list[Any]) -> None:
        if not made:
            self.stdout.write("The people exist already and keep their passwords; --reset-passwords makes new ones.")
            return
        self.stdout.write("\nPeople and their passwords, shown this once:")
        for person in made:
            self.stdout.write(f"  {person.username:<12} {person.password:<18} {person.role}")
