"""The admin of materials: set up places, look at the rest, and note where a lot came from."""

import pytest
from django.urls import reverse

from materials.models import Location, LotStatusChange, MaterialLot, MaterialTransaction, PickingPolicy, Stock
from materials.tests.shop import Shop
from tests.factories import make_user

pytestmark = pytest.mark.django_db
MODELS = [Location, LotStatusChange, MaterialLot, MaterialTransaction, PickingPolicy, Stock]


def page(model, view, *args):
    return reverse(f"admin:materials_{model._meta.model_name}_{view}", args=args)


@pytest.mark.parametrize("model", MODELS)
def test_pages_open_and_facts_are_not_edited(client, model):
    shop = Shop()
    shop.lot("F1", shop.product())
    PickingPolicy.objects.create(site=shop.site, rule="enforce")
    client.force_login(make_user(is_superuser=True, is_staff=True))
    assert client.get(page(model, "changelist"), {"q": "F"}).status_code == 200
    assert client.get(page(model, "change", model.objects.first().pk)).status_code == 200
    may_add = model in (Location, PickingPolicy)
    assert client.get(page(model, "add")).status_code == (200 if may_add else 403)


def test_lists_keep_to_the_sites_of_the_person(client):
    mine, there = Shop(), Shop()
    for shop in (mine, there):
        shop.lot("F1", shop.product())
    client.force_login(make_user("supervisor", site=mine.site, is_staff=True))
    for model in (MaterialLot, MaterialTransaction, Stock, LotStatusChange):
        assert client.get(page(model, "changelist")).context["cl"].queryset.count() == 1
    foreign = MaterialLot.objects.get(site=there.site)
    assert client.get(page(MaterialLot, "change", foreign.pk)).status_code == 302


def test_edit_of_a_lot_notes_its_certificate_and_leaves_its_status(client):
    shop = Shop()
    lot = shop.lot("F1", shop.product())
    client.force_login(make_user("quality", site=shop.site, is_staff=True))
    rows = {"status_changes-TOTAL_FORMS": "0", "status_changes-INITIAL_FORMS": "0"}
    form = {"supplier": "Mill", "supplier_lot": "M-9", "certificate": "COA-7", "status": "hold", **rows}
    assert client.post(page(MaterialLot, "change", lot.pk), form).status_code == 302
    lot.refresh_from_db()
    assert (lot.certificate, lot.supplier, lot.status) == ("COA-7", "Mill", "released")
    refused = client.post(
        page(MaterialLot, "change", lot.pk), {**form, "made_date": "2026-05-02", "expiry_date": "2026-05-01"}
    )
    assert b"cannot expire before it was made" in refused.content


def test_place_inside_itself_is_refused_on_the_form(client):
    shop = Shop()
    client.force_login(make_user("engineer", site=shop.site, is_staff=True))
    form = {"code": "WH", "name": "W", "kind": "warehouse", "is_active": "on", "site": shop.site.pk}
    answer = client.post(page(Location, "change", shop.store.pk), {**form, "parent": shop.store.pk})
    assert b"A place cannot lie inside itself." in answer.content
