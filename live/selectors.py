"""Work out the status of lines, all that are asked for together,
in a number of queries that does not grow with them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from types import MappingProxyType

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext_lazy as _

from core.intervals import Interval, floor_hour, hours_of, intersect
from core.shared_reads import sharing
from downtime.models import StateReason
from downtime.selectors import CurrentState, all_reasons, current_states, read_by_rules
from enterprise.models import Line, Machine
from enterprise.selectors import Shifts, machines_on_lines, reference_of, shifts_of_all
from enterprise.shift_calendar import ShiftOccurrence
from execution.selectors import good_of, is_worked_on
from live.status import (
    UNNAMED,
    HourStatus,
    LineStatus,
    LossStatus,
    MachineStatus,
    OrderStatus,
    ShiftStatus,
    Tick,
    TimelineSegment,
    Words,
)
from oee.engine import Calendar, Category, MachineHistory, Segment, segments
from oee.histories import load_histories, settling_time
from oee.scopes import representatives
from oee.selectors import HourRow, Report, runs_reports, shift_boards, target_quantity
from oee.stops import asks_for_a_reason, shown_category, stretches
from oee.time_columns import shown_as
from workorders.models import Run, WorkOrder
from workorders.selectors import target_in_product_unit

TOP_LOSSES = 5
_LOOK_BACK = timedelta(hours=30)
_SCALE = 1000
_EVERY_HOUR = timedelta(hours=13)
"""The longest stretch of time whose hours are all written under its timeline."""
OEE_BASIS = {
    "constraint": _("OEE is the constraint machine's"),
    "last": _("OEE is the last machine's"),
    "weighted": _("OEE is all machines', summed"),
}
MICRO_STOP_BASIS = {
    "performance": _("micro-stops count against performance"),
    "availability": _("micro-stops count against availability"),
}


@sharing()
def line_statuses(
    line_ids: Iterable[int], *, now: datetime, shifts: Mapping[int, ShiftStatus] | None = None
) -> dict[int, LineStatus]:
    """Return the status of each line that exists and has machines.

    `shifts` are those to be told of, by line; a line that it leaves out is absent, and of none an order is told.
    Without, it is the one of now.
    """
    return _statuses(
        machines_on_lines(line_ids if shifts is None else shifts.keys() & set(line_ids)), now=now, shifts=shifts
    )


def machine_status(
    machine: Machine, shift: ShiftStatus, *, now: datetime, histories: Mapping[int, MachineHistory]
) -> LineStatus:
    """Return the status of a machine (with line, area and site read) in a shift,
    as if its line were that machine alone.

    `histories` up to now that reach back over the shift save loading them. Of no order is told.
    """
    shifts = {machine.line_id: shift}
    return _statuses({machine.line_id: [machine]}, now=now, shifts=shifts, known=histories)[machine.line_id]


@sharing()
def _statuses(
    machines: Mapping[int, list[Machine]],
    *,
    now: datetime,
    shifts: Mapping[int, ShiftStatus] | None = None,
    known: Mapping[int, MachineHistory] = MappingProxyType({}),
) -> dict[int, LineStatus]:
    is_of_now = shifts is None
    everyone = [machine for of_line in machines.values() for machine in of_line]
    if not everyone:
        return {}
    references = {line_id: reference_of(of_line) for line_id, of_line in machines.items()}
    around = Interval(now - _LOOK_BACK, now + timedelta(hours=1))
    calendars: Mapping[int, Shifts] | None = None
    if shifts is None:
        calendars = shifts_of_all(everyone, around)
        shifts = {line: shift_status(machine, calendars[machine.pk], now=now) for line, machine in references.items()}
    states = read_by_rules(everyone, current_states([machine.pk for machine in everyone], now=now))
    # Lines of one plant mostly share a shift: what one window needs is loaded once for all of them.
    by_window: dict[Interval, list[int]] = defaultdict(list)
    for line_id in machines:
        shift = shifts[line_id]
        by_window[Interval(shift.start, shift.end)].append(line_id)
    runs = {
        run.line_id: run
        for run in Run.objects.filter(line__in=machines if is_of_now else (), started_at__lte=now)
        .exclude(ended_at__lte=now)
        .annotate(has_operations_in_work=is_worked_on("work_order"))
        .select_related("work_order__product__unit", "work_order__unit")
    }
    prefetch_related_objects(
        [run.work_order for run in runs.values() if _is_in_another_unit(run.work_order)], "product__units__unit"
    )
    orders: dict[int, list[Run]] = defaultdict(list)
    for of_order in Run.objects.filter(work_order__in={run.work_order_id for run in runs.values()}) if runs else ():
        orders[of_order.line_id].append(of_order)
    # Two lines may run one order.
    in_work = {run.work_order_id: run.work_order for run in runs.values() if run.has_operations_in_work}
    by_operations = good_of(list(in_work.values()), now=now)
    reasons = all_reasons()
    found: dict[int, LineStatus] = {}
    # As far back as hours may not be stored yet, since the edges of what is stored are cut from these histories.
    unsettled = now - settling_time(everyone)
    pasts = {window: _told_of(window, unsettled, now=now) for window in by_window}
    whole = Interval(min(past.start for past in pasts.values()), max(past.end for past in pasts.values()))
    if around.start <= whole.start and whole.end <= around.end and not known:
        known = load_histories(everyone, whole, now=now, calendars=calendars)
    for window, ids in by_window.items():
        of_window = [machine for line_id in ids for machine in machines[line_id]]
        past = pasts[window]
        is_near = around.start <= past.start and past.end <= around.end
        histories = _reaching(known, of_window, past) or load_histories(
            of_window, past, now=now, calendars=calendars if is_near else None
        )
        counted_by = {line_id: representatives(machines[line_id]) for line_id in ids}
        # The hours of the runs before those of the shift, which mostly lie in them: they are looked after once.
        made = (
            runs_reports(counted_by, {line_id: orders[line_id] for line_id in ids}, now=now, histories=histories)
            if orders
            else {}
        )
        boards = shift_boards(counted_by, window, now=now, histories=histories)
        for line_id in ids:
            run = runs.get(line_id)
            found[line_id] = _Board(
                machines=machines[line_id],
                counted_by=counted_by[line_id],
                reference=references[line_id],
                shift=shifts[line_id],
                window=window,
                histories=histories,
                states=states,
                reasons=reasons,
                now=now,
            ).status(*boards[line_id], _order_status(run, made.get(line_id), by_operations))
    return found


def _told_of(window: Interval, unsettled: datetime, *, now: datetime) -> Interval:
    """Return the past that is looked at for a shift: of one that is long over no more than itself."""
    until = window.end if window.end < floor_hour(unsettled) else max(now, window.start + timedelta(microseconds=1))
    return Interval(floor_hour(min(window.start, unsettled) if until > window.end else window.start), until)


def _reaching(
    known: Mapping[int, MachineHistory], machines: Sequence[Machine], window: Interval
) -> dict[int, MachineHistory]:
    """Return the histories of machines where all are known and reach back over a window; else nothing."""
    found = {machine.pk: known[machine.pk] for machine in machines if machine.pk in known}
    reach = [one.reaches_back_to for one in found.values()]
    return found if len(found) == len(machines) and all(at and at <= window.start for at in reach) else {}


def _is_in_another_unit(order: WorkOrder) -> bool:
    return order.product is not None and order.unit_id not in (None, order.product.unit_id)


def _order_status(
    run: Run | None, made: Report | None, by_operations: Mapping[int, Fraction | None]
) -> OrderStatus | None:
    if run is None:
        return None
    order = run.work_order
    by_runs = None if made is None else made.sums.quantities.good
    return OrderStatus(
        number=order.order_number,
        product=order.product.name if order.product else _("no product"),
        unit=str(order.product.unit_id) if order.product else _("pcs"),
        target=target_in_product_unit(order),
        # Where people work on operations, these say what the order has made; else all that the line's runs made.
        good=by_operations.get(order.pk, by_runs),
        since=run.started_at,
    )


def current_shifts(machines: Sequence[Machine], *, now: datetime) -> dict[int, ShiftStatus]:
    """Return the shift that each machine is in, or the last one that ended, by its id; line, area and site are read."""
    calendars = shifts_of_all(machines, Interval(now - _LOOK_BACK, now + timedelta(hours=1)))
    return {machine.pk: shift_status(machine, calendars[machine.pk], now=now) for machine in machines}


def shift_status(machine: Machine, shifts: Shifts, *, now: datetime) -> ShiftStatus:
    """Return the shift that a machine is in, or the last one that ended; without a calendar, the day so far."""
    begun = [shift for shift in shifts or () if shift.start <= now]
    if begun:
        last = begun[-1]
        return status_of(last, now=now)
    today = now.astimezone(machine.line.area.site.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    day = Interval.utc(today, today + timedelta(days=1))
    # Just after midnight there is nothing to see yet, but a window must not be empty.
    return ShiftStatus(_("Today") if shifts is None else _("No shift"), today.date(), day.start, day.end, is_over=False)


def status_of(shift: ShiftOccurrence, *, now: datetime) -> ShiftStatus:
    """Return a shift as screens tell of it."""
    return ShiftStatus(
        shift.name, shift.shift_date, shift.start, shift.end, is_over=shift.end <= now, shift_id=shift.shift_id
    )


class _Board:
    """One line's status in the making."""

    def __init__(
        self,
        *,
        machines: Sequence[Machine],
        counted_by: Sequence[Machine],
        reference: Machine,
        shift: ShiftStatus,
        window: Interval,
        histories: dict[int, MachineHistory],
        states: dict[int, CurrentState],
        reasons: Mapping[int, StateReason],
        now: datetime,
    ) -> None:
        self.machines = machines
        self.counted_by = counted_by
        self.reference = reference
        self.shift = shift
        self.window = window
        self.histories = histories
        self.states = states
        self.reasons = reasons
        self.now = now
        self.line: Line = reference.line
        self.zone = reference.line.area.site.zone
        self.past = intersect(window, Interval(datetime(1990, 1, 1, tzinfo=UTC), now))

    def status(self, whole: Report, hours: Sequence[HourRow], order: OrderStatus | None) -> LineStatus:
        """Put it together."""
        machines = tuple(self._machine(machine) for machine in self.machines)
        return LineStatus(
            line_id=self.line.pk,
            code=self.line.code,
            name=self.line.name,
            area=self.line.area.name,
            site=self.line.area.site.name,
            zone=self.zone,
            as_of=self.now,
            shift=self.shift,
            machines=machines,
            reference=machines[list(self.machines).index(self.reference)],
            order=order,
            good=whole.sums.quantities.good,
            reject=whole.sums.quantities.scrap,
            target=target_quantity(whole),
            kpis=whole.kpis,
            oee_target=whole.policies[-1].target_oee,
            basis=self._basis(whole),
            ticks=tuple(
                Tick(self._x(hour.start), f"{hour.start.astimezone(self.zone):%H}")
                for hour in hours_of(self.window)
                if self.window.covers(hour.start) and hour.start.astimezone(self.zone).hour % self._tick_step() == 0
            ),
            now_x=self._x(self.now) if self.window.covers(self.now) else None,
            hours=tuple(self._hour(row) for row in hours),
            losses=self._losses(),
        )

    def _basis(self, whole: Report) -> tuple[Words, ...]:
        policy = whole.policies[-1]
        short_stops = any(history.micro_stops.reach for history in self.histories.values())
        return (
            OEE_BASIS[self.line.oee_mode],
            _("changeovers are losses") if policy.changeover == "availability_loss" else _("changeovers are planned"),
            _("overtime counts") if policy.overtime == "count" else _("overtime is left out"),
            *([MICRO_STOP_BASIS[policy.micro_stops]] if short_stops else []),
            *([_("breaks count against availability")] if policy.breaks == "availability_loss" else []),
            *([_("time without data counts against availability")] if policy.no_data == "availability_loss" else []),
            *([_("start-up rejects are left out")] if policy.startup_rejects == "exclude" else []),
        )

    def _tick_step(self) -> int:
        # Twenty-four hours would run into each other on a phone.
        return 1 if self.window.end - self.window.start <= _EVERY_HOUR else 2

    def _x(self, at: datetime) -> float:
        return round((at - self.window.start) / (self.window.end - self.window.start) * _SCALE, 2)

    def _machine(self, machine: Machine) -> MachineStatus:
        state = self.states.get(machine.pk)
        drawn = segments(self.histories[machine.pk], self.past) if self.past else ()
        unexplaining = frozenset(pk for pk, reason in self.reasons.items() if not reason.explains)
        latest = drawn[-1] if drawn else None
        # People's corrections hold over what the device said.
        sent = state.reason_id if state else None
        reason_id = latest.reason_id if latest and not self.shift.is_over else sent
        reason = self.reasons.get(reason_id or 0)
        name: Words
        if reason is not None:
            category, name = reason.category, reason.spoken
        else:
            category = shown_category(latest.category) if latest and not self.shift.is_over else Category.NO_DATA.value
            name = UNNAMED[category]
        return MachineStatus(
            name=machine.name,
            code=machine.code,
            unexplained=sum(asks_for_a_reason(pieces, unexplaining) for pieces in stretches(drawn)),
            is_constraint=machine.is_constraint,
            category=category,
            state=name,
            detail=state.detail if state and state.reason_id == reason_id else "",
            since=self._since(drawn, state, reason_id),
            segments=tuple(self._segment(segment) for segment in drawn),
        )

    def _since(self, drawn: Sequence[Segment], state: CurrentState | None, reason_id: int | None) -> datetime | None:
        """Return since when a machine is as it is: by its timeline, or by its own word where that began before."""
        since = None
        if not self.shift.is_over:
            for segment in reversed(drawn):
                if segment.reason_id != reason_id:
                    return since
                since = segment.start
        return state.since if state and state.reason_id == reason_id else since

    def _segment(self, segment: Segment) -> TimelineSegment:
        reason = self.reasons.get(segment.reason_id or 0)
        start, end = (moment.astimezone(self.zone) for moment in (segment.start, segment.end))
        name = reason.spoken if reason else UNNAMED[shown_category(segment.category)]
        x = self._x(segment.start)
        return TimelineSegment(
            x, round(self._x(segment.end) - x, 2), shown_as(segment), f"{start:%H:%M:%S}–{end:%H:%M:%S}", name
        )

    def _hour(self, row: HourRow) -> HourStatus:
        start = row.window.start.astimezone(self.zone)
        pieces = row.report.sums.quantities
        return HourStatus(
            label=f"{start:%H:%M}",
            target=row.target,
            good=pieces.good,
            reject=pieces.scrap,
            is_current=row.window.covers(self.now),
            oee=row.report.kpis.oee_index,
        )

    def _losses(self) -> tuple[LossStatus, ...]:
        totals: dict[tuple[int | None, Category], tuple[timedelta, int]] = {}
        for machine in self.counted_by:
            for segment in segments(self.histories[machine.pk], self.past) if self.past else ():
                if segment.calendar is Calendar.SCHEDULED and segment.category is not Category.RUNNING:
                    key = segment.reason_id, segment.category
                    spent, times = totals.get(key, (timedelta(), 0))
                    totals[key] = spent + (segment.end - segment.start), times + 1
        ranked = sorted(totals.items(), key=lambda item: (-item[1][0], item[0][0] or 0))[:TOP_LOSSES]
        longest = ranked[0][1][0] if ranked else timedelta()
        return tuple(
            LossStatus(
                reason=self.reasons[reason_id].spoken
                if reason_id is not None and reason_id in self.reasons
                else UNNAMED[shown_category(category)],
                category=shown_category(category),
                duration=spent,
                occurrences=times,
                share=int(spent / longest * 100),
            )
            for (reason_id, category), (spent, times) in ranked
        )
