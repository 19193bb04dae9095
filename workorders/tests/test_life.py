"""The life of an order: steps with reasons, what is refused, what was made and how much is enough."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import transaction
from django.db.utils import DatabaseError
from rest_framework.test import APIClient

from core import master_data
from core.errors import Conflict, Invalid
from materials.backflush import Requirement, backflush
from materials.tests.shop import Shop
from tests.factories import (
    make_machine,
    make_order_reason,
    make_product,
    make_site,
    make_unit,
    make_user,
    make_work_order,
)
from workorders import life, services
from workorders.models import OrderConfirmation, OrderReason, OrderStatusChange, Run, WorkOrder
from workorders.opc_jobs import METHODS, STATES, job_state
from workorders.selectors import ACTIONS, TRANSITIONS, allowed, made

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
Status = WorkOrder.Status


@pytest.fixture
def line():
    return make_machine().line


@pytest.fixture
def anna():
    return make_user("supervisor")


def quality():
    return make_order_reason()


def steps(order):
    return [(c.from_status, c.to_status) for c in OrderStatusChange.objects.filter(order=order).order_by("id")]


def saved(line, **values):
    """Make an order by the one write path, so that its first step is noted."""
    order = WorkOrder(order_number=f"L-{WorkOrder.objects.count()}", line=line, **{"target_quantity": 100, **values})
    return services.save_order(work_order=order, at=AT)


def to_progress(order):
    return life.start(work_order=order, at=AT)


def confirm(order, good=0, key=None, **more):
    quantities = life.Quantities(good=Decimal(good), **more)
    return life.confirm(work_order=order, quantities=quantities, at=AT, idempotency_key=key)


def test_whole_life_is_noted_step_by_step_with_who_and_why(line, anna):
    order = saved(line)
    said = {"at": AT, "actor": anna}
    order = services.release_order(work_order=order, **said)
    order = life.schedule(work_order=order, **said)
    order = life.start(work_order=order, **said)
    order = life.hold(work_order=order, reason=quality(), note="Odd smell.", **said)
    assert (order.status, order.held_from, allowed(order)) == ("on_hold", "in_progress", ["cancel", "resume"])
    order = life.resume(work_order=order, **said)
    order = life.complete(work_order=order, **said)
    order = life.reopen(work_order=order, **said)
    order = life.complete(work_order=order, quantity=Decimal(90), **said)
    order = life.close(work_order=order, **said)
    names = ["", "created", "released", "scheduled", "in_progress", "on_hold", "in_progress", "completed"]
    names += ["in_progress", "completed", "closed"]
    assert steps(order) == list(pairwise(names))
    held = OrderStatusChange.objects.get(order=order, to_status="on_hold")
    assert (held.reason.kind, held.note, held.changed_by, held.changed_at) == ("quality", "Odd smell.", anna, AT)
    assert (allowed(order), made(order, now=AT).good) == ([], 90)


def test_every_step_that_is_not_allowed_is_refused_with_what_is(line):
    acts = {
        "release": services.release_order,
        **{
            name: getattr(life, name) for name in ("schedule", "start", "hold", "complete", "close", "reopen", "cancel")
        },
        "resume": life.resume,
    }
    for status in TRANSITIONS:
        for name, act in acts.items():
            order = make_work_order(line=line, status=status, held_from="released" if status == "on_hold" else "")
            more = {"reason": quality()} if name in ("hold", "cancel") else {}
            if name in allowed(order):
                done = act(work_order=order, at=AT, **more)
                assert done.status == ("released" if name == "resume" else ACTIONS[name])
                assert len(steps(order)) == 1
            elif (status, name) == ("released", "release"):
                continue  # an order that was made released without a copy is given one
            else:
                with pytest.raises(Conflict) as refused:
                    act(work_order=order, at=AT, **more)
                assert refused.value.facts["allowed"] == allowed(order)
                assert refused.value.facts["status"] == status
                assert steps(order) == []


def test_hold_and_cancel_need_a_reason_that_serves(line):
    order = services.release_order(work_order=saved(line), at=AT)
    only_cancel = OrderReason.objects.create(code="c", name="Not wanted", for_hold=False)
    for reason in (None, only_cancel):
        with pytest.raises(Invalid) as refused:
            life.hold(work_order=order, reason=reason, at=AT)
        assert refused.value.field == "reason"
    assert life.cancel(work_order=order, reason=only_cancel, at=AT).status == "cancelled"


def test_steps_are_facts(line):
    order = saved(line)
    for change in ("update workorders_orderstatuschange set note = 'x'", "delete from workorders_orderstatuschange"):
        with pytest.raises(DatabaseError), transaction.atomic(), transaction.get_connection().cursor() as cursor:
            cursor.execute(change)
    assert steps(order) == [("", "created")]


def test_held_order_resumes_where_it_was_and_nowhere_else(line):
    order = life.schedule(work_order=saved(line), at=AT)
    order = life.hold(work_order=order, reason=quality(), at=AT)
    order.status = Status.IN_PROGRESS
    with pytest.raises(Conflict, match="cancelled, scheduled"):
        services.save_order(work_order=order, at=AT)
    assert life.resume(work_order=order, at=AT).status == "scheduled"


def test_nothing_starts_on_a_held_order():
    shop = Shop()
    flour = shop.lot("F", shop.product(), 100)
    order = shop.order(product=make_product())
    order = services.release_order(work_order=order, at=AT)
    life.hold(work_order=order, reason=quality(), at=AT, actor=shop.anna)
    refusals = (
        lambda: services.start_run(work_order=order, line=order.line, started_at=AT),
        lambda: master_data.save(Run(work_order=order, line=order.line, started_at=AT)),
        lambda: shop.use(flour, 1, order),
        lambda: shop.do("issue", flour.product, 1, lot=flour, from_location=shop.store, work_order=order),
        lambda: backflush(
            work_order=order,
            produced_quantity=Decimal(1),
            requirements=[Requirement(flour.product, Decimal(1))],
            location=shop.store,
            **shop.said,
        ),
    )
    for start in refusals:
        with pytest.raises(Conflict, match=r"on hold \(Quality") as refused:
            start()
        assert refused.value.facts["allowed"] == ["cancel", "resume"]
    assert shop.do("produce", order.product, 1, to_location=shop.store, work_order=order).is_new
    life.resume(work_order=order, at=AT)
    assert shop.use(flour, 1, order)
    assert services.start_run(work_order=order, line=order.line, started_at=AT)


def test_running_order_is_not_cancelled_nor_completed_and_one_that_made_something_not_cancelled(line):
    order = saved(line)
    run = services.start_run(work_order=order, line=line, started_at=AT)
    for act, more in ((life.cancel, {"reason": quality()}), (life.complete, {})):
        with pytest.raises(Conflict, match="end that run first"):
            act(work_order=order, at=AT, **more)
    services.end_run(run=run, ended_at=AT + HOUR)
    confirmed = confirm(order, 5).confirmation
    with pytest.raises(Conflict, match="complete it short"):
        life.cancel(work_order=order, reason=quality(), at=AT)
    life.reverse_confirmation(confirmation=confirmed, note="Counted twice.", at=AT)
    assert life.cancel(work_order=order, reason=quality(), at=AT).status == "cancelled"
    with pytest.raises(Conflict, match="cancelled"):
        services.start_run(work_order=order, line=line, started_at=AT + HOUR)


def test_completed_order_is_not_started_again_by_a_run(line):
    order = life.complete(work_order=to_progress(saved(line)), at=AT)
    with pytest.raises(Conflict, match="completed"):
        services.start_run(work_order=order, line=line, started_at=AT)
    assert steps(order)[-1] == ("in_progress", "completed")


# --- how much is enough ---


def test_short_order_says_how_much_is_missing_until_it_is_meant(line, anna):
    order = to_progress(saved(line, under_tolerance=Decimal("0.02")))
    with pytest.raises(Conflict, match="Nothing was reported") as refused:
        life.complete(work_order=order, at=AT)
    assert refused.value.facts["missing"] == "98"
    with pytest.raises(Conflict, match=r"7\.5 pieces are missing"):
        life.complete(work_order=order, quantity=Decimal("90.5"), at=AT)
    assert not OrderConfirmation.objects.exists()
    with pytest.raises(Invalid) as refused:
        life.complete(work_order=order, quantity=Decimal(90), short=True, at=AT)
    assert refused.value.field == "reason"
    done = life.complete(work_order=order, quantity=Decimal(90), short=True, reason=quality(), at=AT, actor=anna)
    assert (done.status, made(done, now=AT).good, made(done, now=AT).source) == ("completed", 90, "confirmations")


def test_bounds_are_inclusive_and_too_much_is_refused(line):
    bounds = {"under_tolerance": Decimal("0.1"), "over_tolerance": Decimal("0.1")}
    for good, is_enough in ((Decimal("89.999999"), False), (90, True), (110, True), (Decimal("110.000001"), False)):
        order = to_progress(saved(line, **bounds))
        if is_enough:
            assert life.complete(work_order=order, quantity=Decimal(good), at=AT).status == "completed"
        else:
            with pytest.raises(Conflict):
                life.complete(work_order=order, quantity=Decimal(good), at=AT)


def test_tolerance_is_taken_from_the_product_at_release_unless_the_order_says(line):
    product = make_product(over_tolerance=Decimal("0.05"), under_tolerance=Decimal("0.01"))
    order = services.release_order(work_order=saved(line, product=product), at=AT)
    assert (order.over_tolerance, order.under_tolerance) == (Decimal("0.05"), Decimal("0.01"))
    own = services.release_order(work_order=saved(line, product=product, over_tolerance=0), at=AT)
    assert (own.over_tolerance, own.under_tolerance) == (0, Decimal("0.01"))


def test_part_deliveries_complete_the_order_when_they_are_enough(line):
    order = to_progress(saved(line, over_tolerance=Decimal("0.1"), under_tolerance=Decimal("0.05")))
    confirm(order, 60, scrap=Decimal(3))
    order.refresh_from_db()
    assert order.status == "in_progress"
    with pytest.raises(Conflict, match="At most 110") as refused:
        confirm(order, 51)
    assert refused.value.facts["too_much"] == "1"
    confirm(order, 35)
    order.refresh_from_db()
    assert (order.status, made(order, now=AT).good, made(order, now=AT).scrap) == ("completed", 95, 3)
    with pytest.raises(Conflict, match="reopen"):
        confirm(order, 1)


def test_confirmation_is_repeated_and_reversed_once(line):
    order = to_progress(saved(line))
    first = confirm(order, 10, key="k1")
    again = confirm(order, 10, key="k1")
    assert (first.is_new, again.is_new, again.confirmation) == (True, False, first.confirmation)
    with pytest.raises(Conflict, match=r"another|else"):
        confirm(order, 11, key="k1")
    for key in (None, "r1", "r1"):
        if key is None:
            with pytest.raises(Invalid):
                life.reverse_confirmation(confirmation=first.confirmation, note=" ", at=AT)
        else:
            life.reverse_confirmation(confirmation=first.confirmation, note="Wrong order.", at=AT, idempotency_key=key)
    with pytest.raises(Conflict, match="already"):
        life.reverse_confirmation(confirmation=first.confirmation, note="Again.", at=AT)
    assert (made(order, now=AT).source, OrderConfirmation.objects.count()) == ("", 2)


def test_made_is_what_people_said_else_the_ledger():
    shop = Shop()
    product = make_product(unit_id="pcs")
    product.units.create(unit=make_unit("case"), base_quantity=Decimal(12))
    order = to_progress(shop.order(product=product, unit_id="case", target_quantity=10))
    assert made(order, now=AT).good is None
    shop.do("produce", product, 30, to_location=shop.store, work_order=order)
    shop.do("scrap", product, 6, work_order=order, reason="Bent.")
    found = made(order, now=AT)
    assert (found.good, found.scrap, found.source) == (Decimal("2.5"), Decimal("0.5"), "ledger")
    confirm(order, 4)
    assert (made(order, now=AT).good, made(order, now=AT).source) == (4, "confirmations")


# --- REST ---


@pytest.fixture
def api(anna):
    make_order_reason()
    make_order_reason("safety")
    client = APIClient()
    client.force_authenticate(anna)
    return client


def test_actions_over_rest_say_what_is_allowed(api, line, anna):
    order = api.post("/workorder/", {"order_number": "R-1", "line": line.pk, "target_quantity": "10"}).data
    assert order["allowed"] == ["cancel", "release", "schedule", "start"]
    one = f"/workorder/{order['id']}"
    assert api.post(f"{one}/release/").data["status"] == "released"
    refused = api.post(f"{one}/close/")
    assert refused.status_code == 409
    assert refused.data["status"] == "released"
    assert refused.data["allowed"] == ["cancel", "hold", "schedule", "start"]
    assert "cannot become closed" in refused.data["detail"]
    assert "reason" in api.post(f"{one}/hold/").data
    assert api.post(f"{one}/hold/", {"reason": "quality", "note": "Smell", "x": 1}).status_code == 400
    held = api.post(f"{one}/hold/", {"reason": "quality", "note": "Smell"})
    assert (held.status_code, held.data["held_from"], held.data["allowed"]) == (200, "released", ["cancel", "resume"])
    run = api.post("/schedule-run/run", {"work_order": order["id"], "started_at": AT.isoformat()})
    assert (run.status_code, run.data["allowed"]) == (409, ["cancel", "resume"])
    api.post(f"{one}/resume/")
    api.post(f"{one}/start/")
    assert api.post(f"{one}/confirm/", {"good": "4", "idempotency_key": "a"}).status_code == 201
    assert api.post(f"{one}/confirm/", {"good": "4", "idempotency_key": "a"}).status_code == 200
    assert api.get(f"{one}/made/").data["good"] == "4"
    (confirmation,) = api.get(f"{one}/confirmations/").data["results"]
    url = f"{one}/confirmations/{confirmation['id']}/reverse/"
    assert api.post(url, {"note": "No."}).status_code == 201
    assert api.post(f"{one}/confirmations/999/reverse/", {"note": "No."}).status_code == 404
    assert api.post(f"{one}/complete/", {"quantity": "11"}).data["status"] == "completed"
    changes = api.get(f"{one}/status-changes/").data["results"]
    assert [change["to_status"] for change in changes][:3] == ["completed", "in_progress", "released"]
    assert all(change["changed_by"] == anna.pk for change in changes)


def test_patch_of_the_status_is_a_step_too(api, line):
    order = services.release_order(work_order=saved(line), at=AT)
    url = f"/workorder/{order.pk}"
    assert "status_reason" in api.patch(url, {"status": "on_hold"}).data
    held = api.patch(url, {"status": "on_hold", "status_reason": "safety", "status_note": "Guard open."})
    assert (held.status_code, held.data["status"]) == (200, "on_hold")
    # What does not name the status leaves it alone.
    assert api.patch(url, {"description": "x"}).data["status"] == "on_hold"
    last = OrderStatusChange.objects.first()
    assert (last.reason.code, last.note, last.to_status) == ("safety", "Guard open.", "on_hold")


def test_rights_of_the_actions(line):
    make_order_reason()
    order = services.release_order(work_order=saved(line), at=AT)
    site = line.area.site

    def post(role, action, where=site, **body):
        client = APIClient()
        client.force_authenticate(make_user(role, site=where))
        return client.post(f"/workorder/{order.pk}/{action}/", body).status_code

    assert post("operator", "cancel", reason="quality") == 403
    assert post("operator", "hold", reason="quality") == 200
    assert post("operator", "resume") == 403
    assert post("quality", "resume") == 200
    assert post("engineer", "hold", reason="quality") == 403
    assert post("supervisor", "start", where=make_site()) == 404
    assert post("operator", "start") == 403
    assert post("erp", "start") == 200
    assert post("operator", "confirm", good="1") == 201


def test_jobs_as_the_standard_names_them(line):
    assert set(STATES) == set(Status.values)
    assert {"Store", "Start", "Pause", "Resume", "Stop", "Abort"} <= {method.name for method in METHODS}
    order = services.release_order(work_order=saved(line), at=AT)
    assert job_state(order) == "AllowedToStart"
    assert job_state(life.hold(work_order=order, reason=quality(), at=AT)) == "NotAllowedToStart"
    order = life.start(work_order=life.resume(work_order=order, at=AT), at=AT)
    assert job_state(life.hold(work_order=order, reason=quality(), at=AT)) == "Interrupted"
