"""Do what tablets and devices say: states and counts through `ingest`, jobs as orders and runs.

All that touches one line takes turns, in one order: the line, then order and run, then counts, then states.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from accounts.models import User
from connectors.digitme2 import selectors
from connectors.digitme2.access import Plant
from connectors.digitme2.tables import CLOSED, DOWN, UP, JobInput
from connectors.models import Tablet
from connectors.translation import written
from core import master_data
from core.errors import Conflict, Invalid, NotFound
from core.intervals import Interval
from core.locks import take_turns
from counts.models import CountHistory, CountTag, CountType
from downtime.models import StateHistory, StateReason
from downtime.services import correct_state
from enterprise.models import Line, Machine
from enterprise.selectors import shifts_of
from ingest.items import Refused, read_item
from ingest.services import Delivery, Outcome, accept
from products.models import IdealRate, Product
from workorders.life import complete, reopen
from workorders.models import Run, WorkOrder
from workorders.services import end_run, start_run

NO_JOB = "Cannot set a machine to up when there is no active job"
MOST_TABLETS = 500
JUST_AFTER = timedelta(microseconds=1)
# Tablets tell the start of a job to the minute; what their clock cuts off must not reach into the job before.
_CUT_OFF = timedelta(minutes=1)
_FINEST = Decimal("0.000001")
_UNITS = {
    JobInput.SECONDS: IdealRate.Unit.SECONDS_PER_PIECE,
    JobInput.MINUTES: IdealRate.Unit.MINUTES_PER_PIECE,
    JobInput.HOURS: IdealRate.Unit.HOURS_PER_PIECE,
    JobInput.PER_SECOND: IdealRate.Unit.PIECES_PER_SECOND,
    JobInput.PER_MINUTE: IdealRate.Unit.PIECES_PER_MINUTE,
    JobInput.PER_HOUR: IdealRate.Unit.PIECES_PER_HOUR,
}


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a job should go, as the tablet said it."""

    value: Decimal
    unit: str

    @classmethod
    def entered(cls, job_input: JobInput, value: Decimal) -> "Pace":
        """Return the pace that a number entered at a tablet is."""
        return cls(value, _UNITS[job_input])

    @classmethod
    def planned(cls, quantity: Decimal, minutes: Decimal) -> "Pace":
        """Return the pace at which a quantity takes some minutes, to the microsecond per piece."""
        return cls(max((minutes * 60 / quantity).quantize(_FINEST), _FINEST), IdealRate.Unit.SECONDS_PER_PIECE)


@dataclass(frozen=True, slots=True)
class JobStart:
    """A job as a tablet starts it; `starts_at=None` = now."""

    number: str
    pace: Pace | None = None
    planned_quantity: Decimal | None = None
    starts_at: datetime | None = None


def register(plant: Plant, device_uuid: str) -> Tablet:
    """Return the tablet of that name, made when it calls for the first time.

    Raises Conflict when there are too many.
    """
    found = selectors.tablets(plant).filter(device_uuid=device_uuid).first()
    if found is not None:
        return found
    with transaction.atomic():
        take_turns("digitme2.register", plant.connector.pk)
        if plant.connector.tablets.count() >= MOST_TABLETS:
            raise Conflict(f"{MOST_TABLETS} tablets are registered; delete those that are gone.")
        tablet, is_new = Tablet.objects.get_or_create(connector=plant.connector, device_uuid=device_uuid)
        if is_new:
            tablet.name = f"Tablet {tablet.pk}"
            master_data.save(tablet)
    return selectors.tablets(plant).get(pk=tablet.pk)


@transaction.atomic
def log_in(plant: Plant, tablet: Tablet, user: User, *, now: datetime) -> None:
    """Begin a person's session at a tablet; it ends the one before, and theirs elsewhere unless that is allowed."""
    here_or_theirs = Q(pk=tablet.pk) | Q(connector=plant.connector, user=user)
    # Two people who change places lock the same tablets in the same order.
    held = list(Tablet.objects.select_for_update().filter(here_or_theirs).order_by("pk").values_list("pk", flat=True))
    if not plant.settings.several_sessions:
        Tablet.objects.filter(pk__in=held, user=user).exclude(pk=tablet.pk).update(user=None, since=None)
    Tablet.objects.filter(pk=tablet.pk).update(user=user, since=now)


def log_out(tablet: Tablet) -> bool:
    """End the session at a tablet and say whether there was one. The job goes on: a log-out says nothing of it."""
    return Tablet.objects.filter(pk=tablet.pk, user__isnull=False).update(user=None, since=None) > 0


def change_state(
    plant: Plant, machine: Machine, number: int, *, detail: str = "", said_at: str | None = None, now: datetime
) -> StateReason:
    """Tell that a machine went into the state of an activity code, now or at an ISO time with a zone.

    Raises NotFound for a code that is not in the table, Conflict for "up" without an active job or when another state
    is stored for that moment, Invalid for a time that cannot be.
    """
    reason = reason_of(plant, number)
    with transaction.atomic():
        take_turns("digitme2.line", machine.line_id)
        at = _free_moment(machine, now) if said_at is None else _moment(said_at, machine, reason, now)
        _refuse_up_without_job(plant, machine, reason, at)
        outcome = _tell(plant, [_state(machine, reason, at, detail)], now=now)
    # After the commit, so that what was refused is kept for a person to see.
    _raise_refusal(outcome, "timestamp")
    return reason


def start_job(plant: Plant, machine: Machine, job: JobStart, *, detail: str = "", now: datetime) -> Run:
    """Start a job: a run of its work order on the machine's line; an order that nobody planned is made.

    Raises Conflict when the line has an active job, or had another one at that time, or the order cannot be started.
    """
    reason = reason_of(plant, plant.settings.start_code)
    with transaction.atomic():
        take_turns("digitme2.line", machine.line_id)
        active = selectors.active_run(machine.line_id, now)
        if active is not None:
            raise Conflict(f"The job '{active.work_order}' is active there; end it first.", field="job_number")
        starts_at = _after_the_last_run(machine.line, job.starts_at or now, now)
        try:
            order = _order(plant, machine.line, job)
            _set_pace(plant, order, machine, job.pace, starts_at)
            if order.status == WorkOrder.Status.COMPLETED:
                order = reopen(work_order=order, at=starts_at, note="Its job was started again at the machine.")
            run = start_run(work_order=order, line=machine.line, started_at=starts_at)
        except ValidationError as error:
            raise Conflict(" ".join(error.messages), field="job_number") from None
        states = [_state(machine, reason, _free_moment(machine, starts_at), detail)]
        last = selectors.last_state(machine, now)
        if last is not None and last.occurred_at > starts_at and last.reason_id != reason.pk:
            # What was said in between stands, but from now on the machine works on the job.
            states.append(_state(machine, reason, _free_moment(machine, now), detail))
        _raise_refusal(_tell(plant, states, now=now), "start_time")
    return run


def add_quantity(
    plant: Plant, machine: Machine, *, good: Decimal, rejects: Decimal, said_at: str | None = None, now: datetime
) -> datetime:
    """Add pieces to the active job, now or at an ISO time with a zone; return that moment.

    Raises Conflict without an active job, without a tag to count with, or when another number is stored for that time.
    """
    with transaction.atomic():
        take_turns("digitme2.line", machine.line_id)
        if selectors.active_run(machine.line_id, now) is None:
            raise Conflict("There is no active job.")
        tags = _tags(machine, good=good, rejects=rejects)
        at = _free_moment(machine, now, tags) if said_at is None else _moment(said_at, machine, None, now)
        outcome = _tell(plant, [_count(tag, value, at) for tag, value in tags], now=now)
    _raise_refusal(outcome, "timestamp")
    return at


@transaction.atomic
def end_job(plant: Plant, tablet: Tablet, machine: Machine, *, good: Decimal, rejects: Decimal, now: datetime) -> bool:
    """End the active job with its last pieces; return False for a repetition, which changes nothing.

    The machine is down from then on, or closed outside its shifts. Raises Conflict when there is no job to end.
    """
    take_turns("digitme2.line", machine.line_id)
    tablet = Tablet.objects.get(pk=tablet.pk)
    run = selectors.active_run(machine.line_id, now)
    if run is None:
        last = Run.objects.filter(line=machine.line_id).order_by("-started_at").first()
        if last is not None and (tablet.ended_run_id, tablet.ended_good, tablet.ended_rejects) == (
            last.pk,
            good,
            rejects,
        ):
            return False
        raise Conflict("There is no active job.")
    tags = _tags(machine, good=good, rejects=rejects)
    at = _free_moment(machine, now, tags)
    # The pieces belong to the run, so it ends the moment after them.
    ends_at = at + JUST_AFTER
    reason = reason_of(plant, DOWN if _is_shift(machine, ends_at) or CLOSED not in plant.settings.reasons else CLOSED)
    end_run(run=run, ended_at=ends_at)
    if run.work_order.product_id and run.work_order.product and run.work_order.product.code == _product_code(plant):
        complete(work_order=run.work_order, at=ends_at)
    items = [*(_count(tag, value, at) for tag, value in tags), _state(machine, reason, ends_at, "")]
    _raise_refusal(_tell(plant, items, now=now), "quantity_good")
    Tablet.objects.filter(pk=tablet.pk).update(ended_run=run, ended_good=good, ended_rejects=rejects)
    return True


def resume_job(
    plant: Plant, machine: Machine, *, number: int, notes: str, actor: User, detail: str = "", now: datetime
) -> None:
    """End a pause: say why the machine stood, and that it is up. Raises Conflict without an active job."""
    pause, up = reason_of(plant, number, field="downtime_reason"), reason_of(plant, UP)
    with transaction.atomic():
        take_turns("digitme2.line", machine.line_id)
        at = _free_moment(machine, now)
        _refuse_up_without_job(plant, machine, up, at)
        _explain_stop(plant, machine, pause, notes=notes, actor=actor, until=at, now=now)
        _raise_refusal(_tell(plant, [_state(machine, up, at, detail)], now=now), "downtime_reason")


def explain_pause(plant: Plant, machine: Machine, *, number: int, actor: User, detail: str = "", now: datetime) -> None:
    """Say why the machine stands, without an end of the stop: for its past as a correction, from now on as a state.

    Raises Conflict for a code that means running.
    """
    reason = reason_of(plant, number)
    if reason.category == StateReason.Category.RUNNING:
        raise Conflict("A pause ends by resuming the job.", field="activity_code_id")
    with transaction.atomic():
        take_turns("digitme2.line", machine.line_id)
        at = _free_moment(machine, now)
        _explain_stop(plant, machine, reason, notes="", actor=actor, until=at, now=now)
        _raise_refusal(_tell(plant, [_state(machine, reason, at, detail)], now=now), "activity_code_id")


def reason_of(plant: Plant, number: int, *, field: str = "activity_code_id") -> StateReason:
    """Return the state reason of an activity code. Raises NotFound."""
    code = plant.settings.reasons.get(number)
    reason: StateReason | None = None
    if code is not None:
        reason = StateReason.objects.without_tree_fields().filter(code=code, is_active=True).first()
    if reason is None:
        raise NotFound(f"There is no activity code {number}.", field=field)
    return reason


def _refuse_up_without_job(plant: Plant, machine: Machine, reason: StateReason, at: datetime) -> None:
    is_up = reason.category == StateReason.Category.RUNNING
    if is_up and plant.settings.up_needs_job and selectors.active_run(machine.line_id, at) is None:
        raise Conflict(NO_JOB)


def _state(machine: Machine, reason: StateReason, at: datetime, detail: str) -> dict[str, Any]:
    return {"machine": machine.code, "at": written(at), "state": reason.code, "detail": detail[:500]}


def _count(tag: CountTag, value: Decimal, at: datetime) -> dict[str, Any]:
    return {"tag": tag.tag_path, "at": written(at), "value": value}


def _tell(plant: Plant, items: Sequence[dict[str, Any]], *, now: datetime) -> Outcome:
    return accept(Delivery(items, plant.scope), recorded_at=now) if items else Outcome()


def _raise_refusal(outcome: Outcome, field: str) -> None:
    for answer in outcome.items:
        if answer.code == "conflict":
            raise Conflict(answer.message, field=field)
        if answer.code:
            raise Invalid(answer.message.replace("'at'", f"'{field}'"), field=field)


def _moment(said_at: str, machine: Machine, reason: StateReason | None, now: datetime) -> datetime:
    """Return the moment that a device names. Raises Invalid."""
    item = {"machine": machine.code, "at": said_at, "state": reason.code if reason else "any"}
    try:
        return read_item(item, now=now).at
    except Refused as refusal:
        raise Invalid(refusal.message.replace("'at'", "'timestamp'"), field="timestamp") from None


def _free_moment(machine: Machine, at: datetime, tags: Sequence[tuple[CountTag, Decimal]] = ()) -> datetime:
    """Return a moment at or just after one, behind what was told of the machine and its tags in the same minute.

    Devices that call at once, and a clock that is set back a little, must not meet a stored moment.
    """
    around = {"occurred_at__gte": at, "occurred_at__lt": at + _CUT_OFF}
    told = [*StateHistory.objects.filter(machine=machine, **around).order_by("-occurred_at")[:1]]
    for tag, _ in tags:
        told += [*CountHistory.objects.filter(tag=tag, **around).order_by("-occurred_at")[:1]]  # type: ignore[list-item]
    return max((fact.occurred_at + JUST_AFTER for fact in told), default=at)


def _after_the_last_run(line: Line, starts_at: datetime, now: datetime) -> datetime:
    """Return the start of a job, moved behind a run that ended in the same minute."""
    ended = (
        Run.objects.filter(line=line, ended_at__gt=starts_at, ended_at__lte=now + _CUT_OFF)
        .order_by("-ended_at")
        .values_list("ended_at", flat=True)
        .first()
    )
    if ended is None:
        return starts_at
    if ended - starts_at > _CUT_OFF:
        raise Conflict("Another job ran there at that time.", field="start_time")
    return ended


def _order(plant: Plant, line: Line, job: JobStart) -> WorkOrder:
    take_turns(f"digitme2.order {job.number}")
    order = WorkOrder.objects.select_related("product").filter(order_number=job.number).first()
    if order is None:
        return master_data.save(
            WorkOrder(
                order_number=job.number,
                description=f"Started at a tablet of {plant.connector}"[:500],
                line=line,
                product=_product(plant),
                target_quantity=job.planned_quantity or Decimal(plant.settings.target_quantity),
            )
        )
    if order.line_id != line.pk:
        raise Conflict(f"The order '{job.number}' belongs to another line.", field="job_number")
    if order.product is None and job.pace is not None:
        order.product = _product(plant)
        master_data.save(order)
    return order


def _product_code(plant: Plant) -> str:
    return f"tablet-jobs-{plant.connector.pk}"


def _product(plant: Plant) -> Product:
    """Return the product of jobs of which nothing is known but their number; see docs/decisions/0011."""
    code = _product_code(plant)
    take_turns("digitme2.product", plant.connector.pk)
    found = Product.objects.filter(code=code).first()
    return found or master_data.save(Product(code=code, name=f"Jobs at tablets of {plant.connector}"[:200]))


def _set_pace(plant: Plant, order: WorkOrder, machine: Machine, pace: Pace | None, at: datetime) -> None:
    """Let the tablet's number hold from the job's start on; never in place of what an engineer set."""
    if order.product is None:
        return
    rates = IdealRate.objects.filter(product=order.product)
    if order.product.code == _product_code(plant):
        # Each job has its own pace, or none: the last job's must not go on, on any machine of the line.
        for rate in rates.filter(machine__line=machine.line_id, valid_from__lt=at):
            if not rate.holds_at(at):
                continue
            if (
                pace is not None
                and rate.machine_id == machine.pk
                and (rate.value, rate.unit) == (pace.value, pace.unit)
            ):
                return
            rate.valid_until = at
            master_data.save(rate)
    elif any(rate.holds_at(at) for rate in rates.filter(machine=machine)):
        return
    if pace is not None:
        following = rates.filter(machine=machine, valid_from__gt=at).order_by("valid_from").first()
        until = following.valid_from if following else None
        master_data.save(
            IdealRate(
                product=order.product,
                machine=machine,
                value=pace.value,
                unit=pace.unit,
                valid_from=at,
                valid_until=until,
            )
        )


def _tags(machine: Machine, *, good: Decimal, rejects: Decimal) -> list[tuple[CountTag, Decimal]]:
    """Return the tags that count these pieces, each with its number; nothing for none.

    Raises Conflict when a machine has no tag, or several, for what a person may enter.
    """
    found = []
    for field, role, value in (("quantity_good", "good", good), ("rejects", "reject", rejects)):
        if not value:
            continue
        tags = list(
            CountTag.objects.filter(
                machine=machine, is_active=True, mode=CountTag.Mode.DELTA, count_type__role=CountType.Role(role)
            )
        )
        if len(tags) != 1:
            many = "several delta tags" if tags else "no delta tag"
            raise Conflict(f"The machine '{machine.code}' has {many} for {role} pieces; it needs one.", field=field)
        found.append((tags[0], value))
    return sorted(found, key=lambda pair: pair[0].pk)


def _is_shift(machine: Machine, at: datetime) -> bool:
    """Say whether a machine is in a shift at a moment; without a calendar it always is."""
    shifts = shifts_of(machine, Interval(at, at + JUST_AFTER))
    return shifts is None or any(shift.start <= at < shift.end for shift in shifts)


def _explain_stop(
    plant: Plant, machine: Machine, reason: StateReason, *, notes: str, actor: User, until: datetime, now: datetime
) -> None:
    run = selectors.active_run(machine.line_id, now)
    since = selectors.stop_start(plant, machine, run, now)
    if since is None or since >= until:
        return
    correct_state(
        machine=machine,
        starts_at=since,
        ends_at=until,
        reason=reason,
        comment=notes or "Chosen at the tablet.",
        actor=actor,
        recorded_at=now,
    )
