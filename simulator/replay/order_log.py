"""Read a work log as orders: which case had which steps, who did what at which machine, and what came of it. Pure.

A row is a stretch of one person's work on one step of one case at one machine. Rows of the same work that overlap are
one span, and where set-up and production of it overlap, that time is production. Quantities stay with their rows.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from core.intervals import Interval, subtract
from simulator.replay.log import UnreadableLog
from simulator.replay.work_log import code_of

SETUP, PRODUCTION, PAUSE = "setup", "production", "pause"
WORKS = (SETUP, PRODUCTION, PAUSE)
_MOST = Decimal(10) ** 12
_LONGEST_CODE = 32


@dataclass(frozen=True, slots=True)
class ScrapColumn:
    """A column of pieces that are not good, and the reason under which they are filed."""

    column: str
    reason: str
    name: str


@dataclass(frozen=True, slots=True)
class OrderLogMapping:
    """How the files of one kind are written: which column is what, and how the codes in them read.

    `columns` names those of case, step, machine, part, target, start, end and good, and perhaps of worker, kind and
    rework; `work` says of each kind whether it is set-up, production or a pause. Without a kind, all is production.
    """

    encoding: str
    separator: str
    time_format: str
    zone: ZoneInfo
    columns: Mapping[str, str]
    work: Mapping[str, str]
    scrap: tuple[ScrapColumn, ...]
    rework_values: frozenset[str]
    unit: str
    order_prefix: str = ""
    attendance_gap: timedelta | None = None

    @classmethod
    def parse(cls, document: Mapping[str, Any], zone: ZoneInfo) -> "OrderLogMapping":
        """Return a mapping from its TOML document.

        Raises KeyError, TypeError or UnreadableLog where that is incomplete.
        """
        file, orders = document["file"], document["orders"]
        columns = {**document.get("columns", {}), **orders["columns"]}
        needed = ("case", "step", "machine", "part", "target", "start", "end", "good")
        work = dict(orders.get("work", {}))
        if unknown := sorted(set(work.values()) - set(WORKS)):
            raise UnreadableLog(f"The mapping's work is {', '.join(unknown)}: {', '.join(WORKS)} are known.")
        gap = orders.get("attendance_gap_hours")
        return cls(
            encoding=file["encoding"],
            separator=file["separator"],
            time_format=file["time_format"],
            zone=zone,
            columns={name: columns[name] for name in needed}
            | {name: columns[name] for name in ("worker", "kind", "rework") if name in columns},
            work=work,
            scrap=tuple(ScrapColumn(**column) for column in orders.get("scrap", [])),
            rework_values=frozenset(orders.get("rework_values", [])),
            unit=orders["unit"],
            order_prefix=orders.get("order_prefix", ""),
            attendance_gap=None if gap is None else timedelta(hours=gap),
        )


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the log. `scrap` is by reason; the good pieces of a row of rework are reworked ones."""

    line: int
    key: str
    case: str
    step: str
    machine: str
    worker: str
    part: str
    target: Decimal
    start: datetime
    end: datetime
    work: str
    good: Decimal
    scrap: Mapping[str, Decimal]
    is_rework: bool

    @property
    def span(self) -> Interval | None:
        """Its time; None for a row without a length."""
        return Interval(self.start, self.end) if self.start < self.end else None

    @property
    def says_something(self) -> bool:
        """Whether it has a length or a quantity."""
        return bool(self.span or self.good or any(self.scrap.values()))


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows of the same work that overlap, with the time that is theirs: perhaps none, perhaps cut by production."""

    work: str
    rows: tuple[Row, ...]
    parts: tuple[Interval, ...]

    @property
    def start(self) -> datetime:
        """When it began."""
        return min(row.start for row in self.rows)

    @property
    def key(self) -> str:
        """What it is known by: the contents of its rows."""
        return sha256(" ".join(sorted(row.key for row in self.rows)).encode()).hexdigest()


@dataclass(slots=True)
class OrderLog:
    """What a file says, and what of it was left out: (line, why)."""

    rows: list[Row] = field(default_factory=list)
    duplicates: list[int] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    remarks: list[tuple[int, str]] = field(default_factory=list)

    def cases(self) -> dict[str, list[Row]]:
        """Return the rows by case, cases in order of their first start, rows in order of time."""
        found: dict[str, list[Row]] = defaultdict(list)
        for row in sorted(self.rows, key=lambda row: (row.start, row.end, row.line)):
            found[row.case].append(row)
        return dict(found)


def read_order_log(path: Path, mapping: OrderLogMapping) -> OrderLog:
    """Return what a file says. A row that does not fit is left out with its line and why.

    Raises UnreadableLog for a file that cannot be read, or lacks a column that the mapping names.
    """
    log = OrderLog()
    seen: dict[tuple[str, ...], int] = {}
    of_case: dict[str, Row] = {}
    for line, cells in _lines(path, mapping):
        content = tuple(cells.values())
        if content in seen:
            log.duplicates.append(line)
            continue
        seen[content] = line
        try:
            row = _row(cells, mapping, line)
        except (ValueError, InvalidOperation) as error:
            log.refused.append((line, str(error) if isinstance(error, ValueError) else "A number is not one."))
            continue
        first = of_case.setdefault(row.case, row)
        if row.part != first.part:
            log.refused.append((line, f"{row.case} makes {first.part} (line {first.line}), not {row.part}."))
            continue
        if row.target != first.target:
            log.remarks.append((line, f"{row.case} is of {first.target} (line {first.line}); {row.target} is ignored."))
        if not row.says_something:
            log.remarks.append((line, "No length and no quantity: nothing to store."))
            continue
        if row.span is None:
            log.remarks.append((line, "No length: its quantities are stored without a span."))
        log.rows.append(row)
    if not log.rows:
        raise UnreadableLog(f"{path} has no rows that fit the mapping.")
    _refuse_same_codes(path, log.rows)
    return log


def _refuse_same_codes(path: Path, rows: Iterable[Row]) -> None:
    for name in ("machine", "part", "worker"):
        names = {getattr(row, name) for row in rows}
        if len({code_of(one) for one in names}) < len(names):
            raise UnreadableLog(f"{path}: names of the column '{name}' differ only in signs; make them one.")


def _lines(path: Path, mapping: OrderLogMapping) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding=mapping.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=mapping.separator)
            # Exports pad the names of columns.
            names = [" ".join(name.split()) for name in next(reader, [])]
            wanted = {*mapping.columns.values(), *(column.column for column in mapping.scrap)}
            if lacking := sorted(wanted - set(names)):
                raise UnreadableLog(f"{path} has no column {', '.join(lacking)}; it has {', '.join(names)}.")
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    padded = [*cells, *[""] * (len(names) - len(cells))]
                    yield reader.line_num, dict(zip(names, padded, strict=False))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableLog(f"{path}: {error}") from error


def _row(cells: Mapping[str, str], mapping: OrderLogMapping, line: int) -> Row:
    text = {name: " ".join(cells[column].split()) for name, column in mapping.columns.items()}
    for name in ("case", "step", "machine", "part"):
        if not code_of(text[name]):
            raise ValueError(f"Names no {name}.")
    start, end = (_moment(text[name], mapping) for name in ("start", "end"))
    if end < start:
        raise ValueError("Ends before it starts.")
    kind = text.get("kind")
    if kind is not None and kind not in mapping.work:
        raise ValueError(f"The mapping does not know the kind of work '{kind}'.")
    target = _number(text["target"])
    if not target:
        raise ValueError("The order's quantity is not greater than zero.")
    return Row(
        line=line,
        key=sha256("\x1f".join(cells.values()).encode()).hexdigest(),
        case=mapping.order_prefix + text["case"],
        step=text["step"],
        machine=text["machine"],
        worker=text.get("worker", ""),
        part=text["part"],
        target=target,
        start=start,
        end=end,
        work=PRODUCTION if kind is None else mapping.work[kind],
        good=_number(text["good"]),
        scrap={column.reason: _number(cells[column.column].strip()) for column in mapping.scrap},
        is_rework=text.get("rework", "") in mapping.rework_values if "rework" in text else False,
    )


def _moment(text: str, mapping: OrderLogMapping) -> datetime:
    local = datetime.strptime(text, mapping.time_format)  # noqa: DTZ007 — the zone follows
    # An hour that comes twice when the clocks go back is taken as its first.
    return local.replace(tzinfo=mapping.zone).astimezone(UTC)


def _number(text: str) -> Decimal:
    number = Decimal(text or 0)
    if not number.is_finite() or number < 0 or number >= _MOST:
        raise ValueError(f"'{text}' is no quantity.")
    if number != number.quantize(Decimal("0.000001")):
        raise ValueError(f"'{text}' has more than six decimals.")
    return number


def step_codes(rows: Iterable[Row]) -> dict[str, str]:
    """Return the codes of a case's steps by their names, in order of first start; what is too long ends in a number."""
    found: dict[str, str] = {}
    for row in rows:
        if row.step not in found:
            code = code_of(row.step)[:_LONGEST_CODE].strip("-")
            number = 1
            while code in found.values() or len(code) > _LONGEST_CODE:
                number += 1
                code = f"{code_of(row.step)[: _LONGEST_CODE - 4].strip('-')}-{number}"
            found[row.step] = code
    return found


def stretches(rows: Iterable[Row]) -> list[Stretch]:
    """Return the spans of some rows, in order of time: each row is in exactly one."""
    groups: dict[tuple[str, str, str, str], list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.start, row.end, row.line)):
        groups[row.case, row.step, row.machine, row.worker].append(row)
    found: list[Stretch] = []
    for group in groups.values():
        joined = {work: _joined([row for row in group if row.work == work and row.span]) for work in WORKS}
        producing = [hull for hull, _ in joined[PRODUCTION]]
        for work, clusters in joined.items():
            for hull, of_cluster in clusters:
                parts = subtract(hull, producing) if work == SETUP else [hull]
                found.append(Stretch(work, tuple(of_cluster), tuple(parts)))
        found += [Stretch(row.work, (row,), ()) for row in group if row.span is None]
    return sorted(found, key=lambda stretch: (stretch.start, stretch.rows[0].line))


def _joined(rows: Iterable[Row]) -> list[tuple[Interval, list[Row]]]:
    """Join rows that overlap; those that only touch stay apart. They come in order of time."""
    found: list[tuple[Interval, list[Row]]] = []
    for row in rows:
        span = Interval(row.start, row.end)
        if found and span.start < found[-1][0].end:
            hull, members = found[-1]
            found[-1] = (Interval(hull.start, max(hull.end, span.end)), [*members, row])
        else:
            found.append((span, [row]))
    return found


def days_of(rows: Iterable[Row], gap: timedelta) -> dict[str, list[Interval]]:
    """Return when each worker was there: from a first start to a last end, where no pause between rows is longer."""
    found: dict[str, list[Interval]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.start, row.end)):
        if not row.worker or row.span is None:
            continue
        days = found[row.worker]
        if days and row.start - days[-1].end <= gap:
            days[-1] = Interval(days[-1].start, max(days[-1].end, row.end))
        else:
            days.append(row.span)
    return dict(found)
