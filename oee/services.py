"""Compute and keep what was asked for; rebuild what can be rebuilt."""

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import connection, transaction

from core.announcements import announce
from core.changes import Change, mark
from core.errors import Invalid
from core.intervals import HOUR, Interval, floor_hour
from core.locks import take_turns
from core.master_data import follows
from core.retention import Closed, closed_until
from counts.models import CountTag
from enterprise.models import Line, Machine
from oee.histories import NOTHING_COUNTED, load_counted
from oee.hours import (
    bring_up_to_date,
    recompute,
    recompute_from_scratch,
    store_steps,
    take_changes,
    whole_hours,
)
from oee.models import OeePolicy, OeeRecord
from oee.scopes import machines_of
from oee.selectors import Report, report

LONGEST_WINDOW_DAYS = 400
_LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)
_STORED_PLACES = Decimal("0.000000000001")


@follows(OeePolicy)
def policy_changed(*, before: OeePolicy | None, after: OeePolicy | None) -> None:
    """Let screens know; mark a site's past where start-up rejects are others now, the only thing that is stored."""
    changed = [policy for policy in (before, after) if policy is not None]
    machines = list(
        Machine.objects.filter(line__area__site__in=[p.site_id for p in changed]).values_list("id", flat=True)
    )
    if any(policy.startup_minutes for policy in changed):
        mark(Change(machine_id, _LONG_AGO) for machine_id in machines)
    announce("machine", machines)


@transaction.atomic
def compute_record(
    *, line: Line | None, machine: Machine | None, window: Interval, now: datetime
) -> tuple[OeeRecord, bool]:
    """Compute the OEE of a line or machine over a window and keep it; return the record and whether it is new.

    Asking again for the same window computes it again. Raises Invalid for a window that has not begun or is too long.
    """
    place = line or machine
    if place is None or (line is not None and machine is not None):
        raise Invalid("Name either a line or a machine.", field="line")
    refuse_window(window, now=now)
    return OeeRecord.objects.update_or_create(
        line=line,
        machine=machine,
        starts_at=window.start,
        ends_at=window.end,
        defaults=numbers_of(report(machines_of(place), window, now=now), now=now),
    )


def refuse_window(window: Interval, *, now: datetime) -> None:
    """Raise Invalid for a window that has not begun, or is too long to be computed while somebody waits."""
    if window.start >= now:
        raise Invalid("The window has not begun.", field="starts_at")
    if (window.end - window.start).days > LONGEST_WINDOW_DAYS:
        raise Invalid(f"The window is longer than {LONGEST_WINDOW_DAYS} days.", field="ends_at")


def refresh_record(record: OeeRecord, *, now: datetime) -> OeeRecord:
    """Bring a record's numbers up to the facts of now; a late fact may have changed them since."""
    place = record.line or record.machine
    assert place is not None
    try:
        numbers = numbers_of(report(machines_of(place), Interval(record.starts_at, record.ends_at), now=now), now=now)
    except Closed:
        # Its window cuts an hour whose facts are gone: what was computed of it is final.
        return record
    if numbers["elements"] != record.elements:
        for name, value in numbers.items():
            setattr(record, name, value)
        record.save(update_fields=list(numbers))
    return record


def rebuild(*, now: datetime, progress: Callable[[str], None] = lambda line: None) -> int:
    """Drop all stored hours and compute them anew from the facts, up to now; return the number of machines.

    The rows end the same as before, because they follow from the facts alone. Closed hours are not touched.
    """
    rebuilt = 0
    closed = closed_until()
    for machine in Machine.objects.order_by("id"):
        first = first_knowledge(machine.pk)
        if first is not None and closed is not None:
            first = max(first, closed)
        known = Interval(floor_hour(first), now) if first is not None and first < now else None
        hours = whole_hours(known, [machine], now=now) if known else None
        recompute_from_scratch(machine.pk, hours)
        if hours is not None:
            rebuilt += 1
            progress(f"{machine.code}: {(hours.end - hours.start) // HOUR} hours")
    return rebuilt


def first_knowledge(machine_id: int) -> datetime | None:
    """Return the first moment that facts or stored hours of a machine tell of."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT least(
                (SELECT min(starts_at) FROM oee_computedhour WHERE machine_id = %(machine)s),
                (SELECT min(occurred_at) FROM downtime_statehistory WHERE machine_id = %(machine)s),
                (SELECT min(first.occurred_at) FROM counts_counttag tag CROSS JOIN LATERAL (
                    SELECT occurred_at FROM counts_counthistory WHERE tag_id = tag.id ORDER BY occurred_at LIMIT 1
                ) first WHERE tag.machine_id = %(machine)s)
            )
            """,
            {"machine": machine_id},
        )
        row = cursor.fetchone()
        return row[0] if row else None


def numbers_of(of: Report, *, now: datetime) -> dict[str, Any]:
    """Return a report as it is kept and sent: elements in µs, quantities and ideal times as exact text."""
    times, pieces, kpis = of.sums.times, of.sums.quantities, of.kpis
    return {
        "computed_at": now,
        "elements": {
            "known_until": of.known_until.isoformat(),
            "planned_operation_time": times.planned_operation_time,
            "planned_busy_time": times.planned_busy_time,
            "actual_production_time": times.actual_production_time,
            "actual_unit_setup_time": times.actual_unit_setup_time,
            "actual_unit_delay_time": times.actual_unit_delay_time,
            "minor_stop_time": times.minor_stop_time,
            "undetermined_time": times.undetermined_time,
            "planned_downtime": times.planned_downtime,
            "break_time": times.break_time,
            "unscheduled_time": times.unscheduled_time,
            "no_data_time": times.no_data_time,
            "no_data_loss_time": times.no_data_loss_time,
            "produced_quantity": str(pieces.produced),
            "good_quantity": str(pieces.good),
            "scrap_quantity": str(pieces.scrap),
            "startup_scrap_quantity": str(pieces.startup_scrap),
            "rework_quantity": str(pieces.rework),
            "ideal_time": str(of.sums.ideal_time),
            "ideal_time_of_good": str(of.sums.ideal_time_of_good),
            "quantity_without_rate": str(of.sums.quantity_without_rate),
            "coverage": _text(kpis.coverage),
            "ideal_rate_suspect": kpis.ideal_rate_suspect,
            "policies": [
                {field.name: str(getattr(policy, field.name)) for field in fields(policy)} for policy in of.policies
            ],
        },
        "availability": _decimal(kpis.availability),
        "performance": _decimal(kpis.effectiveness),
        "quality": _decimal(kpis.quality_ratio),
        "oee": _decimal(kpis.oee_index),
    }


def _text(ratio: Fraction | None) -> str | None:
    return None if ratio is None else str(ratio)


def _decimal(ratio: Fraction | None) -> Decimal | None:
    if ratio is None:
        return None
    return (Decimal(ratio.numerator) / Decimal(ratio.denominator)).quantize(_STORED_PLACES)


RECENT_DAYS = 8


def find_counter_steps(*, now: datetime) -> None:
    """Bring the list of counter steps up to now: what follows from stored hours,
    and the hours that are not stored yet.
    """
    running = CountTag.objects.filter(mode=CountTag.Mode.RUNNING)
    for machine in Machine.objects.filter(pk__in=running.values("machine")).order_by("id"):
        hours = whole_hours(Interval(now - timedelta(days=RECENT_DAYS), now), [machine], now=now)
        assert hours is not None
        bring_up_to_date([machine.pk], hours)
        open_time = Interval(hours.end, now + timedelta(minutes=5))
        with transaction.atomic():
            take_turns("oee.hours", machine.pk)
            store_steps(machine.pk, open_time, load_counted([machine], open_time).get(machine.pk, NOTHING_COUNTED))


def keep_hours(recent: Interval, *, now: datetime) -> int:
    """Apply all changes that are marked and compute the missing hours of a recent window; return the machines touched.

    Readers do the same for what they ask; this keeps them from waiting, and the marks from piling up unread.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT subject_id FROM core_changedspan ORDER BY subject_id")
        marked = [row[0] for row in cursor.fetchall()]
    machines = Machine.objects.in_bulk(marked)
    for machine_id in marked:
        machine = machines.get(machine_id)
        hours = whole_hours(recent, [machine], now=now) if machine else None
        if hours is not None:
            recompute(machine_id, hours)
        else:
            take_changes(machine_id)
    return len(marked)
