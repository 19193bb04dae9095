"""The execution steps of an operation are entered on their page, each kind by its own form."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from accounts.models import Role
from batchrecords.models import StepEntry
from batchrecords.tests.plant import Batch
from tests.browser import PASSWORD
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch():
    return Batch(status="in_progress")


def last():
    return StepEntry.objects.order_by("-id").first()


def test_every_kind_is_entered_and_shown(batch, client):
    file = BytesIO()
    Image.new("RGB", (2, 2)).save(file, "PNG")
    batch.reviewer.set_password(PASSWORD)
    batch.reviewer.save()
    answers = {
        "read": {},
        "number": {"number": "6,9"},
        "choice": {"said": "clear"},
        "text": {"said": "as it should be"},
        "time": {"time": "2026-03-02T09:30"},
        "photo": {"photo": SimpleUploadedFile("a.png", file.getvalue())},
        "person": {"username": batch.reviewer.username, "password": PASSWORD},
    }
    client.force_login(batch.worker)
    url = reverse("screens:steps", args=[batch.operation.pk])
    for kind, answer in answers.items():
        step = batch.step(kind, kind=kind, choices=["clear", "cloudy"] if kind == "choice" else [])
        if answer:
            assert client.post(url, {"act": f"step-{step.pk}"}).status_code == 409
        answered = client.post(url, {"act": f"step-{step.pk}", **answer})
        assert (answered.status_code, answered["Location"]) == (302, f"{url}#step-{step.pk}"), kind
        assert (last().template, last().entered_by) == (step, batch.worker)
    assert (StepEntry.objects.count(), last().second_person) == (7, batch.reviewer)
    page = client.get(url).content.decode()
    assert ("as it should be" in page, page.count("Enter it again")) == (True, 7)
    assert StepEntry.objects.get(template__kind="time").time.astimezone(batch.site.zone).hour == 9


def test_beyond_its_limits_it_needs_a_comment_and_a_wrong_password_is_refused(batch, client):
    client.force_login(batch.worker)
    url = reverse("screens:steps", args=[batch.operation.pk])
    step = batch.step("PH", kind="number", minimum=6, maximum=7, unit="pH")
    refused = client.post(url, {"act": f"step-{step.pk}", "number": "8"})
    assert (refused.status_code, "say why" in refused.content.decode()) == (409, True)
    assert client.post(url, {"act": f"step-{step.pk}", "number": "8", "comment": "Acid added"}).status_code == 302
    assert "beyond its limits" in client.get(url).content.decode()
    person = batch.step("TWO", kind="person")
    wrong = {"act": f"step-{person.pk}", "username": batch.reviewer.username, "password": "wrong"}
    assert client.post(url, wrong).status_code == 409
    assert not StepEntry.objects.filter(template=person).exists()
    client.force_login(make_user(Role.ENGINEER, site=batch.site))
    assert ("act-form" in client.get(url).content.decode()) is False
    assert client.post(url, {"act": f"step-{step.pk}", "number": "6.5"}).status_code == 403
    client.force_login(make_user(Role.OPERATOR, site=Batch().site))
    assert client.get(url).status_code == 404
