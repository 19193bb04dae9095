"""Serial units in containers: packed in one at most, dispatched with it, and not used from under it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from core.errors import Conflict, Invalid
from materials.tests.packing import PackingRoom
from materials.tests.shop import AT
from tests.factories import make_product, make_serial_unit, make_user
from tracking import services
from tracking.assembling import assemble
from tracking.models import SerialUnit, UnitEvent, UnitPackingStep
from tracking.packing import pack_unit, rebuild_packing, unpack_unit
from tracking.services import By

pytestmark = pytest.mark.django_db


@pytest.fixture
def room():
    return PackingRoom()


@pytest.fixture
def by(room):
    return lambda key=None, reason="": By(room.anna, AT, key or uuid4().hex, reason)


def finished(room, serial="S-1"):
    """Return a unit of the room's site that went through its stages."""
    unit = make_serial_unit(serial, site=room.site)
    boss = make_user("quality", site=room.site)
    for stage in ("A", "B"):
        entry = services.Entry("check", "OK", uuid4().hex)
        services.enter(unit=unit, stage=stage, entries=[entry], actor=boss, recorded_at=AT)
    unit.refresh_from_db()
    assert unit.status == "finished"
    return unit


def test_unit_is_packed_once_and_taken_out(room, by):
    unit, carton = finished(room), room.carton()
    for _ in range(2):
        pack_unit(unit=unit, container=carton, by=by("p"))
    with pytest.raises(Conflict, match="S-1 is packed in C-1; take it out there first"):
        pack_unit(unit=unit, container=room.carton("C-2"), by=by())
    with pytest.raises(Conflict, match="used for something else"):
        pack_unit(unit=unit, container=room.pallet(), by=by("p"))
    for _ in range(2):
        unpack_unit(unit=unit, by=by("u"))
    assert list(UnitPackingStep.objects.values_list("kind", flat=True)) == ["unpacked", "packed"]
    with pytest.raises(Conflict, match="is not packed"):
        unpack_unit(unit=unit, by=by())


def test_what_cannot_be_packed_is_refused(room, by):
    unit, carton = finished(room), room.carton()
    raw = make_serial_unit("S-2", site=room.site)
    with pytest.raises(Conflict, match="S-2 is not started; only a finished unit is packed"):
        pack_unit(unit=raw, container=carton, by=by())
    with pytest.raises(Invalid, match="another site"):
        pack_unit(unit=unit, container=PackingRoom().carton(), by=by())
    with pytest.raises(Invalid, match="holds Tea only"):
        pack_unit(unit=unit, container=room.carton("C-3", product=make_product(name="Tea")), by=by())
    room.act("close", carton)
    with pytest.raises(Conflict, match="C-1 is closed") as refusal:
        pack_unit(unit=unit, container=carton, by=by())
    assert "reopen" in refusal.value.facts["allowed"]


def test_packed_unit_is_neither_scrapped_nor_built_in_nor_sent_alone(room, by):
    unit, other = finished(room), finished(room, "S-2")
    pack_unit(unit=unit, container=room.carton(), by=by())
    for act in (services.scrap, services.dispatch):
        with pytest.raises(Conflict, match="S-1 is packed in C-1"):
            act(unit=unit, by=by(reason="x"))
    with pytest.raises(Conflict, match="S-1 is packed in C-1"):
        assemble(parent=other, position="X", child=unit, actor=room.anna, at=AT, idempotency_key="a")


def test_units_leave_with_their_container_all_or_none(room, by):
    units = [finished(room, f"S-{number}") for number in range(2)]
    carton, pallet = room.carton(), room.pallet()
    for unit in units:
        pack_unit(unit=unit, container=carton, by=by())
    room.act("close", carton)
    room.act("put_into", carton, into=pallet)
    room.act("close", pallet)
    services.hold(unit=units[1], by=by(reason="Scratch."))
    with pytest.raises(Conflict, match="S-1 in C-1: "):
        room.act("ship", pallet)
    assert not UnitEvent.objects.filter(kind="dispatch").exists()
    services.release(unit=units[1], by=By(room.anna, AT + timedelta(minutes=1), "r"))
    for _ in range(2):
        room.act("ship", pallet, idempotency_key="s", recorded_at=AT + timedelta(minutes=2))
    assert set(SerialUnit.objects.values_list("status", flat=True)) == {"dispatched"}
    assert UnitEvent.objects.filter(kind="dispatch").count() == 2
    with pytest.raises(Conflict, match="P-7 carries dispatched units, such as S-0"):
        room.act("bring_back", pallet, reason="x")


def test_emptied_container_lets_its_units_out(room, by):
    unit, carton = finished(room), room.carton()
    pack_unit(unit=unit, container=carton, by=by())
    room.act("empty", carton)
    unit.refresh_from_db()
    assert (unit.container, unit.packing_steps.count()) == (None, 2)


def test_unit_is_packed_over_rest_by_a_scan(room):
    unit, carton = finished(room), room.carton("C-1", sscc_code="359012340000000018")
    client = APIClient()
    client.force_authenticate(room.anna)
    missing = client.post(f"/tracking/unit/{unit.pk}/pack/", {"container": "C-9", "key": "p"})
    assert (missing.status_code, list(missing.data)) == (400, ["container"])
    packed = client.post(f"/tracking/unit/{unit.pk}/pack/", {"container": "(00)359012340000000018", "key": "p"})
    assert (packed.status_code, packed.data["container"]) == (200, carton.pk)
    assert client.post(f"/tracking/unit/{unit.pk}/unpack/", {"key": "u"}).data["container"] is None
    assert client.post(f"/tracking/unit/{unit.pk}/pack/", {"container": "C-1"}).status_code == 400


def test_rebuild_mends_where_a_unit_is(room, by):
    unit, carton = finished(room), room.carton()
    pack_unit(unit=unit, container=carton, by=by())
    SerialUnit.objects.filter(pk=unit.pk).update(container=None)
    assert (rebuild_packing(), rebuild_packing()) == (1, 0)
    unit.refresh_from_db()
    assert unit.container == carton
