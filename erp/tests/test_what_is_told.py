"""Each fact that other systems have to know is told once, in the transaction that wrote it, and dies with it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from core.errors import Conflict
from core.intervals import Interval
from core.models import OutboxMessage
from downtime.services import NewState, correct_state, record_states
from enterprise.models import Machine
from erp import catalogue, downtimes
from erp.tests.partners import make_partner
from execution.models import ScrapReason
from execution.reporting import report_production, reverse_report
from execution.services import finish_operation, start_operation
from execution.taking import Quantities, Taken
from materials import container_moves, containers, packing
from materials import services as materials
from materials.tests.shop import AT, Shop
from tests.factories import make_machine, make_product, make_reason, make_shift, make_user, make_work_order
from workorders import life
from workorders.services import add_operation, release_order

pytestmark = pytest.mark.django_db


def told(*types):
    rows = OutboxMessage.objects.filter(type__in=types) if types else OutboxMessage.objects.all()
    return [(row.type, row.data) for row in rows.order_by("id")]


def test_life_and_confirmations_of_an_order():
    line = make_machine().line
    order = make_work_order(line=line, product=make_product(), external_id="4711", target_quantity=Decimal(10))
    now = datetime(2026, 3, 2, 8, tzinfo=UTC)
    release_order(work_order=order, at=now)
    life.start(work_order=order, at=now)
    first = life.confirm(
        work_order=order, quantities=life.Quantities(good=Decimal("4.50")), at=now, idempotency_key="k"
    )
    life.confirm(work_order=order, quantities=life.Quantities(good=Decimal("4.50")), at=now, idempotency_key="k")
    life.reverse_confirmation(confirmation=first.confirmation, note="wrong order", at=now)
    life.confirm(work_order=order, quantities=life.Quantities(good=Decimal(10), scrap=Decimal(1)), at=now)
    rows = told()
    assert [(type_, data.get("to_status"), data.get("good")) for type_, data in rows] == [
        ("order.status_changed", "released", None),
        ("order.status_changed", "in_progress", None),
        ("order.confirmed", None, "4.5"),
        ("order.confirmed", None, "-4.5"),
        ("order.confirmed", None, "10"),
        ("order.status_changed", "completed", None),
    ]
    assert rows[3][1]["reverses"] == rows[2][1]["confirmation"]
    assert rows[5][1]["made"] == {"good": "10", "scrap": "1", "rework": "0"}
    assert {(row.key, row.site_id) for row in OutboxMessage.objects.all()} == {
        (f"order/{order.order_number}", line.area.site_id)
    }
    assert all(data["external_id"] == "4711" for _, data in rows)


def test_refused_confirmation_is_not_told():
    order = make_work_order(line=make_machine().line)
    with pytest.raises(Conflict), transaction.atomic():
        life.confirm(work_order=order, quantities=life.Quantities(good=Decimal(1)), at=AT)
    assert told() == []


def test_work_on_an_operation():
    machine = make_machine()
    order = make_work_order(line=machine.line, product=make_product())
    actor = make_user("supervisor")
    release_order(work_order=order, at=AT, actor=actor)
    operation = add_operation(work_order=order, code="FILL", name="Fill", actor=actor, machine=machine)
    taken = Taken(actor=actor, at=AT, recorded_at=AT)
    ScrapReason.objects.create(code="cracked", name="Cracked")
    start_operation(operation=operation, taken=taken, machine=machine)
    quantities = Quantities(good=Decimal(7), scrap=Decimal(1), scrap_reason=ScrapReason.objects.get())
    report, _ = report_production(operation=operation, quantities=quantities, taken=taken, machine=machine)
    reverse_report(report=report, actor=actor, recorded_at=AT, note="twice")
    report_production(operation=operation, quantities=quantities, taken=taken, machine=machine)
    finish_operation(
        operation=operation, taken=Taken(actor=actor, at=AT + timedelta(minutes=5), recorded_at=AT + timedelta(hours=1))
    )
    rows = told("operation.confirmed", "operation.status_changed")
    assert [(data.get("to_status"), data.get("good"), data.get("scrap")) for _, data in rows] == [
        ("in_progress", None, None),
        (None, "7", "1"),
        (None, "-7", "-1"),
        (None, "7", "1"),
        ("completed", None, None),
    ]
    assert rows[1][1]["scrap_reason"] == "cracked"
    assert (rows[1][1]["operation"], rows[1][1]["machine"]) == ("FILL", machine.code)


def test_movements_of_material_and_what_is_shipped():
    shop = Shop()
    flour = shop.product()
    order = shop.order()
    lot = shop.lot("F1", flour, 10)
    used = shop.use(lot, "2.5", order)
    materials.reverse(transaction=used, **{**shop.said, "reason": "wrong lot"})
    shop.do("scrap", flour, 1, lot=lot, from_location=shop.store, reason="wet")
    box = containers.open_container(location=shop.store, code="C-1", **shop.said).step.container
    packing.pack(container=box, product=flour, lot=lot, quantity=Decimal(3), **shop.said)
    containers.close(container=box, **shop.said)
    container_moves.ship(container=box, recipient="Customer", **shop.said)
    rows = [(row.type, row.key) for row in OutboxMessage.objects.order_by("id")]
    order_key = f"order/{order.order_number}"
    assert rows == [
        ("material.received", "lot/F1"),
        ("material.consumed", order_key),
        ("material.reversed", order_key),
        ("material.scrapped", "lot/F1"),
        ("container.ready", "container/C-1"),
        ("material.shipped", "lot/F1"),
        ("container.shipped", "container/C-1"),
    ]
    shipped = OutboxMessage.objects.get(type="container.shipped").data
    assert shipped["recipient"] == "Customer"
    assert shipped["contents"] == [
        {"container": "C-1", "product": flour.code, "lot": "F1", "quantity": "3", "unit": "kg"}
    ]
    consumed = OutboxMessage.objects.get(type="material.consumed").data
    assert (consumed["quantity"], consumed["lot"], consumed["from_location"]) == ("2.5", "F1", shop.store.code)
    assert set(OutboxMessage.objects.values_list("type", flat=True)) <= set(catalogue.TYPES)


DAY = datetime(2026, 3, 2, tzinfo=UTC)


def at(hours):
    return DAY + timedelta(hours=hours)


def test_stop_is_told_when_it_ended_told_again_when_it_changed_and_withdrawn_when_it_was_none():
    machine = Machine.objects.get(pk=make_machine().pk)
    make_shift(line=machine.line)
    run, jam, cleaning = make_reason(), make_reason("unplanned"), make_reason("planned")
    states = [(8, run), (9, jam), (10, run), (11, jam)]
    record_states([NewState(machine.pk, at(hour), reason.pk, "device") for hour, reason in states], recorded_at=DAY)
    window, now = Interval(at(7), at(12)), at(13)
    assert downtimes.report_ended(now=now) == 0, "nobody listens"
    make_partner()
    assert downtimes.report_ended_in(window, now=now) == 1, "the second is not over"
    assert downtimes.report_ended_in(window, now=now) == 0, "it was said"
    ((_, said),) = told("downtime.ended")
    assert (said["reason"], said["seconds"], said["revision"]) == (jam.code, "3600.000", 1)
    assert (said["started_at"], said["ended_at"]) == ("2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z")
    actor = make_user("supervisor")
    correct_state(
        machine=machine,
        starts_at=at(9),
        ends_at=at(10),
        reason=cleaning,
        actor=actor,
        recorded_at=now,
        comment="It was cleaned.",
    )
    assert downtimes.report_ended_in(window, now=now) == 1
    assert [(data["reason"], data["revision"]) for _, data in told("downtime.corrected")] == [(cleaning.code, 2)]
    correct_state(
        machine=machine, starts_at=at(9), ends_at=at(10), reason=run, actor=actor, recorded_at=now, comment="It ran."
    )
    assert downtimes.report_ended_in(window, now=now) == 1
    assert downtimes.report_ended_in(window, now=now) == 0
    assert [data["revision"] for _, data in told("downtime.withdrawn")] == [3]
