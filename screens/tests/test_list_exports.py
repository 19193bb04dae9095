"""Pages with a list give it away as a file: all that is filtered, under the names of REST."""

import csv
import html
import re
from io import BytesIO, StringIO
from urllib.parse import urljoin

import openpyxl
import pytest
from django.urls import reverse
from django.utils import timezone

from andon.services import Said, call
from execution.tests.floor import make_floor
from materials.containers import open_container
from tests.everything import Plant, pages_without_objects
from tests.factories import make_call_type, make_location, make_user

pytestmark = pytest.mark.django_db
# Pages of lists, and the REST list that has the same rows.
LISTS = {
    "andon-calls": "/andon/call/",
    "advice": "/advice/recommendation/",
    "maintenance": "/maintenance/order/",
    "containers": "/material/container/",
    "quality-actions": "/quality/corrective-action/",
    "gauges": "/quality/gauge/",
    "label-batches": "/labels/batch/",
}


@pytest.fixture
def plant(client):
    plant = Plant()
    now = timezone.now()
    call(call_type=make_call_type(), machine=plant.machine, said=Said(at=now, recorded_at=now, actor=plant.person))
    open_container(
        location=make_location(site=plant.site), code="C-1", actor=plant.person, occurred_at=now, recorded_at=now
    )
    client.force_login(plant.person)
    return plant


def rows_of(client, address, **asked):
    answer = client.get(address, {**asked, "format": "csv"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8"), address
    return list(csv.DictReader(StringIO(answer.getvalue().decode("utf-8-sig"))))


def test_a_page_gives_away_what_rest_lists(plant, client):
    for page, path in LISTS.items():
        told = client.get(path).json()["results"]
        rows = rows_of(client, reverse(f"screens:{page}"))
        assert told, path
        assert [row["id"] for row in rows] == [str(one["id"]) for one in told], page
        assert set(told[0]) <= set(rows[0]), page
        assert "format=xlsx" in client.get(reverse(f"screens:{page}")).content.decode(), page


def test_work_is_given_away_as_it_is_listed(plant, client):
    page = reverse("screens:dispatch")
    make_floor(machine=plant.machine)
    listed = client.get("/execution/dispatch/", {"line": plant.line.pk}).json()["operations"]
    rows = rows_of(client, page, line=plant.line.pk)
    assert [row["operation"] for row in rows] == [str(one["operation"]) for one in listed]
    assert len(rows) > 1
    assert set(rows[0]) == set(listed[0])
    assert "format=csv" in client.get(page, {"line": plant.line.pk}).content.decode()
    # Of whom nothing is asked nothing is given; and not to whoever may only look.
    assert client.get(page, {"format": "csv"})["Content-Type"].startswith("text/html")
    client.force_login(make_user("operator", plant.site))
    assert client.get(page, {"line": plant.line.pk, "format": "csv"}).status_code == 403


def test_every_file_that_a_page_offers_is_there_in_both_forms(plant, client):
    offered: dict[str, str] = {}
    of_line = [reverse(f"screens:{name}", args=[plant.line.code]) for name in ("hours", "timeline")]
    stops = reverse("screens:stops") + "?show=all"
    for address in [*pages_without_objects(), *plant.addresses, *of_line, f"{of_line[1]}?span=7d", stops]:
        page = client.get(address).content.decode()
        for link in re.findall(r'href="([^"]*[?&;]format=(?:csv|xlsx)[^"]*)"', page):
            offered[urljoin(f"http://testserver{address}", html.unescape(link))] = address
    assert len(offered) > 2 * 25
    wrong = {}
    for link in offered:
        answer = client.get(link.removeprefix("http://testserver"))
        content = answer.getvalue()
        if answer.status_code != 200 or "attachment" not in answer.get("Content-Disposition", ""):
            wrong[link] = answer.status_code
        elif "format=csv" in link:
            header = next(csv.reader(StringIO(content.decode("utf-8-sig"))))
            wrong |= {} if header and all(header) else {link: header}
        else:
            (sheet,) = openpyxl.load_workbook(BytesIO(content)).worksheets
            wrong |= {} if sheet["A1"].value and sheet.title != "Data" else {link: sheet.title}
    assert wrong == {}
