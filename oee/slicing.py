"""Machines' slices over the past of a window: stored hours summed in the database, edges cut from the facts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from core.intervals import Interval, hours_of, intersect, subtract
from core.retention import Closed, closed_until, too_old
from enterprise.models import Machine
from oee.engine import (
    Calendar,
    MachineHistory,
    Slice,
    SliceKey,
    slice_window,
)
from oee.histories import NOTHING_COUNTED, load_counted, load_histories
from oee.hours import STORED_CATEGORIES, STORED_ROLES, bring_up_to_date, whole_hours
from oee.policies import DatedPolicies, policies_of

SlicesByMachine = dict[int, list[Slice]]
_Place = tuple[Calendar, int | None, date | None, int | None]
"""What calendar, shift, day and run say of a slice's time."""


@dataclass(frozen=True, slots=True)
class Part:
    """Narrow a report to one run, one product's runs or one shift; nothing given = everything."""

    run_ids: frozenset[int] | None = None
    shift: tuple[int, date] | None = None

    def covers(self, key: SliceKey) -> bool:
        """Say whether a slice belongs to it."""
        if self.run_ids is not None and key.run_id not in self.run_ids:
            return False
        return self.shift is None or (key.shift_id, key.shift_date) == self.shift


EVERYTHING = Part()


def slices_of(
    machines: Sequence[Machine],
    window: Interval,
    *,
    now: datetime,
    part: Part = EVERYTHING,
    by_hour: bool = False,
    by_day: Mapping[int, ZoneInfo] | None = None,
    by_run: bool = False,
    by_shift: bool = False,
    histories: Mapping[int, MachineHistory] | None = None,
    policies: Mapping[int, DatedPolicies] | None = None,
) -> SlicesByMachine:
    """Return each machine's slices over the past of a window: stored hours summed, edges cut from the facts.

    With `by_hour`, sums stop at clock hours; with `by_day`, at midnight on the clock that each machine has there: an
    hour is of the day in which it begins, and a sum's key has the first of its hours. With `by_run`, each run has sums
    of its own, with `by_shift` each shift.
    `histories` that reach over the window save loading them for the edges; their counts are not used. The sites'
    `policies` are looked up unless they are given.
    """
    slices: SlicesByMachine = {machine.pk: [] for machine in machines}
    if window.start >= now or not machines:
        return slices
    past = Interval(window.start, min(window.end, now))
    hours = whole_hours(past, machines, now=now, histories=histories)
    if hours is not None:
        bring_up_to_date(list(slices), hours)
        dated = policies_of(sites_of(machines)) if policies is None else policies
        cuts = sorted({at for of_site in dated.values() for at in of_site.starts})
        apart = _Apart(hours=by_hour, days=by_day, runs=by_run, shifts=by_shift, cuts=cuts)
        for machine_id, piece in _stored_slices(list(slices), hours, part, apart):
            slices[machine_id].append(piece)
    for edge, closed in edges_of(past, hours):
        if closed is not None:
            for machine_id, chosen in _closed_edge(machines, edge, closed, part, now=now).items():
                slices[machine_id].extend(chosen)
            continue
        for machine_id, history in _edge_histories(machines, edge, histories or {}, now=now).items():
            pieces, _ = slice_window(history, edge)
            slices[machine_id].extend(piece for piece in pieces if part.covers(piece.key))
    return slices


def _edge_histories(
    machines: Sequence[Machine], edge: Interval, known: Mapping[int, MachineHistory], *, now: datetime
) -> dict[int, MachineHistory]:
    """Return histories over an edge: those that are known where they reach back far enough, others loaded."""
    counted = load_counted(machines, edge)
    histories, missing = {}, []
    for machine in machines:
        history, made = known.get(machine.pk), counted.get(machine.pk, NOTHING_COUNTED)
        if history is None or history.reaches_back_to is None or history.reaches_back_to > made.reach(edge).start:
            missing.append(machine)
        else:
            histories[machine.pk] = replace(history, increments=made.increments)
    if missing:
        histories |= load_histories(missing, edge, counted, now=now)
    return histories


def _closed_edge(
    machines: Sequence[Machine], edge: Interval, closed: datetime, part: Part, *, now: datetime
) -> SlicesByMachine:
    """Return each machine's slices over an edge whose facts are gone: those stored slices that lie in it as a whole.

    What tells is the calendar, the runs and the rates: where the edge is that of a shift, a day or a run, each slice
    lies on one side of it. Raises Closed, naming the bound of the window, where one lies on both.
    """
    found: SlicesByMachine = defaultdict(list)
    for machine_id, _, _, pieces in stored_at_edge(machines, edge, closed, part, now=now):
        found[machine_id].extend(pieces)
    return found


def stored_at_edge(
    machines: Sequence[Machine], edge: Interval, closed: datetime, part: Part, *, now: datetime
) -> Iterable[tuple[int, Interval, set[_Place], list[Slice]]]:
    """Yield for each machine and clock hour of an edge the hour, the places of the slices in it,
    and those stored there.

    Raises Closed where a slice lies on both sides of the edge's bound.
    """
    for hour in hours_of(edge):
        inside = intersect(hour, edge)
        if inside is None:
            continue
        bring_up_to_date([machine.pk for machine in machines], hour)
        outside = subtract(hour, [inside])
        stored = _slices_of_hour([machine.pk for machine in machines], hour)
        for machine_id, history in load_histories(machines, hour, now=now).items():
            intent = replace(history, states=(), gaps=(), corrections=(), increments=())
            within = _places(intent, [inside], part)
            if within & _places(intent, outside, part):
                field = "starts_at" if inside.start > hour.start else "ends_at"
                raise Closed(
                    f"{too_old(closed)} Only whole hours, shifts, days and runs are known of it.",
                    field=field,
                    code="too_old",
                )
            pieces = [piece for piece in stored[machine_id] if _place_of(piece.key) in within]
            yield machine_id, hour, within, pieces


def _place_of(key: SliceKey) -> _Place:
    return key.calendar, key.shift_id, key.shift_date, key.run_id


def _places(intent: MachineHistory, spans: Sequence[Interval], part: Part) -> set[_Place]:
    """Return the places of the slices of some time that belong to a part."""
    return {_place_of(piece.key) for span in spans for piece in slice_window(intent, span)[0] if part.covers(piece.key)}


def _slices_of_hour(machine_ids: list[int], hour: Interval) -> dict[int, list[Slice]]:
    """Return the stored slices of one hour, with their whole keys."""
    columns = [*STORED_CATEGORIES, *STORED_ROLES]
    found: dict[int, list[Slice]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT machine_id, starts_at, calendar, shift_id, shift_date, run_id, rate_id, has_data,"
            f" {', '.join(columns)} FROM oee_hourslice WHERE machine_id = ANY(%s) AND starts_at = %s",
            [machine_ids, hour.start],
        )
        rows = cursor.fetchall()
    split = 8 + len(STORED_CATEGORIES)
    for machine_id, starts_at, calendar, *key_and_sums in rows:
        key = SliceKey(starts_at, Calendar(calendar), *key_and_sums[:5])
        sums = key_and_sums[5:]
        microseconds = dict(zip(STORED_CATEGORIES, sums[: split - 8], strict=True))
        quantities = {role: Fraction(value) for role, value in zip(STORED_ROLES, sums[split - 8 :], strict=True)}
        found[machine_id].append(Slice(key, microseconds, quantities))
    return found


def edges_of(past: Interval, hours: Interval | None) -> list[tuple[Interval, datetime | None]]:
    """Return what whole hours leave of a window; for what is closed, with the moment up to which time is."""
    edges = subtract(past, [] if hours is None else [hours])
    closed = closed_until() if edges else None
    if closed is None:
        return [(edge, None) for edge in edges]
    found: list[tuple[Interval, datetime | None]] = []
    for edge in edges:
        if edge.start < closed:
            found.append((Interval(edge.start, min(edge.end, closed)), closed))
        if edge.end > closed:
            found.append((Interval(max(edge.start, closed), edge.end), None))
    return found


def part_condition(part: Part) -> tuple[str, list[Any]]:
    """Return the SQL condition, begun with AND, that narrows stored hours to a part, and its parameters."""
    conditions, parameters = "", list[Any]()
    if part.run_ids is not None:
        conditions += " AND run_id = ANY(%s)"
        parameters.append(sorted(part.run_ids))
    if part.shift is not None:
        conditions += " AND shift_id = %s AND shift_date = %s"
        parameters.extend(part.shift)
    return conditions, parameters


@dataclass(frozen=True, slots=True)
class _Apart:
    """What stored hours are told apart by when they are summed; `cuts` are when a site's policy changed."""

    hours: bool
    days: Mapping[int, ZoneInfo] | None
    runs: bool
    shifts: bool
    cuts: Sequence[datetime]

    def clocks(self) -> tuple[str, list[Any]]:
        """Return the SQL that tells the zone of each machine, if days are told apart, and its parameters."""
        if self.hours or self.days is None:
            return "", []
        joined = " JOIN unnest(%s::bigint[], %s::text[]) AS clock (of_machine, zone) ON of_machine = machine_id"
        return joined, [list(self.days), [zone.key for zone in self.days.values()]]

    def periods(self, hours: Interval) -> tuple[list[str], list[Any]]:
        """Return the SQL expressions of which each period has a value of its own, and their parameters."""
        if self.hours:
            return ["starts_at"], []
        expressions = [] if self.days is None else ["(starts_at AT TIME ZONE zone)::date"]
        cuts = [at for at in self.cuts if hours.start < at < hours.end]
        if not cuts:
            return expressions, []
        return [*expressions, "width_bucket(starts_at, %s::timestamptz[])"], [cuts]


def _stored_slices(machine_ids: list[int], hours: Interval, part: Part, apart: _Apart) -> Iterable[tuple[int, Slice]]:
    """Yield the stored slices summed over the hours; their keys keep what sums depend on: calendar, rate, and policy,
    which changes at the cuts.
    """
    clocks, of_clocks = apart.clocks()
    periods, of_periods = apart.periods(hours)
    condition, parameters = part_condition(part)
    groups = ["machine_id", "calendar", "rate_id", "has_data", "run_id" if apart.runs else "run_id IS NULL"]
    groups += [*(("shift_id", "shift_date") if apart.shifts else ()), *periods]
    shift = "shift_id, shift_date" if apart.shifts else "NULL::bigint, NULL::date"
    sums = ", ".join(f"sum({column})" for column in (*STORED_CATEGORIES, *STORED_ROLES))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT machine_id, min(starts_at), calendar, rate_id, has_data, min(run_id), {shift}, {sums}"
            f" FROM oee_hourslice{clocks} WHERE machine_id = ANY(%s) AND starts_at >= %s AND starts_at < %s{condition}"
            f" GROUP BY {', '.join(groups)}",
            [*of_clocks, machine_ids, hours.start, hours.end, *parameters, *of_periods],
        )
        rows = cursor.fetchall()
    split = 8 + len(STORED_CATEGORIES)
    for row in rows:
        key = SliceKey(row[1], Calendar(row[2]), row[6], row[7], rate_id=row[3], has_data=row[4], run_id=row[5])
        microseconds = dict(zip(STORED_CATEGORIES, map(int, row[8:split]), strict=True))
        # Mostly nothing was counted: that costs no fraction.
        quantities = {name: Fraction(value) for name, value in zip(STORED_ROLES, row[split:], strict=True) if value}
        yield row[0], Slice(key=key, microseconds=microseconds, quantities=quantities)


def sites_of(machines: Iterable[Machine]) -> set[int]:
    """Return the sites of machines, by id."""
    return {machine.line.area.site_id for machine in machines}
