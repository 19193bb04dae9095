"""Write examples of what leaves the building, made by the product of a battery pack: a customer's workbook,
a batch record.

Everything happens in a transaction that is rolled back: the database is as before.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from accounts.models import Role, User
from accounts.signing import Confirmed
from batchrecords.assembly import assemble, standing
from batchrecords.pdf import write_pdf
from batchrecords.services import open_record, resolve, sign
from core import master_data
from reports.comparing import Comparison, compare
from reports.models import WorkbookMapping, WorkbookTemplate
from reports.process_card import FIELDS, template
from reports.selectors import filled
from reports.services import add_version
from simulator.battery import open_shop
from simulator.services import make_person
from tracking.models import SerialUnit
from workorders.life import complete

ORDER = "EXAMPLE-1"
SIGNERS = (
    ("prepares.bpk", "Petra", "Prepares", "prepared"),
    ("reviews.bpk", "Rune", "Reviews", "reviewed"),
    ("approves.bpk", "Ada", "Approves", "approved"),
    ("releases.bpk", "Lena", "Releases", "released"),
)


class Command(BaseCommand):
    """Write `process-card.xlsx`, `process-card-filled.xlsx` and `batch-record.pdf`; print how the workbooks differ."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="where to; made if it is not there")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        folder.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC).replace(microsecond=0)
        with transaction.atomic():
            shop, _ = open_shop(now=now)
            pack = shop.make_pack(ORDER)
            empty, full = _workbooks(pack, now)
            (folder / "process-card.xlsx").write_bytes(empty)
            (folder / "process-card-filled.xlsx").write_bytes(full)
            with (folder / "batch-record.pdf").open("wb") as file:
                pages = _record(pack, file, now)
            transaction.set_rollback(True)
        self.stdout.write(f"{pack.serial}: {len(empty):,} bytes became {len(full):,}.")
        self._say(compare(empty, full))
        self.stdout.write(f"batch-record.pdf: {pages} pages")

    def _say(self, found: Comparison) -> None:
        parts = len(found.same_parts) + len(found.other_parts)
        self.stdout.write(
            f"parts: {parts}, the same byte for byte {len(found.same_parts)}; other: {', '.join(found.other_parts)}"
        )
        self.stdout.write(
            f"cells compared: {found.cells:,}; filled: {len(found.differences)}; formulas the same: {found.formulas}"
        )
        self.stdout.write(f"formats, formulas and shapes that differ: {', '.join(found.formats) or 'none'}")
        for one in found.differences:
            self.stdout.write(f"  {one.sheet}!{one.cell}: {_said(one.was)} → {_said(one.now)}")


def _said(value: Any) -> str:
    return "empty" if value is None else str(value)


def _workbooks(pack: SerialUnit, now: datetime) -> tuple[bytes, bytes]:
    """Return the template, uploaded and mapped as an engineer does it, and the template filled with a pack."""
    engineer = User.objects.create_superuser("engineer.example")
    made = master_data.save(WorkbookTemplate(code="EXAMPLE", name="Process card", site=pack.site, source="serial_unit"))
    empty = template()
    add_version(template=made, content=empty, file_name="process-card.xlsx", actor=engineer, recorded_at=now)
    for one in FIELDS:
        mapping = WorkbookMapping(
            template=made,
            target=one.target,
            path=one.path,
            list_path=one.list_path,
            row_step=one.row_step,
            max_rows=one.max_rows,
        )
        master_data.save(mapping)
    return empty, filled(made, pack.pk, user=engineer)[1]


def _record(pack: SerialUnit, file: Any, now: datetime) -> int:
    """Write the batch record of a pack's order: completed, its deviations resolved, signed four times."""
    order = pack.order
    assert order is not None
    people = []
    for username, first_name, last_name, _ in SIGNERS:
        make_person(username, first_name, last_name, Role.QUALITY, pack.site)
        people.append(User.objects.get(username=username))
    order.refresh_from_db()
    at = now - timedelta(hours=1)
    complete(work_order=order, at=at, actor=people[0])
    record = open_record(order=order, actor=people[0], now=at, requirement="iso")
    for number, (person, (*_, meaning)) in enumerate(zip(people, SIGNERS, strict=True)):
        moment = at + timedelta(minutes=10 * number)
        if meaning == "reviewed":
            for one in assemble(record, now=moment).open_exceptions:
                resolve(
                    record=record,
                    key=one.finding.key,
                    decision="accepted",
                    comment="Looked at; the pack passed its test the second time.",
                    actor=person,
                    now=moment,
                )
        sign(record=record, identity=Confirmed(person), meaning=meaning, now=moment)
    found = assemble(record, now=now)
    return write_pdf(file, found, standing(found), now=now, printed_by=str(people[-1]))
