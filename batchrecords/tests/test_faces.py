"""Batch records over REST, on pages and on paper."""

import re
import tracemalloc
import zlib
from base64 import b64encode
from io import BytesIO

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AuditEntry
from batchrecords.assembly import assemble, standing
from batchrecords.models import Signature, StepEntry
from batchrecords.pdf import write_pdf
from batchrecords.tests.plant import NOW, Batch
from batchrecords.tests.test_steps import photo
from tests.factories import make_site, make_user
from workorders.record_sections import Section

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def batch():
    made = Batch()
    for user in (made.worker, made.preparer, made.reviewer, made.approver):
        user.set_password(PASSWORD)
        user.save()
    return made


def client_of(user):
    client = APIClient()
    client.force_authenticate(user)
    return client


def whole(batch, user=None):
    return client_of(user or batch.preparer).get(f"/batch-record/{batch.record.pk}/").data


def signing(batch, meaning, user, **more):
    return {
        "meaning": meaning, "username": user.username, "password": PASSWORD,
        "seen": whole(batch)["content_hash"], **more,
    }  # fmt: skip


def post(batch, user, path, body, **headers):
    return client_of(user).post(f"/batch-record/{batch.record.pk}/{path}/", body, **headers)


def test_a_record_is_read_signed_and_released_over_rest(batch):
    assert post(batch, batch.preparer, "sign", signing(batch, "prepared", batch.preparer)).status_code == 201
    for one in whole(batch)["deviations"]:
        body = {"key": one["key"], "decision": "accepted", "comment": "Known."}
        assert post(batch, batch.reviewer, "resolve", body).status_code == 201
    people = {"reviewed": batch.reviewer, "approved": batch.approver, "released": batch.approver}
    for meaning, user in people.items():
        answer = post(batch, user, "sign", signing(batch, meaning, user))
        assert answer.status_code == 201, answer.data
    assert whole(batch)["status"] == "released"
    first = whole(batch)["signatures"][0]
    assert (first["printed_name"], first["holds"]) == ("Paul Nowak", True)


@pytest.mark.parametrize(
    "wrong",
    [{"password": "wrong"}, {"username": "nobody"}, {"password": ""}, {"seen": ""}, {"meaning": "seen"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_signature_needs_both_components_and_what_was_seen(batch, wrong):
    answer = post(batch, batch.preparer, "sign", {**signing(batch, "prepared", batch.preparer), **wrong})
    assert answer.status_code == 400
    assert not Signature.objects.exists()


def test_nobody_signs_for_another_even_with_the_right_password(batch):
    answer = post(batch, batch.preparer, "sign", signing(batch, "prepared", batch.reviewer))
    assert answer.status_code == 400
    assert "password" in answer.data


def test_guessing_the_password_is_slowed_down(batch):
    for _ in range(8):
        post(batch, batch.preparer, "sign", {**signing(batch, "prepared", batch.preparer), "password": "guess"})
    answer = post(batch, batch.preparer, "sign", signing(batch, "prepared", batch.preparer))
    assert answer.status_code == 429
    assert not Signature.objects.exists()


def test_roles_say_who_signs_what_and_other_sites_know_nothing(batch):
    assert post(batch, batch.worker, "sign", signing(batch, "prepared", batch.worker)).status_code == 403
    assert post(batch, batch.preparer, "sign", signing(batch, "approved", batch.preparer)).status_code == 403
    stranger = make_user("quality", site=make_site())
    assert client_of(stranger).get(f"/batch-record/{batch.record.pk}/").status_code == 404
    page = Client()
    page.force_login(stranger)
    assert page.get(f"/records/{batch.record.number}/").status_code == 404
    assert page.get(f"/records/{batch.record.number}/pdf/").status_code == 404


def test_a_step_is_entered_over_rest_once_for_one_key():
    batch = Batch(status="in_progress")
    batch.reviewer.set_password(PASSWORD)
    batch.reviewer.save()
    number, person, picture = (
        batch.step("N", kind="number"),
        batch.step("P", kind="person"),
        batch.step("F", kind="photo"),
    )
    client, body = client_of(batch.worker), {"operation": batch.operation.pk, "template": number.pk, "number": "7.1"}
    for _ in range(2):
        answer = client.post("/batch-record/step-entry/", body, headers={"Idempotency-Key": "k1"})
        assert answer.status_code == 201, answer.data
    assert StepEntry.objects.count() == 1
    confirmed = {"second_username": batch.reviewer.username, "second_password": PASSWORD}
    body = {"operation": batch.operation.pk, "template": person.pk}
    assert client.post("/batch-record/step-entry/", {**body, **confirmed, "second_password": "x"}).status_code == 400
    assert client.post("/batch-record/step-entry/", {**body, **confirmed}).data["second_person"] == batch.reviewer.pk
    body = {"operation": batch.operation.pk, "template": picture.pk}
    assert client.post("/batch-record/step-entry/", {**body, "photo": "%"}).status_code == 400
    assert client.post("/batch-record/step-entry/", {**body, "photo": b64encode(photo()).decode()}).status_code == 201


def test_the_page_shows_only_what_needs_eyes_first_and_signs(batch):
    page = Client()
    page.force_login(batch.preparer)
    path = f"/records/{batch.record.number}/"
    shown = page.get(path)
    assert b"stood for 60 min" in shown.content
    assert page.get("/records/?search=WO&status=in_progress").status_code == 200
    seen = shown.context["found"].content_hash
    body = {"action": "sign", "meaning": "prepared", "username": batch.preparer.username, "seen": seen}
    assert page.post(path, {**body, "password": "wrong"}).status_code == 409
    assert page.post(path, {**body, "password": PASSWORD}).status_code == 302
    assert b"Paul Nowak" in page.get(path).content
    key = shown.context["found"].open_exceptions[0].finding.key
    assert (
        page.post(path, {"action": "resolve", "key": key, "decision": "accepted", "comment": "Ok"}).status_code == 302
    )
    assert b"every deviation is resolved" in page.get(path).content
    assert page.post(path, {"action": "note", "title": "<b>Smell</b>", "severity": "minor"}).status_code == 302
    assert b"&lt;b&gt;Smell" in page.get(path).content
    assert page.post(path, {"action": "x"}).status_code == 409
    assert AuditEntry.objects.filter(action="deviation.opened").count() == 1


def texts(content):
    """Return the decompressed streams of a PDF."""
    return [
        zlib.decompress(part)
        for part in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.S)
        if part[:1] == b"x"
    ]


def test_the_pdf_has_pages_of_pages_and_takes_any_text(batch):
    batch.sign_all()
    file = BytesIO()
    found = assemble(batch.record, now=NOW)
    found.sections[0].section.rows.append(("(a)\\", "<b>&\x00\u202e", "x" * 5000, "Łódź", "ok"))
    pages = write_pdf(file, found, standing(found), now=NOW, printed_by="Ada")
    assert file.getvalue().startswith(b"%PDF-")
    assert file.getvalue().count(b"/Type /Page\n") == pages >= 2
    page = Client()
    page.force_login(batch.preparer)
    answer = page.get(f"/records/{batch.record.number}/pdf/")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")


def test_a_record_of_10000_rows_is_drawn_in_bounded_memory(batch):
    found = assemble(batch.record, now=NOW)
    section = Section(("At", "What", "Quantity", "By", "Note"))
    for number in range(10_000):
        section.add(NOW, f"row {number}", number, "Ada", "note")
    found.sections[0].section.rows[:] = section.rows
    stands, file = standing(found), BytesIO()
    tracemalloc.start()
    pages = write_pdf(file, found, stands, now=NOW)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pages > 100
    assert peak < 40 * 1024 * 1024
