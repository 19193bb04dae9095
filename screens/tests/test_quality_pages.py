"""Pages of quality: what is due, filling in an inspection, a chart, a non-conformance, a certificate."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from quality import charting
from quality.corrective_actions import add_action
from quality.models import ChartPhase, Result, Signal, SignalAcknowledgement
from quality.nonconformances import About, raise_nonconformance, record_defect
from quality.results import Said, record_results
from quality.services import What, finish_inspection, open_inspection
from quality.tests.bench import AT, Bench, minutes
from tests.factories import (
    make_control_chart,
    make_defect_code,
    make_gauge,
    make_location,
    make_lot,
    make_machine,
    make_plan,
    make_run,
    make_site,
    make_user,
)

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
    assert "Cpk" in page
    found = olek.get(f"/quality/chart/{chart.pk}/capability/").json()
    assert (found["values"], found["cpk"] is not None) == (6, True)
    signal = Signal.objects.filter(panel="location").first()
    assert f'<option value="{signal.pk}">' in page
    assert olek.post(url, {"act": "acknowledge", "signal": signal.pk, "comment": "Tool"}).status_code == 302
    assert SignalAcknowledgement.objects.get().comment == "Tool"
    (line,) = olek.get(reverse("screens:chart-fragments", args=[chart.pk])).json()["lines"]
    assert (line["id"], "Tool" in line["html"]) == (bench.line.pk, True)
    assert olek.post(url, {"act": "acknowledge", "signal": "0", "comment": "x"}).status_code == 409
    # Who sets up quality sets a baseline; the times are the site's.
    day = timezone.localtime(AT, bench.site.zone)
    told = {
        "act": "baseline",
        "name": "2",
        "learned_from": f"{day:%Y-%m-%dT%H:%M:%S}",
        "learned_until": "2026-03-02T23:00",
    }
    told["starts_at"] = "2026-03-02T23:00:00"
    assert olek.post(url, told).status_code == 403
    olek.force_login(bench.ewa)
    assert olek.post(url, told).status_code == 302
    phase = ChartPhase.objects.get(name="2")
    assert (phase.learned_from, phase.subgroups) == (AT, 6)


def test_gauge_study_is_shown_and_answered_over_rest(olek, bench):
    plan = make_plan()
    of = plan.characteristics.get()
    study, now = reverse("screens:gauge-study"), timezone.now()
    asked = {"characteristic": of.pk, "site": bench.site.code}
    assert "two parts" in olek.get(study, asked).content.decode()
    for number, person in enumerate((bench.olek, bench.ewa, bench.olek, bench.ewa)):
        at = now - timedelta(minutes=30 - number)
        inspection, _ = open_inspection(
            plan=plan, what=What(machine=bench.machine), actor=person, opened_at=at, sample_size=2
        )
        values = (Decimal("9.5"), Decimal("10.5") + Decimal(number) / 100)
        said = [Said(characteristic=of, sample=n, value=value, occurred_at=at) for n, value in enumerate(values, 1)]
        record_results(inspection=inspection, results=said, actor=person, recorded_at=at)
        finish_inspection(inspection=inspection, actor=person, finished_at=at)
    page = olek.get(study, asked).content.decode()
    assert ("%GRR" in page, "Repeatability" in page) == (True, True)
    window = {"starts_at": (now - timedelta(hours=1)).isoformat(), "ends_at": now.isoformat()}
    answer = olek.get("/quality/gauge-study/", {**window, "site": bench.site.pk, "characteristic": of.pk})
    assert (answer.status_code, answer.json()["verdict"]) == (200, "good")
    assert olek.get("/quality/gauge-study/", {**window, "site": bench.site.pk}).json().keys() == {"characteristic"}
    few = olek.get(
        "/quality/gauge-study/",
        {**window, "ends_at": window["starts_at"], "site": bench.site.pk, "characteristic": of.pk},
    )
    assert few.status_code == 400


def test_nonconformance_and_certificate_have_pages(olek, bench):
    lot = make_lot(100, location=make_location(site=bench.site), at=AT)
    ncr, _ = raise_nonconformance(site=bench.site, title="Wet", said=About(lot=lot), actor=bench.ewa, raised_at=AT)
    assert ncr.number in olek.get(reverse("screens:ncrs"), {"status": "open"}).content.decode()
    assert "in force" in olek.get(reverse("screens:ncr", args=[ncr.pk])).content.decode()
    url = reverse("screens:certificate", args=[lot.pk])
    assert "No inspection" in olek.get(url).content.decode()
    bench.inspect(make_plan(), 10, lot=lot)
    assert "It conforms" in olek.get(url).content.decode()


def test_lists_of_quality_say_what_is_late_and_cost_the_same_for_many(olek, bench, django_assert_max_num_queries):
    code = make_defect_code(name="Dent")
    other = make_site()
    make_gauge(site=other, name="Not here")
    counted = []
    for size in (1, 4):
        for number in range(size):
            ncr, _ = raise_nonconformance(
                site=bench.site, title="Wet", said=About(), actor=bench.ewa, raised_at=AT, is_contained=False
            )
            add_action(
                nonconformance=ncr,
                description=f"Dry it {number}",
                owner=bench.olek if number % 2 else bench.ewa,
                due_date=AT.date(),
                check_date=AT.date(),
            )
            make_gauge(site=bench.site, calibrated=False, name="Old")
            record_defect(
                code=code,
                site=bench.site,
                said=About(machine=bench.machine),
                quantity=3,
                actor=bench.ewa,
                detected_at=timezone.now(),
                recorded_at=timezone.now(),
                idempotency_key=f"{size}-{number}",
            )
        for name in ("quality-actions", "gauges", "defects"):
            # What is kept of the master data is kept by then.
            olek.get(reverse(f"screens:{name}"))
            with django_assert_max_num_queries(20) as seen:
                page = olek.get(reverse(f"screens:{name}")).content.decode()
            counted.append((name, len(seen)))
            assert {"quality-actions": "overdue", "gauges": "was not calibrated", "defects": "Dent"}[name] in page
    assert len(set(counted)) == 3
    assert "Not here" not in olek.get(reverse("screens:gauges")).content.decode()
    mine = olek.get(reverse("screens:quality-actions"), {"show": "mine"}).content.decode()
    assert ("Dry it 1" in mine, "Dry it 0" in mine) == (True, False)
    olek.force_login(bench.ewa)
    file = olek.get(reverse("screens:defects"), {"by": "code", "format": "csv"}).getvalue().decode().splitlines()
    assert file[1].startswith("Dent,15,5,,100")
    bad = {"by": "x", "first": "x", "site": "x", "show": "x", "page": "-1"}
    assert {olek.get(reverse(f"screens:{name}"), bad).status_code for name, _ in counted} == {200}


def test_overdue_inspections_are_an_alarm(olek, bench):
    make_plan(rules=[{"kind": "each", "overdue_minutes": 30}])
    bench.run(bench.order())
    assert 'role="alert" data-overdue' in olek.get(reverse("screens:quality")).content.decode()


def test_charts_of_a_machine_are_on_one_page_and_another_sites_are_not_found(olek, bench):
    of = make_plan().characteristics.get()
    for name in ("Bore", "Depth"):
        make_control_chart(site=bench.site, characteristic=of, machine=bench.machine, name=name)
    url = reverse("screens:charts-at", args=[bench.machine.code])
    page = olek.get(url).content.decode()
    assert ("Bore" in page, "Depth" in page) == (True, True)
    lines = olek.get(reverse("screens:charts-at-fragments", args=[bench.machine.code])).json()["lines"]
    assert len({line["view"] for line in lines}) == 2
    assert olek.get(reverse("screens:charts-at", args=[make_machine().code])).status_code == 404
