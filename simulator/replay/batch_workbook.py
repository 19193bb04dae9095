"""Read a batch workbook: batches with their times, and how many minutes of each went to which downtime factor.

The workbook gives durations, not moments. So the stops of a batch are laid from its start on, in the order of the
factors, and the rest of the batch is running time; its one piece is counted in its last second. Sums of time per
batch, and everything that follows from them, are exact; the hour in which a stop stood is not known.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from python_calamine import CalamineError, CalamineWorkbook

from simulator.facts import CountFact, Fact, StateFact
from simulator.replay.log import Log, OrderNeed, ProductNeed, ReasonNeed, TagNeed, UnreadableLog

Row = dict[str, Any]
Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BatchWorkbookMapping:
    """Which sheets and columns hold what, and under which reasons it is filed."""

    zone: ZoneInfo
    batches: Table
    products: Table
    factors: Table
    downtime: Table
    reasons: tuple[ReasonNeed, ...]
    running: str
    between_batches: str
    operator_error: str
    other: str
    factor_prefix: str
    order_prefix: str
    unit: str
    count_suffix: str

    @classmethod
    def parse(cls, document: Mapping[str, Any], zone: ZoneInfo) -> "BatchWorkbookMapping":
        """Return a mapping from its TOML document. Raises KeyError or TypeError where that is incomplete."""
        reason_of = document["reason_of"]
        return cls(
            zone=zone,
            batches=document["batches"],
            products=document["products"],
            factors=document["factors"],
            downtime=document["downtime"],
            reasons=tuple(ReasonNeed(**reason) for reason in document["reason"]),
            running=reason_of["running"],
            between_batches=reason_of["between_batches"],
            operator_error=reason_of["operator_error"],
            other=reason_of["other"],
            factor_prefix=document["factor_prefix"],
            order_prefix=document["order_prefix"],
            unit=document["unit"],
            count_suffix=document["count_suffix"],
        )


@dataclass(frozen=True, slots=True)
class _Batch:
    number: str
    product: str
    start: datetime
    end: datetime
    stops: tuple[tuple[str, timedelta], ...]


def read_batch_workbook(path: Path, mapping: BatchWorkbookMapping, *, machine: str) -> Log:
    """Return the facts, orders and products of a workbook. Raises UnreadableLog with the place at fault."""
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        batches = sorted(_batches(workbook, mapping), key=lambda batch: batch.start)
        products = tuple(_products(workbook, mapping))
        factors = tuple(_factors(workbook, mapping))
    except (OSError, CalamineError, KeyError, TypeError, ValueError) as error:
        raise UnreadableLog(f"{path} does not fit the mapping: {error!r}") from error
    if not batches:
        raise UnreadableLog(f"{path} has no batches.")
    tag = f"{machine}/{mapping.count_suffix}"
    return Log(
        facts=tuple(_facts(batches, mapping, machine, tag)),
        reasons=(*mapping.reasons, *factors),
        tags=(TagNeed(tag),),
        products=products,
        orders=tuple(
            OrderNeed(f"{mapping.order_prefix}{batch.number}", batch.product, Decimal(1), batch.start, batch.end)
            for batch in batches
        ),
    )


def _rows(workbook: CalamineWorkbook, table: Table) -> Iterator[Row]:
    """Yield a sheet's rows by column name; `header_row` counts from 1."""
    rows = workbook.get_sheet_by_name(table["sheet"]).to_python()
    header = table.get("header_row", 1)
    names = [_text(name) for name in rows[header - 1]]
    for row in rows[header:]:
        if any(cell != "" for cell in row):
            yield dict(zip(names, row, strict=True))


def _text(cell: Any) -> str:
    """Return a cell as text; spreadsheets know whole numbers only as floats."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


def _minutes(cell: Any) -> Decimal:
    return Decimal(str(cell)) if cell != "" else Decimal(0)


def _batches(workbook: CalamineWorkbook, mapping: BatchWorkbookMapping) -> Iterator[_Batch]:
    table, downtime = mapping.batches, mapping.downtime
    stops = {_text(row[downtime["batch"]]): row for row in _rows(workbook, downtime)}
    for row in _rows(workbook, table):
        number = _text(row[table["batch"]])
        start, end = _span(row[table["date"]], row[table["start"]], row[table["end"]], mapping.zone)
        if number not in stops:
            raise UnreadableLog(f"Batch {number} has no row in the sheet '{downtime['sheet']}'.")
        of_batch = tuple(
            (mapping.factor_prefix + factor, timedelta(seconds=int(_minutes(cell) * 60)))
            for factor, cell in stops[number].items()
            if factor != downtime["batch"] and _minutes(cell)
        )
        if sum((length for _, length in of_batch), timedelta()) > end - start:
            raise UnreadableLog(f"Batch {number} has more downtime than it lasted.")
        yield _Batch(number, _text(row[table["product"]]), start, end, of_batch)


def _span(day: date, start: Any, end: Any, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when a batch began and ended.

    A time past midnight may be stored as a date of 1900 (the spreadsheet's day 1); only its time of day is meant. An
    end at or before the start is on the next day.
    """
    starts_at = datetime.combine(day, _time_of_day(start), tzinfo=zone)
    ends_at = datetime.combine(day, _time_of_day(end), tzinfo=zone)
    if ends_at <= starts_at:
        ends_at = datetime.combine(day + timedelta(days=1), _time_of_day(end), tzinfo=zone)
    return starts_at.astimezone(UTC), ends_at.astimezone(UTC)


def _time_of_day(cell: Any) -> time:
    if isinstance(cell, datetime):
        return cell.time()
    if isinstance(cell, time):
        return cell
    raise UnreadableLog(f"'{cell}' is no time of day.")


def _products(workbook: CalamineWorkbook, mapping: BatchWorkbookMapping) -> Iterator[ProductNeed]:
    table = mapping.products
    for row in _rows(workbook, table):
        name = " ".join(_text(row[column]) for column in table["name"])
        yield ProductNeed(_text(row[table["code"]]), name, _minutes(row[table["minimum_minutes"]]), mapping.unit)


def _factors(workbook: CalamineWorkbook, mapping: BatchWorkbookMapping) -> Iterator[ReasonNeed]:
    table = mapping.factors
    for row in _rows(workbook, table):
        is_operator_error = _text(row[table["operator_error"]]).lower() in {"yes", "true", "1"}
        yield ReasonNeed(
            code=mapping.factor_prefix + _text(row[table["code"]]),
            name=_text(row[table["name"]]),
            category="unplanned",
            parent=mapping.operator_error if is_operator_error else mapping.other,
        )


def _facts(batches: list[_Batch], mapping: BatchWorkbookMapping, machine: str, tag: str) -> Iterator[Fact]:
    for batch, following in zip(batches, [*batches[1:], None], strict=True):
        at = batch.start
        for reason, length in batch.stops:
            yield StateFact(machine, at, reason)
            at += length
        if at < batch.end:
            yield StateFact(machine, at, mapping.running)
        yield CountFact(tag, batch.end - timedelta(seconds=1), 1)
        if following is None or following.start > batch.end:
            yield StateFact(machine, batch.end, mapping.between_batches)
        elif following.start < batch.end:
            raise UnreadableLog(f"Batch {following.number} begins before batch {batch.number} ends.")
