"""What the decoder finds right by itself becomes the same facts and the same answers as what is looked at item by
item.
"""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.keys import DeviceScope
from core.binary_arrays import BigintArray, MomentArray
from core.facts import fact_cursor
from counts.models import CountHistory
from downtime.models import StateHistory
from ingest import directory
from ingest.items import PlainItems, read_batch, read_delivery
from ingest.models import QuarantinedItem
from ingest.services import Delivery, accept
from tests.factories import make_count_tag, make_machine, make_reason

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)

moments = st.sampled_from(
    [
        "2026-03-02T08:00:00Z",
        "2026-03-02T08:00:00.000Z",
        "2026-03-02T09:00:00+01:00",
        "2026-03-02T08:00:00.1234567Z",
        "2026-03-02T08:00:01",
        "2026-03-02T08:59:60Z",
        "2026-03-02T12:04:59Z",
        "2026-03-02T12:06:00Z",
        "1989-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "yesterday",
    ]
)
items = st.one_of(
    st.fixed_dictionaries(
        {
            "tag": st.sampled_from(["delta", "running", "bounded", "offset", "off", "foreign", "nobody's", "\0", ""]),
            "at": moments,
            "value": st.one_of(
                st.integers(-2, 12), st.sampled_from([10**18, 10**18 - 1, 2**70, 0.5, 1e3, "5", None, True, [1]])
            ),
        },
        optional={"detail": st.just("x"), "machine": st.just("M"), "event": st.just("reset")},
    ),
    st.fixed_dictionaries(
        {"machine": st.sampled_from(["M", "FOREIGN", "nobody's"]), "at": moments, "state": st.sampled_from(["RUN", "OFF", "?", 6])},
        optional={"detail": st.sampled_from(["", "Door open", "\ud800"]), "line": st.just("L")},
    ),
)  # fmt: skip


@pytest.fixture
def scope(db):
    machine = make_machine(code="M")
    foreign = make_machine(code="FOREIGN")
    for path, more in {
        "delta": {},
        "running": {"mode": "running"},
        "bounded": {"mode": "running", "modulus": Decimal(8)},
        "offset": {"offset": Decimal(-3)},
        "off": {"is_active": False},
    }.items():
        make_count_tag(machine=machine, tag_path=path, **more)
    make_count_tag(machine=foreign, tag_path="foreign")
    make_reason(code="RUN")
    make_reason(code="OFF", is_active=False)
    for names in (directory.tags, directory.machines, directory.reasons):
        names.forget()
    return DeviceScope("key:test", machine.line.area.site_id, frozenset([machine.pk]))


def facts():
    return (
        sorted(CountHistory.objects.values_list("tag", "occurred_at", "value", "source")),
        sorted(StateHistory.objects.values_list("machine", "occurred_at", "reason", "detail")),
        sorted(QuarantinedItem.objects.values_list("code", "field", "payload", "times")),
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(items, min_size=1, max_size=6))
def test_both_ways_of_reading_end_alike(scope, batch):
    body = json.dumps({"items": batch}).encode()
    ends = []
    for read in (read_batch, read_delivery):
        with transaction.atomic():
            outcome = accept(Delivery(read(body), scope), recorded_at=NOW)
            ends.append((outcome, facts()))
            transaction.set_rollback(True)
    assert ends[0] == ends[1]


def test_plain_items_are_found_and_others_are_not():
    plain = b'{"items": [{"tag": "a", "at": "2026-03-02T08:00:00Z", "value": 1}]}'
    assert isinstance(read_delivery(plain), PlainItems)
    assert read_delivery(plain)[0] == {"tag": "a", "at": "2026-03-02T08:00:00Z", "value": 1}
    assert isinstance(read_delivery(plain.replace(b"1}", b"1.5}")), list)
    assert isinstance(read_delivery(plain[10:-1]), list)


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20),
    st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), max_size=20),  # noqa: DTZ001
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_packed_arrays_arrive_as_they_were(db, numbers, times):
    with fact_cursor() as cursor:
        cursor.execute("SELECT %b::bigint[], %b::timestamptz[]", [BigintArray(numbers), MomentArray(times)])
        assert cursor.fetchone() == (numbers, times)


def test_moments_of_other_zones_are_packed_in_utc(db):
    at = datetime.fromisoformat("2026-03-02T08:00:00+05:30")
    with fact_cursor() as cursor:
        cursor.execute("SELECT %b::timestamptz[]", [MomentArray([at])])
        assert cursor.fetchone()[0] == [at.astimezone(UTC)]
