"""The admin's pages keep to the person's sites and role, say who changed what, and cost a fixed number of queries."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from enterprise.models import Area, Line, Machine, Site
from tests.factories import make_area, make_line, make_machine, make_shift, make_site, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ada"))
    return client


def log_in(client: Client, role: str, site: Site | None) -> User:
    person = make_user(role, site, is_staff=True)
    client.force_login(person)
    return person


def area_form(area: Area, **changes: Any) -> dict[str, Any]:
    """Return what the form of an area posts."""
    inlines = {"lines-TOTAL_FORMS": "0", "lines-INITIAL_FORMS": "0"}
    return {"code": area.code, "name": area.name, "is_active": "on", "site": area.site_id, **inlines, **changes}


def change(client: Client, thing: Any, data: dict[str, Any]) -> Any:
    return client.post(reverse(f"admin:enterprise_{thing._meta.model_name}_change", args=[thing.pk]), data)


# --- history ---


def test_the_history_shows_who_changed_which_field_from_what_to_what(administrator):
    area = make_area(name="Hall")
    change(administrator, area, area_form(area, name="Bottling hall"))
    page = administrator.get(reverse("admin:enterprise_area_history", args=[area.pk])).content.decode()
    for word in ("ada", "Name", '<td class="old">Hall</td>', '<td class="new">Bottling hall</td>', "Changed"):
        assert word in page


def test_the_history_of_a_shift_tells_of_its_breaks(administrator):
    shift = make_shift(site=make_site())
    pause = shift.breaks.create(name="Coffee", start_time="10:00", end_time="10:15")
    form = {"site": shift.site_id, "name": "Early", "kind": "regular", "weekdays": ["1"]}
    form |= {"start_time": "06:00", "end_time": "14:00", "breaks-TOTAL_FORMS": "1", "breaks-INITIAL_FORMS": "1"}
    form |= {"breaks-0-id": pause.pk, "breaks-0-shift": shift.pk, "breaks-0-name": "Tea"}
    form |= {"breaks-0-start_time": "10:00", "breaks-0-end_time": "10:30"}
    assert change(administrator, shift, form).status_code == 302
    page = administrator.get(reverse("admin:enterprise_shift_history", args=[shift.pk])).content.decode()
    for word in ("Shift breaks", '<td class="old">Coffee</td>', '<td class="new">Tea</td>', "10:30"):
        assert word in page


def test_no_old_version_can_be_opened_or_brought_back(administrator):
    area = make_area(name="Hall")
    version = area.history.first().pk
    url = reverse("admin:enterprise_area_simple_history", args=[area.pk, version])
    assert administrator.get(url).status_code == 404
    assert administrator.post(url, area_form(area, name="Turned back")).status_code == 404
    assert Area.objects.get().name == "Hall"


def test_who_edited_an_old_version_is_told_and_keeps_what_was_typed(administrator):
    area = make_area(name="Hall")
    seen = area.history.first().pk
    change(administrator, area, area_form(area, name="Theirs", _seen=seen))
    response = change(administrator, area, area_form(area, name="Mine", _seen=seen))
    assert "changed this at" in response.content.decode()
    assert 'value="Mine"' in response.content.decode()
    assert Area.objects.get().name == "Theirs"
    again = response.context["seen_version"]
    change(administrator, area, area_form(area, name="Mine", _seen=again))
    assert Area.objects.get().name == "Mine"


# --- refusals ---


def test_what_is_referenced_is_not_deleted_and_the_page_says_by_what(administrator):
    line = make_line()
    make_machine(line=line)
    response = administrator.get(reverse("admin:enterprise_line_delete", args=[line.pk]))
    assert "machine" in response.content.decode().lower()
    administrator.post(reverse("admin:enterprise_line_delete", args=[line.pk]), {"post": "yes"})
    assert Line.objects.filter(pk=line.pk).exists()


def test_several_are_switched_off_at_once_with_their_history(administrator):
    machines = [make_machine(), make_machine()]
    chosen = {"action": "switch_off", "_selected_action": [machine.pk for machine in machines]}
    administrator.post(reverse("admin:enterprise_machine_changelist"), chosen)
    assert not Machine.objects.filter(is_active=True).exists()
    assert machines[0].history.first().history_user.username == "ada"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "Choose exactly one of site, line and machine."),
        ({"weekdays": []}, "Tick at least one weekday."),
        ({"kind": "extra"}, "An extra shift or overtime names its days"),
        ({"valid_from": "2026-02-01", "valid_until": "2026-02-01"}, "valid on at least one day"),
    ],
)
def test_a_wrong_shift_is_refused_with_what_to_do(administrator, data, words):
    form = {"name": "Early", "kind": "regular", "weekdays": ["1"], "start_time": "06:00", "end_time": "14:00"}
    if data:
        form["site"] = make_site().pk
    inlines = {"breaks-TOTAL_FORMS": "0", "breaks-INITIAL_FORMS": "0"}
    response = administrator.post(reverse("admin:enterprise_shift_add"), {**form, **inlines, **data})
    assert words in response.content.decode()


# --- sites and roles ---


def test_another_sites_things_are_neither_listed_nor_found(client):
    mine, theirs = make_machine(name="Mine"), make_machine(name="Theirs")
    log_in(client, Role.ENGINEER, mine.line.area.site)
    listed = client.get(reverse("admin:enterprise_machine_changelist")).content.decode()
    assert "Mine" in listed
    assert "Theirs" not in listed
    for page in ("change", "history", "delete"):
        url = reverse(f"admin:enterprise_machine_{page}", args=[theirs.pk])
        response = client.get(url)
        assert response.status_code in (302, 404)
        assert "Theirs" not in response.content.decode()


def test_choices_and_filters_offer_only_what_is_at_ones_sites(client):
    mine, theirs = make_line(name="Mine"), make_line(name="Theirs")
    log_in(client, Role.ENGINEER, mine.area.site)
    search = {"app_label": "enterprise", "model_name": "machine", "field_name": "line", "term": ""}
    found = client.get(reverse("admin:autocomplete"), search).json()["results"]
    assert [choice["text"] for choice in found] == ["Mine"]
    assert "Theirs" not in client.get(reverse("admin:enterprise_machine_changelist")).content.decode()
    data = {"code": "M", "name": "M", "line": theirs.pk, "position": "1"}
    response = client.post(reverse("admin:enterprise_machine_add"), data)
    assert response.status_code == 200
    assert not Machine.objects.filter(code="M").exists()


def test_an_engineer_of_one_site_changes_only_there_even_who_sees_more(client):
    here, there = make_area(name="Here"), make_area(name="There")
    person = log_in(client, Role.ENGINEER, here.site)
    person.memberships.create(site=there.site, role=Role.OPERATOR)
    change(client, here, area_form(here, name="Here, changed"))
    assert change(client, there, area_form(there, name="There, changed")).status_code == 403
    moved = change(client, here, area_form(here, site=there.site_id))
    assert "does not allow this" in moved.content.decode()
    assert sorted(Area.objects.values_list("name", flat=True)) == ["Here, changed", "There"]


def test_only_who_has_every_site_founds_another(client):
    site = make_site()
    log_in(client, Role.ENGINEER, site)
    data = {"code": "NEW", "name": "New", "is_active": "on", "enterprise": site.enterprise_id}
    data |= {"time_zone": "UTC", "locale": "en", "areas-TOTAL_FORMS": "0", "areas-INITIAL_FORMS": "0"}
    assert "this needs a role at every site" in client.post(reverse("admin:enterprise_site_add"), data).content.decode()
    assert not Site.objects.filter(code="NEW").exists()


def test_an_operator_looks_and_changes_nothing(client):
    machine = make_machine()
    log_in(client, Role.OPERATOR, machine.line.area.site)
    assert client.get(reverse("admin:enterprise_machine_changelist")).status_code == 200
    assert client.get(reverse("admin:enterprise_machine_add")).status_code == 403
    url = reverse("admin:enterprise_machine_change", args=[machine.pk])
    assert client.post(url, {"name": "x"}).status_code == 403
    chosen = {"action": "switch_off", "_selected_action": [machine.pk]}
    client.post(reverse("admin:enterprise_machine_changelist"), chosen)
    assert Machine.objects.get().is_active


def test_the_plant_page_shows_ones_sites_only(client):
    mine, theirs = make_machine(name="Mine"), make_machine(name="Theirs")
    log_in(client, Role.ENGINEER, mine.line.area.site)
    page = client.get(reverse("admin:plant")).content.decode()
    assert "Mine" in page
    for hidden in (theirs.name, theirs.line.area.site.name, theirs.line.area.site.enterprise.name):
        assert hidden not in page


def test_the_admin_shares_the_login_page_and_turns_others_away(client):
    assert client.get(reverse("admin:index"), follow=True).redirect_chain[-1][0] == "/login/?next=/admin/"
    client.force_login(make_user(Role.OPERATOR, make_site()))
    assert client.get(reverse("admin:login")).status_code == 403


# --- cost ---


def count_queries(client: Client, url: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("name", ["enterprise", "site", "area", "line", "machine", "shift"])
def test_a_list_costs_the_same_for_few_and_for_many(administrator, name):
    def add() -> None:
        machine = make_machine()
        make_shift(machine=machine)
        make_shift(line=machine.line)

    add()
    few = count_queries(administrator, reverse(f"admin:enterprise_{name}_changelist"))
    for _ in range(5):
        add()
    assert count_queries(administrator, reverse(f"admin:enterprise_{name}_changelist")) == few
    assert few <= 11


def test_the_plant_page_costs_one_query_a_level(administrator):
    for _ in range(4):
        make_machine()
    assert count_queries(administrator, reverse("admin:plant")) <= 8
