"""Write many people's hours that are over, at once: what `record_attendance` and `record_labor` would write one by
one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from core.bulk import insert, written
from core.errors import Invalid, NotFound
from enterprise.models import Machine
from labor.models import Attendance, Employee, LaborEntry
from workorders.models import WorkOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Somebody was there, from coming to leaving; written down when they left."""

    employee: Employee
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Somebody worked on something at a machine; written down when it was over."""

    employee: Employee
    kind: str
    started_at: datetime
    ended_at: datetime
    machine: Machine
    work_order: WorkOrder | None = None
    operation: str = ""
    quantity_produced: Decimal = Decimal(0)
    quantity_rejected: Decimal = Decimal(0)
    standard_seconds: Decimal | None = None
    note: str = ""


@transaction.atomic
def load_hours(
    there: Sequence[Presence], work: Sequence[Work], *, actor: User
) -> tuple[list[Attendance], list[LaborEntry]]:
    """Write attendances and labour entries of the past.

    Machines come with their line and area, employees with their site.

    As for one entry: neither a missing certificate nor an absence stands against what has happened. Raises Invalid for
    an empty span or one outside of the person's attendance, NotFound for a place at another site; the database refuses
    two attendances of one person at once.
    """
    by_person: dict[int, list[Presence]] = {}
    for one in there:
        _refuse_empty(one)
        by_person.setdefault(one.employee.pk, []).append(one)
    for entry in work:
        _refuse_empty(entry)
        if entry.machine.line.area.site_id != entry.employee.site_id:
            raise NotFound("That line is at another site.", field="line")
        around = by_person.get(entry.employee.pk, ())
        if not any(one.started_at <= entry.started_at and entry.ended_at <= one.ended_at for one in around):
            raise Invalid(
                f"{entry.employee} was not there from {entry.started_at:%Y-%m-%d %H:%M} UTC on.", field="started_at"
            )
    attendances = [
        Attendance(
            employee=one.employee,
            started_at=one.started_at,
            ended_at=one.ended_at,
            recorded_by=actor,
            ended_by=actor,
        )
        for one in there
    ]
    entries = [
        LaborEntry(
            employee=one.employee,
            kind=one.kind,
            work_order=one.work_order,
            operation=one.operation,
            line=one.machine.line,
            machine=one.machine,
            started_at=one.started_at,
            ended_at=one.ended_at,
            quantity_produced=one.quantity_produced,
            quantity_rejected=one.quantity_rejected,
            standard_seconds=one.standard_seconds,
            note=one.note,
            recorded_at=one.ended_at,
            recorded_by=actor,
            ended_by=actor,
        )
        for one in work
    ]
    insert([written(row, at=one.ended_at, actor=actor) for row, one in zip(attendances, there, strict=True)])
    insert([written(row, at=one.ended_at, actor=actor) for row, one in zip(entries, work, strict=True)])
    return attendances, entries


def _refuse_empty(one: Presence | Work) -> None:
    if one.ended_at <= one.started_at:
        raise Invalid("It ends after it starts.", field="ended_at")
