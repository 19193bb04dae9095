"""Facts are shown in the admin and changed nowhere in it; no page of them counts them all."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role, User
from counts.models import CountCorrection, CountHistory, CountReading
from tests.factories import make_count_tag, make_user

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 1, 6, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ada"))
    return client


def make_reading(**overrides):
    overrides = {"tag": overrides.get("tag") or make_count_tag(), **overrides}
    return CountHistory.objects.create(**{"occurred_at": AT, "value": Decimal(5), "recorded_at": AT, **overrides})


def test_a_reading_is_found_by_its_own_key_with_its_correction(administrator):
    reading = make_reading(value=Decimal(7))
    CountCorrection.objects.create(
        tag=reading.tag, occurred_at=AT, value=None, comment="double", corrected_by=User.objects.get(), recorded_at=AT
    )
    shown = CountReading.objects.get()
    with CaptureQueriesContext(connection) as captured:
        page = administrator.get(reverse("admin:counts_countreading_change", args=[shown.pk])).content.decode()
    assert "void, by ada: double" in page
    look_ups = [query["sql"] for query in captured if '"count_reading"' in query["sql"]]
    assert len(look_ups) == 1
    assert '"count_reading"."id" =' not in look_ups[0], "the text id is computed: comparing it reads every fact"


@pytest.mark.parametrize("object_id", ["1", "x@y", "1@2026-03-01", "9" * 30 + "@2026-03-01T00:00:00Z", "1@"])
def test_a_key_that_is_none_finds_nothing(administrator, object_id):
    assert administrator.get(reverse("admin:counts_countreading_change", args=[object_id])).status_code == 302


def test_nothing_adds_changes_or_deletes_a_reading(administrator):
    make_reading()
    key = CountReading.objects.get().pk
    assert administrator.get(reverse("admin:counts_countreading_add")).status_code == 403
    for page in ("change", "delete"):
        url = reverse(f"admin:counts_countreading_{page}", args=[key])
        assert administrator.post(url, {"value": "9", "post": "yes"}).status_code == 403
    listed = administrator.post(
        reverse("admin:counts_countreading_changelist"), {"action": "delete_selected", "_selected_action": key}
    )
    assert listed.status_code in (200, 302, 403)
    assert CountHistory.objects.get().value == 5


def test_a_page_of_readings_counts_nothing_and_sorts_nothing(administrator):
    tag = make_count_tag()
    for minute in range(120):
        make_reading(tag=tag, occurred_at=AT + timedelta(minutes=minute))
    with CaptureQueriesContext(connection) as captured:
        page = administrator.get(reverse("admin:counts_countreading_changelist"))
    assert page.status_code == 200
    of_facts = [query["sql"] for query in captured if "count_reading" in query["sql"]]
    assert len(of_facts) == 1
    assert "COUNT(" not in of_facts[0]
    with connection.cursor() as cursor:
        # A table this small is read whole anyway; what counts is that the key can serve the order.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(
            "EXPLAIN SELECT * FROM count_reading WHERE tag_id = %s ORDER BY tag_id DESC, occurred_at DESC LIMIT 50",
            [tag.pk],
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Sort" not in plan
    second = administrator.get(reverse("admin:counts_countreading_changelist") + "?p=3")
    assert len(second.context["cl"].result_list) == 20


def test_readings_are_filtered_by_tag(administrator):
    one, other = make_reading(), make_reading()
    url = reverse("admin:counts_countreading_changelist")
    page = administrator.get(url, {"tag__id__exact": one.tag_id}).content.decode()
    assert one.tag.tag_path in page
    assert f">{other.tag.tag_path}<" not in page


def test_another_sites_readings_do_not_exist(client):
    mine, theirs = make_reading(), make_reading()
    client.force_login(make_user(Role.ENGINEER, mine.tag.machine.line.area.site, is_staff=True))
    page = client.get(reverse("admin:counts_countreading_changelist")).content.decode()
    assert mine.tag.tag_path in page
    assert theirs.tag.tag_path not in page
    hidden = CountReading.objects.get(tag=theirs.tag)
    assert client.get(reverse("admin:counts_countreading_change", args=[hidden.pk])).status_code == 302
    filtered = client.get(reverse("admin:counts_countreading_changelist"), {"tag__id__exact": theirs.tag_id})
    assert theirs.tag.tag_path not in filtered.content.decode()
