"""Lay what a work log says beside what the database says of its orders, by part, machine and worker."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from core.intervals import Interval, union
from execution.models import OperationRun, ProductionReport
from labor.models import LaborEntry
from simulator.replay.order_import import NO_SPAN
from simulator.replay.order_log import PAUSE, PRODUCTION, SETUP, OrderLog, OrderLogMapping, stretches
from simulator.replay.work_log import code_of
from workorders.models import WorkOrder

PART, MACHINE, WORKER = "part", "machine", "worker"
KINDS = (PART, MACHINE, WORKER)
_MINUTE = 60_000_000


@dataclass(slots=True)
class Totals:
    """Sums of one part, machine or worker. Minutes are of spans: two people at once count twice."""

    rows: int = 0
    minutes: dict[str, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    completed: Decimal = Decimal(0)
    rework: Decimal = Decimal(0)
    scrap: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def figures(self, reasons: Iterable[str]) -> dict[str, Fraction]:
        """Return the sums by name: rows, minutes by kind, pieces completed, of these reworked, and scrap by reason."""
        return {
            "rows": Fraction(self.rows),
            **{name: self.minutes[name] for name in (SETUP, PRODUCTION, PAUSE)},
            "completed": Fraction(self.completed),
            "rework": Fraction(self.rework),
            **{reason: Fraction(self.scrap[reason]) for reason in reasons},
        }


Table = dict[tuple[str, str], Totals]


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that file and database do not agree on."""

    kind: str
    name: str
    figure: str
    in_file: Fraction
    in_database: Fraction


def of_file(log: OrderLog) -> Table:
    """Return the totals of a log as it was read, by (kind, code)."""
    table: Table = defaultdict(Totals)
    for stretch in stretches(log.rows):
        for row in stretch.rows:
            for totals in _of(table, (code_of(row.part), code_of(row.machine), code_of(row.worker))):
                totals.rows += 1
                totals.completed += row.good
                totals.rework += row.good if row.is_rework else 0
                for reason, quantity in row.scrap.items():
                    totals.scrap[reason] += quantity
        first = stretch.rows[0]
        for totals in _of(table, (code_of(first.part), code_of(first.machine), code_of(first.worker))):
            totals.minutes[stretch.work] += _minutes(stretch.parts)
    return table


def of_database(log: OrderLog, *, now: datetime) -> Table:
    """Return the totals of a log's orders as they are stored: spans, reports and labour, by (kind, code)."""
    table: Table = defaultdict(Totals)
    orders = WorkOrder.objects.filter(order_number__in={row.case for row in log.rows})
    runs = OperationRun.objects.filter(operation__work_order__in=orders, ended_at__lte=now)
    fields = ("kind", "started_at", "ended_at")
    for row in runs.order_by().values_list(*_names("operation__work_order"), *fields):
        for totals in _of(table, row[:3]):
            totals.minutes[row[3]] += _minutes([Interval(row[4], row[5])])
    _labour(table, orders, now)
    _reports(table, orders)
    return table


def _names(order: str) -> tuple[str, str, str]:
    return (f"{order}__product__code", "machine__code", "employee__code")


def _labour(table: Table, orders: Any, now: datetime) -> None:
    """Add the rows that have a length, and the time in which work was down: by each person once, however told."""
    down: dict[tuple[Any, ...], list[Interval]] = defaultdict(list)
    entries = LaborEntry.objects.filter(work_order__in=orders, ended_at__lte=now).order_by()
    fields = ("kind", "started_at", "ended_at", "work_order", "operation")
    for row in entries.values_list(*_names("work_order"), *fields):
        for totals in _of(table, row[:3]):
            totals.rows += 1
        if row[3] == LaborEntry.Kind.MAINTENANCE:
            down[(*row[:3], *row[6:])].append(Interval(row[4], row[5]))
    for who, spans in down.items():
        for totals in _of(table, (who[0], who[1], who[2])):
            totals.minutes[PAUSE] += _minutes(union(spans))


def _reports(table: Table, orders: Any) -> None:
    reports = ProductionReport.objects.filter(operation__work_order__in=orders).order_by()
    fields = ("good", "scrap", "rework", "scrap_reason__code", "note", "idempotency_key")
    for row in reports.values_list(*_names("operation__work_order"), *fields):
        good, scrap, rework, reason, note, key = row[3:]
        for totals in _of(table, row[:3]):
            totals.completed += good + rework
            totals.rework += rework
            if scrap:
                totals.scrap[reason] += scrap
            # A row with a length is counted by its labour.
            totals.rows += note == NO_SPAN and (key or "").endswith("-0")


def _of(table: Table, who: Iterable[str | None]) -> list[Totals]:
    return [table[kind, code] for kind, code in zip(KINDS, who, strict=True) if code]


def _minutes(spans: Iterable[Interval]) -> Fraction:
    return Fraction(sum(span.microseconds for span in spans), _MINUTE)


def differences(one: Mapping[tuple[str, str], Totals], other: Table, mapping: OrderLogMapping) -> list[Difference]:
    """Return every figure of a file that the database does not say the same of, or the other way round."""
    reasons = [column.reason for column in mapping.scrap]
    found = []
    for kind, code in sorted({*one, *other}):
        said = one.get((kind, code), Totals()).figures(reasons)
        stored = other.get((kind, code), Totals()).figures(reasons)
        found += [Difference(kind, code, name, said[name], stored[name]) for name in said if said[name] != stored[name]]
    return found
