"""A number explains itself on a page: what stands there adds up, for those who may see it."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.models import Retention
from counts.services import NewReading, record_readings
from downtime.services import NewState, correct_state, record_states
from oee.models import CustomKpi, OeePolicy
from tests.factories import (
    make_count_tag,
    make_device_key,
    make_ideal_rate,
    make_line,
    make_machine,
    make_product,
    make_reason,
    make_run,
    make_shift,
    make_user,
    make_work_order,
)

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 5, tzinfo=UTC)
LATER = START + timedelta(days=30)
WINDOW = {"starts_at": START.isoformat(), "ends_at": (START + timedelta(hours=8)).isoformat()}


def at(minutes):
    return START + timedelta(minutes=minutes)


@pytest.fixture
def machine():
    """A machine that ran, stood twice and changed over in a shift of eight hours, with a break and a run."""
    machine = make_machine(name="Filler", line=make_line(name="L1"), is_constraint=True)
    make_shift(site=machine.line.area.site)
    product = make_product()
    make_ideal_rate(machine=machine, product=product, value=Decimal(7))
    make_run(
        line=machine.line,
        work_order=make_work_order(line=machine.line, product=product, order_number="WO-77"),
        started_at=at(0),
        ended_at=at(480),
    )
    key, _ = make_device_key(machine=machine, name="Gateway 7")
    source = f"key:{key.prefix}"
    run, stop, setup = make_reason("running"), make_reason("unplanned", name="Film torn"), make_reason("changeover")
    over = make_reason("not_scheduled")
    spoken = ((0, run), (90, stop), (120, run), (200, setup), (217, run), (300.5, stop), (301, run), (480, over))
    record_states([NewState(machine.pk, at(m), r.pk, source=source) for m, r in spoken], recorded_at=LATER)
    good, bad = make_count_tag(machine=machine), make_count_tag(machine=machine, role="reject")
    readings = [NewReading(good.pk, machine.pk, False, at(5 * n), Decimal(31), source) for n in range(1, 90)]
    readings += [NewReading(bad.pk, machine.pk, False, at(50 * n), Decimal(3), source) for n in range(1, 9)]
    record_readings(readings, recorded_at=LATER)
    return machine


@pytest.fixture
def client(machine):
    return logged_in(make_user("operator", machine.line.area.site))


def logged_in(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def ask(client, **parameters):
    return client.get("/explain/", {**WINDOW, **parameters})


def text_of(answer):
    return unescape(answer.content.decode())


def marked(page, name):
    return [
        re.sub(r"<[^>]+>", "", found).strip()
        for found in re.findall(rf" {name}[^>]*>(.*?)</(?:td|p|span)>", page, re.S)
    ]


def seconds(text):
    """Read a duration as a person does."""
    clock, _, rest = text.strip("−()").partition(" + ")
    hours, minutes, second = clock.replace("\u202f", "").split(":")
    value = int(hours) * 3600 + int(minutes) * 60 + Fraction(second) + Fraction(rest.removesuffix(" s") or 0)
    return -value if text.startswith("−") else value


def url_with(page, *parts):
    found = [
        unescape(url) for url in re.findall(r'href="([^"]+)"', page) if all(part in unescape(url) for part in parts)
    ]
    assert found, parts
    return found[0]


def test_kpi_is_written_with_the_values_that_make_it(client, machine):
    page = text_of(ask(client, kpi="availability", line=machine.line.code))
    formula = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.search(r"data-formula>(.*?)</p>", page, re.S).group(1)))
    assert formula.strip() == "( APT 7:12:30 + MST 0:00:00 ) / PBT 8:00:00 = 90.10 %"
    assert marked(page, "data-exact") == ["173/192"]
    assert marked(page, "data-plain") == ["(25\u202f950 + 0) / 28\u202f800"]
    assert "OEE of the line is the constraint machine's: Filler." in page
    assert "06:00:00 – 14:00:00" in page
    assert "It counts against availability" in page


def test_oee_and_what_the_losses_cost_make_a_hundred_as_written(client, machine):
    page = text_of(ask(client, line=machine.line.code))
    body = re.search(r'<table class="waterfall">.*?</table>', page, re.S).group()
    rows = re.findall(r"<tr class=\"(.*?)\">(.*?)</tr>", body, re.S)
    figures = [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r'<td class="figure">(.*?)</td>', row, re.S)]
        for _, row in rows
    ]
    lost = sum(Decimal(row[2]) for row in figures if row[2])
    (oee,) = [Decimal(row[1]) for (kind, _), row in zip(rows, figures, strict=True) if kind == "is-end"]
    assert lost + oee == 100
    assert f"{oee} %" in marked(page, "data-value")
    losses = [seconds(row[0]) for (kind, _), row in zip(rows, figures, strict=True) if kind != "is-level"]
    assert sum(losses) == seconds(figures[0][0]) == 8 * 3600
    assert "Breakdowns" in body


@pytest.mark.parametrize("element", ["ADET", "APT", "PBT", "CT", "IGT", "GQ", "SQ"])
def test_rows_of_an_element_add_up_to_it(client, machine, element):
    number = seconds if element not in ("GQ", "SQ") else lambda text: Fraction(text.replace("\u202f", ""))
    page = text_of(ask(client, line=machine.line.code, element=element))
    adds = [number(text) for text in marked(page, "data-adds")]
    totals = [number(text) for text in marked(page, "data-total")]
    assert sum(adds) == totals[-1] == number(marked(page, "data-value")[0]) == number(marked(page, "data-sum")[0])
    assert totals[0] == adds[0]


def test_three_steps_lead_down_to_a_fact_and_who_said_it(client, machine):
    anna = make_user("supervisor", machine.line.area.site, first_name="Anna", last_name="Nowak")
    correct_state(
        machine=machine,
        starts_at=at(90),
        ends_at=at(100),
        reason=make_reason("unplanned", name="Jam"),
        comment="saw it",
        actor=anna,
        recorded_at=LATER,
    )
    first = text_of(ask(client, kpi="technical_efficiency", line=machine.line.code))
    second = text_of(client.get(url_with(first, "element=ADET")))
    assert "Jam" in second
    assert "Film torn" in second
    assert "WO-77" in second
    third = text_of(client.get(url_with(second, "facts_machine=")))
    assert "Jam: saw it" in third
    assert "Anna Nowak" in third
    assert "Gateway 7 (device key" in third
    assert "from before" in third


def test_ideal_time_of_a_count_says_how_it_follows(client, machine):
    page = text_of(ask(client, line=machine.line.code, element="IGT"))
    assert "31 × 7 s" in page
    assert "0:03:37" in marked(page, "data-adds")


def test_long_window_comes_apart_into_hours_and_days_that_open(client, machine):
    window = {"starts_at": START.isoformat(), "ends_at": at(60 * 24 * 7).isoformat()}
    days = text_of(client.get("/explain/", {**window, "line": machine.line.code, "element": "APT"}))
    assert "The days that it adds up from: 1" in days
    assert marked(days, "data-sum") == ["7:12:30"]
    hours = text_of(
        client.get(
            "/explain/", {**window, "ends_at": at(60 * 50).isoformat(), "line": machine.line.code, "element": "APT"}
        )
    )
    assert "The hours that it adds up from: 8" in hours
    opened = text_of(client.get(url_with(hours, "element=APT", "machine=")))
    assert marked(opened, "data-sum")[0] == marked(hours, "data-adds")[0]


def test_long_lists_are_cut_into_pages_that_carry_the_total(client, machine, monkeypatch):
    monkeypatch.setattr("screens.explain_views.ROWS_PER_PAGE", 40)
    first = text_of(ask(client, line=machine.line.code, element="GQ"))
    second = text_of(client.get(url_with(first, "page=2")))
    adds = [Decimal(text) for text in marked(second, "data-adds")]
    totals = [Decimal(text.replace("\u202f", "")) for text in marked(second, "data-total")]
    assert len(adds) == 40
    assert totals[0] == Decimal(marked(first, "data-total")[-1].replace("\u202f", "")) + adds[0]
    assert marked(first, "data-sum") == marked(second, "data-sum") == ["2\u202f759"]
    assert ask(client, line=machine.line.code, element="GQ", page=4).status_code == 404


def test_unknown_number_says_why(client, machine):
    page = text_of(ask(client, kpi="worker_efficiency", line=machine.line.code))
    assert marked(page, "data-value") == ["not known"]
    assert "APWT is not known: nothing that is recorded of this window tells it." in page
    unrated = make_machine(name="Unrated")
    make_shift(site=unrated.line.area.site)
    record_states([NewState(unrated.pk, at(0), make_reason("running").pk)], recorded_at=LATER)
    record_readings(
        [NewReading(make_count_tag(machine=unrated).pk, unrated.pk, False, at(10), Decimal(5))], recorded_at=LATER
    )
    theirs = logged_in(make_user("operator", unrated.line.area.site))
    assert "IGT is not known" in text_of(ask(theirs, machine=unrated.code))
    assert "no ideal rate held" in text_of(ask(theirs, machine=unrated.code, element="IPT"))
    assert "divides by zero" in text_of(
        ask(
            theirs,
            machine=unrated.code,
            kpi="utilization_efficiency",
            starts_at=at(-600).isoformat(),
            ends_at=at(-599).isoformat(),
        )
    )


def test_what_is_of_a_whole_line_says_that_it_does_not_come_apart(client, machine):
    page = text_of(ask(client, kpi="rolled_throughput_yield", line=machine.line.code))
    assert "of the whole" in page
    element = text_of(client.get(url_with(page, "element=RTY")))
    assert "It does not add up from" in element


def test_losses_lead_to_the_elements_that_make_them(client, machine):
    assert url_with(text_of(ask(client, line=machine.line.code)), "element=ADET")
    waiting = make_reason("unplanned", name="Starved", waits_for="upstream")
    run = make_reason("running")
    record_states([NewState(machine.pk, at(400), waiting.pk), NewState(machine.pk, at(410), run.pk)], recorded_at=LATER)
    page = text_of(ask(client, line=machine.line.code))
    for name, element, time in (("Unplanned stops", "ADET", "0:30:30"), ("Waiting", "ADOT", "0:10:00")):
        row = re.search(rf"<b>{name}</b>.*?</tr>", page, re.S).group()
        assert time in row
        assert marked(text_of(client.get(url_with(row, f"element={element}"))), "data-sum") == [time]


def test_every_kpi_can_be_asked_for_at_every_level(client, machine):
    area, site = machine.line.area, machine.line.area.site
    CustomKpi.objects.create(code="own", name="Own", formula="GQ / (PQ + 1)", unit="ratio", site=site)
    page = text_of(ask(client, kpi="own", site=site.code))
    chosen = page.partition('<select id="kpi"')[2].partition("</select>")[0]
    codes = re.findall(r'<option value="([a-z_]+)"', chosen)
    assert "own" in codes
    assert len(codes) > 40
    for code in codes:
        assert ask(client, kpi=code, machine=machine.code).status_code == 200, code
    for place in (
        {"area": area.code},
        {"site": site.code},
        {"enterprise": site.enterprise.code},
        {"line": machine.line.code},
    ):
        assert ask(client, **place).status_code == 200


def test_run_product_day_and_shift_can_be_asked_for(client, machine):
    run, shift = machine.line.runs.get(), machine.line.area.site.shifts.get()
    for asked in (
        {"run": run.pk},
        {"line": machine.line.code, "date": "2026-03-02"},
        {"line": machine.line.code, "date": "2026-03-02", "shift": shift.pk},
        {"line": machine.line.code, "date": "2026-03-02", "product": run.work_order.product.code},
    ):
        page = text_of(client.get("/explain/", asked))
        assert "PBT" in page
        assert client.get(url_with(page, "element=PBT")).status_code == 200
    assert "order WO-77" in text_of(client.get("/explain/", {"run": run.pk}))


def test_open_window_stays_at_the_moment_that_was_explained(client, machine):
    ends = datetime.now(UTC) + timedelta(hours=2)
    begins = ends - timedelta(hours=5)
    page = text_of(
        client.get(
            "/explain/", {"line": machine.line.code, "starts_at": begins.isoformat(), "ends_at": ends.isoformat()}
        )
    )
    assert "it is still open" in page
    link = url_with(page, "element=PBT")
    said = re.search(r"ends_at=([^&]+)", link).group(1).replace("%3A", ":")
    assert datetime.fromisoformat(said) <= datetime.now(UTC)


def test_sites_that_decided_the_same_stand_together(machine):
    twin = make_machine()
    OeePolicy.objects.create(site=twin.line.area.site, micro_stops="availability", valid_from=at(0).date())
    client = logged_in(make_user(is_superuser=True))
    twin.line.area.site.enterprise = machine.line.area.site.enterprise
    twin.line.area.site.save()
    page = text_of(ask(client, enterprise=machine.line.area.site.enterprise.code))
    assert f"What {twin.line.area.site.name} from 2026-03-02 decided" in page
    assert f"What {machine.line.area.site.name} decided" in page


class TestRefusals:
    @pytest.mark.parametrize(
        ("parameters", "status", "field"),
        [
            ({"line": "", "date": "2026-13-01"}, 400, "date"),
            ({}, 400, "line"),
            ({"starts_at": "2026-03-02T05:00:00"}, 400, "starts_at"),
            ({"ends_at": "2026-03-01T00:00:00Z"}, 400, "ends_at"),
            ({"starts_at": "0001-01-01T00:00:00Z"}, 400, "starts_at"),
            ({"date": "9999-12-31"}, 400, "date"),
            ({"starts_at": "2198-01-01T00:00:00Z", "ends_at": "2199-01-01T00:00:00Z"}, 400, "starts_at"),
            ({"page": "0"}, 400, "page"),
            ({"page": "x"}, 400, "page"),
            ({"page": "7"}, 404, "page"),
            ({"kpi": "nonsense"}, 404, "kpi"),
            ({"element": "XYZ"}, 404, "element"),
            ({"element": ""}, 400, "element"),
            ({"run": "abc"}, 400, "run"),
            ({"run": "99999999999999999999999"}, 404, "run"),
            ({"line": "no\0such"}, 400, "line"),
            ({"facts_machine": "1", "from": "soon"}, 400, "from"),
            ({"facts_machine": "1"}, 400, "to"),
            (
                {"facts_machine": "nowhere", "from": "2026-03-02T05:00:00Z", "to": "2026-03-02T05:00:00Z"},
                404,
                "facts_machine",
            ),
        ],
    )
    def test_wrong_parameter_is_named(self, client, machine, parameters, status, field):
        given = {"line": machine.line.code, **parameters} if parameters else {}
        answer = ask(client, **given)
        assert answer.status_code == status
        assert f"<code>{field}</code>" in text_of(answer)

    @pytest.mark.parametrize("level", ["enterprise", "site", "area", "line", "machine", "run", "facts_machine"])
    def test_another_sites_things_do_not_exist(self, client, machine, level):
        foreign = make_machine()
        area = foreign.line.area
        run = make_run(
            line=foreign.line, work_order=make_work_order(line=foreign.line), started_at=at(0), ended_at=at(10)
        )
        things = {"enterprise": area.site.enterprise, "site": area.site, "area": area, "line": foreign.line}
        thing = {**things, "machine": foreign, "run": run, "facts_machine": foreign}[level]
        span = {"from": WINDOW["starts_at"], "to": WINDOW["ends_at"]} if level == "facts_machine" else {}
        answer = ask(client, **{level: thing.pk}, **span)
        assert answer.status_code == 404
        assert foreign.name not in text_of(answer)

    def test_strangers_are_sent_to_the_log_in_and_people_without_a_role_refused(self, machine):
        assert ask(Client(), line=machine.line.code).headers["Location"].startswith("/login/")
        assert ask(logged_in(make_user()), line=machine.line.code).status_code == 403

    def test_facts_that_are_pruned_say_so(self, client, machine):
        Retention.objects.update_or_create(defaults={"closed_until": at(60)})
        span = {"facts_machine": machine.pk, "from": at(0).isoformat(), "to": at(5).isoformat()}
        answer = ask(client, **span)
        assert answer.status_code == 400
        assert "<code>from</code>" in text_of(answer)
        assert "its raw facts are pruned" in text_of(answer)

    def test_what_was_given_is_shown_as_text(self, client):
        answer = ask(client, line="<script>alert(1)</script>")
        assert answer.status_code == 404
        assert b"<script>alert" not in answer.content


def test_queries_do_not_grow_with_machines_or_rows(client, machine):
    machine.line.oee_mode = "weighted"
    machine.line.save()
    steps = (
        {},
        {"element": "ADET"},
        {"element": "GQ"},
        {"facts_machine": machine.pk, "from": at(0).isoformat(), "to": at(1).isoformat()},
    )

    def count(**step):
        ask(client, line=machine.line.code, **step)
        with CaptureQueriesContext(connection) as found:
            assert ask(client, line=machine.line.code, **step).status_code == 200
        return len(found)

    before = [count(**step) for step in steps]
    stop, run = make_reason("unplanned"), make_reason("running")
    for position in range(8):
        another = make_machine(line=machine.line, position=position)
        facts = [NewState(another.pk, at(10 * n), (stop, run)[n % 2].pk) for n in range(20)]
        record_states(facts, recorded_at=LATER)
        tag = make_count_tag(machine=another)
        record_readings([NewReading(tag.pk, another.pk, False, at(n), Decimal(1)) for n in range(9)], recorded_at=LATER)
    assert [count(**step) for step in steps] == before
    assert max(before) < 70
