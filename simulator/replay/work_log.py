"""Read a work log: rows of people or terminals that say what was done at which machine, from when to when.

Rows of one machine may overlap: somebody sets up the next job while one runs, a pool works on several at once. A
machine has one state at a moment, so of the kinds of work that are open then the first in the mapping's `precedence`
counts, and time that several rows share counts once. What no row covers is unknown.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from simulator.facts import CountFact, Fact, StateFact
from simulator.replay.log import Log, MachineNeed, ReasonNeed, TagNeed, UnreadableLog

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Counted:
    """A column of pieces: the tag is `<machine>/<suffix>`."""

    column: str
    suffix: str
    count_type: str


@dataclass(frozen=True, slots=True)
class WorkLogMapping:
    """How the files of one kind are written, and what the kinds of work in them are called in the plant.

    `columns` names those of machine, start, end and kind. `precedence` lists the kinds, the one first that holds over
    the others; `reason_of` gives each its reason code, and `nothing` that of the time without a row.
    """

    encoding: str
    separator: str
    time_format: str
    zone: ZoneInfo
    columns: Mapping[str, str]
    precedence: tuple[str, ...]
    counts: tuple[Counted, ...]
    reasons: tuple[ReasonNeed, ...]
    reason_of: Mapping[str, str]

    @classmethod
    def parse(cls, document: Mapping[str, Any], zone: ZoneInfo) -> "WorkLogMapping":
        """Return a mapping from its TOML document. Raises KeyError or TypeError where that is incomplete."""
        file, columns, reason_of = document["file"], document["columns"], document["reason_of"]
        precedence = tuple(document["precedence"])
        return cls(
            encoding=file["encoding"],
            separator=file["separator"],
            time_format=file["time_format"],
            zone=zone,
            columns={name: columns[name] for name in ("machine", "start", "end", "kind")},
            precedence=precedence,
            counts=tuple(Counted(**count) for count in document.get("count", [])),
            reasons=tuple(ReasonNeed(**reason) for reason in document["reason"]),
            reason_of={name: reason_of[name] for name in (*precedence, "nothing")},
        )


@dataclass(frozen=True, slots=True)
class _Row:
    machine: str
    start: datetime
    end: datetime
    kind: str
    made: tuple[tuple[Counted, Decimal], ...]


def read_work_log(path: Path, mapping: WorkLogMapping) -> Log:
    """Return the facts of a file for the machines that it names. Raises UnreadableLog with the line at fault."""
    rows: dict[str, list[_Row]] = defaultdict(list)
    for row in _rows(path, mapping):
        rows[row.machine].append(row)
    if not rows:
        raise UnreadableLog(f"{path} has no rows.")
    codes = {name: code_of(name) for name in rows}
    if len(set(codes.values())) < len(codes):
        raise UnreadableLog(f"{path} names machines that differ only in signs: {', '.join(sorted(codes))}")
    facts: list[Fact] = []
    tags: dict[str, TagNeed] = {}
    for name, of_machine in rows.items():
        facts += _states(codes[name], of_machine, mapping)
        for tag, count_type, fact in _counts(codes[name], of_machine):
            tags[tag] = TagNeed(tag, count_type, codes[name])
            facts.append(fact)
    return Log(
        tuple(sorted(facts, key=lambda fact: fact.at)),
        reasons=mapping.reasons,
        tags=tuple(tags.values()),
        machines=tuple(MachineNeed(code, name) for name, code in codes.items()),
    )


def code_of(name: str) -> str:
    """Return a machine's code: its name in capitals, with one hyphen for whatever is no letter or digit."""
    return re.sub(r"[^A-Z0-9]+", "-", name.upper()).strip("-")


def _rows(path: Path, mapping: WorkLogMapping) -> Iterator[_Row]:
    """Yield the rows; one that says the same as another in every column was stored twice, and counts once."""
    seen: set[tuple[str, ...]] = set()
    try:
        with path.open(encoding=mapping.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=mapping.separator)
            # Exports pad the names of columns.
            names = [" ".join(name.split()) for name in next(reader, [])]
            for cells in reader:
                if cells and tuple(cells) not in seen:
                    seen.add(tuple(cells))
                    yield _row(dict(zip(names, cells, strict=False)), mapping, reader.line_num)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableLog(f"{path}: {error}") from error


def _row(cells: Mapping[str, str], mapping: WorkLogMapping, line: int) -> _Row:
    try:
        machine, kind = cells[mapping.columns["machine"]].strip(), cells[mapping.columns["kind"]].strip()
        start, end = (_moment(cells[mapping.columns[name]], mapping) for name in ("start", "end"))
        made = tuple((count, Decimal(cells[count.column] or 0)) for count in mapping.counts)
    except (KeyError, ValueError, InvalidOperation) as error:
        raise UnreadableLog(f"Line {line} does not fit the mapping: {error!r}") from error
    if kind not in mapping.precedence:
        raise UnreadableLog(f"Line {line}: the mapping does not know the kind of work '{kind}'.")
    if not machine or end < start:
        raise UnreadableLog(f"Line {line} names no machine, or ends before it starts.")
    return _Row(machine, start, end, kind, made)


def _moment(text: str, mapping: WorkLogMapping) -> datetime:
    local = datetime.strptime(text, mapping.time_format)  # noqa: DTZ007 — the zone follows
    return local.replace(tzinfo=mapping.zone).astimezone(UTC)


def _states(machine: str, rows: Iterable[_Row], mapping: WorkLogMapping) -> Iterator[StateFact]:
    begun: dict[datetime, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        begun[row.start][row.kind] += 1
        begun[row.end][row.kind] -= 1
    open_now: dict[str, int] = defaultdict(int)
    told = mapping.reason_of["nothing"]
    for at in sorted(begun):
        for kind, number in begun[at].items():
            open_now[kind] += number
        kind = next((kind for kind in mapping.precedence if open_now[kind]), "nothing")
        if mapping.reason_of[kind] != told:
            told = mapping.reason_of[kind]
            yield StateFact(machine, at, told)


def _counts(machine: str, rows: Iterable[_Row]) -> Iterator[tuple[str, str, CountFact]]:
    """Yield pieces in the last second of the rows that report them; rows without a length, in their moment."""
    made: dict[tuple[Counted, datetime], Decimal] = defaultdict(Decimal)
    for row in rows:
        at = max(row.start, row.end - _SECOND)
        for count, quantity in row.made:
            if quantity:
                made[count, at] += quantity
    for (count, at), quantity in made.items():
        tag = f"{machine}/{count.suffix}"
        yield tag, count.count_type, CountFact(tag, at, quantity)
