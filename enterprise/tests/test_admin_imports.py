"""Master data come in and go out as spreadsheets, all or nothing, with errors by row and column."""

import io
import re
from typing import Any

import openpyxl
import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, Role, User
from core.admin import MasterDataAdmin
from enterprise.models import Area, Line, Machine, Shift, Site
from tests.factories import make_area, make_line, make_machine, make_site

pytestmark = pytest.mark.django_db

WITH_FILES = sorted(
    (
        (model._meta.app_label, model._meta.model_name)
        for model, model_admin in admin.site._registry.items()
        if isinstance(model_admin, MasterDataAdmin) and model_admin.resource_classes
    ),
)


@pytest.fixture
def engineer(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ada"))
    return client


def check(client: Client, name: str, content: str | bytes, file_name: str = "file.csv") -> Any:
    """Upload a file for its dry run."""
    upload = SimpleUploadedFile(file_name, content.encode() if isinstance(content, str) else content)
    return client.post(reverse(f"admin:enterprise_{name}_import"), {"import_file": upload, "resource": "0"})


def confirm(client: Client, name: str, checked: Any) -> Any:
    """Confirm the import that a dry run offered."""
    form = checked.context["confirm_form"]
    data = {field: form.initial[field] for field in form.fields}
    return client.post(reverse(f"admin:enterprise_{name}_process_import"), data, follow=True)


def errors_of(response: Any) -> list[tuple[int, str, str]]:
    """Return (row of the sheet, column, message) as the page shows them."""
    rows = re.findall(r"<tr><td>(\d+)</td><td>(.*?)</td><td>(.*?)</td>", response.content.decode())
    return [(int(row), re.sub("<.*?>", "", column), message.replace("&#x27;", "'")) for row, column, message in rows]


def test_the_dry_run_shows_what_would_change_and_stores_nothing(engineer):
    make_machine(code="FILLER", name="Filler", line=make_line(code="L1"))
    response = check(engineer, "machine", "code,name,line\nFILLER,Big filler,L1\nPACKER,Packer,L1\n")
    assert response.context["result"].totals["new"] == 1
    assert response.context["result"].totals["update"] == 1
    assert "Nothing is stored yet" in response.content.decode()
    assert Machine.objects.get().name == "Filler"


def test_a_confirmed_import_updates_by_code_and_adds_the_rest(engineer):
    make_machine(code="FILLER", name="Filler", line=make_line(code="L1"), position=5)
    confirm(engineer, "machine", check(engineer, "machine", "code,name,line\nFILLER,Big filler,L1\nPACKER,Packer,L1\n"))
    assert Machine.objects.get(code="FILLER").name == "Big filler"
    assert Machine.objects.get(code="FILLER").position == 5, "a column that is not there stays as it is"
    assert Machine.objects.get(code="PACKER").line.code == "L1"


def test_every_error_names_its_row_its_column_and_what_to_do(engineer):
    make_line(code="L1")
    response = check(
        engineer,
        "machine",
        "code,name,line,position,is_constraint\nGOOD,Good,L1,1,no\nbad code,Filler,L9,two,maybe\n,Nameless,L1,1,no\n",
    )
    found = {(row, column): message for row, column, message in errors_of(response)}
    assert found[3, "line"] == "There is no line 'L9'; correct it, or import the line first."
    assert found[3, "position"] == "Write a whole number, not 'two'."
    assert found[3, "is_constraint"] == "Write yes or no, not 'maybe'."
    assert found[3, "code"].startswith("Use letters, digits")
    assert (4, "code") in found
    assert "confirm_form" not in response.context
    assert not Machine.objects.exists()


def test_nothing_is_imported_when_something_changed_since_the_preview(engineer):
    area = make_area(code="HALL")
    checked = check(engineer, "line", "code,name,area\nL1,One,HALL\nL2,Two,HALL\n")
    Area.objects.filter(pk=area.pk).update(code="OTHER")
    response = confirm(engineer, "line", checked)
    assert "Nothing was imported" in response.content.decode()
    assert not Line.objects.exists()


def test_a_file_that_was_not_previewed_cannot_be_confirmed(engineer):
    data = {"import_file_name": "passwd", "original_file_name": "x.csv", "format": "0", "resource": "0"}
    response = engineer.post(reverse("admin:enterprise_site_process_import"), data)
    assert "choose the file again" in response.content.decode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("code,nam\nA,B\n", "Unknown column: nam. The columns are: code, name"),
        ("name\nA\n", "The column code is missing; start from the template."),
        ("code,name,enterprise\nA,B,E\nA,C,E\n", "Row 3 is about the same as row 2: A."),
        ("code,code,name,enterprise\nA,A,B,E\n", "The column code is there twice."),
    ],
)
def test_a_file_that_cannot_be_meant_so_is_refused_in_words(engineer, content, words):
    assert words in check(engineer, "site", content).content.decode()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("site.pdf", b"%PDF", "ends in .csv or .xlsx"),
        ("site.csv", "code,name\nŁ,Łódź\n".encode("iso-8859-2"), "not UTF-8"),
        ("site.xlsx", b"PK\x03\x04", "no Excel workbook"),
        ("site.csv", b"x" * (5 * 1024 * 1024 + 1), "larger than 5 MB"),
        ("site.csv", b'code,name\n"A,B\n', "no valid CSV"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(engineer, name, content, words):
    response = check(engineer, "site", content, name)
    assert response.status_code == 200
    assert words in response.content.decode()


def test_a_new_row_without_what_it_needs_is_refused_and_a_change_needs_no_more_than_its_key(engineer):
    make_site(code="WAW", name="Warsaw", locale="en")
    response = check(engineer, "site", "code,locale\nWAW,pl\nGDA,pl\n")
    assert errors_of(response) == [
        (3, "name", "It is needed; fill it in."),
        (3, "enterprise", "It is needed; fill it in."),
    ]
    confirm(engineer, "site", check(engineer, "site", "code,locale\nWAW,pl\n"))
    assert Site.objects.get().locale == "pl"


def test_blank_rows_and_remarks_are_passed_over(engineer):
    make_site(code="WAW")
    checked = check(engineer, "area", "code,name,site\n# HALL,an example,WAW\n,,\nHALL,Hall,WAW\n")
    confirm(engineer, "area", checked)
    assert Area.objects.get().code == "HALL"


def test_an_imported_shift_brings_its_breaks_and_keeps_them_when_unchanged(engineer):
    make_site(code="WAW")
    rows = "site,name,weekdays,start_time,end_time,breaks\nWAW,Night,1 2 3,22:00,06:00,02:00-02:30 Meal; 04:00-04:10\n"
    confirm(engineer, "shift", check(engineer, "shift", rows))
    shift = Shift.objects.get()
    assert shift.weekdays == [1, 2, 3]
    meal = shift.breaks.get(name="Meal")

    again = check(engineer, "shift", rows)
    assert again.context["result"].totals["skip"] == 1
    confirm(engineer, "shift", check(engineer, "shift", rows.replace("04:00-04:10", "04:30-04:45 Tea")))
    assert [pause.name for pause in shift.breaks.all()] == ["Meal", "Tea"]
    assert shift.breaks.get(name="Meal").pk == meal.pk


def test_an_import_is_in_the_history_with_who_and_from_which_file(engineer):
    site = make_site(code="WAW", name="Warsaw")
    checked = check(engineer, "site", f"code,name,enterprise\nWAW,Warszawa,{site.enterprise.code}\n", "sites.csv")
    confirm(engineer, "site", checked)
    page = engineer.get(reverse("admin:enterprise_site_history", args=[site.pk])).content.decode()
    for word in ("ada", "Warsaw", "Warszawa", "Import of sites.csv"):
        assert word in page


@pytest.mark.parametrize(("app", "name"), WITH_FILES)
@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_the_template_of_everything_is_importable_as_it_comes(engineer, app, name, suffix):
    url = reverse(f"admin:{app}_{name}_import_template", args=[suffix])
    template = engineer.get(url)
    if template.status_code == 403:
        assert name in ("run", "materiallot"), "what comes with a fact is only exported"
        return
    upload = SimpleUploadedFile(f"t.{suffix}", template.content)
    checked = engineer.post(reverse(f"admin:{app}_{name}_import"), {"import_file": upload, "resource": "0"})
    if suffix == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(template.content))
        assert [cell.value for cell in book.worksheets[1][1]] == ["Column", "Needed", "Meaning", "Example"]
        assert "No valid data" in checked.content.decode(), "a template without rows has nothing to import"
    else:
        assert checked.context["result"].totals["skip"] == 1


@pytest.mark.parametrize(("app", "name"), WITH_FILES)
def test_the_example_of_every_template_is_itself_well_formed(engineer, app, name):
    """Cells are readable; only what they refer to is not there."""
    model_admin = next(
        a for m, a in admin.site._registry.items() if (m._meta.app_label, m._meta.model_name) == (app, name)
    )
    resource = model_admin.resource_classes[0]()
    for field in resource.get_import_fields():
        cell = resource.examples.get(field.column_name)
        if cell is None or hasattr(field.widget, "key"):
            continue
        field.clean({field.column_name: cell})


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_an_export_imported_again_changes_nothing(engineer, suffix):
    machine = make_machine(code="007", name="=Filler", line=make_line(code="L1", name="-Line"))
    exported = engineer.post(reverse("admin:enterprise_machine_export"), {"format": {"csv": "0", "xlsx": "1"}[suffix]})
    assert exported["Content-Disposition"].endswith(f'.{suffix}"')
    checked = check(engineer, "machine", exported.content, f"machines.{suffix}")
    assert checked.context["result"].totals["skip"] == 1, machine


def test_an_export_holds_what_the_list_shows(engineer):
    make_site(code="WAW", name="Warsaw")
    make_site(code="GDA", name="Danzig")
    exported = engineer.post(reverse("admin:enterprise_site_export") + "?q=Warsaw", {"format": "0"})
    assert "WAW" in exported.content.decode()
    assert "GDA" not in exported.content.decode()


def test_an_engineer_of_one_site_imports_nothing_at_another(client):
    here, there = make_site(code="HERE"), make_site(code="THERE")
    make_area(code="THERE-HALL", name="Their hall", site=there)
    person = User.objects.create_user("olek", is_staff=True)
    Membership.objects.create(user=person, site=here, role=Role.ENGINEER)
    client.force_login(person)

    response = check(client, "area", "code,name,site\nHALL,Hall,THERE\n")
    assert errors_of(response)[0][1:] == ("site", "There is no site 'THERE'; correct it, or import the site first.")
    response = check(client, "area", "code,name,site\nTHERE-HALL,Mine now,HERE\n")
    assert not response.context["result"].totals["update"]
    confirm(client, "area", check(client, "area", "code,name,site\nHALL,Hall,HERE\n"))
    assert Area.objects.get(code="HALL").site == here
    assert Area.objects.get(code="THERE-HALL").name == "Their hall"


def test_an_operator_neither_imports_nor_exports_what_is_not_theirs(client):
    here, there = make_site(code="HERE"), make_site(code="THERE")
    person = User.objects.create_user("olek", is_staff=True)
    Membership.objects.create(user=person, site=here, role=Role.OPERATOR)
    client.force_login(person)
    assert client.get(reverse("admin:enterprise_site_import")).status_code == 403
    assert client.get(reverse("admin:enterprise_site_import_template", args=["csv"])).status_code == 403
    exported = client.post(reverse("admin:enterprise_site_export"), {"format": "0"}).content.decode()
    assert here.code in exported
    assert there.code not in exported
    assert Site.objects.count() == 2
