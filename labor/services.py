"""Write who is there and what they work on. Every write says in whose name, by whom, and when."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.models import User
from core import master_data
from core.errors import Conflict, Invalid, NotFound
from core.exact import plain_number
from core.master_data import precedes, site_id_of
from enterprise.models import Line, Machine, Shift
from labor.models import (
    Absence,
    Attendance,
    Certificate,
    Crew,
    CrewAssignment,
    Employee,
    LaborEntry,
    Skill,
    SkillNeed,
    TerminalCommand,
)
from workorders.models import WorkOrder


@transaction.atomic
def clock_in(
    *, employee: Employee, at: datetime, actor: User | None = None, idempotency_key: str | None = None
) -> Attendance:
    """Say that somebody came. Raises Conflict when they are there already, or somewhere at that time.

    `actor` is the log-in of the terminal. The same `idempotency_key` again has one effect, here and below.
    """
    _lock(employee)
    if (before := _answered(idempotency_key, employee, "clock_in")) is not None and before.attendance:
        return before.attendance
    if not employee.is_active:
        raise Invalid(f"{employee} does not work here any more.", field="employee")
    absence = Absence.objects.filter(
        employee=employee, first_date__lte=_day(employee, at), last_date__gte=_day(employee, at)
    )
    if absence.exists():
        raise Conflict(f"{employee} is absent that day; take the absence back first.", field="employee")
    if Attendance.objects.filter(employee=employee).filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at)).exists():
        raise Conflict(f"{employee} is clocked in already.", field="employee")
    came = master_data.save(Attendance(employee=employee, started_at=at, recorded_by=actor))
    _remember(idempotency_key, employee, "clock_in", at=at, actor=actor, attendance=came)
    return came


@transaction.atomic
def clock_out(
    *, employee: Employee, at: datetime, actor: User | None = None, idempotency_key: str | None = None
) -> Attendance:
    """Say that somebody left; what they still worked on ends then. Raises Conflict when they are not there."""
    _lock(employee)
    if (before := _answered(idempotency_key, employee, "clock_out")) is not None and before.attendance:
        return before.attendance
    there = Attendance.objects.filter(employee=employee, ended_at__isnull=True).first()
    if there is None:
        raise Conflict(f"{employee} is not clocked in.", field="employee")
    if at <= there.started_at:
        raise Invalid(f"{employee} clocked in at {there.started_at:%Y-%m-%d %H:%M} UTC, after that.", field="at")
    for entry in LaborEntry.objects.filter(employee=employee, ended_at__isnull=True):
        if at <= entry.started_at:
            raise Invalid(f"'{entry}' began at {entry.started_at:%Y-%m-%d %H:%M} UTC, after that.", field="at")
        entry.ended_at, entry.ended_by = at, actor
        master_data.save(entry)
    there.ended_at, there.ended_by = at, actor
    master_data.save(there)
    _remember(idempotency_key, employee, "clock_out", at=at, actor=actor, attendance=there)
    return there


@transaction.atomic
def start_work(
    *,
    employee: Employee,
    kind: str,
    at: datetime,
    actor: User | None,
    work_order: WorkOrder | None = None,
    operation: str = "",
    line: Line | None = None,
    machine: Machine | None = None,
    note: str = "",
    recorded_at: datetime | None = None,
    idempotency_key: str | None = None,
) -> LaborEntry:
    """Say that somebody begins to work on something; who is not clocked in comes with it. A break ends nothing.

    Raises Conflict when a certificate that the machine or line needs is missing or expired, naming it, or when the same
    work is open already.
    """
    _lock(employee)
    said = (kind, work_order and work_order.pk, operation, line and line.pk, machine and machine.pk, note)
    if (before := _answered(idempotency_key, employee, "start", *said)) is not None and before.entry:
        return before.entry
    if not Attendance.objects.filter(employee=employee, ended_at__isnull=True).exists():
        clock_in(employee=employee, at=at, actor=actor)
    place = _place_of(employee, line, machine, work_order)
    if kind in LaborEntry.ON_ORDERS:
        missing = skills_missing(employee=employee, line=place, machine=machine, on=_day(employee, at))
        if missing:
            raise Conflict(
                f"{employee} has no valid certificate for: {', '.join(map(str, missing))}.", field="employee"
            )
    same = LaborEntry.objects.filter(
        employee=employee, kind=kind, work_order=work_order, operation=operation, machine=machine, ended_at__isnull=True
    )
    if same.exists():
        raise Conflict(f"{employee} works on that already.", field="work_order")
    entry = master_data.save(
        LaborEntry(
            employee=employee,
            kind=kind,
            work_order=work_order,
            operation=operation,
            line=place,
            machine=machine,
            started_at=at,
            note=note,
            recorded_at=recorded_at or at,
            recorded_by=actor,
        )
    )
    _remember(idempotency_key, employee, "start", *said, at=recorded_at or at, actor=actor, entry=entry)
    return entry


@transaction.atomic
def stop_work(
    *,
    entry: LaborEntry,
    at: datetime,
    quantity_produced: Decimal = Decimal(0),
    quantity_rejected: Decimal = Decimal(0),
    standard_seconds: Decimal | None = None,
    actor: User | None = None,
    idempotency_key: str | None = None,
) -> LaborEntry:
    """Say that the work ended, and what came of it. Raises Conflict when it has ended already."""
    _lock(entry.employee)
    entry = LaborEntry.objects.select_for_update(of=("self",)).get(pk=entry.pk)
    said = (entry.pk, *_same_however_written(quantity_produced, quantity_rejected))
    if _answered(idempotency_key, entry.employee, "stop", *said) is not None:
        return entry
    if entry.ended_at is not None:
        raise Conflict(f"It ended at {entry.ended_at:%Y-%m-%d %H:%M} already.", field="ended_at")
    entry.ended_at = at
    entry.quantity_produced, entry.quantity_rejected = quantity_produced, quantity_rejected
    entry.standard_seconds, entry.ended_by = standard_seconds, actor
    if at <= entry.started_at:
        raise Invalid(f"It began at {entry.started_at:%Y-%m-%d %H:%M} UTC, after that.", field="at")
    master_data.save(entry)
    _remember(idempotency_key, entry.employee, "stop", *said, at=at, actor=actor, entry=entry)
    return entry


@transaction.atomic
def record_labor(
    *,
    employee: Employee,
    kind: str,
    started_at: datetime,
    ended_at: datetime,
    actor: User,
    recorded_at: datetime,
    work_order: WorkOrder | None = None,
    operation: str = "",
    line: Line | None = None,
    machine: Machine | None = None,
    quantity_produced: Decimal = Decimal(0),
    quantity_rejected: Decimal = Decimal(0),
    standard_seconds: Decimal | None = None,
    note: str = "",
    idempotency_key: str | None = None,
) -> tuple[LaborEntry, bool]:
    """Write down work that is over, whole; return it and whether it is new. It may overlap other work: time is shared.

    What happened has happened: neither a missing certificate nor an absence stands against it, and nobody is clocked in
    by it (`record_attendance`). Raises Invalid for an empty span or one that is not over, NotFound for a place
    elsewhere.
    """
    _lock(employee)
    of = (kind, work_order and work_order.pk, operation, line and line.pk, machine and machine.pk)
    quantities = _same_however_written(quantity_produced, quantity_rejected)
    said = (*of, started_at.isoformat(), ended_at.isoformat(), *quantities)
    if (before := _answered(idempotency_key, employee, "record", *said)) is not None and before.entry:
        return before.entry, False
    _refuse_unfinished(started_at, ended_at, recorded_at)
    place = _place_of(employee, line, machine, work_order)
    entry = master_data.save(
        LaborEntry(
            employee=employee,
            kind=kind,
            work_order=work_order,
            operation=operation,
            line=place,
            machine=machine,
            started_at=started_at,
            ended_at=ended_at,
            quantity_produced=quantity_produced,
            quantity_rejected=quantity_rejected,
            standard_seconds=standard_seconds,
            note=note,
            recorded_at=recorded_at,
            recorded_by=actor,
            ended_by=actor,
        )
    )
    _remember(idempotency_key, employee, "record", *said, at=recorded_at, actor=actor, entry=entry)
    return entry, True


@transaction.atomic
def record_attendance(
    *, employee: Employee, started_at: datetime, ended_at: datetime, actor: User, recorded_at: datetime
) -> tuple[Attendance, bool]:
    """Write down that somebody was there, from coming to leaving; return it and whether it is new.

    Raises Invalid for an empty span or one that is not over, Conflict when they were there for another part of that
    time.
    """
    _lock(employee)
    _refuse_unfinished(started_at, ended_at, recorded_at)
    same = Attendance.objects.filter(employee=employee, started_at=started_at, ended_at=ended_at).first()
    if same is not None:
        return same, False
    around = Attendance.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=started_at), employee=employee)
    if around.filter(started_at__lt=ended_at).exists():
        raise Conflict(f"{employee} has another attendance at that time.", field="started_at")
    came = Attendance(employee=employee, started_at=started_at, ended_at=ended_at, recorded_by=actor, ended_by=actor)
    return master_data.save(came), True


def _place_of(
    employee: Employee, line: Line | None, machine: Machine | None, work_order: WorkOrder | None
) -> Line | None:
    """Return the line that somebody works at. Raises NotFound for one of another site."""
    place = line or (machine.line if machine else None) or (work_order.line if work_order else None)
    if place is not None and place.area.site_id != employee.site_id:
        raise NotFound("That line is at another site.", field="line")
    return place


def _refuse_unfinished(started_at: datetime, ended_at: datetime, recorded_at: datetime) -> None:
    if ended_at <= started_at:
        raise Invalid("It ends after it starts.", field="ended_at")
    if ended_at > recorded_at:
        raise Invalid("It is not over yet.", field="ended_at")


@precedes(CrewAssignment)
def check_assignment(assignment: CrewAssignment) -> None:
    """Refuse a shift or a line that is at another site than the crew."""
    for field in ("shift", "line"):
        place = getattr(assignment, field, None) if getattr(assignment, f"{field}_id") else None
        if place is not None and assignment.crew_id and site_id_of(place) != assignment.crew.site_id:
            raise Invalid(f"That {field} is at another site than the crew.", field=field)


@transaction.atomic
def plan_rotation(
    *, crew: Crew, shifts: Sequence[Shift], first_date: date, last_date: date | None, line: Line | None
) -> list[CrewAssignment]:
    """Let a crew take turns on shifts, a week each from the week of the first day on; return its assignments."""
    if not shifts:
        raise Invalid("Name at least one shift.", field="shifts")
    starts = [first_date + timedelta(weeks=number) for number in range(len(shifts))]
    # Every turn begins on a Monday, but for the first.
    starts = [start if number == 0 else start - timedelta(days=start.weekday()) for number, start in enumerate(starts)]
    return [
        master_data.save(
            CrewAssignment(
                crew=crew,
                shift=shift,
                line=line,
                first_date=start,
                last_date=last_date,
                every_weeks=len(shifts),
            )
        )
        for shift, start in zip(shifts, starts, strict=True)
        if last_date is None or start <= last_date
    ]


def skills_missing(*, employee: Employee, line: Line | None, machine: Machine | None, on: date) -> list[Skill]:
    """Return the skills that a machine or line needs and somebody has no valid certificate for on a day."""
    places = Q(pk__in=[])
    if line is not None:
        places |= Q(line=line)
    if machine is not None:
        places |= Q(machine=machine) | Q(line=machine.line_id)
    needed = Skill.objects.filter(pk__in=SkillNeed.objects.filter(places).values("skill"), is_active=True)
    valid = Certificate.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gte=on), employee=employee, valid_from__lte=on
    )
    return list(needed.exclude(pk__in=valid.values("skill")).order_by("code"))


def _lock(employee: Employee) -> None:
    """Let the terminals at which one person stands take turns."""
    Employee.objects.select_for_update(of=("self",)).get(pk=employee.pk)


def _same_however_written(*quantities: Decimal) -> list[str]:
    """Return numbers as text that is the same however many zeros they were written with."""
    return [plain_number(quantity) for quantity in quantities]


def _digest(*said: object) -> str:
    return sha256(repr(said).encode()).hexdigest()


def _answered(key: str | None, employee: Employee, action: str, *said: object) -> TerminalCommand | None:
    """Return the request of a key that was answered before. Raises Conflict when that one asked for something else."""
    before = TerminalCommand.objects.select_related("attendance", "entry").filter(key=key).first() if key else None
    if before is None:
        return None
    if (before.employee_id, before.action, before.digest) != (employee.pk, action, _digest(*said)):
        raise Conflict("That key was used for another request.", field="idempotency_key")
    return before


def was_answered(*, key: str, employee_id: str, actor: User) -> bool:
    """Say whether a request of a log-in in somebody's name was answered before, for one that comes too late."""
    mine = TerminalCommand.objects.filter(key=key, recorded_by=actor).values_list("employee_id", flat=True)
    return [str(pk) for pk in mine] == [employee_id]


def _remember(
    key: str | None,
    employee: Employee,
    action: str,
    *said: object,
    at: datetime,
    actor: User | None,
    attendance: Attendance | None = None,
    entry: LaborEntry | None = None,
) -> None:
    if not key:
        return
    try:
        with transaction.atomic():
            TerminalCommand.objects.create(
                key=key,
                employee=employee,
                action=action,
                digest=_digest(*said),
                attendance=attendance,
                entry=entry,
                recorded_at=at,
                recorded_by=actor,
            )
    except IntegrityError:
        # Requests of one person take turns, so this was another's.
        raise Conflict("That key was used for another request.", field="idempotency_key") from None


def _day(employee: Employee, at: datetime) -> date:
    return at.astimezone(employee.site.zone).date()
