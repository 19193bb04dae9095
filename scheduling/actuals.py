"""The schedule against what happened: when entries really began and ended, what they made, and adherence.

All follows from the runs when it is read. A run belongs to the entry that it names; one that names none belongs to the
entry of its order on its line that was to start last when it started, or else to the first one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from core.intervals import Interval
from core.shared_reads import once_each
from oee.scopes import representatives_of
from oee.selectors import sums_by_run
from scheduling.models import SchedulingPolicy
from scheduling.shares import shares_of
from workorders.models import Run, Schedule
from workorders.placing import OVER
from workorders.selectors import in_product_unit, schedule_entries, target_in_product_unit

MOST_ENTRIES = 2000
"""How many entries are looked at at once; a longer window is asked for in parts."""

PLANNED, CONFIRMED, CANCELLED = Schedule.Status.PLANNED.value, "confirmed", Schedule.Status.CANCELLED.value
IN_PROGRESS, COMPLETED, DELAYED = "in_progress", "completed", "delayed"


@dataclass(frozen=True, slots=True)
class Tolerances:
    """How late is still on time."""

    start: timedelta = timedelta(minutes=SchedulingPolicy.DEFAULT_TOLERANCE)
    end: timedelta = timedelta(minutes=SchedulingPolicy.DEFAULT_TOLERANCE)


@dataclass(frozen=True, slots=True)
class Actual:
    """What became of an entry. Quantities are good pieces in the product's unit, exact; None = not known.

    `is_delayed`: it is late at this moment, and not over. `status` is the stored one until something happened.
    """

    entry: Schedule
    runs: tuple[Run, ...]
    planned_quantity: Fraction | None
    actual_quantity: Fraction | None
    actual_start_at: datetime | None
    actual_end_at: datetime | None
    on_time_start: bool | None
    on_time_end: bool | None
    status: str
    is_delayed: bool


@dataclass(frozen=True, slots=True)
class Adherence:
    """How far the plan was kept, over entries of production that were due (their planned end is past).

    Quantity adherence = Σ min(actual, planned) / Σ planned; None when nothing was due, when a quantity is not known,
    and when the quantities are in different units. Time adherence = entries that began and ended on time / entries due.
    """

    line_id: int
    key: tuple[object, ...]
    due: int
    on_time: int
    planned_quantity: Fraction | None
    delivered_quantity: Fraction | None

    @property
    def quantity_adherence(self) -> Fraction | None:
        """Delivered / planned."""
        if not self.planned_quantity or self.delivered_quantity is None:
            return None
        return self.delivered_quantity / self.planned_quantity

    @property
    def time_adherence(self) -> Fraction | None:
        """On time / due."""
        return Fraction(self.on_time, self.due) if self.due else None


def tolerances_of(site_ids: Iterable[int]) -> dict[int, Tolerances]:
    """Return what each site allows."""
    return once_each("tolerances", site_ids, _tolerances_of, kept=True)


def _tolerances_of(site_ids: list[int]) -> dict[int, Tolerances]:
    found = dict.fromkeys(site_ids, Tolerances())
    for row in SchedulingPolicy.objects.filter(site__in=found):
        found[row.site_id] = Tolerances(timedelta(minutes=row.start_tolerance), timedelta(minutes=row.end_tolerance))
    return found


def entries_of(line_ids: Iterable[int], window: Interval) -> list[Schedule]:
    """Return the entries of lines whose planned time touches a window, in order; at most 2,000 (and one, to tell)."""
    entries = schedule_entries().filter(
        line__in=list(line_ids), planned_start_at__lt=window.end, planned_end_at__gt=window.start
    )
    related = ("line__area__site", "work_order__product__unit", "work_order__unit", "operation", "shift", "planner")
    return list(entries.select_related(*related).order_by("line", "planned_start_at", "pk")[: MOST_ENTRIES + 1])


def actuals_of(entries: Sequence[Schedule], *, now: datetime) -> list[Actual]:
    """Return what became of entries, in their order; the number of queries does not grow with them."""
    orders = {entry.work_order_id for entry in entries if entry.work_order_id is not None}
    siblings = list(
        Schedule.objects.filter(work_order__in=orders, kind=Schedule.Kind.PRODUCTION)
        .exclude(status=CANCELLED)
        .order_by("planned_start_at", "pk")
    )
    runs = _runs_by_entry(orders, siblings, now)
    wanted = [run for entry in entries for run in runs[entry.pk]]
    machines = representatives_of(run.line_id for run in wanted)
    made = sums_by_run(machines, wanted, now=now)
    tolerances = tolerances_of({entry.line.area.site_id for entry in entries})
    planned = _planned(entries, siblings)
    return [
        _actual(
            entry,
            tuple(runs[entry.pk]),
            planned.get(entry.pk),
            sum((made[run.pk].quantities.good for run in runs[entry.pk] if run.pk in made), start=Fraction(0)),
            tolerances[entry.line.area.site_id],
            now,
        )
        for entry in entries
    ]


def _runs_by_entry(orders: set[int], siblings: Sequence[Schedule], now: datetime) -> Mapping[int, list[Run]]:
    by_order: dict[tuple[int | None, int], list[Schedule]] = defaultdict(list)
    for sibling in siblings:
        by_order[sibling.work_order_id, sibling.line_id].append(sibling)
    found: dict[int, list[Run]] = defaultdict(list)
    for run in Run.objects.filter(work_order__in=orders, started_at__lt=now).order_by("started_at", "pk"):
        entry_id = run.schedule_id
        if entry_id is None:
            candidates = by_order[run.work_order_id, run.line_id]
            begun = [one for one in candidates if one.planned_start_at <= run.started_at]
            entry_id = begun[-1].pk if begun else candidates[0].pk if candidates else None
        if entry_id is not None:
            found[entry_id].append(run)
    return found


def _planned(entries: Sequence[Schedule], siblings: Sequence[Schedule]) -> dict[int, Fraction]:
    """Return what each entry of production should make, in the product's unit.

    What is not said is shared (`scheduling.shares`).
    """
    of_order: dict[int | None, list[Schedule]] = defaultdict(list)
    for sibling in siblings:
        of_order[sibling.work_order_id].append(sibling)
    shares: dict[int, Fraction] = {}
    for planned in {entry.work_order for entry in entries if entry.work_order is not None}:
        shares |= shares_of(of_order[planned.pk], Fraction(planned.target_quantity))
    found = {}
    for entry in entries:
        order = entry.work_order
        if order is None or entry.kind != Schedule.Kind.PRODUCTION:
            continue
        if entry.planned_quantity is not None:
            found[entry.pk] = in_product_unit(order, entry.planned_quantity)
        elif entry.status != CANCELLED:
            found[entry.pk] = shares.get(entry.pk, Fraction(0)) * target_in_product_unit(order)
    return found


def _actual(
    entry: Schedule,
    runs: tuple[Run, ...],
    planned: Fraction | None,
    made: Fraction,
    allowed: Tolerances,
    now: datetime,
) -> Actual:
    is_production = entry.kind == Schedule.Kind.PRODUCTION
    started = runs[0].started_at if runs else None
    is_running = any(run.ended_at is None or run.ended_at > now for run in runs)
    order_over = entry.work_order is not None and entry.work_order.status in OVER
    is_over = bool(runs) and not is_running and (order_over or (planned is not None and made >= planned))
    # What was interrupted has no end yet.
    ended = max(run.ended_at for run in runs if run.ended_at) if is_over else None
    latest_start, latest_end = entry.planned_start_at + allowed.start, entry.planned_end_at + allowed.end
    if not is_production or entry.status == CANCELLED:
        return Actual(entry, runs, planned, None, started, ended, None, None, entry.status, False)
    start_ok = started <= latest_start if started is not None else False if now > latest_start else None
    end_ok = ended <= latest_end if ended is not None else False if now > latest_end else None
    is_delayed = not is_over and (end_ok is False or (started is None and start_ok is False))
    status = COMPLETED if is_over else IN_PROGRESS if started is not None else entry.status
    if is_delayed and not is_running:
        status = DELAYED
    return Actual(
        entry, runs, planned, made if runs else Fraction(0), started, ended, start_ok, end_ok, status, is_delayed
    )


def adherence_of(actuals: Iterable[Actual], *, by: str, now: datetime) -> list[Adherence]:
    """Return adherence per line and `by` = shift, day or week (ISO, of the shift's day), in order; only what was due.

    The key is (shift's day, shift id, its name), (day,) or (ISO year, week).
    """
    groups: dict[tuple[int, tuple[object, ...]], list[Actual]] = defaultdict(list)
    for actual in actuals:
        entry = actual.entry
        is_due = entry.planned_end_at <= now and entry.status != CANCELLED
        if is_due and entry.kind == Schedule.Kind.PRODUCTION:
            groups[entry.line_id, _key(entry, by)].append(actual)
    ordered = sorted(groups.items(), key=lambda item: (item[0][0], tuple(map(str, item[0][1]))))
    return [_adherence(line_id, key, of_group) for (line_id, key), of_group in ordered]


def _key(entry: Schedule, by: str) -> tuple[object, ...]:
    day: date = entry.shift_date or entry.planned_start_at.astimezone(entry.line.area.site.zone).date()
    if by == "shift":
        return day, entry.shift_id, entry.shift.name if entry.shift else ""
    if by == "week":
        year, week, _ = day.isocalendar()
        return year, week
    return (day,)


def _adherence(line_id: int, key: tuple[object, ...], actuals: Sequence[Actual]) -> Adherence:
    units = {
        actual.entry.work_order.product.unit_id if actual.entry.work_order and actual.entry.work_order.product else ""
        for actual in actuals
    }
    planned = delivered = None
    if len(units) == 1 and all(actual.planned_quantity is not None for actual in actuals):
        planned = sum((actual.planned_quantity or Fraction(0) for actual in actuals), start=Fraction(0))
        delivered = sum(
            (min(actual.actual_quantity or Fraction(0), actual.planned_quantity or Fraction(0)) for actual in actuals),
            start=Fraction(0),
        )
    on_time = sum(1 for actual in actuals if actual.on_time_start and actual.on_time_end)
    return Adherence(line_id, key, len(actuals), on_time, planned, delivered)
