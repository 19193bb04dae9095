"""Read the documented CSV shape: one fact a row, `at,kind,name,value,detail`; see docs/replay.md."""

import csv
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo

from simulator.facts import CountFact, Fact, StateFact
from simulator.replay.log import Log, UnreadableLog

_COLUMNS = ["at", "kind", "name", "value"]


def read_fact_table(path: Path, zone: ZoneInfo | None) -> Log:
    """Return the facts of a CSV file. `zone` is for times without one; without it they are refused.

    Raises UnreadableLog with the line at fault.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            facts = sorted(_facts(csv.DictReader(file), zone), key=lambda fact: fact.at)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableLog(f"{path}: {error}") from error
    if not facts:
        raise UnreadableLog(f"{path} has no rows.")
    return Log(tuple(facts))


def _facts(rows: "csv.DictReader[str]", zone: ZoneInfo | None) -> Iterator[Fact]:
    missing = [column for column in _COLUMNS if column not in (rows.fieldnames or [])]
    if missing:
        raise UnreadableLog(f"The first line must name the columns; missing: {', '.join(missing)}.")
    for row in rows:
        at = _moment(row["at"], zone, rows.line_num)
        name, value = (row["name"] or "").strip(), (row["value"] or "").strip()
        match row["kind"]:
            case "state":
                yield StateFact(name, at, value, (row.get("detail") or "").strip())
            case "count":
                yield CountFact(name, at, _number(value, rows.line_num))
            case kind:
                raise UnreadableLog(f"Line {rows.line_num}: kind is '{kind}'; write state or count.")


def _moment(text: str, zone: ZoneInfo | None, line: int) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UnreadableLog(f"Line {line}: '{text}' is no ISO 8601 time.") from error
    if at.tzinfo is None and zone is None:
        raise UnreadableLog(f"Line {line}: '{text}' has no time zone; add one, or name it with --time-zone.")
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


def _number(text: str, line: int) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise UnreadableLog(f"Line {line}: '{text}' is no number.") from error
    if not number.is_finite():
        raise UnreadableLog(f"Line {line}: '{text}' is no finite number.")
    return number
