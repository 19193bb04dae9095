"""Labels are printed from a page, as a series or from a table, and one of them again."""

import pytest
from django.urls import reverse

from accounts.models import Role
from labels.models import Label, LabelBatch, LabelReprint
from tests.factories import make_label_layout, make_site, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(client):
    site = make_site()
    client.force_login(make_user(Role.OPERATOR, site=site))
    return site


def asked(site, layout, **more):
    return {"act": "new", "idempotency_key": "k-1", "site": site.pk, "layout": layout.pk, "digits": 4, **more}


def test_a_series_is_printed_once_and_a_torn_label_again(client, site):
    layout, new = make_label_layout(), reverse("screens:label-batch-new")
    assert layout.name in client.get(new).content.decode()
    assert client.post(new, asked(site, layout)).status_code == 409
    for _ in range(2):
        answer = client.post(new, asked(site, layout, begins="PK-", first=7, count=3))
        assert (answer.status_code, answer["Location"]) == (
            302,
            reverse("screens:label-batch", args=[LabelBatch.objects.get().pk]),
        )
    assert sorted(Label.objects.values_list("code", flat=True)) == ["PK-0007", "PK-0008", "PK-0009"]
    duplicate = client.post(new, asked(site, layout, idempotency_key="k-2", codes="PK-0009"))
    assert (duplicate.status_code, "PK-0009" in duplicate.content.decode()) == (409, True)
    assert "were printed already" in duplicate.content.decode()
    url = answer["Location"]
    page = client.get(url).content.decode()
    assert (page.count('class="thumb"'), "PK-0008" in page) == (3, True)
    again = {"act": "again", "idempotency_key": "r-1", "code": "PK-0008", "reason": "torn"}
    assert client.post(url, {**again, "code": "PK-1"}).status_code == 409
    for _ in range(2):
        label = Label.objects.get(code="PK-0008")
        assert client.post(url, again)["Location"] == reverse("label-png", args=[label.pk])
    assert LabelReprint.objects.get().reason == "torn"
    client.force_login(make_user(Role.OPERATOR, site=make_site()))
    assert client.get(url).status_code == 404
    assert "PK-" not in client.get(reverse("screens:label-batches")).content.decode()


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("A1\nA2\n\n", ["A1", "A2"]),
        ("code\nA1", ["A1"]),
        ("gtin\tcode\n04012345678901\tA1\n04012345678901\tA2", ["A1", "A2"]),
        ("code;gtin\nA1;04012345678901", ["A1"]),
    ],
)
def test_codes_come_as_lines_or_as_a_table(client, site, text, codes):
    layout = make_label_layout()
    assert client.post(reverse("screens:label-batch-new"), asked(site, layout, codes=text)).status_code == 302
    assert list(Label.objects.order_by("position").values_list("code", flat=True)) == codes


def test_a_table_without_codes_and_too_many_are_refused(client, site):
    layout, new = make_label_layout(), reverse("screens:label-batch-new")
    assert "no column" in client.post(new, asked(site, layout, codes="a;b\n1;2")).content.decode()
    assert client.post(new, asked(site, layout, first=1, count=2001)).status_code == 409
    assert not LabelBatch.objects.exists()
