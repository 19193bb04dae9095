"""The pages of containers: list with filters, one with its tree, history and the forms of what is allowed."""

import pytest
from django.urls import reverse

from materials.container_models import Container, ContainerStep
from materials.models import MaterialTransaction
from materials.tests.packing import PackingRoom
from tests.factories import make_user

pytestmark = pytest.mark.django_db
LIST = reverse("screens:containers")


@pytest.fixture
def room(client):
    room = PackingRoom()
    client.force_login(make_user("operator", site=room.site))
    return room


@pytest.fixture
def lot(room):
    return room.lot("L1", room.product(name="Cola", unit_id="pcs"), 10)


def page(container):
    return reverse("screens:container", args=[container.pk])


def test_list_is_filtered_and_scoped(client, room, lot):
    room.loaded(lot)
    PackingRoom().carton("C-99")

    def listed(**query):
        return [one.code for one in client.get(LIST, query).context["page"]]

    assert listed() == ["C-2", "C-1", "P-7"]
    assert listed(search="L1") == ["C-2", "C-1"]
    assert listed(kind="pallet") == ["P-7"]
    assert listed(status="shipped") == listed(location=room.side.pk) == []
    assert client.get(LIST, {"location": "x", "page": "x"}).status_code == 200


def test_container_is_opened_packed_closed_and_moved_by_forms(client, room, lot):
    assert (
        client.post(LIST, {"location": room.store.pk, "kind": "carton", "code": "C-1", "key": "k"}).status_code == 302
    )
    carton = Container.objects.get()
    for _ in range(2):
        body = {"action": "pack", "lot": "L1", "quantity": "4", "key": "p"}
        assert client.post(page(carton), body).status_code == 302
    assert carton.contents.get().quantity == 4
    refused = client.post(page(carton), {"action": "pack", "lot": "L1", "quantity": "40"})
    assert (refused.status_code, b"are free" in refused.content) == (409, True)
    for body in ({"action": "pack"}, {"action": "pack", "lot": "X", "quantity": "1"}, {"action": "fly"}, {}):
        assert client.post(page(carton), body).status_code == 409
    assert client.post(page(carton), {"action": "close"}).status_code == 302
    pallet = room.pallet()
    assert client.post(page(carton), {"action": "put_into", "into": "P-0"}).status_code == 409
    assert client.post(page(carton), {"action": "put_into", "into": "P-7"}).status_code == 302
    client.post(page(pallet), {"action": "close"})
    client.post(page(pallet), {"action": "move", "to_location": room.side.pk})
    client.post(page(pallet), {"action": "ship", "recipient": "Lidl"})
    assert MaterialTransaction.objects.filter(kind__in=["move", "ship"]).count() == 2
    text = client.get(page(pallet)).content.decode()
    for word in ("C-1", "4 pcs Cola", "L1", "Lidl", "Shipped"):
        assert word in text
    assert "Take the shipment back" not in text
    assert client.post(page(pallet), {"action": "bring_back", "reason": "x"}).status_code == 403
    client.force_login(make_user("supervisor", site=room.site))
    assert "Take the shipment back" in client.get(page(pallet)).content.decode()
    assert client.post(page(pallet), {"action": "bring_back", "reason": "x"}).status_code == 302
    lots = client.get(reverse("screens:lot", args=[lot.pk])).content.decode()
    assert "in carton C-1 on pallet P-7" in lots


def test_who_may_not_sees_no_forms_and_another_site_nothing(client, room, lot):
    carton = room.packed(lot)
    client.force_login(make_user("quality", site=room.site))
    assert 'value="reopen"' not in client.get(page(carton)).content.decode()
    assert client.post(page(carton), {"action": "reopen"}).status_code == 403
    assert client.post(LIST, {"location": room.store.pk, "kind": "box", "code": "B"}).status_code == 403
    client.force_login(make_user("operator", site=PackingRoom().site))
    assert client.get(page(carton)).status_code == 404
    assert client.post(LIST, {"location": room.store.pk, "kind": "box", "code": "B"}).status_code == 409
    assert not ContainerStep.objects.filter(kind="reopened").exists()


def test_queries_do_not_grow_with_the_tree(client, room, lot, django_assert_max_num_queries):
    pallet, _ = room.loaded(lot, cartons=5, each=1)
    with django_assert_max_num_queries(20):
        client.get(page(pallet))
