"""Master data kept between requests: never older than the last change that was committed."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core import kept_reads, shared_reads
from core.intervals import Interval
from core.models import MasterDataChange
from core.shared_reads import apart, once, once_each, read_around, sharing
from downtime.models import StateReason
from downtime.selectors import all_reasons
from enterprise.models import Machine
from enterprise.selectors import machines_on_lines
from tests.factories import make_machine, make_reason, make_user

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def names():
    with sharing():
        return sorted(reason.name for reason in all_reasons().values())


def asked():
    """Return the statements that a second request needs for what the first one read."""
    with CaptureQueriesContext(connection) as statements:
        names()
    return [statement["sql"].split()[-1] for statement in statements.captured_queries]


def test_second_request_asks_for_the_version_alone():
    make_reason(name="Jam")
    assert "Jam" in names()
    assert asked() == ["core_masterdatachange"]


@pytest.mark.parametrize(
    "change",
    [
        lambda reason: StateReason.objects.filter(pk=reason.pk).update(name="Jam at infeed"),
        lambda reason: reason.delete(),
        lambda reason: make_reason(name="Other"),
        lambda reason: StateReason.objects.bulk_create([StateReason(code="b", name="Bulk", category="running")]),
        lambda reason: connection.cursor().execute("UPDATE downtime_statereason SET name = 'By hand'"),
    ],
    ids=["update", "delete", "save", "bulk", "by hand"],
)
def test_every_change_is_seen_by_the_next_request(change):
    reason = make_reason(name="Jam")
    before = names()
    change(reason)
    now = sorted(StateReason.objects.without_tree_fields().values_list("name", flat=True))
    assert names() == now != before


def test_two_changes_of_one_transaction_are_two_versions():
    reason = make_reason(name="One")
    for name in ("Two", "Three"):
        StateReason.objects.filter(pk=reason.pk).update(name=name)
        assert name in names()
    assert MasterDataChange.objects.count() == 1


def test_what_was_rolled_back_is_not_kept():
    make_reason(name="Jam")
    before = names()
    with transaction.atomic():
        make_reason(name="Never")
        assert "Never" in names()
        transaction.set_rollback(True)
    assert names() == before


def test_what_writes_and_what_shares_nothing_asks_the_database():
    reason = make_reason(name="Jam")
    names()
    with CaptureQueriesContext(connection) as statements:
        all_reasons()
        with sharing(), apart():
            all_reasons()
    assert len(statements) == 2
    assert all_reasons()[reason.pk].name == "Jam"


def test_rights_that_were_taken_away_are_gone_with_the_next_request():
    person = make_user(role="engineer")
    with sharing():
        assert type(person).objects.get(pk=person.pk).may("change", "master_data")
    person.memberships.all().delete()
    with sharing():
        assert not type(person).objects.get(pk=person.pk).may("change", "master_data")


def test_machine_that_moved_is_on_its_new_line():
    machine, other = make_machine(is_constraint=False), make_machine()
    lines = [machine.line_id, other.line_id]
    with sharing():
        assert machines_on_lines(lines) == {machine.line_id: [machine], other.line_id: [other]}
    Machine.objects.filter(pk=machine.pk).update(line=other.line)
    with sharing():
        assert machines_on_lines(lines) == {other.line_id: [machine, other]}


def test_who_changes_the_list_that_was_returned_changes_nothing_that_is_kept():
    machine = make_machine()
    with sharing():
        machines_on_lines([machine.line_id])[machine.line_id].clear()
        assert machines_on_lines([machine.line_id]) == {machine.line_id: [machine]}


def test_past_changes_are_forgotten_without_a_version_coming_back():
    with sharing():
        versions = {kept_reads.kept_now().version}
    make_reason()
    for _ in range(3):
        versions.add(kept_reads.kept_now().version)
        kept_reads.forget_past_changes()
        StateReason.objects.all().delete()
        versions.add(kept_reads.kept_now().version)
    # As it was, as it was after the machine's reason, and after each of the three deletions.
    assert len(versions) == 5
    assert MasterDataChange.objects.count() == 1


def test_windows_and_names_that_are_kept_stay_few(monkeypatch):
    monkeypatch.setattr(kept_reads, "MOST_NAMES", 10)
    for hour in range(200):
        window = Interval(NOON + timedelta(days=100 * hour), NOON + timedelta(days=100 * hour + 1))
        with sharing():
            read_around("windows", ["a"], window, lambda keys, around: [around], kept=True)
            once_each("names", [hour], lambda keys: dict.fromkeys(keys, "x"), kept=True)
            once(f"thing {hour}", dict, kept=True)
    things = kept_reads.kept_now().things
    assert len(things["windows"]) <= shared_reads._MOST_WINDOWS
    assert len(things["names"]) <= 11
    assert len(things["once"]) <= 11
