"""A non-conformance from raising to closing, and an inspection from beginning to its decision, on their pages."""

import re
from decimal import Decimal
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.models import Role
from materials.models import MaterialTransaction
from quality.models import CorrectiveAction, Defect, Inspection, NonConformance, Picture
from quality.nonconformances import About, raise_nonconformance
from quality.tests.bench import AT, Bench
from tests.factories import make_defect_code, make_location, make_lot, make_plan, make_user

pytestmark = pytest.mark.django_db
KEY = {"idempotency_key": "k-1"}


@pytest.fixture
def bench():
    return Bench()


def png():
    file = BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG")
    return file.getvalue()


def page_of(client, ncr):
    return client.get(reverse("screens:ncr", args=[ncr.pk])).content.decode()


def test_from_what_was_seen_to_closed(client, bench):
    place = make_location(site=bench.site)
    lot = make_lot(100, location=place, at=AT)
    client.force_login(bench.olek)
    new = reverse("screens:ncr-new")
    assert f'value="{lot.number}"' in client.get(new, {"lot": lot.number}).content.decode()
    told = {
        "act": "new",
        **KEY,
        "site": bench.site.pk,
        "title": "Scratched",
        "severity": "major",
        "is_contained": "on",
    }
    missing = client.post(new, {**told, "lot": "nowhere"})
    assert (missing.status_code, "There is no lot nowhere" in missing.content.decode()) == (409, True)
    assert client.post(new, {**told, "title": ""}).status_code == 409
    for _ in range(2):
        assert client.post(new, {**told, "lot": lot.number, "quantity": "12,5"}).status_code == 302
    ncr = NonConformance.objects.get()
    lot.refresh_from_db()
    assert (ncr.quantity, ncr.lot, ncr.raised_by, lot.status) == (Decimal("12.5"), lot, bench.olek, "hold")
    # An operator records what is found; what becomes of it is decided by quality.
    url = reverse("screens:ncr", args=[ncr.pk])
    code = make_defect_code()
    picture = SimpleUploadedFile("a.png", png(), "image/png")
    assert (
        client.post(url, {"act": "defect", **KEY, "code": code.pk, "quantity": 3, "picture": picture}).status_code
        == 302
    )
    assert Defect.objects.get().nonconformance == ncr
    shown = page_of(client, ncr)
    image = reverse("screens:quality-picture", args=[Picture.objects.get().pk])
    assert (image in shown, "Decide about a quantity" in shown) == (True, False)
    assert client.get(image)["Content-Type"].startswith("image/")
    dispose = {
        "act": "dispose",
        **KEY,
        "kind": "scrap",
        "quantity": "12.5",
        "from_location": place.pk,
        "reason": "deep",
    }
    assert client.post(url, dispose).status_code == 403
    client.force_login(bench.ewa)
    assert "Decide about a quantity" in page_of(client, ncr)
    too_many = client.post(url, {**dispose, "quantity": "13"})
    assert (too_many.status_code, "Only 12.5 are left" in too_many.content.decode()) == (409, True)
    assert client.post(url, dispose).status_code == 302
    assert MaterialTransaction.objects.filter(kind="scrap", lot=lot, quantity=Decimal("12.5")).count() == 1
    now = timezone.localtime(timezone=bench.site.zone).date()
    action = {"act": "action", "kind": "preventive", "description": "A cover", "owner": bench.olek.username}
    action |= {"due_date": f"{now}", "check_date": f"{now}"}
    assert client.post(url, action).status_code == 302
    # A second click makes no second action.
    assert client.post(url, action).status_code == 302
    row = CorrectiveAction.objects.get()
    refused = client.post(url, {"act": "close"})
    assert (refused.status_code, "not approved" in refused.content.decode()) == (409, True)
    client.force_login(bench.olek)
    assert client.post(url, {"act": "done", "action": row.pk, "note": "fitted"}).status_code == 302
    client.force_login(bench.ewa)
    assert client.post(url, {"act": "check", "action": row.pk, "verdict": "effective"}).status_code == 302
    assert client.post(url, {"act": "approve"}).status_code == 409
    client.force_login(make_user(Role.QUALITY, site=bench.site))
    assert client.post(url, {"act": "approve"}).status_code == 302
    assert client.post(url, {"act": "close"}).status_code == 302
    ncr.refresh_from_db()
    assert ncr.status == "closed"
    assert "What to do" not in page_of(client, ncr)
    assert client.post(url, {"act": "nothing"}).status_code == 409


def test_what_was_found_out_is_filled_in_already(client, bench):
    client.force_login(bench.ewa)
    new = reverse("screens:ncr-new")
    client.post(new, {"act": "new", **KEY, "site": bench.site.pk, "title": "Wet", "severity": "minor", "quantity": 5})
    ncr = NonConformance.objects.get()
    url = reverse("screens:ncr", args=[ncr.pk])
    assert 'name="quantity" value="5"' in client.get(url).content.decode()
    told = {"act": "found", "status": "investigating", "cause": "machine", "root_cause": "A seal", "quantity": "6"}
    assert client.post(url, told).status_code == 302
    ncr.refresh_from_db()
    assert (ncr.status, ncr.cause, ncr.quantity) == ("investigating", "machine", 6)
    client.force_login(make_user(Role.OPERATOR, site=Bench().site))
    assert client.get(url).status_code == 404
    assert (
        client.post(new, {"act": "new", **KEY, "site": bench.site.pk, "title": "x", "severity": "minor"}).status_code
        == 409
    )


def test_inspection_is_begun_decided_and_leads_to_a_nonconformance(client, bench):
    plan = make_plan()
    lot = make_lot(10, location=make_location(site=bench.site), at=AT)
    client.force_login(bench.olek)
    new = reverse("screens:inspection-new")
    assert plan.name in client.get(new, {"plan": plan.pk}).content.decode()
    told = {"act": "new", **KEY, "site": bench.site.pk, "plan": plan.pk, "sample_size": 1}
    assert client.post(new, {**told, "machine": "nothing"}).status_code == 409
    for _ in range(2):
        assert client.post(new, {**told, "lot": lot.number}).status_code == 302
    inspection = Inspection.objects.get()
    url = reverse("screens:inspection", args=[inspection.pk])
    client.post(url, {"characteristic": plan.characteristics.get().pk, "sample": 1, "value": "99"})
    assert client.post(url, {"act": "decide", "result": "pass", "reason": "x"}).status_code == 403
    assert client.post(url, {"finish": "1"}).status_code == 302
    assert f"lot={lot.number}" in client.get(url).content.decode()
    client.force_login(bench.ewa)
    assert client.post(url, {"act": "decide", "result": "conditional_pass", "reason": ""}).status_code == 409
    assert client.post(url, {"act": "decide", "result": "conditional_pass", "reason": "for tests"}).status_code == 302
    inspection.refresh_from_db()
    assert (inspection.status, inspection.decisions.get().reason) == ("conditional", "for tests")


def test_pictures_travel_over_rest(client, bench):
    client.force_login(bench.olek)
    new = reverse("screens:ncr-new")
    client.post(new, {"act": "new", **KEY, "site": bench.site.pk, "title": "Wet", "severity": "minor"})
    ncr = NonConformance.objects.get()
    for _ in range(2):
        answer = client.post(
            "/quality/picture/", {"nonconformance": ncr.pk, "file": SimpleUploadedFile("a.png", png())}
        )
        assert answer.status_code == 201
    (row,) = client.get("/quality/picture/", {"nonconformance": ncr.pk}).json()["results"]
    assert row["id"] == answer.json()["id"]
    assert client.get(f"/quality/picture/{row['id']}/file/")["Content-Type"].startswith("image/")
    for body in ({"nonconformance": ncr.pk}, {"file": SimpleUploadedFile("a.png", png())}):
        assert client.post("/quality/picture/", body).status_code == 400
    text = {"nonconformance": ncr.pk, "file": SimpleUploadedFile("a.png", b"<svg/>")}
    assert "file" in client.post("/quality/picture/", text).json()
    client.force_login(Bench().olek)
    assert client.get(f"/quality/picture/{row['id']}/file/").status_code == 404
    again = {"nonconformance": ncr.pk, "file": SimpleUploadedFile("a.png", png())}
    assert client.post("/quality/picture/", again).status_code in (400, 403, 404)


def test_the_millionth_comes_after_the_one_before_it(client, bench):
    for number in ("NCR-999999", "NCR-1000000"):
        raised, _ = raise_nonconformance(
            site=bench.site, title=number, said=About(machine=bench.machine), actor=bench.ewa, raised_at=AT
        )
        NonConformance.objects.filter(pk=raised.pk).update(number=number)
    client.force_login(bench.ewa)
    listed = re.findall(r"NCR-\d{6,7}(?=</a>)", client.get(reverse("screens:ncrs")).content.decode())
    assert listed == ["NCR-1000000", "NCR-999999"]

    def sorted_by(asked: str) -> list[str]:
        found = client.get(f"/quality/nonconformance/?ordering={asked}&page_size=1").json()
        following = client.get(found["next"]).json()
        return [row["number"] for page in (found, following) for row in page["results"]]

    assert sorted_by("number") == ["NCR-999999", "NCR-1000000"]
    assert sorted_by("-number") == ["NCR-1000000", "NCR-999999"]
    client.force_login(make_user("admin", site=None, is_superuser=True, is_staff=True))
    rows = client.get("/admin/quality/nonconformance/?o=0").content.decode()
    assert rows.index("NCR-999999") < rows.index("NCR-1000000")
