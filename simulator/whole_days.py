"""Book a whole day of a crew's hours at once: who was there, and what they did."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from accounts.models import User
from enterprise.models import Machine
from labor.bulk import Presence, Work, load_hours
from labor.models import Employee
from simulator.making import operation_code
from simulator.people_day import PersonDay
from workorders.models import WorkOrder


def load_people(
    people: Sequence[PersonDay],
    *,
    employees: Mapping[str, Employee],
    machines: Mapping[str, Machine],
    orders: Mapping[str, WorkOrder],
    actor: User,
) -> int:
    """Write people's days; return how many labour entries. What they did for an order that nobody knows is left out."""
    there = [Presence(employee=employees[one.number], started_at=one.came, ended_at=one.left) for one in people]
    work = [
        Work(
            employee=employees[one.number],
            kind=done.kind,
            started_at=done.start,
            ended_at=done.end,
            machine=machines[one.post],
            work_order=orders[done.slot.number] if done.slot else None,
            operation=operation_code(one.post) if done.slot else "",
            quantity_produced=Decimal(done.good),
            quantity_rejected=Decimal(done.reject),
            standard_seconds=done.standard_seconds,
            note=done.note,
        )
        for one in people
        for done in one.worked
        if done.slot is None or done.slot.number in orders
    ]
    load_hours(there, work, actor=actor)
    return len(work)
