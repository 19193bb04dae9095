"""Write who is there and what they work on. Every write says in whose name, by whom, and when."""

from datetime import date, datetime
from decimal import Decimal

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import Q

from accounts.models import User
from core import master_data
from core.errors import Conflict, Invalid, NotFound
from enterprise.models import Line, Machine, Site
from labor.models import Absence, Attendance, Certificate, Employee, LaborEntry, Skill, SkillNeed
from workorders.models import WorkOrder

_SHORTEST_PIN, _LONGEST_PIN = 4, 12


def hashed_pin(pin: str) -> str:
    """Return a PIN as it is stored. Raises Invalid for one that is too easy to guess."""
    if not (pin.isascii() and pin.isdigit() and _SHORTEST_PIN <= len(pin) <= _LONGEST_PIN):
        raise Invalid(f"A PIN has {_SHORTEST_PIN} to {_LONGEST_PIN} digits.", field="pin")
    if len(set(pin)) == 1 or pin in "01234567890123456789":
        raise Invalid("That PIN is the first that anybody tries; choose another.", field="pin")
    return make_password(pin)


def identify(*, site: Site, badge: str = "", code: str = "", pin: str = "") -> Employee:
    """Return who stands at a shared terminal: by badge or QR code, or by personnel number and PIN.

    Raises NotFound for nobody, in the same words whatever was wrong, so that guessing learns nothing.
    """
    people = Employee.objects.filter(site=site, is_active=True)
    if badge:
        found = people.filter(badge=badge).first()
    else:
        found = people.filter(code=code).first()
        # Checked for nobody too, so that both take equally long.
        if not check_password(pin, found.pin if found and found.pin else make_password(None)):
            found = None
    if found is None:
        raise NotFound("Nobody is known by that.", field="badge" if badge else "pin")
    return found


@transaction.atomic
def clock_in(*, employee: Employee, at: datetime) -> Attendance:
    """Say that somebody came. Raises Conflict when they are there already, or somewhere at that time."""
    _lock(employee)
    if not employee.is_active:
        raise Invalid(f"{employee} does not work here any more.", field="employee")
    absence = Absence.objects.filter(
        employee=employee, first_date__lte=_day(employee, at), last_date__gte=_day(employee, at)
    )
    if absence.exists():
        raise Conflict(f"{employee} is absent that day; take the absence back first.", field="employee")
    if Attendance.objects.filter(employee=employee).filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at)).exists():
        raise Conflict(f"{employee} is clocked in already.", field="employee")
    return master_data.save(Attendance(employee=employee, started_at=at))


@transaction.atomic
def clock_out(*, employee: Employee, at: datetime) -> Attendance:
    """Say that somebody left; what they still worked on ends then. Raises Conflict when they are not there."""
    _lock(employee)
    there = Attendance.objects.filter(employee=employee, ended_at__isnull=True).first()
    if there is None:
        raise Conflict(f"{employee} is not clocked in.", field="employee")
    if at <= there.started_at:
        raise Invalid(f"{employee} clocked in at {there.started_at:%Y-%m-%d %H:%M} UTC, after that.", field="at")
    for entry in LaborEntry.objects.filter(employee=employee, ended_at__isnull=True):
        entry.ended_at = at
        master_data.save(entry)
    there.ended_at = at
    return master_data.save(there)


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
) -> LaborEntry:
    """Say that somebody begins to work on something; who is not clocked in comes with it. A break ends nothing.

    Raises Conflict when a certificate that the machine or line needs is missing or expired, naming it, or when the same
    work is open already.
    """
    _lock(employee)
    if not Attendance.objects.filter(employee=employee, ended_at__isnull=True).exists():
        clock_in(employee=employee, at=at)
    place = line or (machine.line if machine else None) or (work_order.line if work_order else None)
    if place is not None and place.area.site_id != employee.site_id:
        raise NotFound("That line is at another site.", field="line")
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
    return master_data.save(
        LaborEntry(
            employee=employee,
            kind=kind,
            work_order=work_order,
            operation=operation,
            line=place,
            machine=machine,
            started_at=at,
            note=note,
            recorded_at=at,
            recorded_by=actor,
        )
    )


@transaction.atomic
def stop_work(
    *,
    entry: LaborEntry,
    at: datetime,
    quantity_produced: Decimal = Decimal(0),
    quantity_rejected: Decimal = Decimal(0),
    standard_seconds: Decimal | None = None,
) -> LaborEntry:
    """Say that the work ended, and what came of it. Raises Conflict when it has ended already."""
    entry = LaborEntry.objects.select_for_update(of=("self",)).get(pk=entry.pk)
    if entry.ended_at is not None:
        raise Conflict(f"It ended at {entry.ended_at:%Y-%m-%d %H:%M} already.", field="ended_at")
    entry.ended_at = at
    entry.quantity_produced, entry.quantity_rejected = quantity_produced, quantity_rejected
    entry.standard_seconds = standard_seconds
    return master_data.save(entry)


@transaction.atomic
def approve(*, entries: list[LaborEntry], actor: User, at: datetime) -> int:
    """Approve entries that are over; return how many. Nobody approves their own, and what is approved stays so."""
    locked = LaborEntry.objects.select_for_update(of=("self",)).filter(pk__in=[entry.pk for entry in entries])
    approved = 0
    for entry in locked.select_related("employee").order_by("pk"):
        if entry.employee.user_id == actor.pk:
            raise Conflict("Nobody approves their own hours.", field="approved_by")
        if entry.ended_at is None:
            raise Conflict(f"'{entry}' is not over.", field="ended_at")
        if entry.approved_at is None:
            entry.approved_by, entry.approved_at = actor, at
            master_data.save(entry)
            approved += 1
    return approved


@transaction.atomic
def correct_entry(*, entry: LaborEntry, actor: User, **changes: object) -> LaborEntry:
    """Change an entry that is not approved; its history keeps what it was. Raises Conflict once it is approved."""
    entry = LaborEntry.objects.select_for_update(of=("self",)).get(pk=entry.pk)
    if entry.approved_at is not None:
        raise Conflict("It is approved; nobody changes it any more.", field="approved_at")
    for name, value in changes.items():
        setattr(entry, name, value)
    return master_data.save(entry)


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


def _day(employee: Employee, at: datetime) -> date:
    return at.astimezone(employee.site.zone).date()
