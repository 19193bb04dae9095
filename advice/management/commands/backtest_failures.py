"""Try the forecast of failures on a folder of somebody's machines."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from advice.engine.backtest import Backtest, Score, backtest
from advice.engine.failure_model import Thin
from advice.failure_files import Read, cut, read_folder
from core.errors import DomainError


class Command(BaseCommand):
    """See the help."""

    help = (
        "Train and try the forecast of failures within 24 h on a folder with PdM_errors.csv, PdM_failures.csv, PdM_maint.csv,"
        " PdM_machines.csv and PdM_telemetry*.csv[.gz]. Always trained on what came before, a day apart from what it is tried on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            read = read_folder(options["folder"])
        except DomainError as refusal:
            raise CommandError(refusal.message) from None
        for words in read.left_out:
            self.stdout.write(f"left out: {words}")
        self._try("All machines, all hours", Read(read.log))
        if read.measured:
            first, last = read.measured_hours
            self._try(
                f"The {len(read.measured)} machines with telemetry, in its {last - first} hours, the others learned from",
                Read(cut(read.log, first, last), [], read.measured),
            )

    def _try(self, title: str, read: Read) -> None:
        log = read.log
        self.stdout.write(
            f"\n{title}: {len(log.machines)} machines, {log.hours} hours, {log.failures_before(log.hours)} failures"
        )
        try:
            found = backtest(log, tested=read.measured or None, say=lambda words: self.stdout.write(f"· {words}"))
        except Thin as why:
            self.stdout.write(f"Silent: {why}.")
            return
        self._table(found)

    def _table(self, found: Backtest) -> None:
        self.stdout.write(
            f"Tried on hours {found.tested_from} to {found.tested_until}; failures learned from, block by block:"
            f" {', '.join(map(str, found.trained_failures))}"
        )
        head = f"{'':24} {'failures':>9} {'recall':>7} {'warnings':>9} {'precision':>9} {'hour prec.':>10} {'hour rec.':>9} {'lead h':>6}"
        self.stdout.write(head)
        for name, score in [*found.scores.items(), *(("  " + c, s) for c, s in found.by_component.items())]:
            self.stdout.write(_row(name, score))


def _row(name: str, score: Score) -> str:
    def part(value: float | None) -> str:
        return "–" if value is None else f"{value:.2f}"

    lead = "–" if score.median_lead is None else f"{score.median_lead:.0f}"
    return (
        f"{name:24} {f'{score.seen}/{score.failures}':>9} {part(score.recall):>7}"
        f" {f'{score.warnings_right}/{score.warnings}':>9} {part(score.precision):>9}"
        f" {part(score.hour_precision):>10} {part(score.hour_recall):>9} {lead:>6}"
    )
