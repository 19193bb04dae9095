"""Raw facts go, numbers stay: after pruning, every KPI is the same to the last digit."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from rest_framework.test import APIClient

from accounts.keys import DeviceScope
from core import partitions, retention
from core.errors import DomainError
from core.intervals import HOUR, Interval
from core.master_data import delete, save
from core.models import Retention
from core.partitions import partitions_of
from counts.models import CountHistory
from counts.services import NewReading, correct_count, record_readings
from downtime.models import StateHistory
from downtime.services import NewState, correct_fact, correct_state, record_states
from enterprise.models import CalendarException, Shift
from ingest.models import QuarantinedItem
from ingest.services import Delivery, accept
from oee.models import HourSlice
from oee.retention import COUNTS, STATES, due, prune
from oee.selectors import timelines
from oee.services import compute_record, rebuild, refresh_record
from oee.tests.random_plant import Plant
from products.models import IdealRate
from tests.factories import (
    make_machine,
    make_reason,
    make_shift,
    make_user,
)
from workorders.models import Run
from workorders.services import end_run

pytestmark = pytest.mark.django_db(transaction=True)
CLOSED = datetime(2027, 5, 1, tzinfo=UTC)
NOW = datetime(2027, 6, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _open_again():
    """Leave the tables as other tests expect them: nothing is closed."""
    yield
    with connection.cursor() as cursor:
        for table in (COUNTS, STATES):
            cursor.execute(f"DROP TRIGGER IF EXISTS refuse_closed_time ON {table}_before")
    partitions.forget()
    retention.forget()


def prune_all() -> None:
    Retention.objects.update_or_create(pk=1, defaults={"keep_months": 1})
    done = prune(now=NOW)
    assert done is not None
    assert done.closed_until == CLOSED
    retention.forget()


def stored() -> list:
    fields = [field.attname for field in HourSlice._meta.concrete_fields if field.name != "id"]
    return sorted(HourSlice.objects.values_list(*fields), key=repr)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_kpi_stays_the_same_to_the_last_digit(seed):
    plant = Plant(seed, CLOSED, now=NOW)
    plant.correct()
    before = plant.numbers()
    rows = stored()
    facts = CountHistory.objects.count() + StateHistory.objects.count()
    prune_all()
    assert CountHistory.objects.count() + StateHistory.objects.count() < facts * 0.8
    assert plant.numbers() == before
    assert due(now=NOW) is None
    rebuild(now=NOW)
    assert plant.numbers() == before
    assert set(rows) <= set(stored())


@pytest.mark.parametrize("seed", [4])
def test_late_fact_right_after_the_closed_time_means_the_same_as_without_pruning(seed):
    plant = Plant(seed, CLOSED, now=NOW)
    plant.correct()
    plant.numbers()

    def late() -> None:
        for n, machine in enumerate(plant.machines):
            at = CLOSED + timedelta(minutes=3 + n, microseconds=1)
            record_states([NewState(machine.pk, at, plant.reasons[0].pk)], recorded_at=NOW)
            for tag in machine.count_tags.filter(mode="running"):
                record_readings([NewReading(tag.pk, machine.pk, True, at, 77)], recorded_at=NOW)

    with transaction.atomic():
        late()
        expected = plant.numbers()
        transaction.set_rollback(True)
    prune_all()
    late()
    assert plant.numbers() == expected
    rebuild(now=NOW)
    assert plant.numbers() == expected


def test_pruning_again_a_month_later_keeps_what_was_kept_and_the_numbers():
    plant = Plant(6, CLOSED, now=NOW)
    before = plant.numbers()
    prune_all()
    assert prune(now=datetime(2027, 7, 1, tzinfo=UTC)).closed_until == datetime(2027, 6, 1, tzinfo=UTC)
    assert plant.numbers() == before
    for machine in plant.machines:
        assert StateHistory.objects.filter(machine=machine).count() >= 1
        for tag in machine.count_tags.all():
            assert CountHistory.objects.filter(tag=tag).exists()
    with connection.cursor() as cursor:
        assert partitions_of(cursor, COUNTS)[0].end == datetime(2027, 6, 1, tzinfo=UTC)


def test_facts_of_closed_time_are_refused_at_the_door_and_by_the_database():
    plant = Plant(7, CLOSED, now=NOW)
    prune_all()
    machine = plant.machines[0]
    tag, reason = machine.count_tags.first(), plant.reasons[0]
    at = CLOSED - timedelta(microseconds=1)
    scope = DeviceScope(source="d", site_id=plant.site.pk, machine_ids=frozenset([machine.pk]))
    items = [
        {"tag": tag.tag_path, "at": at.isoformat(), "value": 5},
        {"machine": machine.code, "at": at.isoformat(), "state": reason.code},
        {"machine": machine.code, "at": at.isoformat(), "until": NOW.isoformat(), "gap": "lost"},
        {
            "machine": machine.code,
            "at": (CLOSED + HOUR * 2 + timedelta(microseconds=5)).isoformat(),
            "state": reason.code,
        },
    ]
    outcome = accept(Delivery(items, scope), recorded_at=NOW)
    assert outcome.accepted == 1
    assert [(item.index, item.status, item.field, item.code) for item in outcome.items] == [
        (n, "refused", "at", "too_old") for n in range(3)
    ]
    assert "2027-05-01" in outcome.items[0].message
    assert QuarantinedItem.objects.filter(code="too_old").count() == 3
    for write in (
        lambda: record_readings([NewReading(tag.pk, machine.pk, False, at, 5)], recorded_at=NOW),
        lambda: record_states([NewState(machine.pk, at, reason.pk)], recorded_at=NOW),
    ):
        with pytest.raises(IntegrityError, match="is closed"):
            write()


def test_what_people_say_about_closed_time_is_refused_with_the_field():
    plant = Plant(8, CLOSED, now=NOW)
    prune_all()
    machine, reason, actor = plant.machines[0], plant.reasons[3], plant.person
    words = {"comment": "x", "actor": actor, "recorded_at": NOW}
    kept = CountHistory.objects.filter(occurred_at__lt=CLOSED).select_related("tag").first()
    run = Run.objects.order_by("started_at").first()
    rate = IdealRate.objects.first()
    shift = Shift.objects.first()
    early = CLOSED - timedelta(hours=1)

    def changed(thing, **values):
        for name, value in values.items():
            setattr(thing, name, value)
        return save(thing)

    refused = {
        "starts_at": lambda: correct_state(
            machine=machine, starts_at=early, ends_at=CLOSED + HOUR, reason=reason, **words
        ),
        "occurred_at": lambda: correct_count(fact=kept, value=Decimal(1), **words),
        "started_at": lambda: changed(Run.objects.get(pk=run.pk), started_at=run.started_at + timedelta(minutes=1)),
        "ended_at": lambda: changed(Run.objects.get(pk=run.pk), ended_at=run.ended_at - timedelta(minutes=1)),
        "valid_from": lambda: changed(IdealRate.objects.get(pk=rate.pk), value=Decimal(3)),
        "valid_until": lambda: changed(IdealRate.objects.get(pk=rate.pk), valid_until=early),
        "date": lambda: save(CalendarException(site=plant.site, date=date(2027, 4, 28), name="Holiday")),
    }
    before = plant.numbers()
    for field, act in refused.items():
        with pytest.raises(DomainError) as refusal:
            act()
        assert (refusal.value.field, refusal.value.code) == (field, "too_old")
    for thing in (run, rate):
        with pytest.raises(DomainError):
            delete(thing)
    # What goes on may end, and what holds on may change from the closed time on.
    changed(shift, end_time=time(14, 0))
    shift.refresh_from_db()
    closed_numbers = {key: value for key, value in before.items() if key[0] == "run"}
    after = plant.numbers()
    ended = [run.pk for run in Run.objects.filter(ended_at__lte=CLOSED)]
    assert ended
    for pk in ended:
        assert after["run", pk] == closed_numbers["run", pk]


def test_correction_of_a_state_that_lasts_beyond_the_closed_time_begins_there():
    machine, actor = make_machine(), make_user()
    stop, jam = make_reason("unplanned"), make_reason("planned")
    record_states([NewState(machine.pk, CLOSED - HOUR, stop.pk)], recorded_at=NOW)
    prune_all()
    fact = StateHistory.objects.select_related("reason", "machine").get(machine_id=machine.pk)
    correction = correct_fact(fact=fact, reason=jam, comment="x", actor=actor, recorded_at=NOW)
    assert correction.starts_at == CLOSED


def test_run_that_began_in_closed_time_may_still_end():
    Plant(9, CLOSED, now=NOW)
    Run.objects.filter(started_at__gte=CLOSED).delete()
    run = Run.objects.order_by("-started_at").first()
    Run.objects.filter(pk=run.pk).update(ended_at=None)
    prune_all()
    run.ended_at = None
    assert end_run(run=run, ended_at=CLOSED + HOUR * 30).ended_at == CLOSED + HOUR * 30


def test_record_whose_window_cuts_a_closed_hour_keeps_its_numbers_and_timelines_are_refused():
    plant = Plant(10, CLOSED, now=NOW)
    record, _ = compute_record(
        line=plant.line,
        machine=None,
        window=Interval(plant.first + HOUR, CLOSED - timedelta(minutes=5)),
        now=NOW,
    )
    prune_all()
    numbers = record.elements
    assert refresh_record(record, now=NOW).elements == numbers
    with pytest.raises(DomainError) as refusal:
        timelines(plant.machines, Interval(CLOSED - HOUR, CLOSED), now=NOW)
    assert refusal.value.field == "starts_at"


def test_nothing_is_pruned_without_a_setting_and_a_dry_run_changes_nothing(capsys):
    Plant(11, CLOSED, now=NOW)
    assert prune(now=NOW) is None
    call_command("prune")
    assert "nothing to prune" in capsys.readouterr().out
    Retention.objects.create(keep_months=1)
    facts = CountHistory.objects.count()
    assert (
        due(now=NOW).partitions
        == (
            *(f"{COUNTS}_before", f"{COUNTS}_2027_04"),
            *(f"{STATES}_before", f"{STATES}_2027_04"),
        )
        or f"{COUNTS}_before" in due(now=NOW).partitions
    )
    assert CountHistory.objects.count() == facts
    assert Retention.objects.get().closed_until is None


def test_window_that_cuts_a_closed_hour_is_refused_over_http_with_the_field_named():
    machine = make_machine()
    Retention.objects.create(keep_months=1, closed_until=datetime(2026, 5, 1, tzinfo=UTC))
    make_shift(site=machine.line.area.site, start_time=time(6, 30), end_time=time(14, 30))
    client = APIClient()
    client.force_authenticate(make_user(is_superuser=True))
    whole = {"line": machine.line.code, "starts_at": "2026-04-28T01:00:00Z", "ends_at": "2026-04-28T07:00:00Z"}

    def ask(**asked):
        return client.get("/oee/report/", asked)

    assert ask(**whole).status_code == 200
    for field, value in (("starts_at", "2026-04-28T01:10:00Z"), ("ends_at", "2026-04-28T07:10:00Z")):
        answer = ask(**{**whole, field: value})
        assert answer.status_code == 400
        assert list(answer.json()) == [field]
    shift = Shift.objects.get()
    assert ask(line=machine.line.code, shift=shift.pk, date="2026-04-28").status_code == 200
    assert ask(line=machine.line.code, date="2026-04-28").status_code == 200


def test_admin_says_from_when_on_a_change_counts(client):
    machine = make_machine()
    Retention.objects.create(keep_months=1, closed_until=datetime(2026, 5, 1, tzinfo=UTC))
    client.force_login(make_user(is_superuser=True, is_staff=True))
    page = client.get("/admin/core/retention/1/change/")
    assert b"2026-05-01 00:00 UTC" in page.content
    assert client.post("/admin/core/retention/1/change/", {"keep_months": "0"}).status_code == 200
    assert client.post("/admin/core/retention/1/change/", {"keep_months": "18"}).status_code == 302
    assert Retention.objects.get().keep_months == 18
    assert client.get("/admin/core/retention/").status_code == 200
    page = client.get(f"/admin/enterprise/machine/{machine.pk}/change/")
    shown = page.context["adminform"].form.initial.items()
    changed = {name: value for name, value in shown if value not in (None, False)} | {"no_signal_timeout": "60"}
    for formset in page.context["inline_admin_formsets"]:
        changed |= {f"{formset.formset.prefix}-{name}_FORMS": "0" for name in ("TOTAL", "INITIAL")}
    answer = client.post(f"/admin/enterprise/machine/{machine.pk}/change/", changed, follow=True)
    assert "the change counts from then on" in answer.content.decode()
