"""Read what tablets and devices ask for, in the shapes that they know."""

from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import User
from connectors.digitme2.access import Plant
from connectors.digitme2.tables import CLOSED, DOWN, UP, JobInput, Workflow
from connectors.models import Tablet
from core.intervals import Interval
from downtime.models import StateHistory, StateReason
from enterprise.models import Machine
from oee.reason_times import losses
from oee.scopes import production_day
from oee.selectors import report
from oee.slicing import Part
from workorders.models import Run

_Category = StateReason.Category
_STOPS = (_Category.UNPLANNED, _Category.PLANNED, _Category.CHANGEOVER)
_COLOURS = {
    _Category.RUNNING: "#2e9e5b",
    _Category.UNPLANNED: "#d64545",
    _Category.PLANNED: "#e0a100",
    _Category.CHANGEOVER: "#7a5cc7",
    _Category.NOT_SCHEDULED: "#8a94a6",
    _Category.NO_DATA: "#8a94a6",
}
UPDATE_SECONDS = 3600
"""How often a running-total tablet asks for pieces."""
_TITLES = {
    JobInput.SECONDS: "Ideal cycle time (s)",
    JobInput.MINUTES: "Ideal cycle time (min)",
    JobInput.HOURS: "Ideal cycle time (h)",
    JobInput.PER_SECOND: "Parts per second",
    JobInput.PER_MINUTE: "Parts per minute",
    JobInput.PER_HOUR: "Parts per hour",
}


def tablets(plant: Plant) -> QuerySet[Tablet]:
    """Return the tablets of a connector, with what an answer needs."""
    return plant.connector.tablets.select_related("machine__line__area__site", "user")


def may_use(user: User, plant: Plant) -> bool:
    """Say whether a person may start and end jobs at the connector's site."""
    return user.is_active and user.may("add", "run", plant.connector.site_id)


def people(plant: Plant) -> dict[int, User]:
    """Return who may log in, by the number that tablets know."""
    users = User.objects.filter(is_active=True)
    if plant.settings.users:
        by_name = {user.username: user for user in users.filter(username__in=plant.settings.users.values())}
        numbered = {number: by_name[name] for number, name in plant.settings.users.items() if name in by_name}
    else:
        at_site = Q(memberships__site=plant.connector.site_id) | Q(memberships__site__isnull=True)
        here = users.filter(Q(is_superuser=True) | (at_site & Q(memberships__isnull=False))).distinct()
        numbered = {user.pk: user for user in here.order_by("pk")}
    return {number: user for number, user in numbered.items() if may_use(user, plant)}


def users(plant: Plant) -> list[dict[str, Any]]:
    """Return who may log in, as devices list them."""
    site_id = plant.connector.site_id
    return [
        {"username": user.username, "user_id": number, "admin": user.may("add", "master_data", site_id)}
        for number, user in people(plant).items()
    ]


def reasons(plant: Plant) -> dict[int, StateReason]:
    """Return the active state reasons of the table, by the number of the activity code."""
    table = plant.settings.reasons
    rows = StateReason.objects.without_tree_fields().filter(code__in=table.values(), is_active=True)
    by_code = {reason.code: reason for reason in rows}
    return {number: by_code[code] for number, code in sorted(table.items()) if code in by_code}


def colour_of(reason: StateReason) -> str:
    """Return a reason's colour, or its category's."""
    return reason.colour or _COLOURS[_Category(reason.category)]


def activity_codes(plant: Plant) -> list[dict[str, Any]]:
    """Return the activity codes, as devices list them."""
    return [
        {
            "id": number,
            "short_description": reason.name,
            "long_description": reason.name,
            "graph_colour": colour_of(reason),
            "machine_state": machine_state_of(reason),
        }
        for number, reason in reasons(plant).items()
    ]


def machine_state_of(reason: StateReason | None) -> int:
    """Return 1 up, 2 unplanned or 3 planned downtime; what nobody said is unplanned, as there."""
    if reason is None or reason.category in (_Category.UNPLANNED, _Category.NO_DATA):
        return 2
    return 1 if reason.category == _Category.RUNNING else 3


def code_of(plant: Plant, reason: StateReason | None) -> int:
    """Return the number of a reason's activity code; of one that has none, the fixed code of its kind."""
    if reason is None:
        return DOWN
    for number, code in sorted(plant.settings.reasons.items()):
        if code == reason.code:
            return number
    return {_Category.RUNNING: UP, _Category.NOT_SCHEDULED: CLOSED}.get(_Category(reason.category), DOWN)


def named_code(plant: Plant, said: str) -> int | None:
    """Return the activity code that a tablet names by its description, its reason's code or its number."""
    for number, reason in reasons(plant).items():
        if said in (reason.name, reason.code, str(number)):
            return number
    return None


def last_state(machine: Machine, at: datetime) -> StateHistory | None:
    """Return the last thing that was said of a machine up to a moment."""
    facts = StateHistory.objects.filter(machine=machine, occurred_at__lte=at)
    return facts.select_related("reason").order_by("-occurred_at").first()


def current_code(plant: Plant, machine: Machine, now: datetime) -> int:
    """Return the activity code of the state that a machine is in."""
    last = last_state(machine, now)
    return code_of(plant, last.reason if last else None)


def active_run(line_id: int, at: datetime) -> Run | None:
    """Return the run of a line at a moment: what a tablet calls the machine's active job."""
    runs = Run.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at), line=line_id, started_at__lte=at)
    return runs.select_related("work_order__product").order_by("-started_at").first()


def stop_start(plant: Plant, machine: Machine, run: Run | None, now: datetime) -> datetime | None:
    """Return since when a machine stands by what this connector told, within the run; None when it does not."""
    facts = StateHistory.objects.filter(machine=machine, occurred_at__lte=now)
    if run is not None:
        facts = facts.filter(occurred_at__gte=run.started_at)
    other = facts.exclude(source=plant.scope.source, reason__category__in=_STOPS).order_by("-occurred_at")
    before = other.values_list("occurred_at", flat=True).first()
    if before is not None:
        facts = facts.filter(occurred_at__gt=before)
    return facts.order_by("occurred_at").values_list("occurred_at", flat=True).first()


def quantities(machine: Machine, run: Run, now: datetime) -> tuple[Fraction, Fraction]:
    """Return good and rejected pieces of a machine in a run so far, as the OEE has them."""
    if now <= run.started_at:
        return Fraction(0), Fraction(0)
    window = Interval(run.started_at, now)
    made = report([machine], window, now=now, part=Part(run_ids=frozenset([run.pk]))).sums.quantities
    return made.good, made.scrap


def check_state(plant: Plant, tablet: Tablet, now: datetime) -> dict[str, Any]:
    """Return which screen a tablet shows: no_user, no_job, active_job or paused, with what the screen needs."""
    machine = tablet.machine
    if machine is None or not plant.knows(machine):
        text = f"No machine is assigned to {tablet.name} ({tablet.device_uuid}). Assign one in the administration."
        return {
            "workflow_type": Workflow.DEFAULT,
            "state": "no_user",
            "machine": text,
            "device_name": tablet.name,
        }
    row = plant.row_of(machine)
    if tablet.user is None or not may_use(tablet.user, plant):
        return {
            "workflow_type": row.workflow,
            "state": "no_user",
            "machine": machine.name,
            "device_name": tablet.name,
        }
    common = {
        "workflow_type": row.workflow,
        "machine_id": row.number,
        "machine_name": machine.name,
        "user_name": tablet.user.username,
    }
    run = active_run(machine.line_id, now)
    if run is None:
        return {**common, "state": "no_job", "requested_data": _asked_at_start(row.job_input)}
    last = last_state(machine, now)
    reason = last.reason if last else None
    state = machine_state_of(reason)
    answer = {
        **common,
        "state": "paused" if row.workflow is Workflow.PAUSABLE and state != 1 else "active_job",
        "job_number": run.work_order.order_number,
        "current_activity_code_id": code_of(plant, reason),
        "current_machine_state": state,
        "activity_codes": [
            {"activity_code_id": number, "colour": colour_of(known), "description": known.name}
            for number, known in reasons(plant).items()
        ],
        "colour": colour_of(reason) if reason else _COLOURS[_Category.NO_DATA],
        "requested_data_on_end": {
            "quantity_good": _asked("Good pieces"),
            "rejects": _asked("Rejects"),
        },
    }
    if row.workflow is Workflow.RUNNING_TOTAL:
        good, _ = quantities(machine, run, now)
        answer |= {
            "last_update": _last_count(machine, run, now).timestamp(),
            "current_quantity": plain(good),
            "update_frequency": UPDATE_SECONDS,
        }
    return answer


def _last_count(machine: Machine, run: Run, now: datetime) -> datetime:
    moments = [
        tag.readings.filter(occurred_at__gte=run.started_at, occurred_at__lte=now)
        .order_by("-occurred_at")
        .values_list("occurred_at", flat=True)
        .first()
        for tag in machine.count_tags.filter(is_active=True, mode="delta", count_type__role__in=("good", "reject"))
    ]
    return max([run.started_at, *(moment for moment in moments if moment)])


def _asked(title: str, kind: str = "number", autofill: str = "") -> dict[str, str]:
    return {"title": title, "type": kind, "autofill": autofill}


def _asked_at_start(job_input: JobInput) -> dict[str, dict[str, str]]:
    asked = {"job_number": _asked("Job number", "text")}
    if job_input is JobInput.PLANNED:
        asked["planned_quantity"] = _asked("Planned quantity")
        asked["planned_time"] = _asked("Planned time (min)")
    elif job_input is not JobInput.NONE:
        asked["ideal_cycle_time"] = _asked(_TITLES[job_input])
    asked["start_time"] = _asked("Start time", "time", "current")
    return asked


def oee(machine: Machine, number: int, day: date, now: datetime) -> dict[str, Any]:
    """Return a machine's OEE of a production day, each ratio as a number, or null when it is not known."""
    window = production_day(machine, day)
    answer: dict[str, Any] = {"machine_id": number, "date": day.isoformat()}
    names = {
        "oee": "oee_index",
        "availability": "availability",
        "performance": "effectiveness",
        "quality": "quality_ratio",
    }
    if window.start >= now:
        return {**answer, **dict.fromkeys(names)}
    kpis = report([machine], window, now=now).kpis
    for name, ours in names.items():
        ratio = getattr(kpis, ours)
        answer[name] = None if ratio is None else float(ratio)
    return answer


def activity_durations(plant: Plant, machine: Machine, number: int, day: date, now: datetime) -> dict[str, Any]:
    """Return how long a machine was in each activity on a production day, in seconds of planned time."""
    window = production_day(machine, day)
    totals: dict[int, timedelta] = {}
    if window.start < now:
        times = report([machine], window, now=now).sums.times
        totals[UP] = timedelta(microseconds=int(times.actual_production_time))
        lost = losses([machine], window, now=now)
        by_id = StateReason.objects.without_tree_fields().in_bulk([loss.reason_id for loss in lost if loss.reason_id])
        for loss in lost:
            code = code_of(plant, by_id.get(loss.reason_id) if loss.reason_id else None)
            totals[code] = totals.get(code, timedelta()) + loss.duration
    return {
        "machine_id": number,
        "date": day.isoformat(),
        "durations": [
            {"activity_code_id": code, "short_description": _name(plant, code), "seconds": total.total_seconds()}
            for code, total in sorted(totals.items())
            if total
        ],
    }


def _name(plant: Plant, code: int) -> str:
    reason = reasons(plant).get(code)
    return reason.name if reason else str(code)


def plain(value: Fraction) -> int | float:
    """Return a number of pieces as JSON has it."""
    return int(value) if value.denominator == 1 else float(value)
