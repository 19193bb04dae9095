"""Calls of the past: written at once, they are those that people would have made and answered one by one."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from andon.bulk import NewCall, Taken, load_calls
from andon.models import AndonCall, AndonStep
from andon.services import Said, call, take_step, write_escalations
from core.errors import Conflict, Invalid
from tests.factories import make_call_type, make_machine, make_user

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def minute(number):
    return NOON + timedelta(minutes=number)


@pytest.fixture
def actor():
    return make_user("operator")


def new_call(actor, *steps, at=0, **more):
    taken = [Taken(kind=kind, at=minute(when), actor=actor, note="Done.") for kind, when in steps]
    given = {"at": minute(at), "actor": actor, "person": "Anna", "note": "It leaks.", **more}
    return NewCall(**given, steps=taken)


def contents():
    calls = AndonCall.objects.values_list("call_type", "machine", "status", "called_at")
    steps = AndonStep.objects.values_list(
        "kind", "occurred_at", "recorded_at", "recorded_by", "person", "note", "after_minutes", "told_role"
    )
    return sorted(calls), sorted(steps, key=str)


def test_calls_written_at_once_are_those_that_were_made_one_by_one(actor):
    machine, call_type = make_machine(), make_call_type((10, "supervisor"), (30, "engineer"))

    def said(at, **more):
        return Said(at=minute(at), recorded_at=minute(at), actor=actor, **more)

    def one_by_one():
        made = call(call_type=call_type, machine=machine, said=said(0, person="Anna", note="It leaks.")).call
        write_escalations(now=minute(10), recorded_at=minute(10))
        for kind, when in (("acknowledged", 15), ("arrived", 20), ("fixed", 40)):
            take_step(call=made, kind=kind, said=said(when, note="Done."))
        call(call_type=call_type, machine=machine, said=said(40, person="Anna", note="It leaks."))
        write_escalations(now=minute(55), recorded_at=minute(50))

    def at_once():
        what = {"call_type": call_type, "machine": machine}
        first = new_call(actor, ("acknowledged", 15), ("arrived", 20), ("fixed", 40), **what)
        load_calls([new_call(actor, at=40, **what), first], now=minute(55))

    found = []
    for write in (one_by_one, at_once):
        with transaction.atomic():
            write()
            found.append(contents())
            transaction.set_rollback(True)
    assert found[0] == found[1]
    assert len(found[1][0]) == 2
    assert sum(step[0] == "escalated" for step in found[1][1]) == 2


@pytest.mark.parametrize(
    ("steps", "refusal", "words"),
    [
        ([("fixed", 5), ("arrived", 6)], Conflict, "The call is fixed"),
        ([("arrived", 5), ("fixed", 4)], Invalid, "one after the other"),
        ([("fixed", 500)], Invalid, "one after the other"),
    ],
)
def test_steps_that_a_calls_life_does_not_have_are_refused(actor, steps, refusal, words):
    one = new_call(actor, *steps, call_type=make_call_type(), machine=make_machine())
    with pytest.raises(refusal, match=words):
        load_calls([one], now=minute(60))


def test_the_same_is_not_called_for_twice_at_once(actor):
    what = {"call_type": make_call_type(), "machine": make_machine()}
    first, second = new_call(actor, ("fixed", 20), **what), new_call(actor, at=10, **what)
    with pytest.raises(Conflict, match="called for"):
        load_calls([first, second], now=minute(60))
    load_calls([new_call(actor, **what)], now=minute(60))
    with pytest.raises(Conflict, match="called for"):
        load_calls([new_call(actor, at=30, **what)], now=minute(60))
