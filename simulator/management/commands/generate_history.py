"""Write a past of the demo plant in bulk."""

import time
from argparse import ArgumentTypeError
from datetime import UTC, date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from downtime.models import StateHistory
from simulator.history import generate
from simulator.history_bands import bands
from simulator.history_facts import Past
from simulator.plant_digest import digest_of
from simulator.services import create_people, create_plant
from simulator.vistula import VISTULA
from simulator.working_time import DAY, day_window, production_day

PLANTS = {"vistula": VISTULA}


def day(text: str) -> date:
    """Read a date from the command line."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error


class Command(BaseCommand):
    """Make so many days of a plant's life, up to a day; `simulate` goes on from there."""

    help = "Write a past of the demo plant in bulk: orders, people, material, quality, machines' facts and hours."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=30, help="How many production days; default 30.")
        parser.add_argument("--seed", type=int, default=1, help="The same seed makes the same past; default 1.")
        parser.add_argument("--end", type=day, help="The day before which the past ends; default today.")
        parser.add_argument("--plant", choices=sorted(PLANTS), default="vistula", help="Which plant; default vistula.")
        parser.add_argument("--check", action="store_true", help="Compare what the MES finds in it with the bands.")
        parser.add_argument("--digest", action="store_true", help="Print a SHA-256 of each kind of row.")
        parser.add_argument("--keep", action="store_true", help="Write nothing; only look at what is there.")
        parser.add_argument("--processes", type=int, help="For the machines' facts and hours; 0 = none of their own.")

    def handle(self, *args: Any, **options: Any) -> None:
        plant = PLANTS[options["plant"]]
        today = production_day(plant, datetime.now(UTC))
        end = options["end"] or today
        if not 1 <= options["days"] <= 400 or end > today:
            raise CommandError("The past has 1 to 400 days and ends today or earlier.")
        past = Past(plant, end - DAY * options["days"], options["days"], options["seed"])
        if not options["keep"]:
            self._write(past, options["processes"])
        if options["digest"]:
            for what, rows, sha in digest_of():
                self.stdout.write(f"{sha}  {rows:>9,}  {what}")
        if options["check"]:
            self._check(past)

    def _write(self, past: Past, processes: int | None) -> None:
        began = time.perf_counter()
        site = create_plant(past.plant, now=past.end, since=past.window.start)
        for person in create_people(past.plant, site, reset_passwords=False):
            self.stdout.write(f"  {person.username:<12} {person.password:<18} {person.role}")
        window = day_window(past.plant, past.first)
        if StateHistory.objects.filter(machine__line__area__site=site, occurred_at__gte=window.start).exists():
            raise CommandError("Machines have reported of that time already; a past is written into an empty plant.")
        people = {
            user.username: user
            for user in User.objects.filter(username__in=[one.username for one in past.plant.people])
        }
        tally = generate(past, people=people, progress=self._say, processes=processes)
        for what, rows in tally.rows.items():
            self.stdout.write(f"  {rows:>9,}  {what}")
        for what, seconds in tally.seconds.items():
            self.stdout.write(f"  {seconds:>8.1f} s  {what}")
        self.stdout.write(f"{past.days} days in {time.perf_counter() - began:.1f} s.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _check(self, past: Past) -> None:
        found = bands(past)
        for one in found:
            self.stdout.write(str(one))
        out = [one.what for one in found if not one.is_in]
        if out:
            raise CommandError(f"Out of their bands: {', '.join(out)}.")
