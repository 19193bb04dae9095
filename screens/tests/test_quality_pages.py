"""Pages of quality: what is due, filling in an inspection, a chart, a non-conformance, a certificate."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from quality import charting
from quality.models import Result, Signal, SignalAcknowledgement
from quality.nonconformances import About, raise_nonconformance
from quality.services import What, open_inspection
from quality.tests.bench import AT, Bench, minutes
from tests.factories import make_control_chart, make_location, make_lot, make_plan, make_run, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def olek(client, bench):
    client.force_login(bench.olek)
    return client


def test_due_and_inspections_are_listed_and_another_sites_are_not(olek, bench):
    plan = make_plan()
    order = bench.order()
    make_run(line=bench.line, work_order=order, started_at=timezone.now() - timedelta(hours=1))
    page = olek.get(reverse("screens:quality")).content.decode()
    assert (plan.name in page, f"order {order}" in page) == (True, True)
    inspection = bench.begin(plan, 0)
    other = Bench()
    olek.force_login(other.olek)
    assert f"order {order}" not in olek.get(reverse("screens:quality")).content.decode()
    assert olek.get(reverse("screens:inspection", args=[inspection.pk])).status_code == 404
    olek.force_login(make_user())
    assert olek.get(reverse("screens:quality")).status_code == 403


def test_inspection_is_filled_in_result_by_result(olek, bench):
    plan = make_plan()
    inspection = open_inspection(
        plan=plan, what=What(machine=bench.machine), actor=bench.olek, opened_at=AT, sample_size=2
    )[0]
    of = plan.characteristics.get()
    url = reverse("screens:inspection", args=[inspection.pk])
    assert olek.post(url, {"characteristic": of.pk, "sample": 1, "value": "10,5"}).status_code == 302
    wrong = olek.post(url, {"characteristic": of.pk, "sample": 2, "value": "about 10"})
    assert (wrong.status_code, "about 10" in wrong.content.decode()) == (409, True)
    assert olek.post(url, {"finish": "1"}).status_code == 409
    assert olek.post(url, {"characteristic": of.pk, "sample": 2, "value": "12"}).status_code == 302
    assert olek.post(url, {"finish": "1"}).status_code == 302
    inspection.refresh_from_db()
    assert (inspection.status, Result.objects.count()) == ("failed", 2)
    assert "not OK" in olek.get(url).content.decode()
    assert olek.post(url, {"characteristic": "x", "sample": "-1", "value": "1"}).status_code == 409


def test_chart_is_drawn_and_its_signal_acknowledged(olek, bench):
    plan = make_plan()
    chart = make_control_chart(
        site=bench.site, characteristic=plan.characteristics.get(), machine=bench.machine, name="Diameter"
    )
    url = reverse("screens:chart", args=[chart.pk])
    assert "no baseline" in olek.get(url).content.decode()
    for at, value in enumerate(("10.1", "9.9", "10", "10.2", "9.8")):
        bench.inspect(plan, value, at=10 * at, machine=bench.machine)
    charting.set_baseline(
        of=chart,
        name="1",
        starts_at=AT,
        learned_from=AT,
        learned_until=minutes(99),
        actor=bench.ewa,
        set_at=minutes(99),
    )
    bench.inspect(plan, "11.9", at=100, machine=bench.machine)
    page = olek.get(url).content.decode()
    assert ("<svg" in page, "N1 location" in page) == (True, True)
    signal = Signal.objects.filter(panel="location").first()
    assert "Acknowledge N1" in olek.get(url, {"signal": signal.pk}).content.decode()
    assert olek.post(url, {"signal": signal.pk, "comment": "Tool"}).status_code == 302
    assert SignalAcknowledgement.objects.get().comment == "Tool"
    (line,) = olek.get(reverse("screens:chart-fragments", args=[chart.pk])).json()["lines"]
    assert (line["id"], "Tool" in line["html"]) == (bench.line.pk, True)
    assert olek.post(url, {"signal": "0", "comment": "x"}).status_code == 404


def test_nonconformance_and_certificate_have_pages(olek, bench):
    lot = make_lot(100, location=make_location(site=bench.site), at=AT)
    ncr, _ = raise_nonconformance(site=bench.site, title="Wet", said=About(lot=lot), actor=bench.ewa, raised_at=AT)
    assert ncr.number in olek.get(reverse("screens:ncrs"), {"status": "open"}).content.decode()
    assert "in force" in olek.get(reverse("screens:ncr", args=[ncr.pk])).content.decode()
    url = reverse("screens:certificate", args=[lot.pk])
    assert "No inspection" in olek.get(url).content.decode()
    bench.inspect(make_plan(), 10, lot=lot)
    assert "It conforms" in olek.get(url).content.decode()
