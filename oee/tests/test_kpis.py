"""KPIs as people and systems meet them: the catalogue, a plant's own, and what they come to."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from core import master_data
from core.errors import Invalid
from oee import kpis
from oee.engine.catalogue import ELEMENTS, KPIS
from oee.kpis import decimal_text
from oee.models import CustomKpi
from tests.factories import make_line, make_machine, make_reason, make_site, make_user

pytestmark = pytest.mark.django_db
WINDOW = {"starts_at": "2026-03-02T08:00:00Z", "ends_at": "2026-03-02T16:00:00Z"}


def client_of(user):
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def api():
    return client_of(make_user(is_superuser=True, is_staff=True))


def make_kpi(**overrides):
    number = CustomKpi.objects.count() + 1
    kpi = CustomKpi(**{"code": f"own-{number}", "name": f"Own {number}", "formula": "APT / CT", **overrides})
    return master_data.save(kpi)


def make_worked_machine(api, **overrides):
    """Make a machine that ran from 8 to 14 and stood until 16."""
    machine = make_machine(**overrides)
    for hour, category in ((8, "running"), (14, "unplanned")):
        at = datetime(2026, 3, 2, hour, tzinfo=UTC).isoformat()
        body = {"machine": machine.pk, "occurred_at": at, "reason": make_reason(category).pk}
        assert api.post("/downtime/state-history", body).status_code == 201
    return machine


def values(api, **query):
    answer = api.get("/oee/kpis/", {**WINDOW, **query})
    assert answer.status_code == 200, answer.data
    return {kpi["code"]: kpi for kpi in answer.json()["kpis"]}


# --- what may be defined ---


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("APT / XYZ", "There is no element 'XYZ'. (At character 7.)"),
        ("APT /", "ends where a name, a number or '(' is expected. (At character 5.)"),
        ("__import__('os')", "'_' cannot stand in a formula. (At character 1.)"),
        ("", "blank"),
        ("A" * 501, "at most 500"),
    ],
)
def test_formula_that_cannot_be_computed_is_refused_with_its_position(formula, says):
    with pytest.raises(ValidationError) as refused:
        make_kpi(formula=formula)
    assert list(refused.value.message_dict) == ["formula"]
    assert says in " ".join(refused.value.message_dict["formula"])


@pytest.mark.parametrize("code", ["oee_index", "OEE_Index", "apt", "PBT"])
def test_code_of_the_catalogue_is_refused(code):
    with pytest.raises(ValidationError) as refused:
        make_kpi(code=code)
    assert list(refused.value.message_dict) == ["code"]


def test_active_custom_kpis_are_bounded(monkeypatch):
    monkeypatch.setattr(kpis, "MOST_CUSTOM_KPIS", 2)
    make_kpi()
    second = make_kpi()
    make_kpi(is_active=False)
    with pytest.raises(Invalid):
        make_kpi()
    second.name = "Renamed"
    master_data.save(second)


def test_change_of_a_formula_stands_in_its_history():
    kpi = make_kpi()
    kpi.formula = "APT / POT"
    master_data.save(kpi)
    assert [entry.formula for entry in kpi.history.order_by("history_id")] == ["APT / CT", "APT / POT"]


# --- the catalogue ---


def test_catalogue_is_listed_with_formula_meaning_and_source(api):
    make_kpi(code="running_share", meaning="Running, of all time.", better="higher", target=Decimal("0.6"))
    listed = api.get("/oee/kpi").json()
    assert listed["count"] == len(KPIS) + 1
    by_code = {kpi["code"]: kpi for kpi in listed["results"]}
    assert by_code["scrap_ratio"] == {
        "code": "scrap_ratio",
        "name": "Scrap ratio",
        "unit": "ratio",
        "formula": "SQ / PQ",
        "meaning": KPIS["scrap_ratio"].meaning,
        "source": KPIS["scrap_ratio"].source,
        "better": "lower",
        "target": None,
        "is_custom": False,
        "problem": "",
        "elements": ["PQ", "SQ"],
    }
    own = by_code["running_share"]
    assert (own["is_custom"], own["target"], own["elements"]) == (True, "0.600000000000", ["CT", "APT"])
    assert len(api.get("/oee/kpi/?page_size=5&page=2").json()["results"]) == 5
    assert api.post("/oee/kpi/", {}).status_code == 405


def test_kpis_of_other_sites_and_those_switched_off_are_not_listed():
    site = make_site()
    make_kpi(code="mine", site=site)
    make_kpi(code="everybodys")
    make_kpi(code="theirs", site=make_site())
    make_kpi(code="off", is_active=False)
    listed = client_of(make_user("operator", site=site)).get("/oee/kpi/").json()["results"]
    assert {kpi["code"] for kpi in listed if kpi["is_custom"]} == {"mine", "everybodys"}


def test_rights_are_those_of_reports():
    for path in ("/oee/kpi/", "/oee/kpis/"):
        assert APIClient().get(path).status_code == 401
        assert client_of(make_user()).get(path).status_code == 403


# --- what they come to ---


def test_values_come_with_formula_elements_exact_and_rounded(api):
    machine = make_worked_machine(api)
    make_kpi(code="running_third", formula="APT / CT / 3", target=Decimal("0.3"))
    answer = api.get("/oee/kpis/", {**WINDOW, "machine": machine.code}).json()
    assert answer["machines"] == [machine.pk]
    assert answer["policies"][0]["changeover"] == "availability_loss"
    by_code = {kpi["code"]: kpi for kpi in answer["kpis"]}
    assert set(KPIS) < set(by_code)
    availability = by_code["availability"]
    assert (availability["value"], availability["decimal"]) == ("3/4", "0.750000000000")
    assert availability["formula"] == "(APT + MST) / PBT"
    assert [(element["code"], element["value"]) for element in availability["elements"]] == [
        ("PBT", "28800"),
        ("APT", "21600"),
        ("MST", "0"),
    ]
    assert availability["elements"][0]["unit"] == "seconds"
    assert (by_code["running_third"]["value"], by_code["running_third"]["decimal"]) == ("1/4", "0.250000000000")
    assert (by_code["mttr"]["value"], by_code["mttr"]["decimal"]) == ("7200", "7200.000000000000")
    unknown = by_code["worker_efficiency"]
    assert (unknown["value"], unknown["decimal"]) == (None, None)
    assert {element["value"] for element in unknown["elements"]} == {None}


def test_values_agree_with_the_report(api):
    machine = make_worked_machine(api)
    query = {**WINDOW, "line": machine.line_id}
    report, by_code = api.get("/oee/report/", query).json(), values(api, line=machine.line_id)
    names = {
        "availability": "availability",
        "effectiveness": "performance",
        "quality_ratio": "quality",
        "oee_index": "oee",
    }
    assert {code: by_code[code]["decimal"] for code in names} == {code: report[name] for code, name in names.items()}


def test_values_are_there_for_every_kind_of_place(api):
    machine = make_worked_machine(api)
    site = machine.line.area.site
    places = {"line": machine.line, "area": machine.line.area, "site": site, "enterprise": site.enterprise}
    for name, place in places.items():
        assert values(api, **{name: place.pk})["availability"]["value"] == "3/4"


def test_kpi_of_one_site_holds_where_all_machines_are_of_that_site(api):
    machine = make_worked_machine(api)
    site = machine.line.area.site
    other = make_machine(line=make_line())
    other_site = other.line.area.site
    other_site.enterprise = site.enterprise
    other_site.save()
    make_kpi(code="of-the-site", site=site)
    make_kpi(code="of-all")
    assert {"of-the-site", "of-all"} <= set(values(api, site=site.pk))
    assert "of-the-site" not in values(api, site=other_site.pk)
    both = set(values(api, enterprise=site.enterprise_id))
    assert "of-the-site" not in both
    assert "of-all" in both


@pytest.mark.parametrize("formula", ["APT / GONE", "APT /", "APT ** 9"])
def test_formula_that_went_bad_is_unknown_and_flagged_and_breaks_nothing(api, formula):
    machine = make_worked_machine(api)
    kpi = make_kpi(code="old")
    CustomKpi.objects.filter(pk=kpi.pk).update(formula=formula)
    by_code = values(api, machine=machine.pk)
    assert by_code["old"]["value"] is None
    assert "cannot be computed" in by_code["old"]["problem"]
    assert by_code["availability"]["value"] == "3/4"
    listed = api.get("/oee/kpi/").json()["results"]
    assert next(kpi for kpi in listed if kpi["code"] == "old")["problem"]
    page = Client()
    page.force_login(make_user(is_superuser=True, is_staff=True), backend="django.contrib.auth.backends.ModelBackend")
    assert "cannot be computed" in page.get("/kpis/").content.decode()
    assert "cannot be computed" in page.get(reverse("admin:oee_customkpi_changelist")).content.decode()


def test_code_that_the_catalogue_took_later_is_unknown_and_flagged(api):
    machine = make_worked_machine(api)
    kpi = make_kpi()
    CustomKpi.objects.filter(pk=kpi.pk).update(code="availability", formula="1")
    same = [
        kpi
        for kpi in api.get("/oee/kpis/", {**WINDOW, "machine": machine.pk}).json()["kpis"]
        if kpi["code"] == "availability"
    ]
    assert [(kpi["is_custom"], kpi["value"], bool(kpi["problem"])) for kpi in same] == [
        (False, "3/4", False),
        (True, None, True),
    ]


def test_enormous_values_are_answered(api):
    machine = make_worked_machine(api)
    make_kpi(code="huge", formula="*".join(["CT"] * 80))
    by_code = values(api, machine=machine.pk)
    assert by_code["huge"]["value"] == str(28800**80)
    assert by_code["huge"]["decimal"] == f"{28800**80}.000000000000"


def test_removed_element_keeps_its_code_among_the_elements(api):
    machine = make_worked_machine(api)
    kpi = make_kpi(code="old")
    CustomKpi.objects.filter(pk=kpi.pk).update(formula="APT / GONE")
    elements = values(api, machine=machine.pk)["old"]["elements"]
    assert [(element["code"], element["unit"], element["value"]) for element in elements] == [
        ("APT", "seconds", "21600"),
        ("GONE", None, None),
    ]


@pytest.mark.parametrize(
    ("query", "field"),
    [({}, "line"), ({"line": "nobody"}, "line"), ({"machine": "1", "line": "1"}, "line")],
)
def test_question_without_one_place_is_a_400(api, query, field):
    answer = api.get("/oee/kpis/", {**WINDOW, **query})
    assert answer.status_code == 400
    assert field in answer.json() or "machine" in answer.json()


def test_another_sites_line_does_not_exist():
    client = client_of(make_user("operator", site=make_site()))
    assert client.get("/oee/kpis/", {**WINDOW, "line": make_machine().line_id}).status_code == 400


def test_number_of_custom_kpis_does_not_change_the_queries(api, django_assert_max_num_queries):
    machine = make_worked_machine(api)
    for _ in range(5):
        make_kpi()
    values(api, machine=machine.pk)
    with django_assert_max_num_queries(39):
        values(api, machine=machine.pk)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(2, 3), "0.666666666667"),
        (Fraction(-1, 3), "-0.333333333333"),
        (Fraction(-1, 10**15), "0.000000000000"),
        (Fraction(10**40), f"{10**40}.000000000000"),
        (None, None),
    ],
)
def test_decimal_text_rounds_to_12_places(value, text):
    assert decimal_text(value) == text


# --- the admin and the page ---


def test_engineer_of_a_site_defines_kpis_there_and_reads_those_of_all_sites():
    site = make_site()
    make_kpi(code="everybodys")
    make_kpi(code="theirs", site=make_site())
    engineer = make_user("engineer", site=site, is_staff=True)
    client = Client()
    client.force_login(engineer, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("admin:oee_customkpi_changelist")).content.decode()
    assert "everybodys" in page
    assert "theirs" not in page
    form = client.get(reverse("admin:oee_customkpi_add")).content.decode()
    assert all(f"<code>{code}</code>" in form for code in ELEMENTS)
    body = {
        "code": "mine",
        "name": "Mine",
        "formula": "APT / PBT +",
        "unit": "ratio",
        "is_active": "on",
        "site": site.pk,
    }
    refused = client.post(reverse("admin:oee_customkpi_add"), body)
    assert "At character 11." in str(refused.context["adminform"].form.errors["formula"])
    assert client.post(reverse("admin:oee_customkpi_add"), {**body, "formula": "APT / PBT"}).status_code == 302
    everywhere = {**body, "code": "mine-too", "formula": "APT / PBT", "site": ""}
    client.post(reverse("admin:oee_customkpi_add"), everywhere)
    assert set(CustomKpi.objects.values_list("code", flat=True)) == {"everybodys", "theirs", "mine"}
    shared = CustomKpi.objects.get(code="everybodys")
    client.post(reverse("admin:oee_customkpi_change", args=[shared.pk]), {**body, "code": "everybodys", "formula": "1"})
    shared.refresh_from_db()
    assert shared.formula == "APT / CT"


def test_page_lists_kpis_and_elements_with_formulas_and_sources():
    make_kpi(name="<b>Ours</b>", formula="if(PQ < 1, 0, GQ / PQ)")
    make_kpi(name="Theirs", site=make_site())
    assert Client().get("/kpis/").headers["Location"] == "/login/?next=/kpis/"
    client = Client()
    client.force_login(make_user("operator", make_site()), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/kpis/").content.decode()
    assert all(f'id="{code}"' in page for code in (*KPIS, *ELEMENTS))
    assert "<code>(APT + MST) / PBT</code>" in page
    assert "&lt;b&gt;Ours&lt;/b&gt;" in page
    assert "if(PQ &lt; 1, 0, GQ / PQ)" in page
    assert "Theirs" not in page
