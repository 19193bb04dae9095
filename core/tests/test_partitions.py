"""Facts lie in monthly partitions, whenever they happened and whoever comes first."""

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from core import partitions
from core.partitions import month_start, partitions_of
from counts.models import CountHistory, CountReading
from counts.services import NewReading, record_readings
from downtime.models import RecordedState, StateHistory
from downtime.services import NewState, record_states
from tests.factories import make_count_tag, make_machine, make_reason

TABLE = "counts_counthistory"
LATER = datetime(2031, 3, 1, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


def names(table: str = TABLE) -> set[str]:
    with connection.cursor() as cursor:
        return {partition.name for partition in partitions_of(cursor, table)}


def where(tag_id):
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT tableoid::regclass::text, occurred_at FROM {TABLE} WHERE tag_id = %s ORDER BY occurred_at",
            [tag_id],
        )
        return cursor.fetchall()


def reading(tag, at: datetime, value: int = 1) -> NewReading:
    return NewReading(tag.pk, tag.machine_id, False, at, value)


@pytest.mark.django_db
def test_each_month_is_a_partition_from_its_first_microsecond_on():
    tag = make_count_tag()
    at = [LATER - MOMENT, LATER, datetime(2031, 12, 31, 23, 59, tzinfo=UTC), datetime(1990, 1, 1, tzinfo=UTC)]
    answers = record_readings([reading(tag, moment) for moment in at], recorded_at=LATER)
    assert [answer.verdict for answer in answers] == ["accepted"] * 4
    assert where(tag.pk) == [
        ("counts_counthistory_before", at[3]),
        ("counts_counthistory_2031_02", at[0]),
        ("counts_counthistory_2031_03", at[1]),
        ("counts_counthistory_2031_12", at[2]),
    ]


@pytest.mark.django_db
def test_late_facts_of_years_make_no_partitions():
    tag, before = make_count_tag(), names()
    old = [datetime(1990 + n, 5, 1, tzinfo=UTC) for n in range(30)]
    record_readings([reading(tag, moment) for moment in old], recorded_at=LATER)
    assert names() == before
    assert CountHistory.objects.filter(tag=tag).count() == 30


@pytest.mark.django_db
def test_month_that_was_made_stays_when_its_first_fact_is_rolled_back():
    machine, reason = make_machine(), make_reason()
    state = NewState(machine.pk, datetime(2032, 1, 1, tzinfo=UTC), reason.pk)
    with transaction.atomic():
        record_states([state], recorded_at=LATER)
        transaction.set_rollback(True)
    assert "downtime_statehistory_2032_01" in names("downtime_statehistory")
    assert record_states([state], recorded_at=LATER)[0].verdict == "accepted"


@pytest.mark.django_db(transaction=True)
def test_several_that_make_the_same_month_at_once_all_succeed():
    tags = [make_count_tag() for _ in range(6)]
    for n, month in enumerate((1, 2, 3)):
        at = datetime(2033, month, 1, tzinfo=UTC)
        partitions.forget()
        ready, failures = threading.Barrier(len(tags)), []

        def write(tag, at=at, ready=ready, failures=failures):
            try:
                partitions.forget()
                ready.wait()
                record_readings([reading(tag, at), reading(tag, at + MOMENT)], recorded_at=LATER)
            except Exception as error:
                failures.append(error)
            finally:
                connection.close()

        writers = [threading.Thread(target=write, args=(tag,)) for tag in tags]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert not failures
        assert CountHistory.objects.count() == 12 * (n + 1)


@pytest.mark.django_db
def test_no_partition_lets_a_fact_be_changed_or_deleted():
    tag = make_count_tag()
    for at in (datetime(2020, 1, 1, tzinfo=UTC), LATER):
        record_readings([reading(tag, at)], recorded_at=LATER)
        for change in ("UPDATE {} SET value = 5", "DELETE FROM {}"):
            for table in (TABLE, where(tag.pk)[-1][0]):
                refused = pytest.raises(Exception, match="Cannot update or delete")
                with refused, transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute(change.format(table) + " WHERE tag_id = %s", [tag.pk])


@pytest.mark.django_db(transaction=True)
def test_existing_facts_keep_their_rows_keys_triggers_and_views_when_partitions_come():
    """Back to plain tables, facts of several months, on again: the same rows, and what hangs on them."""
    before = [("counts", "0003_names_in_languages"), ("downtime", "0003_names_in_languages")]
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        executor = MigrationExecutor(connection)
        executor.migrate(before)
        partitions.forget()
        tag, reason = make_count_tag(), make_reason()
        moments = [datetime(2019, 7, 4, tzinfo=UTC), datetime(2026, 1, 31, 23, tzinfo=UTC)]
        moments.append(datetime(2026, 2, 1, tzinfo=UTC))
        for at in moments:
            CountHistory.objects.create(tag=tag, occurred_at=at, value=Decimal("1.5"), recorded_at=at, source="x")
            StateHistory.objects.create(
                machine=tag.machine, occurred_at=at, reason=reason, detail="d", recorded_at=at, source="x"
            )
        rows = [list(model.objects.order_by("occurred_at").values_list()) for model in (CountHistory, StateHistory)]
        shown = [list(model.objects.order_by("id").values_list()) for model in (CountReading, RecordedState)]
        assert not names()
    finally:
        MigrationExecutor(connection).migrate(latest)
        partitions.forget()
    assert [list(m.objects.order_by("occurred_at").values_list()) for m in (CountHistory, StateHistory)] == rows
    assert [list(m.objects.order_by("id").values_list()) for m in (CountReading, RecordedState)] == shown
    again = record_readings([reading(tag, moments[0])], recorded_at=LATER)[0]
    assert (again.verdict, again.stored) == ("conflict", Decimal("1.5"))
    assert record_readings([reading(tag, LATER + timedelta(days=40))], recorded_at=LATER)[0].verdict == "accepted"
    assert where(tag.pk)[-1][0] == "counts_counthistory_2031_04"
    with pytest.raises(Exception, match="Cannot update or delete"):
        CountHistory.objects.filter(tag=tag).update(value=9)
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    call_command("pgtrigger", "ls", "counts.CountHistory:count_history_append_only", verbosity=0)


def test_month_start_counts_back_over_years():
    assert month_start(datetime(2026, 3, 15, 5, tzinfo=UTC)) == datetime(2026, 3, 1, tzinfo=UTC)
    assert month_start(datetime(2026, 3, 15, tzinfo=UTC), months_before=3) == datetime(2025, 12, 1, tzinfo=UTC)
