"""Take a file of measurements through the devices' door, as if the gauge had sent them."""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.keys import DeviceScope
from ingest.services import Delivery, accept
from quality.models import GaugeTag

BATCH = 500
_DELIMITERS = ";\t,"


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which column says what; without `at`, rows follow each other from `begins` on."""

    value: str
    at: str
    serial: str
    begins: datetime | None
    every: timedelta


class Command(BaseCommand):
    """Import a table with a header: separated by commas, semicolons, tabs or spaces.

    The same file again changes nothing.
    """

    help = "Import measurements from a CSV or text table with a header line (safe to repeat)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="The table.")
        parser.add_argument("--measurement", required=True, help="As which measurement: its name at the device.")
        parser.add_argument("--value", required=True, help="Column of the values, with a decimal point.")
        parser.add_argument("--at", default="", help="Column of the moments, in ISO 8601 with their zone.")
        parser.add_argument("--serial", default="", help="Column of the units' serial numbers.")
        parser.add_argument("--begins", help="Without --at: moment of the first row, with its zone.")
        parser.add_argument("--every", type=int, default=60, help="Without --at: seconds between rows; default 60.")

    def handle(self, *args: Any, **options: Any) -> None:
        columns = _Columns(
            options["value"],
            options["at"],
            options["serial"],
            _moment(options["begins"]) if options["begins"] else None,
            timedelta(seconds=options["every"]),
        )
        if bool(columns.at) == (columns.begins is not None):
            raise CommandError("Give --at, the column of the moments, or --begins, the moment of the first row.")
        tags = GaugeTag.objects.select_related("machine__line__area")
        tag = tags.filter(tag_path=options["measurement"]).first()
        if tag is None:
            raise CommandError(
                f"There is no measurement '{options['measurement']}': set one up in the admin, under Quality."
            )
        scope = DeviceScope("import", tag.machine.line.area.site_id, frozenset([tag.machine_id]))
        sums: Counter[str] = Counter()
        batch: list[dict[str, Any]] = []
        first = 1
        try:
            with options["file"].open(encoding="utf-8-sig", newline="") as file:
                for item in _items(file, tag.tag_path, columns):
                    batch.append(item)
                    if len(batch) == BATCH:
                        self._deliver(batch, scope, first, sums)
                        batch, first = [], first + BATCH
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"The file cannot be read: {error}") from None
        self._deliver(batch, scope, first, sums)
        self.stdout.write(
            f"{sums['accepted']} accepted, {sums['duplicates']} known already, {sums['refused']} refused (kept in quarantine)."
        )

    def _deliver(self, batch: list[dict[str, Any]], scope: DeviceScope, first: int, sums: Counter[str]) -> None:
        if not batch:
            return
        outcome = accept(Delivery(batch, scope), recorded_at=datetime.now(UTC))
        for name in ("accepted", "duplicates", "refused"):
            sums[name] += getattr(outcome, name)
        for one in outcome.items:
            if one.status != "duplicate":
                self.stderr.write(f"row {first + one.index}: {one.status}: {one}")


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"'{text}' is no moment in ISO 8601.") from None
    if found.tzinfo is None:
        raise CommandError(f"'{text}' needs its zone: {text}Z, or with its offset.")
    return found


def _items(file: TextIO, measurement: str, columns: _Columns) -> Iterator[dict[str, Any]]:
    """Yield the rows as items of the ingestion interface. Raises CommandError, naming row and column."""
    for number, row in enumerate(_rows(file, columns), start=1):
        try:
            value = Decimal(row[columns.value].strip())
        except InvalidOperation:
            raise CommandError(f"Row {number}: '{row[columns.value]}' in {columns.value} is no number.") from None
        at = row[columns.at].strip() if columns.at else ""
        if columns.begins is not None:
            at = (columns.begins + columns.every * (number - 1)).isoformat()
        item = {"measurement": measurement, "at": at, "value": value}
        yield {**item, "serial": row[columns.serial].strip()} if columns.serial else item


def _rows(file: TextIO, columns: _Columns) -> Iterator[dict[str, str]]:
    header = file.readline().rstrip("\r\n")
    delimiter = max(_DELIMITERS, key=header.count)
    by_spaces = delimiter not in header
    names = header.split() if by_spaces else next(csv.reader([header], delimiter=delimiter))
    names = [name.strip() for name in names]
    for wanted in (columns.value, columns.at, columns.serial):
        if wanted and wanted not in names:
            raise CommandError(f"There is no column '{wanted}'; there are {', '.join(names)}.")
    lines = (line.split() for line in file) if by_spaces else csv.reader(file, delimiter=delimiter)
    for number, cells in enumerate((cells for cells in lines if cells), start=1):
        if len(cells) != len(names):
            raise CommandError(f"Row {number} has {len(cells)} cells; the header has {len(names)}.")
        yield dict(zip(names, cells, strict=True))
