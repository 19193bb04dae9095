"""Calls for help: their steps, who should know when, and how long they took."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import permutations

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction
from rest_framework.test import APIClient

from andon.models import AndonCall, AndonStep, EscalationStep
from andon.selectors import open_calls, response_times
from andon.services import AFTER, Said, call, take_step, write_escalations
from core.errors import Conflict, Invalid
from core.intervals import Interval
from tests.factories import make_call_type, make_line, make_machine, make_user, make_work_order

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def minute(number):
    return NOON + timedelta(minutes=number)


@pytest.fixture
def operator():
    return make_user("operator")


def said(actor, at=0, **more):
    return Said(at=minute(at), recorded_at=minute(at), actor=actor, **more)


def called(actor, *ladder, at=0, **more):
    return call(call_type=make_call_type(*ladder), machine=make_machine(), said=said(actor, at, **more)).call


def should_know(at, **narrowed):
    return [one.who_should_know for one in open_calls(now=minute(at), **narrowed)]


def test_a_call_is_taken_on_step_by_step_and_leaves_the_list_when_it_is_fixed(operator):
    one = called(operator, note="It leaks.", person="Anna")
    for number, kind in enumerate(("acknowledged", "arrived", "fixed"), 1):
        (open_one,) = open_calls(now=minute(60))
        assert open_one.first_note == "It leaks."
        take_step(call=one, kind=kind, said=said(operator, number))
    assert open_calls(now=minute(60)) == []
    assert [(step.kind, step.occurred_at) for step in one.steps.order_by("id")] == [
        ("called", minute(0)),
        ("acknowledged", minute(1)),
        ("arrived", minute(2)),
        ("fixed", minute(3)),
    ]
    assert one.steps.last().who == "Anna"


@pytest.mark.parametrize("status", AndonCall.Status.values)
@pytest.mark.parametrize("kind", ["acknowledged", "arrived", "fixed", "cancelled"])
def test_a_step_that_cannot_be_taken_is_refused_with_those_that_can(operator, status, kind):
    one = called(operator)
    AndonCall.objects.filter(pk=one.pk).update(status=status)
    if kind in AFTER[status]:
        assert take_step(call=one, kind=kind, said=said(operator, 1)).call.status == kind
        return
    with pytest.raises(Conflict) as refusal:
        take_step(call=one, kind=kind, said=said(operator, 1))
    assert refusal.value.facts == {"allowed": list(AFTER[status]), "status": status}
    assert one.steps.count() == 1


def test_a_retry_with_its_key_has_one_effect(operator):
    call_type, machine = make_call_type(), make_machine()
    answers = [call(call_type=call_type, machine=machine, said=said(operator, idempotency_key="k")) for _ in "ab"]
    assert [answer.is_new for answer in answers] == [True, False]
    steps = [
        take_step(call=answers[0].call, kind="fixed", said=said(operator, 2, idempotency_key="s")).is_new for _ in "ab"
    ]
    assert steps == [True, False]
    with pytest.raises(Conflict):
        call(call_type=make_call_type(), machine=machine, said=said(operator, idempotency_key="k"))


def test_the_same_is_not_called_for_twice_until_it_is_over(operator):
    one = called(operator)
    with pytest.raises(Conflict, match="already"):
        call(call_type=one.call_type, machine=one.machine, said=said(operator, 1))
    take_step(call=one, kind="cancelled", said=said(operator, 2))
    assert call(call_type=one.call_type, machine=one.machine, said=said(operator, 3)).is_new


def test_what_contradicts_the_call_is_refused(operator):
    one = called(operator, at=5)
    with pytest.raises(Invalid, match="before the call"):
        take_step(call=one, kind="fixed", said=said(operator, 4))
    with pytest.raises(Invalid, match="future"):
        take_step(call=one, kind="fixed", said=Said(at=minute(90), recorded_at=minute(6), actor=operator))
    with pytest.raises(Invalid, match="another site"):
        call(
            call_type=make_call_type(),
            machine=one.machine,
            work_order=make_work_order(line=make_line()),
            said=said(operator),
        )
    with pytest.raises(Invalid, match="any more"):
        call(call_type=make_call_type(is_active=False), machine=one.machine, said=said(operator))


def test_who_should_know_follows_from_the_time_and_what_was_done(operator):
    one = called(operator, (5, "supervisor"), (15, "engineer"))
    assert [should_know(at) for at in (4, 5, 15)] == [[()], [("Supervisor",)], [("Supervisor", "Engineer")]]
    assert open_calls(now=minute(4))[0].next_at == minute(5)
    take_step(call=one, kind="acknowledged", said=said(operator, 9))
    # The supervisor was told before; the engineer need not know any more.
    assert should_know(60) == [("Supervisor",)]
    assert open_calls(now=minute(10))[0].next_at is None


def test_an_escalation_may_wait_for_arrival_or_the_end(operator):
    one = called(operator)
    for unless, role in (("arrived", "engineer"), ("fixed", "admin")):
        EscalationStep.objects.create(call_type=one.call_type, after_minutes=10, role=role, unless=unless)
    take_step(call=one, kind="acknowledged", said=said(operator, 1))
    take_step(call=one, kind="arrived", said=said(operator, 10))
    assert should_know(11) == [("Administrator",)]


def test_escalations_are_written_once_however_often_and_late_it_is_asked(operator, capsys):
    boss = make_user(username="boss")
    one = called(operator, (5, "supervisor"), (15, "engineer"))
    EscalationStep.objects.create(call_type=one.call_type, after_minutes=15, person=boss)
    assert write_escalations(now=minute(4), recorded_at=minute(4)) == []
    for at in (20, 20, 30):
        write_escalations(now=minute(at), recorded_at=minute(at))
    written = AndonStep.objects.filter(kind="escalated").order_by("after_minutes", "told_role")
    assert [(step.occurred_at, step.told_role, step.told_person) for step in written] == [
        (minute(5), "supervisor", None),
        (minute(15), "", boss),
        (minute(15), "engineer", None),
    ]
    call_command("escalate_calls")
    assert (AndonStep.objects.filter(kind="escalated").count(), capsys.readouterr().out) == (3, "")


def test_response_times_count_from_the_call_and_leave_out_what_was_cancelled(operator):
    call_type, machine = make_call_type((1, "supervisor")), make_machine()

    def one(at, **steps):
        made = call(call_type=call_type, machine=machine, said=said(operator, at)).call
        for kind, after in steps.items():
            take_step(call=made, kind=kind, said=said(operator, at + after))

    one(0, acknowledged=2, arrived=4, fixed=10)
    # Whoever comes at once has acknowledged by coming.
    one(60, arrived=1, fixed=4)
    one(120, cancelled=1)
    (row,) = response_times([machine.pk], Interval(NOON, minute(600)), now=minute(300))
    assert (row.calls, row.cancelled) == (3, 1)
    assert (row.acknowledged, row.arrived, row.fixed) == (Fraction(90), Fraction(150), Fraction(420))
    (later,) = response_times([machine.pk], Interval(minute(119), minute(600)), now=minute(300))
    assert (later.calls, later.fixed) == (1, None)


def test_the_number_of_queries_does_not_grow_with_the_calls(operator, django_assert_num_queries):
    for size in (1, 6):
        for _ in range(size):
            called(operator, (5, "supervisor"))
        with django_assert_num_queries(3):
            open_calls(now=minute(10))


def test_steps_are_never_changed(operator):
    step = called(operator).steps.get()
    with pytest.raises(DatabaseError), transaction.atomic():
        AndonStep.objects.filter(pk=step.pk).update(note="no")


# --- REST ---


def client_of(user):
    client = APIClient()
    client.force_authenticate(user)
    return client


def test_over_rest_a_call_is_made_answered_and_listed():
    machine, call_type = make_machine(), make_call_type((0, "supervisor"))
    api = client_of(make_user("operator", machine.line.area.site))
    body = {"machine": machine.code, "call_type": call_type.code, "idempotency_key": "a", "note": "Help"}
    first, again = (api.post("/andon/call/", body) for _ in "ab")
    assert (first.status_code, again.status_code, first.data) == (201, 200, again.data)
    assert first.data["allowed"] == ["acknowledged", "arrived", "fixed", "cancelled"]
    (row,) = api.get("/andon/open/", {"machine": machine.pk}).data
    assert (row["note"], row["who_should_know"]) == ("Help", ["Supervisor"])
    here = f"/andon/call/{first.data['id']}"
    assert api.post(f"{here}/fix/", {}).data["status"] == "fixed"
    refused = api.post(f"{here}/arrive/", {})
    assert (refused.status_code, refused.data["allowed"]) == (409, [])
    assert api.get("/andon/open/").data == []
    (times,) = api.get("/andon/response-times/", {"line": machine.line.code}).data
    assert (times["calls"], times["seconds_to_acknowledge"]) == (1, times["seconds_to_fix"])


def test_another_sites_calls_do_not_exist():
    one = called(make_user("operator"))
    stranger = client_of(make_user("operator", make_machine().line.area.site))
    assert stranger.get("/andon/open/").data == []
    assert stranger.get(f"/andon/call/{one.pk}/").status_code == 404
    assert stranger.post(f"/andon/call/{one.pk}/fix/", {}).status_code == 404
    assert stranger.post("/andon/call/", {"machine": one.machine.pk, "call_type": one.call_type.pk}).status_code == 400
    assert stranger.get("/andon/open/", {"machine": one.machine.pk}).status_code == 400


def test_an_erp_client_does_not_call():
    machine = make_machine()
    api = client_of(make_user("erp", machine.line.area.site))
    assert api.post("/andon/call/", {"machine": machine.pk, "call_type": make_call_type().pk}).status_code == 403


@pytest.mark.parametrize(
    "body", [{}, {"machine": "x" * 200}, {"machine": 1, "call_type": None}, {"at": "2026-03-02T10:00"}, {"z": 1}, []]
)
def test_bad_input_is_refused_by_name(body):
    answer = client_of(make_user("operator")).post("/andon/call/", body)
    assert answer.status_code == 400
    assert answer.data


def test_any_order_of_two_steps_ends_in_a_state_that_its_steps_explain(operator):
    for order in permutations(("acknowledged", "arrived", "fixed"), 2):
        one = called(operator)
        taken = ["called"]
        for number, kind in enumerate(order, 1):
            try:
                take_step(call=one, kind=kind, said=said(operator, number))
            except Conflict:
                continue
            taken.append(kind)
        assert AndonCall.objects.get(pk=one.pk).status == taken[-1]
        assert [step.kind for step in one.steps.order_by("id")] == taken
