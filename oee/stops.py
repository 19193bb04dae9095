"""Stops as people see them: stretches in which a machine stood for one reason, whole, with what is known of each.

Derived from timelines when read; what people say about them is in `oee.stop_words`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q

from core.intervals import Interval
from downtime.selectors import all_reasons, corrections_in
from enterprise.models import Machine
from oee.engine import Calendar, Category, MachineHistory, Segment
from oee.selectors import timelines
from workorders.models import Run

SHORT = frozenset({Category.MICRO_STOP, Category.UNDETERMINED})
STOPPED = frozenset({Category.UNPLANNED, Category.PLANNED, Category.CHANGEOVER, *SHORT})

_FOREVER = datetime.max.replace(tzinfo=UTC)
_FARTHEST = timedelta(days=400)
# How far beyond a window is looked for the rest of a stop, all machines of one reach together.
_REACHES = (timedelta(hours=2), timedelta(hours=16), timedelta(days=4), timedelta(days=31), _FARTHEST)
_MARGIN = timedelta(hours=1)
_FOR_COUNTED = timedelta(days=4)


def shown_category(category: Category) -> str:
    """Return the category as whose colour time in it is drawn: a stop is red, however short."""
    return Category.UNPLANNED.value if category in SHORT else category.value


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a stop under one word of the calendar."""

    start: datetime
    end: datetime
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Stop:
    """A stretch in which a machine stood for one reason; what a count of occurrences counts once.

    `end=None`: it is not over; `until` is its end so far. `newest_correction_id` is what an editor gives back to say
    what was seen (0 = nobody said anything). `reason_id=None`: nobody gave any.
    """

    machine_id: int
    start: datetime
    end: datetime | None
    until: datetime
    reason_id: int | None
    category: Category
    is_unexplained: bool
    newest_correction_id: int
    parts: tuple[Part, ...]

    @property
    def duration(self) -> timedelta:
        """How long it lasted so far."""
        return self.until - self.start

    @property
    def scheduled(self) -> timedelta:
        """How much of it lies in shifts, breaks aside."""
        return sum(
            (part.end - part.start for part in self.parts if part.calendar is Calendar.SCHEDULED), start=timedelta()
        )

    @property
    def asks_for_a_reason(self) -> bool:
        """Whether somebody should say why it stood: nobody asks about micro-stops, or about time outside the shifts."""
        return self.is_unexplained and self.category not in SHORT and bool(self.scheduled)


def stops_of(
    machines: Sequence[Machine],
    window: Interval,
    *,
    now: datetime,
    histories: Mapping[int, MachineHistory] | None = None,
) -> list[Stop]:
    """Return the stops that touch the past of a window, whole, by machine (in the order given) and time.

    Line, area and site of the machines are read. A stop that lasts longer than 400 days beyond the window begins or
    ends there; where pieces say when a machine runs, 4 days. The number of queries does not depend on the number of
    machines or stops. `histories` that reach over the window save loading them for it.
    """
    drawn: dict[int, Sequence[Segment]] = {**timelines(machines, window, now=now, histories=histories)}
    past_end = min(window.end, now)
    cut = [machine for machine in machines if _is_cut(drawn[machine.pk], window.start, past_end, now)]
    for reach, of_reach in _by_reach(cut, window.start, past_end, now).items():
        drawn |= timelines(of_reach, reach, now=now)
    found = {
        machine.pk: [
            pieces
            for pieces in _stands(drawn[machine.pk])
            if pieces[-1].end > window.start and pieces[0].start < past_end
        ]
        for machine in machines
    }
    return _known(found, now)


def stops_around(machine: Machine, at: datetime, *, now: datetime) -> list[Stop]:
    """Return the stop in which a machine stood at a moment, whole, with those that it begins or ends at, in order of
    time; nothing where it did not stand.

    Costs one look at the facts, where `stops_of` takes two. Line, area and site of the machine are read.
    """
    if at >= now:
        return []
    (reach,) = _by_reach([machine], at, at, now)
    stands = _stands(timelines([machine], reach, now=now)[machine.pk])
    here = next((pieces for pieces in stands if pieces[0].start <= at < pieces[-1].end), None)
    if here is None:
        return []
    touching = [one for one in stands if one is here or here[0].start == one[-1].end or here[-1].end == one[0].start]
    return _known({machine.pk: touching}, now)


def _stands(drawn: Iterable[Segment]) -> list[list[Segment]]:
    return [pieces for pieces in stretches(drawn) if pieces[0].category in STOPPED]


def _known(found: Mapping[int, list[list[Segment]]], now: datetime) -> list[Stop]:
    """Return stretches in which machines stood with what is known of each."""
    unexplaining = unexplaining_reasons()
    words = _words(found, now)
    return [
        _stop(machine_id, pieces, words.get(machine_id, ()), unexplaining, now)
        for machine_id, of_machine in found.items()
        for pieces in of_machine
    ]


def stops_while_making(
    stops: Iterable[Stop], machines: Iterable[Machine], product_id: int | None, window: Interval
) -> list[Stop]:
    """Return those of some machines' stops of a window that touch a run of a product on their line;
    None = that touch none.
    """
    lines = {machine.pk: machine.line_id for machine in machines}
    runs = Run.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=window.start),
        line__in=set(lines.values()),
        started_at__lt=window.end,
    )
    if product_id is not None:
        runs = runs.filter(work_order__product=product_id)
    spans: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for line_id, start, end in runs.order_by().values_list("line_id", "started_at", "ended_at"):
        spans[line_id].append((start, end or _FOREVER))
    return [
        stop
        for stop in stops
        if any(start < stop.until and stop.start < end for start, end in spans[lines[stop.machine_id]])
        is (product_id is not None)
    ]


def stretches(drawn: Iterable[Segment]) -> list[list[Segment]]:
    """Return a timeline's segments joined to stretches of one reason; the calendar cuts segments, not stretches."""
    joined: list[list[Segment]] = []
    for segment in drawn:
        if joined and (joined[-1][-1].reason_id, joined[-1][-1].category) == (segment.reason_id, segment.category):
            joined[-1].append(segment)
        else:
            joined.append([segment])
    return joined


def unexplaining_reasons() -> frozenset[int]:
    """Return the reasons that say that a machine stands, but not why."""
    return frozenset(pk for pk, reason in all_reasons().items() if not reason.explains)


def asks_for_a_reason(pieces: Sequence[Segment], unexplaining: frozenset[int]) -> bool:
    """Say of a stretch, or of the part of one, what `Stop.asks_for_a_reason` says of the whole."""
    return (
        is_unexplained(pieces[0], unexplaining)
        and pieces[0].category not in SHORT
        and any(piece.calendar is Calendar.SCHEDULED for piece in pieces)
    )


def is_unexplained(segment: Segment, unexplaining: frozenset[int]) -> bool:
    """Say whether nobody knows why a machine stood."""
    return segment.category in STOPPED and (segment.reason_id is None or segment.reason_id in unexplaining)


def _is_cut(drawn: Sequence[Segment], start: datetime, end: datetime, now: datetime) -> bool:
    if not drawn:
        return False
    return drawn[0].category in STOPPED or (end < now and drawn[-1].category in STOPPED)


def _by_reach(
    machines: Sequence[Machine], start: datetime, end: datetime, now: datetime
) -> dict[Interval, list[Machine]]:
    """Return the machines by the wider window that surely holds their stops at the edges: up to a running state."""
    if not machines:
        return {}
    with connection.cursor() as cursor:
        running = "reason_id IN (SELECT id FROM downtime_statereason WHERE category = 'running')"
        cursor.execute(
            f"""
            SELECT machine.id, (
                SELECT occurred_at FROM downtime_statehistory WHERE machine_id = machine.id
                AND occurred_at <= %(start)s AND occurred_at > %(start)s - %(farthest)s::interval AND {running}
                ORDER BY occurred_at DESC LIMIT 1
            ), (
                SELECT occurred_at FROM downtime_statehistory WHERE machine_id = machine.id
                AND occurred_at >= %(end)s AND occurred_at < %(end)s + %(farthest)s::interval AND {running}
                ORDER BY occurred_at LIMIT 1
            ), (
                SELECT min(occurred_at) FROM downtime_statehistory WHERE machine_id = machine.id
            )
            FROM unnest(%(machines)s::bigint[]) AS machine (id)
            """,
            {"machines": [m.pk for m in machines], "start": start, "end": end, "farthest": f"{_FARTHEST.days} days"},
        )
        bounds = {row[0]: row[1:] for row in cursor.fetchall()}
    groups: dict[Interval, list[Machine]] = defaultdict(list)
    for machine in machines:
        ran_before, runs_after, first = bounds[machine.pk]
        if machine.stop_detection == Machine.StopDetection.COUNTS:
            # Its pieces say when it runs, so its states do not say where to look.
            back, on = _FOR_COUNTED, min(_FOR_COUNTED, now - end + _MARGIN)
        else:
            back = start - min(start, ran_before or first or start) + _MARGIN
            on = max(end, runs_after or now) - end + _MARGIN
        groups[Interval(start - _at_least(back), end + _at_least(on))].append(machine)
    return groups


def _at_least(length: timedelta) -> timedelta:
    return next((reach for reach in _REACHES if reach >= length), _FARTHEST)


def _words(found: Mapping[int, list[list[Segment]]], now: datetime) -> dict[int, list[Any]]:
    """Return the corrections that touch the stops, by machine; of one that is not over, those to come as well."""
    pieces = [piece for of_machine in found.values() for of_stop in of_machine for piece in of_stop]
    if not pieces:
        return {}
    end = max(piece.end for piece in pieces)
    around = Interval(min(piece.start for piece in pieces), end if end < now else _FOREVER)
    words: dict[int, list[Any]] = defaultdict(list)
    for word in corrections_in([machine_id for machine_id, of_machine in found.items() if of_machine], around):
        words[word.machine_id].append(word)
    return words


def _stop(
    machine_id: int,
    pieces: Sequence[Segment],
    words: Iterable[Any],
    unexplaining: frozenset[int],
    now: datetime,
) -> Stop:
    start, until = pieces[0].start, pieces[-1].end
    is_open = until >= now
    touching = [
        word.pk
        for word in words
        if (is_open or word.starts_at < until) and (word.holds_until is None or word.holds_until > start)
    ]
    return Stop(
        machine_id=machine_id,
        start=start,
        end=None if is_open else until,
        until=until,
        reason_id=pieces[0].reason_id,
        category=pieces[0].category,
        is_unexplained=is_unexplained(pieces[0], unexplaining),
        newest_correction_id=max(touching, default=0),
        parts=tuple(Part(piece.start, piece.end, piece.calendar) for piece in pieces),
    )
