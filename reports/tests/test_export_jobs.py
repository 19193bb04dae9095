"""Long lists are made into files in the background: as who asked, with progress, once, for a while."""

import csv
import io
from datetime import timedelta

import openpyxl
import pytest
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from rest_framework.test import APIClient

from core import exports
from core.errors import Conflict, Invalid
from reports import export_jobs
from reports.models import ExportJob, ExportPiece
from tests.factories import make_machine, make_product, make_user, make_work_order

pytestmark = pytest.mark.django_db
Status = ExportJob.Status


@pytest.fixture
def engineer():
    return make_user("engineer")


def ask(user, path):
    return export_jobs.ask(path=path, owner=user, language="en", now=timezone.now())


def made(user, path):
    job = ask(user, path)
    assert export_jobs.make(job.pk, now=timezone.now())
    job.refresh_from_db()
    return job


def test_a_rest_list_is_made_as_a_file_and_fetched_by_who_asked(client, engineer):
    products = [make_product(name="=1+1") for _ in range(3)]
    job = made(engineer, "/product/?format=csv")
    assert (job.status, job.rows_done, job.rows_total, job.error) == (Status.DONE, 3, 3, "")
    client.force_login(engineer)
    answer = client.get(reverse("reports:export-file", args=[job.pk]))
    content = b"".join(answer)
    assert len(content) == job.size == int(answer["Content-Length"])
    rows = list(csv.DictReader(io.StringIO(content.decode().removeprefix("\ufeff"))))
    assert [row["code"] for row in rows] == [product.code for product in products]
    assert {row["name"] for row in rows} == {"'=1+1"}


def test_a_pages_list_is_made_with_its_filters(engineer):
    make_work_order(order_number="WO-A", line=make_machine().line)
    make_work_order(order_number="WO-B", line=make_machine().line)
    job = made(engineer, "/orders/?search=WO-A&format=xlsx")
    assert job.status == Status.DONE, job.error
    content = b"".join(export_jobs.content_of(job))
    rows = list(openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True))
    assert rows[1][rows[0].index("order_number")] == "WO-A"
    assert len(rows) == 2


def test_what_the_person_may_not_see_is_not_in_the_file():
    mine, other = make_machine(), make_machine()
    job = made(make_user("engineer", site=mine.line.area.site), "/machine/?format=csv")
    content = b"".join(export_jobs.content_of(job)).decode()
    assert mine.code in content
    assert other.code not in content


def test_a_person_who_lost_the_right_gets_no_file(engineer):
    job = ask(engineer, "/product/?format=csv")
    engineer.memberships.all().delete()
    export_jobs.make(job.pk, now=timezone.now())
    job.refresh_from_db()
    assert (job.status, bool(job.error), job.pieces.count()) == (Status.FAILED, True, 0)


@pytest.mark.parametrize(
    "path",
    [
        "https://example.com/product/?format=csv",
        "//example.com/?format=csv",
        "product/?format=csv",
        "/product/",
        "/product/?format=pdf",
        "/no/such/address/?format=csv",
        "/product/?format=csv&" + "x" * 2100,
    ],
)
def test_an_address_that_is_no_list_is_refused(engineer, path):
    with pytest.raises(Invalid):
        ask(engineer, path)


def test_an_address_that_no_row_can_hold_is_refused_in_words(client, engineer):
    client.force_login(engineer)
    answer = client.post(reverse("reports:exports"), {"path": "/reports/order/a\0b/?format=csv"}, follow=True)
    assert answer.status_code == 200
    assert "Name a list by its address here" in answer.content.decode()


def test_an_address_that_is_none_of_a_list_fails_with_the_reason(engineer):
    job = made(engineer, "/kpis/?format=csv")
    assert job.status == Status.FAILED
    assert "list" in job.error


def test_operators_may_not_take_lists_away(client):
    client.force_login(make_user("operator"))
    assert client.get(reverse("reports:exports")).status_code == 403
    assert client.post(reverse("reports:exports"), {"path": "/product/?format=csv"}).status_code == 403


def test_another_persons_file_does_not_exist(client, engineer):
    job = made(engineer, "/product/?format=csv")
    client.force_login(make_user("engineer"))
    assert client.get(reverse("reports:export-file", args=[job.pk])).status_code == 404
    assert client.post(reverse("reports:export-end", args=[job.pk])).status_code == 404
    assert ExportJob.objects.filter(pk=job.pk).exists()


def test_it_is_asked_once_and_not_too_often(engineer):
    first = ask(engineer, "/product/?format=csv")
    assert ask(engineer, "/product/?format=csv") == first
    for number in range(export_jobs.MOST_OPEN - 1):
        ask(engineer, f"/product/?format=csv&page={number}")
    with pytest.raises(Conflict):
        ask(engineer, "/machine/?format=csv")


def test_the_task_is_written_with_the_job(engineer):
    job = ask(engineer, "/product/?format=csv")
    task = ProcrastinateJob.objects.get(queueing_lock=export_jobs.lock_of(job.pk))
    assert (task.status, task.args) == ("todo", {"job_id": job.pk})


def test_cancelled_while_it_is_made_leaves_no_file(engineer, monkeypatch):
    for _ in range(5):
        make_product()
    monkeypatch.setattr(export_jobs, "_SAID_EVERY", 0)
    job = ask(engineer, "/product/?format=csv")
    whole = export_jobs._say

    def say(of, now, **what):
        if what.get("rows_done") == 2:
            assert export_jobs.cancel(job=job, now=timezone.now())
        whole(of, now, **what)

    monkeypatch.setattr(export_jobs, "_say", say)
    export_jobs.make(job.pk, now=timezone.now())
    job.refresh_from_db()
    assert job.status == Status.CANCELLED
    assert job.rows_done < 5
    assert not ExportPiece.objects.exists()


def test_progress_is_told_while_it_is_made(engineer, monkeypatch):
    for _ in range(4):
        make_product()
    monkeypatch.setattr(export_jobs, "_SAID_EVERY", 0)
    seen = []
    whole = export_jobs._say

    def say(of, now, **what):
        whole(of, now, **what)
        seen.append(ExportJob.objects.values_list("rows_done", "rows_total").get())

    monkeypatch.setattr(export_jobs, "_say", say)
    made(engineer, "/product/?format=csv")
    assert sorted(set(seen) - {(0, 4)}) == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_what_a_dead_worker_left_is_taken_up_and_ends_the_same(engineer):
    make_product()
    job = ask(engineer, "/product/?format=csv")
    now = timezone.now()
    ExportJob.objects.update(status=Status.RUNNING, seen_at=now)
    ExportPiece.objects.create(job=job, number=7, content=b"half")
    assert export_jobs.take_up_again(now=now) == []
    assert export_jobs.make(job.pk, now=now) is False
    later = now + export_jobs.STALLED_AFTER + timedelta(seconds=1)
    assert export_jobs.take_up_again(now=later) == [job.pk]
    assert export_jobs.make(job.pk, now=later)
    assert b"half" not in b"".join(export_jobs.content_of(job))
    assert export_jobs.make(job.pk, now=later) is False


def test_files_are_kept_for_some_days(engineer, settings):
    settings.EXPORTS_KEEP_DAYS = 3
    job = made(engineer, "/product/?format=csv")
    assert export_jobs.forget_old(now=timezone.now() + timedelta(days=2)) == 0
    assert export_jobs.forget_old(now=timezone.now() + timedelta(days=4)) == 1
    assert not ExportPiece.objects.filter(job_id=job.pk).exists()


def test_a_long_workbook_of_a_page_leads_to_the_background(client, engineer, monkeypatch):
    monkeypatch.setattr(exports, "AT_ONCE", 1)
    line = make_machine().line
    make_work_order(line=line)
    make_work_order(line=line)
    client.force_login(engineer)
    led = client.get("/orders/?format=xlsx")
    assert led.status_code == 302
    page = client.get(led.url)
    assert b"in the background" in page.content
    client.post(reverse("reports:exports"), {"path": page.context["path"]})
    job = ExportJob.objects.get()
    assert job.path.startswith("/orders/")
    assert client.get(reverse("reports:exports")).status_code == 200
    assert client.get(reverse("reports:export-state")).json()["jobs"][0]["status"] == "waiting"
    client.post(reverse("reports:export-end", args=[job.pk]))
    job.refresh_from_db()
    assert job.status == Status.CANCELLED


def test_rest_asks_watches_fetches_and_deletes(engineer):
    make_product()
    api = APIClient()
    api.force_authenticate(engineer)
    asked = api.post("/reports/export/", {"path": "/product/?format=xlsx"})
    assert asked.status_code == 202, asked.data
    one = f"/reports/export/{asked.data['id']}/"
    assert api.get(f"{one}file").status_code == 409
    export_jobs.make(asked.data["id"], now=timezone.now())
    told = api.get(one).data
    assert (told["status"], told["rows_done"], told["rows_total"]) == ("done", 1, 1)
    assert openpyxl.load_workbook(io.BytesIO(b"".join(api.get(f"{one}file")))).worksheets[0].max_row == 2
    assert api.post("/reports/export/", {"path": "/nowhere/?format=csv"}).status_code == 400
    stranger = APIClient()
    stranger.force_authenticate(make_user("engineer"))
    assert stranger.get(one).status_code == 404
    assert api.get("/reports/export/").data["count"] == 1
    assert api.delete(one).status_code == 204
    assert api.get(one).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/lots/",
        "/orders/",
        "/changeovers/",
        "/quality/",
        "/quality/ncr/",
        "/records/",
        "/shifts/",
        "/changes/",
        "/units/",
        "/labor/approval/",
        "/schedule/",
    ],
)
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_every_list_of_the_pages_is_a_file(client, path, form):
    machine = make_machine()
    make_work_order(line=machine.line, product=make_product())
    client.force_login(make_user(is_superuser=True))
    answer = client.get(path, {"format": form})
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment")
    content = b"".join(answer)
    assert content[:3] == (b"\xef\xbb\xbf" if form == "csv" else b"PK\x03")
    # An empty list offers none.
    assert (b"format=csv" in client.get(path).content) == (path in ("/orders/", "/schedule/", "/changes/"))
