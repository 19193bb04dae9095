"""Maintenance of the past: written at once, it is what people would have written step by step."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from core.errors import Conflict, Invalid
from downtime.services import NewState, record_states
from enterprise.models import Machine
from maintenance.bulk import NewMaintenance, Taken, load_maintenance
from maintenance.models import Basis, MaintenanceOrder, MaintenanceStep
from maintenance.selectors import orders_of_stop
from maintenance.services import Said, ask, order_due_plans, take_step
from tests.factories import make_machine, make_maintenance_plan, make_reason, make_user

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 3, 2, tzinfo=UTC)
NOW = DAY + timedelta(days=2)
_Kind = MaintenanceStep.Kind
STEPS = ((_Kind.DOWN, 6.2), (_Kind.STARTED, 6.5), (_Kind.FINISHED, 8))


def at(hours):
    return DAY + timedelta(hours=hours)


@pytest.fixture
def machine():
    """A machine that stood from 6 to 8."""
    machine = Machine.objects.select_related("line__area__site").get(pk=make_machine().pk)
    run, stop = make_reason("running"), make_reason("unplanned")
    states = [(0, run), (6, stop), (8, run)]
    record_states([NewState(machine.pk, at(hour), reason.pk, "test") for hour, reason in states], recorded_at=NOW)
    return machine


@pytest.fixture
def ada():
    return make_user("engineer")


def repair(machine, ada, *steps, **overrides):
    taken = [Taken(kind=kind, at=at(when), actor=ada, note="Done.") for kind, when in steps]
    given = {"machine": machine, "title": "Valve drips", "at": at(6.15), "actor": ada, "stop_at": at(6.1)}
    return NewMaintenance(**{**given, "steps": taken, **overrides})


def contents():
    names = (
        "plan",
        "kind",
        "title",
        "status",
        "down_since",
        "requested_at",
        "planned_for",
        "started_at",
        "finished_at",
    )
    orders = MaintenanceOrder.objects.values_list("machine", "stop_at", "description", *names)
    steps = MaintenanceStep.objects.values_list("kind", "occurred_at", "recorded_at", "recorded_by", "note")
    return sorted(orders, key=str), sorted(steps, key=str)


def test_maintenance_written_at_once_is_what_was_written_step_by_step(machine, ada):
    plan = make_maintenance_plan(
        machine=machine, basis=Basis.CALENDAR, every=1, counted_from=DAY, instructions="Look at the belts."
    )

    def said(when, note="Done."):
        return Said(at=at(when), recorded_at=at(when), actor=ada, note=note)

    def step_by_step():
        order = ask(machine=machine, title="Valve drips", said=said(6.15, ""), stop_at=at(6.1)).order
        for kind, when in STEPS:
            order = take_step(order=order, kind=kind, said=said(when)).order
        (due,) = order_due_plans(now=at(24))
        due = take_step(order=due, kind=_Kind.PLANNED, said=said(25), planned_for=at(30)).order
        due = take_step(order=due, kind=_Kind.STARTED, said=said(30)).order
        take_step(order=due, kind=_Kind.FINISHED, said=said(31))

    def at_once():
        service = [
            Taken(kind=_Kind.PLANNED, at=at(25), actor=ada, note="Done.", planned_for=at(30)),
            Taken(kind=_Kind.STARTED, at=at(30), actor=ada, note="Done."),
            Taken(kind=_Kind.FINISHED, at=at(31), actor=ada, note="Done."),
        ]
        planned = NewMaintenance(machine=machine, plan=plan, at=at(24), actor=None, steps=service)
        load_maintenance([planned, repair(machine, ada, *STEPS)], now=NOW)
        assert [order.title for order in orders_of_stop(machine, at(6), at(8))] == ["Valve drips"]

    found = []
    for write in (step_by_step, at_once):
        with transaction.atomic():
            write()
            found.append(contents())
            transaction.set_rollback(True)
    assert found[0] == found[1]
    assert sum(step[0] == "down" for step in found[1][1]) == 2


@pytest.mark.parametrize(
    ("steps", "more", "refusal", "words"),
    [
        ([(_Kind.FINISHED, 7)], {}, Conflict, "what can be done"),
        ([(_Kind.STARTED, 7), (_Kind.FINISHED, 6.5)], {}, Invalid, "one after the other"),
        ([], {"stop_at": at(5)}, Invalid, "did not stand"),
        ([], {"title": " "}, Invalid, "what is wrong"),
    ],
)
def test_what_could_not_have_been_is_refused(machine, ada, steps, more, refusal, words):
    with pytest.raises(refusal, match=words):
        load_maintenance([repair(machine, ada, *steps, **more)], now=NOW)


def test_a_plan_is_of_its_own_machine(machine, ada):
    with pytest.raises(Invalid, match="another machine"):
        load_maintenance([repair(machine, ada, plan=make_maintenance_plan(), stop_at=None)], now=NOW)
