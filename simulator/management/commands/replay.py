"""Replay a log of a real machine."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import master_data
from core.errors import DomainError
from core.intervals import Interval
from downtime.models import StateReason
from enterprise.models import Line, Machine
from oee.reason_times import losses
from oee.selectors import report
from simulator.replay.log import Log, UnreadableLog
from simulator.replay.mappings import read_log
from simulator.replay.services import BATCH, NotPrepared, deliver, machine_for, missing_for, prepare


class Command(BaseCommand):
    """Read a log, make what it needs if asked to, deliver its facts and say what OEE finds in them."""

    help = "Replay a log file through the ingestion path; docs/replay.md describes the CSV shape and the mappings."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--mapping", default="", help="Name of a mapping in docs/mappings, or a path to one.")
        parser.add_argument("--line", required=True, help="Code of the line; its constraint machine is meant.")
        parser.add_argument(
            "--machine", default="", help="Code of another machine of the line; a work log names its own."
        )
        parser.add_argument("--time-zone", default="", help="Zone of times without one; wins over the mapping's.")
        parser.add_argument("--create", action="store_true", help="Make what is missing in the plant.")
        parser.add_argument("--batch", type=int, default=BATCH, help="Facts per transaction; default %(default)s.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            line = Line.objects.get(code=options["line"])
            machine = self._machine(line, options)
            log = read_log(
                options["file"], mapping=options["mapping"], machine=machine.code, time_zone=options["time_zone"]
            )
            self.stdout.write(f"{len(log.facts)} facts from {log.start.isoformat()} to {log.end.isoformat()}")
            if options["create"]:
                self._prepare(log, machine)
            outcome = deliver(log, recorded_at=datetime.now(UTC), batch=options["batch"], progress=self._progress(log))
        except Line.DoesNotExist:
            raise CommandError(f"There is no line '{options['line']}': set it up in the admin first.") from None
        except NotPrepared as refusal:
            missing = "\n  ".join(refusal.missing)
            raise CommandError(f"The plant lacks (--create makes what a mapping describes):\n  {missing}") from None
        except (UnreadableLog, DomainError, ValidationError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"accepted {outcome.accepted}, duplicates {outcome.duplicates}, refused {outcome.refused}")
        for item in outcome.first_refused:
            self.stdout.write(f"  fact {item.index}: {item.field}: {item.message}")
        codes = [named.code for named in log.machines] or [machine.code]
        self._summary(codes, Interval.utc(log.start, log.end))

    def _machine(self, line: Line, options: dict[str, Any]) -> Machine:
        try:
            return machine_for(line, options["machine"])
        except NotPrepared:
            if not options["create"]:
                raise
            return master_data.save(Machine(code=options["machine"], name=options["machine"], line=line))

    def _prepare(self, log: Log, machine: Machine) -> None:
        missing = missing_for(log)
        prepare(log, machine)
        still = set(missing_for(log))
        self.stdout.write(f"made: {', '.join(thing for thing in missing if thing not in still) or 'nothing'}")

    def _progress(self, log: Log) -> Any:
        return lambda done: self.stdout.write(f"  {done} of {len(log.facts)} facts")

    def _summary(self, codes: list[str], window: Interval) -> None:
        machines = list(Machine.objects.select_related("line__area__site").filter(code__in=codes))
        now = max(datetime.now(UTC), window.end)
        found = report(machines, window, now=now)
        names = {reason.pk: reason.name for reason in StateReason.objects.without_tree_fields()}
        running = timedelta(microseconds=found.sums.times.actual_production_time)
        named = str(machines[0]) if len(machines) == 1 else f"{len(machines)} machines"
        self.stdout.write(f"\n{named} over that time: running {running}; pieces {found.sums.quantities.produced}")
        kpis = found.kpis
        for name, ratio in (
            ("availability", kpis.availability),
            ("performance", kpis.effectiveness),
            ("quality", kpis.quality_ratio),
            ("OEE", kpis.oee_index),
        ):
            self.stdout.write(f"  {name:<13} {'not known' if ratio is None else f'{float(ratio):.2%}'}")
        for loss in losses(machines, window, now=now):
            name = names.get(loss.reason_id or 0, "no fact at all")
            self.stdout.write(f"  {name:<32} {loss.duration!s:>18}  {loss.occurrences} times")
