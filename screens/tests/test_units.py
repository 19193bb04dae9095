"""The pages of units: tracker, one unit, a station that is scanned at, and the battery-pack demo plant."""

import re
from dataclasses import replace
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labels.rendering import Content, Design, png
from labels.symbols import Symbology
from products.services import release_revision
from tests.factories import (
    LONG_AGO,
    make_machine,
    make_revision,
    make_routing,
    make_serial_unit,
    make_site,
    make_stage_form,
    make_user,
    make_work_order,
)
from tracking import services
from tracking.models import SerialUnit, StageEntry, StageForm, UnitEvent
from tracking.services import By, Entry
from workorders.models import Operation

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    """A unit whose stage SORT is done at one machine and WELD at another."""
    sorter = make_machine(name="Sorter")
    welder = make_machine(line=sorter.line, name="Welder")
    revision = make_revision()
    routing = make_routing(revision=revision)
    for number, (code, machine) in enumerate((("SORT", sorter), ("WELD", welder)), start=1):
        routing.operations.create(code=code, name=code.title(), sequence=10 * number, machine=machine)
        make_stage_form(revision.product, code, {"code": "check"}, {"code": "note", "kind": "text", "required": False})
    release_revision(revision=revision, valid_from=LONG_AGO)
    unit = make_serial_unit("BP/1", product=revision.product, site=sorter.line.area.site)
    return unit, sorter, welder


def logged_in(role, site):
    client = Client()
    client.force_login(make_user(role, site=site))
    return client


def test_scan_at_the_right_station_opens_the_form_and_at_another_says_where_to_go(shop):
    unit, sorter, welder = shop
    client = logged_in("operator", unit.site)
    opened = client.get(reverse("screens:station", args=[sorter.code]), {"code": "BP/1"})
    assert opened.headers["Location"] == reverse("screens:station-unit", args=[sorter.code, unit.pk])
    refused = client.get(reverse("screens:station", args=[welder.code]), {"code": "BP/1"})
    assert refused.status_code == 409
    assert "Not here (Welder). BP/1: Sort comes next, at Sorter." in refused.content.decode()
    assert client.get(reverse("screens:station", args=[welder.code]), {"code": "XX"}).status_code == 404
    assert client.get(reverse("screens:station-unit", args=[welder.code, unit.pk])).status_code == 409


def test_photo_of_a_code_leads_to_the_unit(shop):
    unit, sorter, _ = shop
    client = logged_in("operator", unit.site)
    page = reverse("screens:station", args=[sorter.code])
    code = png(Design(30, 30, 203, Symbology.QR), Content(f"https://mes.example/entry/{quote(unit.serial, safe='')}"))
    sent = client.post(page, {"photo": SimpleUploadedFile("code.png", code, "image/png")})
    assert sent.url == reverse("screens:station-unit", args=[sorter.code, unit.pk])
    blank = png(Design(30, 30, 203, Symbology.QR), Content("nobody"))
    for photo, status, said in ((blank, 404, "neither a unit nor an order"), (b"<svg/>", 400, "Choose a photo")):
        refused = client.post(page, {"photo": SimpleUploadedFile("code.png", photo, "image/png")})
        assert refused.status_code == status
        assert said in refused.content.decode()
    assert client.post(page).status_code == 400


def test_order_without_units_leads_to_its_next_operation_or_says_where_that_is():
    sorter = make_machine(name="Sorter")
    welder = make_machine(line=sorter.line, name="Welder")
    order = make_work_order(line=sorter.line, status="released")
    first = Operation.objects.create(
        work_order=order, machine=sorter, sequence=10, code="SORT", name="Sort", planned_quantity=1, status="ready"
    )
    client = logged_in("operator", sorter.line.area.site)
    here = client.get(reverse("screens:station", args=[sorter.code]), {"code": order.order_number})
    assert here.url == f"/operate/{sorter.code}/?operation={first.pk}"
    assert client.get(here.url).status_code == 200
    there = client.get(reverse("screens:station", args=[welder.code]), {"code": order.order_number})
    assert there.status_code == 409
    assert "Sort comes next, at Sorter." in there.content.decode()


def test_page_of_a_dispatched_unit_offers_nothing_that_is_refused(shop):
    unit, *_ = shop
    supervisor = logged_in("supervisor", unit.site)
    page = reverse("screens:unit", args=[unit.pk])
    assert "Change the part" in supervisor.get(page).content.decode()
    by = By(make_user("quality", site=unit.site), timezone.now(), "k", "Broken")
    for stage in ("SORT", "WELD"):
        at = timezone.now()
        services.enter(unit=unit, stage=stage, entries=[Entry("check", "ok", stage)], actor=by.actor, recorded_at=at)
        services.complete_stage(unit=unit, stage=stage, by=replace(by, key=f"{stage} done"))
    finished = supervisor.get(page).content.decode()
    assert "Put on hold" in finished
    assert "Correct</button>" in finished
    services.dispatch(unit=unit, by=by)
    dispatched = supervisor.get(page).content.decode()
    for offered in (
        "Change the part",
        "Take the part out",
        "Send to rework",
        "Put on hold",
        "Correct</button>",
        "Scrap<",
    ):
        assert offered not in dispatched


def test_form_saves_what_was_changed_and_completes_the_stage(shop):
    unit, sorter, _ = shop
    client = logged_in("operator", unit.site)
    url = reverse("screens:station-unit", args=[sorter.code, unit.pk])
    page = client.get(url).content.decode()
    key = re.search(r'name="key" value="([^"]+)"', page)[1]
    body = {"key": key, "stage": "SORT", "f:check@": "ok", "w:check@": "", "f:note@": "", "w:note@": ""}
    saved = client.post(url, {**body, "do": "save"})
    assert saved.headers["Location"] == url
    assert client.post(url, {**body, "do": "complete"}).headers["Location"] == reverse(
        "screens:station", args=[sorter.code]
    )
    assert [(entry.field.code, entry.value) for entry in StageEntry.objects.all()] == [("check", "ok")]
    assert UnitEvent.objects.count() == 1
    # The same form sent again changes nothing.
    assert client.post(url, {**body, "do": "complete"}).status_code == 302
    assert (StageEntry.objects.count(), UnitEvent.objects.count()) == (1, 1)


def test_refused_value_stays_in_the_form_with_the_reason(shop):
    unit, sorter, _ = shop
    client = logged_in("operator", unit.site)
    url = reverse("screens:station-unit", args=[sorter.code, unit.pk])
    body = {"key": "k", "stage": "SORT", "f:check@": "perhaps", "w:check@": "", "f:note@": "scratched", "do": "save"}
    refused = client.post(url, body)
    assert refused.status_code == 400
    assert "Check: OK, NOT OK or N/A." in refused.content.decode()
    assert 'value="scratched"' in refused.content.decode()
    assert not StageEntry.objects.exists()


def test_unit_page_shows_and_decides(shop):
    unit, *_ = shop
    url = reverse("screens:unit", args=[unit.pk])
    quality, operator = logged_in("quality", unit.site), logged_in("operator", unit.site)
    body = {"key": "1", "stage": "SORT", "f:check@": "not_ok", "w:check@": "", "do": "save"}
    assert operator.post(url, body).status_code == 302
    assert "QC issues" in operator.get(url).content.decode()
    assert operator.post(url, {"do": "rework", "key": "2", "stage": "SORT", "reason": "x"}).status_code == 403
    assert quality.post(url, {"do": "rework", "key": "2", "stage": "SORT", "reason": "Dirty"}).status_code == 302
    page = quality.get(url).content.decode()
    assert "Sent to rework" in page
    assert "Dirty" in page
    assert quality.post(url, {"do": "nonsense", "key": "3"}).status_code == 400
    assert quality.post(url, {"do": "scrap", "key": "4", "reason": "Bent", "replacement": "BP/1R"}).status_code == 302
    assert SerialUnit.objects.get(serial="BP/1R").replaces == unit
    assert operator.post(url, {"do": "part", "key": "5", "position": "X", "serial": "zz"}).status_code == 409


def test_foreign_units_and_stations_do_not_exist(shop):
    unit, sorter, _ = shop
    client = logged_in("operator", make_site())
    assert client.get(reverse("screens:unit", args=[unit.pk])).status_code == 404
    assert client.get(reverse("screens:station", args=[sorter.code])).status_code == 404
    assert "BP/1" not in client.get(reverse("screens:units")).content.decode()
    assert Client().get(reverse("screens:units")).status_code == 302
    assert logged_in("erp", unit.site).get(reverse("screens:stations")).status_code == 403


def test_tracker_filters_and_does_not_ask_more_for_more_units(shop, django_assert_max_num_queries):
    unit, *_ = shop
    for number in range(5):
        make_serial_unit(f"N{number}", product=unit.product, site=unit.site)
    client = logged_in("operator", unit.site)
    url = reverse("screens:units")
    with django_assert_max_num_queries(30):
        page = client.get(url).content.decode()
    assert page.count("Not started</span>") == 6
    assert "BP/1" in client.get(url, {"search": "BP/"}).content.decode()
    assert ">N1<" not in client.get(url, {"search": "BP/"}).content.decode()
    assert "No unit is like that" in client.get(url, {"stage": "SORT", "stage_state": "ok"}).content.decode()
    for odd in ({"page": "x"}, {"product": "x"}, {"status": "x"}, {"search": "\0"}, {"site": "x"}):
        assert client.get(url, odd).status_code == 200


def test_battery_demo_has_units_in_every_state_and_is_safe_to_repeat(capsys):
    for _ in range(2):
        call_command("create_demo", "--plant", "battery")
    packs = SerialUnit.objects.filter(product__code="BPK-PACK")
    assert StageForm.objects.filter(product__code="BPK-PACK", status="released").count() == 8
    assert packs.count() == 13
    statuses = {"not_started", "in_process", "on_hold", "finished", "dispatched", "scrapped"}
    assert set(packs.values_list("status", flat=True)) == statuses
    assert packs.filter(is_blocked=True).count() == 1
    assert "keep their passwords" in capsys.readouterr().out
    client = Client()
    client.force_login(make_user(is_superuser=True, is_staff=True))
    page = client.get(reverse("screens:units"), {"site": "BPK"}).content.decode()
    for words in ("QC issues", "Ready to dispatch", "QC NOT OK", "processing", "On hold", "Scrapped", "BPK-1001"):
        assert words in page
    finished = packs.filter(status="finished").first()
    assert "Module 4S" in client.get(reverse("screens:unit", args=[finished.pk])).content.decode()
