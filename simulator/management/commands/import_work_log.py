"""Import a work log as orders with their steps, spans, quantities and labour."""

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from core.errors import DomainError
from enterprise.models import Line
from execution.selectors import progress_of
from simulator.replay.log import UnreadableLog
from simulator.replay.mappings import read_orders
from simulator.replay.order_import import ACCOUNT, Imported, import_orders, importer, prepare_plant
from simulator.replay.order_log import OrderLog, OrderLogMapping, stretches
from simulator.replay.reconcile import KINDS, Totals, differences, of_database, of_file
from simulator.replay.services import NotPrepared
from workorders.models import WorkOrder

_EVERY = 250
_SHOWN = 20


class Command(BaseCommand):
    """Read a work log, make what it needs if asked to, write it through the services, and lay both side by side."""

    help = "Import a work log as orders, operations, spans, quantities and labour; docs/work-log.md has the rules."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--mapping", required=True, help="Name of a mapping in docs/mappings, or a path to one.")
        parser.add_argument("--line", required=True, help="Code of the line that the orders, and new machines, are of.")
        parser.add_argument("--time-zone", default="", help="Zone of times without one; wins over the mapping's.")
        parser.add_argument("--create", action="store_true", help="Make parts, workers, machines, reasons that lack.")
        parser.add_argument("--user", default="", help=f"In whose name it is written; '{ACCOUNT}' without it.")
        parser.add_argument("--reconcile", action="store_true", help="Lay the database beside the file, and compare.")
        parser.add_argument("--only-reconcile", action="store_true", help="Write nothing; only compare.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            line = Line.objects.select_related("area__site").get(code=options["line"])
            log, mapping = read_orders(options["file"], mapping=options["mapping"], time_zone=options["time_zone"])
            self._read(log)
            if not options["only_reconcile"]:
                self._import(log, mapping, line, options)
        except Line.DoesNotExist:
            raise CommandError(f"There is no line '{options['line']}': set it up in the admin first.") from None
        except User.DoesNotExist:
            raise CommandError(f"There is no user '{options['user']}'.") from None
        except NotPrepared as refusal:
            missing = "\n  ".join(refusal.missing)
            raise CommandError(f"The plant lacks (--create makes it):\n  {missing}") from None
        except (UnreadableLog, DomainError, ValidationError) as error:
            raise CommandError(str(error)) from error
        if options["reconcile"] or options["only_reconcile"]:
            self._reconcile(log, mapping)

    def _read(self, log: OrderLog) -> None:
        found = stretches(log.rows)
        joined = sum(len(stretch.rows) for stretch in found if len(stretch.rows) > 1)
        self.stdout.write(
            f"{len(log.rows)} rows of {len(log.cases())} orders; {len(log.duplicates)} rows repeat another"
            f" (line {_few(log.duplicates)}); {joined} rows overlap others of the same work"
            f" and are {sum(1 for stretch in found if len(stretch.rows) > 1)} spans"
        )
        self._lines("refused", log.refused)
        self._lines("remark", log.remarks)

    def _import(self, log: OrderLog, mapping: OrderLogMapping, line: Line, options: dict[str, Any]) -> None:
        if options["create"]:
            made = prepare_plant(log, mapping, line)
            self.stdout.write(f"made: {', '.join(made) or 'nothing'}")
        actor = User.objects.get(username=options["user"]) if options["user"] else importer()
        began, told = monotonic(), 0

        def progress(done: int, of: int) -> None:
            nonlocal told
            if done - told >= _EVERY or done == of:
                told = done
                self.stdout.write(f"  {done} of {of} rows, {monotonic() - began:.0f} s")

        outcome = import_orders(log, mapping, line=line, actor=actor, recorded_at=datetime.now(UTC), progress=progress)
        self._outcome(outcome, log)

    def _outcome(self, outcome: Imported, log: OrderLog) -> None:
        self.stdout.write(
            f"rows: new {outcome.new}, known {outcome.known}, refused {len(outcome.refused)};"
            f" orders: new {outcome.orders}; attendances: new {outcome.attendances}"
        )
        self._lines("refused", outcome.refused)
        self._lines("remark", outcome.remarks)
        orders = WorkOrder.objects.select_related("product__unit", "unit").filter(order_number__in=log.cases())
        progress = progress_of(list(orders), now=datetime.now(UTC))
        over = [one for of_order in progress.values() for one in of_order.operations if one.beyond]
        self.stdout.write(f"steps that made more than their order asks for: {len(over)}, kept as they are")

    def _lines(self, word: str, said: list[tuple[int, str]]) -> None:
        for line, why in said:
            self.stdout.write(f"  {word}: {f'line {line}: ' if line else ''}{why}")

    def _reconcile(self, log: OrderLog, mapping: OrderLogMapping) -> None:
        in_file, in_database = of_file(log), of_database(log, now=datetime.now(UTC))
        found = differences(in_file, in_database, mapping)
        reasons = [column.reason for column in mapping.scrap]
        wrong = {(one.kind, one.name, one.figure) for one in found}
        for kind in KINDS:
            names = sorted(code for of, code in {*in_file, *in_database} if of == kind)
            heads = list(Totals().figures(reasons))
            self.stdout.write(f"\n{kind:<34}" + "".join(f"{head:>16}" for head in heads))
            for name in names:
                said = in_file.get((kind, name), Totals()).figures(reasons)
                stored = in_database.get((kind, name), Totals()).figures(reasons)
                cells = [
                    _cell(stored[head])
                    if (kind, name, head) not in wrong
                    else f"{_cell(stored[head])}≠{_cell(said[head])}"
                    for head in heads
                ]
                self.stdout.write(f"{name:<34}" + "".join(f"{cell:>16}" for cell in cells))
        self.stdout.write(
            "\nas the database says; ≠ what the file says. Minutes of set-up, production, pause by spans."
        )
        self.stdout.write(f"differences: {len(found)}")


def _cell(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.2f}"


def _few(lines: list[int]) -> str:
    shown = ", ".join(map(str, lines[:_SHOWN])) or "–"
    return shown + (" …" if len(lines) > _SHOWN else "")
