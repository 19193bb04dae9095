"""Every page in a real browser: axe finds nothing in any theme, no number of a script has a decimal comma, phones fit."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from playwright.sync_api import Page

from batchrecords.models import StepTemplate
from batchrecords.services import open_record
from enterprise.models import Shift
from labels.services import print_batch
from maintenance.services import Said, ask
from oee.closing import close_shift
from quality import charting
from quality.nonconformances import About, add_action, raise_nonconformance, record_defect
from quality.tests.bench import AT, Bench, minutes
from screens.urls import urlpatterns
from tests.browser import PHONE, axe_violations_in_every_theme, browser_page, log_in
from tests.factories import (
    make_control_chart,
    make_count_tag,
    make_crew,
    make_defect_code,
    make_employee,
    make_gauge,
    make_ideal_rate,
    make_label_layout,
    make_location,
    make_lot,
    make_maintenance_plan,
    make_plan,
    make_reason,
    make_revision,
    make_routing,
    make_schedule,
    make_serial_unit,
    make_shift,
    make_stage_form,
    make_tool,
    make_user,
)
from workorders.changeovers import begin_changeover

pytestmark = pytest.mark.django_db(transaction=True)

# Read by scripts, files to download, and addresses that only take what is posted.
NO_PAGES = {
    *("overview-fragments", "floor-fragments", "board-fragments", "supervise-panels", "close-shift", "home"),
    *("stops-file", "pareto-file", "waterfall-file", "plan-actual-file"),
    *("planner-data", "planner-backlog", "planner-needs"),
    *("operate-clock", "operate-manifest", "service-worker"),
    *("kpis", "explain", "explain-element", "explain-facts", "station", "terminal"),
}
SVG_WITH_COMMA = """
() => [...document.querySelectorAll('svg *, input[type=number], progress, meter')].flatMap((one) =>
  ['x', 'y', 'x1', 'x2', 'y1', 'y2', 'cx', 'cy', 'r', 'width', 'height', 'value', 'max', 'min'].flatMap((name) =>
    (one.getAttribute(name) || '').includes(',') ? [one.outerHTML.slice(0, 120)] : []))
"""

TOO_WIDE = """
() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
  [...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > window.innerWidth
    && !one.closest('.scrolls')).map((one) => `${one.tagName}.${one.getAttribute('class')}`).slice(0, 12)
"""


class Plant(Bench):
    """A small plant with one thing of each kind that has a page."""

    def __init__(self) -> None:
        super().__init__()
        now = timezone.now()
        self.person = make_user("admin", site=None, is_superuser=True, is_staff=True)
        make_shift(site=self.site, start_time=now.replace(hour=0, minute=0, second=0, microsecond=0).time())
        make_ideal_rate(machine=self.machine, product=self.product)
        tag = make_count_tag(machine=self.machine)
        run, stop = make_reason(name="Running"), make_reason("unplanned", name="Jam", names={"de": "Stau"})
        order = self.order(description="First")
        self.operation(order, "10", 10, machine=self.machine)
        started = now - timedelta(hours=2)
        self.made_by = self.run(order)
        state = {"machine": self.machine.code}
        self.deliver(
            {**state, "at": started.isoformat(), "state": run.code},
            {**state, "at": (started + timedelta(minutes=17)).isoformat(), "state": stop.code},
            {**state, "at": (started + timedelta(minutes=31)).isoformat(), "state": run.code},
            {"tag": tag.tag_path, "at": (started + timedelta(minutes=40)).isoformat(), "value": 1234},
            now=now,
        )
        plan = make_plan()
        chart = make_control_chart(
            site=self.site, characteristic=plan.characteristics.get(), machine=self.machine, name="Diameter"
        )
        for at, value in enumerate(("10.1", "9.9", "10", "10.2", "9.8")):
            self.inspect(plan, value, at=10 * at, machine=self.machine)
        charting.set_baseline(
            of=chart,
            name="1",
            starts_at=AT,
            learned_from=AT,
            learned_until=minutes(99),
            actor=self.ewa,
            set_at=minutes(99),
        )
        lot = make_lot(location=make_location(site=self.site), product=self.product)
        make_tool(site=self.site)
        make_maintenance_plan(machine=self.machine)
        leak, _ = ask(
            machine=self.machine, title="Leak", said=Said(at=now, recorded_at=now, actor=self.person), machine_down=True
        )
        ncr, _ = raise_nonconformance(site=self.site, title="Wet", said=About(lot=lot), actor=self.ewa, raised_at=AT)
        record_defect(
            code=make_defect_code(),
            site=self.site,
            said=About(machine=self.machine),
            actor=self.ewa,
            detected_at=now,
            recorded_at=now,
        )
        add_action(nonconformance=ncr, description="Dry it", owner=self.ewa, due_date=AT.date(), check_date=AT.date())
        make_gauge(site=self.site)
        make_crew(site=self.site)
        make_employee(site=self.site)
        make_schedule(line=self.line, work_order=order)
        changeover, _ = begin_changeover(
            line=self.line, started_at=now - timedelta(minutes=9), actor=self.person, recorded_at=now
        )
        fields: Any = ({"code": "a", "kind": "text"}, {"code": "b", "kind": "number"}, {"code": "c"})
        make_stage_form(self.product, "WELD", *fields)
        unit = make_serial_unit(product=self.product, site=self.site)
        asked_for = make_routing("MIX", revision=make_revision(product=self.product)).operations.get()
        mixing = self.operation(order, "20", 20, machine=self.machine, template=asked_for)
        for code, kind in (("PH", "number"), ("TWO", "person"), ("LOOK", "read")):
            StepTemplate.objects.create(operation=asked_for, code=code, kind=kind, prompt=f"Do {code}")
        labels = print_batch(
            layout=make_label_layout(), site=self.site, rows=[{"code": "PK-1"}], actor=self.person, recorded_at=now
        ).batch
        record = open_record(order=order, actor=self.person, now=now)
        open_inspection = self.begin(plan, 80)
        day = (now - timedelta(days=1)).date()
        closing = close_shift(
            place=self.line, shift_id=Shift.objects.get().pk, shift_date=day, actor=self.person, now=now
        )
        asked = f"?line={self.line.code}&date={now.date()}"
        since = f"{started:%Y-%m-%dT%H:%M:%SZ}&to={now:%Y-%m-%dT%H:%M:%SZ}"
        self.addresses = [
            reverse("screens:line", args=[self.line.code]),
            reverse("screens:closed-shift", args=[closing.pk]),
            reverse("screens:lot", args=[lot.pk]),
            reverse("screens:order", args=[order.order_number]),
            reverse("screens:changeover", args=[changeover.pk]),
            reverse("screens:record", args=[record.number]),
            reverse("screens:inspection", args=[open_inspection.pk]),
            reverse("screens:chart", args=[chart.pk]),
            reverse("screens:charts-at", args=[self.machine.code]),
            reverse("screens:steps", args=[mixing.pk]),
            reverse("screens:label-batch", args=[labels.pk]),
            reverse("screens:ncr", args=[ncr.pk]),
            reverse("screens:maintenance-order", args=[leak.pk]),
            reverse("screens:certificate", args=[lot.pk]),
            reverse("screens:unit", args=[unit.pk]),
            reverse("screens:station", args=[self.machine.code]),
            reverse("screens:station-unit", args=[self.machine.code, unit.pk]),
            reverse("screens:dispatch") + f"?line={self.line.pk}",
            reverse("screens:terminal"),
            reverse("screens:kpis"),
            reverse("screens:explain") + f"{asked}&kpi=oee_index",
            reverse("screens:explain") + f"{asked}&element=APT",
            reverse("screens:explain") + f"?facts_machine={self.machine.code}&from={since}",
            reverse("screens:explain") + "?kpi=nothing",
        ]


def pages_without_objects() -> list[str]:
    """Return the addresses of pages that need no object."""
    found = []
    for pattern in urlpatterns:
        try:
            if pattern.name not in NO_PAGES:
                found.append(reverse(f"screens:{pattern.name}"))
        except NoReverseMatch:
            continue
    return found


def set_cookie(page: Page, name: str, value: str) -> None:
    page.context.add_cookies([{"name": name, "value": value, "domain": "127.0.0.1", "path": "/"}])


@pytest.fixture
def plant():
    return Plant()


@pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
def test_every_page_is_there_in_every_language(plant, client, language):
    client.force_login(plant.person)
    client.cookies["django_language"] = language
    wrong = {}
    for address in [*pages_without_objects(), *plant.addresses]:
        answer = client.get(address)
        said = answer.content.decode()
        expected = 400 if "kpi=nothing" in address else 200
        if answer.status_code != expected or f'<html lang="{language}"' not in said:
            wrong[address] = answer.status_code
    assert wrong == {}


def test_axe_finds_nothing_on_any_page_in_any_theme(plant):
    found: dict[str, list[str]] = {}
    with browser_page() as page:
        # People who have not logged in see this one.
        page.goto("/login/")
        found["login"] = axe_violations_in_every_theme(page)
        log_in(page, plant.person)
        for address in [*pages_without_objects(), *plant.addresses]:
            page.goto(address)
            found[address] = axe_violations_in_every_theme(page)
    assert {where: what for where, what in found.items() if what} == {}


def test_german_pages_keep_points_where_no_person_reads_and_fit_a_phone(plant):
    commas: dict[str, list[str]] = {}
    too_wide: dict[str, list[str]] = {}
    with browser_page(PHONE) as page:
        log_in(page, plant.person)
        set_cookie(page, "django_language", "de")
        for address in [*pages_without_objects(), *plant.addresses]:
            page.goto(address)
            assert page.locator("html").get_attribute("lang") == "de"
            commas[address] = page.evaluate(SVG_WITH_COMMA)
            too_wide[address] = page.evaluate(TOO_WIDE)
    assert {where: what for where, what in commas.items() if what} == {}
    assert {where: what for where, what in too_wide.items() if what} == {}
