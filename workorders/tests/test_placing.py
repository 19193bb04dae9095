"""The schedule of a line: one thing at a time, collisions named, old views told."""

import itertools
from datetime import UTC, date, datetime, time, timedelta

import pytest
import tablib
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from core import master_data
from core.errors import Conflict, Invalid
from tests.factories import make_machine, make_run, make_schedule, make_shift, make_site, make_user, make_work_order
from workorders import placing
from workorders.models import Schedule, WorkOrder
from workorders.resources import ScheduleResource
from workorders.selectors import schedule_entries

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def plan(line, start=AT, hours=1, **more):
    order = more.pop("work_order", None) or make_work_order(line=line)
    end = start + hours * HOUR
    return placing.place(
        line=line, work_order=order, planned_start_at=start, planned_end_at=end, actor=more.pop("actor", None), **more
    )[0]


def test_collision_names_order_line_and_times_of_the_site():
    line = make_machine().line
    plan(line, work_order=make_work_order(line=line, order_number="WO-12"), hours=2)
    with pytest.raises(Conflict) as refusal:
        plan(line, AT + HOUR)
    assert refusal.value.message == (f"It collides with order WO-12 on {line}, 2026-03-02 09:00 – 11:00 CET.")


def test_maintenance_blocks_production_and_is_named():
    line = make_machine().line
    placing.place(line=line, kind="maintenance", note="Belt", planned_start_at=AT, planned_end_at=AT + HOUR, actor=None)
    with pytest.raises(Conflict, match=r"maintenance \(Belt\) on"):
        plan(line)


def test_what_touches_does_not_collide_and_what_is_cancelled_blocks_nothing():
    line = make_machine().line
    first = plan(line)
    plan(line, AT + HOUR)
    placing.cancel(entry=first, actor=None)
    assert plan(line).pk != first.pk


def test_placing_again_is_the_same_entry():
    line = make_machine().line
    order = make_work_order(line=line)
    assert plan(line, work_order=order).pk == plan(line, work_order=order).pk
    assert Schedule.objects.count() == 1


def test_what_is_moved_stays_as_long_as_it_is_by_now():
    entry = plan(make_machine().line)
    placing.resize(entry=placing.entry_of(entry), planned_end_at=AT + 3 * HOUR, actor=None)
    assert placing.move(entry=entry, planned_start_at=AT + HOUR, actor=None).planned_end_at == AT + 4 * HOUR


def test_database_refuses_what_goes_past_the_services():
    line = make_machine().line
    plan(line)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_schedule(line=line, planned_start_at=AT)


def test_order_that_is_over_is_not_planned():
    line = make_machine().line
    with pytest.raises(Conflict, match="cancelled"):
        plan(line, work_order=make_work_order(line=line, status=WorkOrder.Status.CANCELLED))


def test_file_plans_again_what_was_cancelled_and_nothing_for_an_order_that_is_over():
    line = make_machine().line
    cancelled, order = plan(line), make_work_order(line=line)
    placing.cancel(entry=cancelled, actor=None)
    row = [line.code, "2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z", order.order_number]
    file = tablib.Dataset(row, headers=["line", "planned_start_at", "planned_end_at", "work_order"])
    resource = ScheduleResource(actor=make_user(is_superuser=True))
    assert not resource.import_data(file, raise_errors=True).has_validation_errors()
    assert [entry.status for entry in Schedule.objects.order_by("pk")] == ["cancelled", "planned"]
    WorkOrder.objects.filter(pk=order.pk).update(status="cancelled")
    Schedule.objects.filter(work_order=order).delete()
    assert "nothing is planned for it" in str(resource.import_data(file).invalid_rows[0].error)


def test_order_of_another_site_is_not_planned():
    with pytest.raises(Invalid, match="another site"):
        plan(make_machine().line, work_order=make_work_order(line=make_machine().line))


@pytest.mark.parametrize("year", [1, 1999, 9999])
def test_strange_years_are_refused(year):
    with pytest.raises(Invalid, match="between 2000 and 2200"):
        plan(make_machine().line, datetime(year, 12, 31, 12, tzinfo=UTC), hours=1)


def test_entry_knows_its_shift_and_sequence():
    line = make_machine().line
    night = make_shift(line=line, name="Night", start_time=time(22), end_time=time(6))
    late = plan(line, datetime(2026, 3, 3, 1, tzinfo=UTC))
    early = plan(line, datetime(2026, 3, 2, 22, tzinfo=UTC))
    outside = plan(line, datetime(2026, 3, 3, 12, tzinfo=UTC))
    found = {entry.pk: entry for entry in schedule_entries()}
    assert [(found[one.pk].shift_id, found[one.pk].shift_date) for one in (late, early, outside)] == [
        (night.pk, date(2026, 3, 2)),
        (night.pk, date(2026, 3, 2)),
        (None, date(2026, 3, 3)),
    ]
    assert [found[one.pk].sequence for one in (early, late, outside)] == [1, 2, 1]
    placing.cancel(entry=early, actor=None)
    assert [schedule_entries().get(pk=one.pk).sequence for one in (early, late)] == [None, 1]


def test_calendar_that_changes_changes_the_shift_of_what_is_planned():
    line = make_machine().line
    entry = plan(line)
    shift = make_shift(line=line)
    master_data.save(shift)
    assert placing.entry_of(entry).shift_id == shift.pk
    shift.start_time = time(10)
    master_data.save(shift)
    assert placing.entry_of(entry).shift_id is None
    master_data.delete(shift)
    assert placing.entry_of(entry).shift_date == date(2026, 3, 2)


def test_both_hours_of_the_night_when_clocks_go_back_can_be_planned_and_are_told_apart():
    line = make_machine().line
    summer, winter = datetime(2026, 10, 25, 0, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)
    first, second = plan(line, summer), plan(line, winter)
    assert placing.words(first).endswith("2026-10-25 02:00 CEST – 02:00 CET")
    assert placing.words(second).endswith("2026-10-25 02:00 – 03:00 CET")


def test_stale_editor_is_told_who_changed_it():
    line = make_machine().line
    entry = plan(line)
    seen = schedule_entries().get(pk=entry.pk).version
    other = make_user("supervisor", username="ewa")
    placing.move(entry=entry, planned_start_at=AT + 3 * HOUR, actor=other, seen_version=seen)
    with pytest.raises(Conflict, match="while you were looking"):
        placing.cancel(entry=entry, actor=None, seen_version=seen)
    # What asks for what is there already is a retry.
    placing.move(entry=placing.entry_of(entry), planned_start_at=AT + 3 * HOUR, actor=other, seen_version=seen)
    assert placing.entry_of(entry).status == "planned"


def test_work_that_has_begun_is_neither_moved_nor_cancelled():
    line = make_machine().line
    entry = plan(line)
    make_run(line=line, work_order=entry.work_order, schedule=entry, started_at=AT)
    for act in (
        lambda: placing.cancel(entry=entry, actor=None),
        lambda: placing.move(entry=entry, planned_start_at=AT + HOUR, actor=None),
    ):
        with pytest.raises(Conflict, match="has begun"):
            act()
    assert placing.resize(entry=entry, planned_end_at=AT + 2 * HOUR, actor=None).planned_end_at == AT + 2 * HOUR


def test_swapping_changes_places_and_keeps_pauses_and_lengths():
    line = make_machine().line
    one, two, three = plan(line), plan(line, AT + HOUR, hours=2), plan(line, AT + 4 * HOUR, hours=3)
    placing.swap(entry=three, other=one, actor=None)
    hours = [
        ((entry.planned_start_at - AT) // HOUR, (entry.planned_end_at - AT) // HOUR)
        for entry in map(placing.entry_of, (three, two, one))
    ]
    assert hours == [(0, 3), (3, 5), (6, 7)]
    assert placing.entry_of(one).history.count() == 2


def test_entries_that_overlapped_before_can_be_edited_only_out_of_the_way():
    line = make_machine().line
    plan(line)
    old = make_schedule(line=line, planned_start_at=AT, is_checked=False)
    with pytest.raises(Conflict, match="collides"):
        placing.change(entry=old, actor=None, note="later")
    assert placing.move(entry=old, planned_start_at=AT + HOUR, actor=None).is_checked


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["place", "move", "resize", "cancel"]), st.integers(0, 9), st.integers(1, 4)),
        max_size=12,
    )
)
def test_no_accepted_entries_ever_overlap(steps):
    with transaction.atomic():
        line = make_machine().line
        entries = []
        for action, at, length in steps:
            try:
                with transaction.atomic():
                    if action == "place" or not entries:
                        entries.append(plan(line, AT + at * HOUR, hours=length))
                    elif action == "move":
                        placing.move(entry=placing.entry_of(entries[-1]), planned_start_at=AT + at * HOUR, actor=None)
                    elif action == "resize":
                        last = placing.entry_of(entries[0])
                        placing.resize(entry=last, planned_end_at=last.planned_start_at + length * HOUR, actor=None)
                    else:
                        placing.cancel(entry=placing.entry_of(entries[at % len(entries)]), actor=None)
            except Conflict:
                pass
        stored = list(Schedule.objects.filter(line=line).exclude(status="cancelled").order_by("planned_start_at"))
        for before, after in itertools.pairwise(stored):
            assert before.planned_end_at <= after.planned_start_at
        transaction.set_rollback(True)


@pytest.fixture
def supervisor_and_line():
    line = make_machine().line
    client = APIClient()
    client.force_authenticate(make_user("supervisor", line.area.site))
    return client, line


def body(line, start=AT, **more):
    end = (start + HOUR).isoformat()
    return {"line": line.pk, "planned_start_at": start.isoformat(), "planned_end_at": end, **more}


def test_rest_refuses_a_collision_with_409_and_its_name(supervisor_and_line):
    client, line = supervisor_and_line
    order = make_work_order(line=line, order_number="WO-12")
    created = client.post("/schedule-run/schedule", body(line, work_order=order.pk, planned_quantity="10"))
    assert (created.status_code, created.data["sequence"], created.data["status"]) == (201, 1, "planned")
    assert client.post("/schedule-run/schedule", body(line, work_order=order.pk)).status_code == 200
    other = body(line, AT + HOUR / 2, work_order=make_work_order(line=line).pk)
    refused = client.post("/schedule-run/schedule", other)
    assert refused.status_code == 409
    assert "order WO-12 on" in refused.data["planned_start_at"][0]


def test_rest_acts_on_an_entry_and_tells_a_stale_editor(supervisor_and_line):
    client, line = supervisor_and_line
    made = client.post("/schedule-run/schedule", body(line, work_order=make_work_order(line=line).pk)).data
    path = f"/schedule-run/schedule/{made['id']}"
    confirmed = client.post(f"{path}/confirm/", {"seen_version": made["version"]})
    assert (confirmed.status_code, confirmed.data["status"]) == (200, "confirmed")
    moved = {"planned_start_at": "2026-03-02T20:00:00Z", "seen_version": made["version"]}
    assert client.post(f"{path}/move/", moved).status_code == 409
    assert client.patch(path, {"note": "x", "seen_version": made["version"]}).status_code == 409
    moved["seen_version"] = confirmed.data["version"]
    assert client.post(f"{path}/move/", moved).data["planned_end_at"] == "2026-03-02T21:00:00Z"
    assert client.post(f"{path}/move/", {"planned_start_at": "9999-12-31T23:00:00Z"}).status_code == 400
    assert client.post(f"{path}/resize/", {"planned_end_at": "2026-03-02T22:00:00Z"}).status_code == 200
    assert client.post(f"{path}/swap/", {"other": made["id"]}).status_code == 400
    assert client.post(f"{path}/cancel/", {}).data["status"] == "cancelled"
    assert client.post(f"{path}/confirm/", {}).status_code == 409


def test_another_sites_entry_does_not_exist_and_an_operator_may_not_write(supervisor_and_line):
    client, line = supervisor_and_line
    entry = make_schedule()
    assert client.post(f"/schedule-run/schedule/{entry.pk}/cancel/", {}).status_code == 404
    own = make_schedule(line=line)
    client.force_authenticate(make_user("operator", line.area.site))
    assert client.post(f"/schedule-run/schedule/{own.pk}/cancel/", {}).status_code == 403
    client.force_authenticate(make_user("supervisor", make_site()))
    assert client.get(f"/schedule-run/schedule/{own.pk}").status_code == 404
