"""Histories written through the real services in random order, with readers between: stored hours against the oracle.

Each history lives in a transaction of its own that is rolled back, on a database that exists for this.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from random import Random
from typing import Any

from django.db import transaction

from accounts.models import User
from core import master_data
from core.intervals import HOUR, Interval
from counts.models import CountTag, CountType
from counts.services import (
    NewCounterEvent,
    NewReading,
    correct_count,
    explain_step,
    record_counter_events,
    record_readings,
)
from downtime.models import ReasonRule, StateReason
from downtime.services import NewGap, NewState, Word, correct_state, record_gaps, record_states, say_of_stop
from enterprise.models import Area, Enterprise, Line, Machine, Shift, ShiftBreak, Site
from oee.engine import Calendar as CalendarOf
from oee.engine import Category, CounterEventKind, CountRole, ReasonSlice, Slice, SliceKey
from oee.hours import STORED_CATEGORIES, STORED_ROLES, recompute_from_scratch
from oee.models import ComputedHour, HourReason, HourSlice, OeePolicy
from oee.selectors import report
from products.models import IdealRate, Product
from proof.cases import AROUND, REASONS, Case, Correction
from proof.engine import answer_of, different, sums_differ
from proof.inputs import FULL_HOUR, SHIFT_DATE
from proof.oracle import Answer, Oracle, totals
from proof.plants import HOURS, SECONDS, Plant, Rule, shifted
from workorders.models import Run, WorkOrder

# A zone in which a new day begins in the middle of the window: 12 hours ahead, in June.
ZONE = "Pacific/Auckland"
_AHEAD = timedelta(hours=12)
RECORDED_AT = FULL_HOUR + timedelta(days=1)
LONG_AFTER = FULL_HOUR + timedelta(days=2)
WINDOW = Interval(FULL_HOUR, FULL_HOUR + HOURS * HOUR)
LAST_READ, NEAR = 6, 150


def at(second: int) -> datetime:
    """Return a second of the window as a moment."""
    return FULL_HOUR + timedelta(seconds=second)


def _until(second: int | None) -> datetime | None:
    return None if second is None else at(second)


@dataclass
class World:
    """A machine with everything it needs, and the numbers that the oracle has for what the database calls by ids."""

    machine: Machine
    actor: User
    reasons: dict[int, StateReason]
    products: dict[int, Product]
    tags: list[CountTag] = field(default_factory=list)
    runs: dict[int, int] = field(default_factory=dict)
    rates: dict[int, int] = field(default_factory=dict)
    shifts: dict[int, int] = field(default_factory=dict)

    def read(self, window: Interval, now: datetime) -> Any:
        """Return the report of the machine over a window."""
        machine = Machine.objects.select_related("line__area__site").get(pk=self.machine.pk)
        return report([machine], window, now=now)


def build(plant: Plant) -> World:
    """Make the machine as it is before anything is told: settings and tags that nobody changes later, no facts."""
    # Processes prove side by side in one database; codes are unique, so one would wait for the other.
    mine = os.getpid()
    site = Site.objects.create(
        code=f"S{mine}", name="S", enterprise=Enterprise.objects.create(code=f"E{mine}", name="E"), time_zone=ZONE
    )
    line = Line.objects.create(
        code=f"L{mine}", name="L", area=Area.objects.create(code=f"A{mine}", name="A", site=site)
    )
    world = World(
        machine=Machine.objects.create(code=f"M{mine}", name="M", line=line, is_constraint=True),
        actor=User.objects.create(username=f"editor{mine}"),
        reasons={
            n: StateReason.objects.create(code=f"R{n}-{mine}", name=f"R{n}", category=category)
            for n, category in REASONS.items()
        },
        products={
            n: Product.objects.create(
                code=f"P{n}-{mine}", name=f"P{n}", micro_stop_below=dict(plant.case.micro_below_of).get(n)
            )
            for n in (1, 2)
        },
    )
    types: dict[CountRole, CountType] = {}
    for n, tag in enumerate(plant.case.tags):
        if tag.role not in types:
            types[tag.role] = CountType.objects.create(code=f"{tag.role}-{mine}", name=tag.role, role=tag.role)
        world.tags.append(
            CountTag.objects.create(
                tag_path=f"T{n}-{mine}",
                machine=world.machine,
                count_type=types[tag.role],
                mode=tag.mode,
                scale=_decimal(tag.scale),
                offset=Decimal(tag.offset),
                modulus=tag.modulus,
                reset_policy=tag.reset_policy,
                fastest_rate=None if tag.fastest_rate is None else _decimal(tag.fastest_rate),
            )
        )
    return world


def _decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / Decimal(number.denominator)


Step = Callable[[], object]
"""Something that is told."""


def steps_of(plant: Plant, world: World, random: Random) -> list[Step]:
    """Return everything that is told, in a random order, facts now and then twice.

    People's words keep their order among each other: the later one holds.
    """
    steps: list[tuple[float, Step]] = []

    def fact(second: int, what: Step) -> float:
        # What happens near a full hour bears on two of them: it comes late more often than chance has it.
        is_near = (second + NEAR) % 3_600 < 2 * NEAR
        first = 0.9 + random.random() / 10 if is_near and random.random() < 0.5 else random.random()
        steps.append((first, what))
        if random.random() < 0.3:
            steps.append((random.random(), what))
        return first

    case = plant.case
    for second, number in case.states:
        state = NewState(world.machine.pk, at(second), world.reasons[number].pk)
        fact(second, partial(record_states, [state], recorded_at=RECORDED_AT))
    for start, end in case.gaps:
        gap = NewGap(world.machine.pk, at(start), at(end), "lost")
        fact(end, partial(record_gaps, [gap], recorded_at=RECORDED_AT))
    told: dict[tuple[int, int], float] = {}
    for n, tag in enumerate(case.tags):
        row = world.tags[n]
        for second, value in tag.readings:
            reading = NewReading(row.pk, world.machine.pk, row.mode == "running", at(second), value)
            told[n, second] = fact(second, partial(record_readings, [reading], recorded_at=RECORDED_AT))
        for event in tag.events:
            fact(event.at, partial(_happened, world, row, event))
    for edit in plant.edits:
        after = told[edit.tag, edit.at]
        steps.append((after + (1 - after) * random.random(), partial(_edit, world, edit)))
    for moment, word in zip(sorted(random.random() for _ in case.corrections), case.corrections, strict=True):
        steps.append((moment, partial(_correct, world, word)))
    for intent in _intents(plant, world):
        # What the plant is set up with is nearly always there from the start.
        steps.append((random.random() if random.random() < 0.15 else -1, intent))
    return [what for _, what in sorted(steps, key=lambda step: step[0])]


def _happened(world: World, row: CountTag, event: Any) -> None:
    if event.kind is CounterEventKind.GENUINE:
        explain_step(
            tag=row, at=at(event.at), kind=event.kind, comment="So it is", actor=world.actor, recorded_at=RECORDED_AT
        )
    else:
        new = NewCounterEvent(row.pk, world.machine.pk, at(event.at), str(event.kind), event.value)
        record_counter_events([new], recorded_at=RECORDED_AT)


def _edit(world: World, edit: Any) -> None:
    fact = world.tags[edit.tag].readings.select_related("tag").get(occurred_at=at(edit.at))
    value = None if edit.value is None else Decimal(edit.value)
    correct_count(fact=fact, value=value, comment="Counted by hand", actor=world.actor, recorded_at=RECORDED_AT)


def _correct(world: World, word: Correction) -> None:
    reason = None if word.reason is None else world.reasons[word.reason]
    if word.until_running:
        say_of_stop(
            machine=world.machine,
            words=[Word(at(word.start), None, reason)],
            comment="",
            actor=world.actor,
            recorded_at=RECORDED_AT,
            seen_correction_id=None,
        )
        return
    correct_state(
        machine=world.machine,
        starts_at=at(word.start),
        ends_at=_until(word.end),
        reason=reason,
        comment="I saw it",
        actor=world.actor,
        recorded_at=RECORDED_AT,
        replaces_running=word.replaces_running,
    )


def _intents(plant: Plant, world: World) -> Iterator[Step]:
    case, machine = plant.case, world.machine
    site = machine.line.area.site

    def set_machine() -> None:
        row = Machine.objects.get(pk=machine.pk)
        row.no_signal_timeout, row.micro_stop_below = plant.silence_after, case.micro_below
        if case.counted_running is not None:
            row.stop_detection = Machine.StopDetection.COUNTS
            row.stop_after, row.run_after = case.counted_running
        master_data.save(row)

    def set_policy(policy: Any, minutes: int, valid_from: date | None) -> None:
        chosen = {name: getattr(policy, name).value for name in _CHOICES}
        master_data.save(OeePolicy(site=site, valid_from=valid_from, startup_minutes=minutes, **chosen))

    def add_shift(number: int, start: int, end: int, breaks: tuple[tuple[int, int], ...]) -> None:
        shift = master_data.save(
            Shift(site=site, name=f"Shift {number}", start_time=_clock(start), end_time=_clock(end))
        )
        world.shifts[shift.pk] = number
        for a, b in breaks:
            master_data.save(ShiftBreak(shift=shift, start_time=_clock(a), end_time=_clock(b)))

    def add_run(number: int, run: Any) -> None:
        product = world.products[run.product] if run.product else None
        order = WorkOrder.objects.create(
            order_number=f"W{number}-{os.getpid()}", target_quantity=1, line=machine.line, product=product
        )
        row = master_data.save(
            Run(work_order=order, line=machine.line, started_at=at(run.start), ended_at=_until(run.end))
        )
        world.runs[row.pk] = number

    def add_rate(number: int, rate: Any) -> None:
        row = master_data.save(
            IdealRate(
                machine=machine,
                product=world.products[rate.product],
                value=_decimal(rate.cycle),
                unit=IdealRate.Unit.SECONDS_PER_PIECE,
                valid_from=at(rate.start),
                valid_until=_until(rate.end),
            )
        )
        world.rates[row.pk] = number

    def add_rule(position: int, rule: Rule) -> None:
        sent, given = world.reasons[rule.sent], world.reasons[rule.reason]
        row = ReasonRule(name="Rule", machine=machine, position=position, sent_reason=sent, reason=given)
        row.valid_from = _until(rule.since)
        master_data.save(row)

    yield set_machine
    for n, rule in enumerate(plant.rules):
        yield partial(add_rule, n, rule)
    yield partial(set_policy, case.policy, plant.startup_minutes[0], None)
    if case.later_policy is not None:
        tomorrow = SHIFT_DATE + timedelta(days=1)
        yield partial(set_policy, case.later_policy[1], plant.startup_minutes[1], tomorrow)
    for n, shift in enumerate(case.shifts or (), start=1):
        yield partial(add_shift, n, shift.start, shift.end, shift.breaks)
    if case.shifts == ():
        yield partial(add_shift, 99, -6 * 3_600, -5 * 3_600, ())
    for n, run in enumerate(case.runs, start=1):
        yield partial(add_run, n, run)
    for n, rate in enumerate(case.rates, start=1):
        yield partial(add_rate, n, rate)


_CHOICES = ("changeover", "overtime", "breaks", "micro_stops", "no_data", "startup_rejects")


def _clock(second: int) -> Any:
    return (at(second) + _AHEAD).time()


@contextmanager
def _undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def prove_database(plant: Plant, random: Random) -> list[str]:
    """Stored hours are what the oracle says, in any order of facts and reads, and the same after they are rebuilt."""
    with _undone():
        world = build(plant)
        steps = steps_of(plant, world, random)
        for left, step in zip(reversed(range(len(steps))), steps, strict=True):
            step()
            if left < LAST_READ:
                # Every hour is kept before the last facts come late, so each of these must undo just what it changes.
                world.read(WINDOW, LONG_AFTER)
            elif random.random() < 0.15:
                world.read(_somewhere(random), at(random.randrange(0, 2 * SECONDS)))
        return [*_stored_differs(plant, world), *_report_differs(plant, world, random)]


def _somewhere(random: Random) -> Interval:
    """Return a window that a reader may ask for: whole hours, which are kept, more often than what cuts them."""
    if random.random() < 0.7:
        first = random.randrange(-1, HOURS)
        return Interval(at(first * 3_600), at(random.randint(first + 1, HOURS) * 3_600))
    start = random.randrange(-1_800, SECONDS)
    return Interval(at(start), at(start + random.choice((60, 3_600, 9_000))))


def _stored_differs(plant: Plant, world: World) -> list[str]:
    world.read(WINDOW, LONG_AFTER)
    case = plant.meant()
    expected = Oracle(case).answer()
    kept = _rows(world.machine)
    said = _compare(_stored(world), expected)
    recompute_from_scratch(world.machine.pk, WINDOW)
    if _rows(world.machine) != kept:
        said.append("Rebuilt rows differ from those that were kept.")
    return said


def _compare(found: Answer, expected: Answer) -> list[str]:
    return [
        *different("stored seconds", found.seconds, expected.seconds),
        *different("stored seconds by reason", found.reasons, expected.reasons),
        *different("stored beginnings", found.beginnings, expected.beginnings),
        *different("stored pieces", found.pieces, expected.pieces),
    ]


def _hours() -> dict[str, Any]:
    return {"starts_at__gte": WINDOW.start, "starts_at__lt": WINDOW.end}


def _rows(machine: Machine) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for model in (HourSlice, HourReason, ComputedHour):
        names = [field.attname for field in model._meta.concrete_fields if field.name not in {"id", "pk"}]
        rows += model.objects.filter(machine=machine, **_hours()).values_list(*names)
    return sorted(rows, key=repr)


def _stored(world: World) -> Answer:
    """Return the stored rows as the oracle writes them."""
    slices, reasons = list[Slice](), list[ReasonSlice]()
    row: Any
    number_of = {reason.pk: number for number, reason in world.reasons.items()}

    def key(row: Any, has_data: bool) -> SliceKey:
        return SliceKey(
            row.starts_at,
            CalendarOf(row.calendar),
            world.shifts[row.shift_id] if row.shift_id else None,
            row.shift_date,
            world.runs[row.run_id] if row.run_id else None,
            world.rates[row.rate_id] if row.rate_id else None,
            has_data,
        )

    for row in HourSlice.objects.filter(machine=world.machine, **_hours()):
        microseconds = {c: spent for c in STORED_CATEGORIES if (spent := getattr(row, c))}
        quantities = {r: Fraction(made) for r in STORED_ROLES if (made := getattr(row, r))}
        slices.append(Slice(key(row, row.has_data), microseconds, quantities))
    for row in HourReason.objects.filter(machine=world.machine, **_hours()):
        reason = number_of[row.reason_id] if row.reason_id else None
        reasons.append(ReasonSlice(key(row, True), reason, Category(row.category), row.microseconds, row.occurrences))
    return answer_of((tuple(slices), tuple(reasons)))


def _report_differs(plant: Plant, world: World, random: Random) -> list[str]:
    """A report asked for soon after the last fact, over any window: stored hours, edges, and what may yet turn out."""
    last = max([SECONDS, *_moments(plant.case)])
    now = last + random.choice((0, 1, 59, 300, 2_000))
    start = random.randrange(-600, now - 1)
    end = now if random.random() < 0.5 else random.randrange(start + 1, now + 1)
    found = world.read(Interval(at(start), at(end)), at(now)).sums
    case = shifted(plant.meant(now=now), start, end - start, known_until=now - start)
    expected = totals(case, Oracle(case, around=start + 2 * AROUND).answer())
    return [f"report of {start}–{end} at {now}: {what}" for what in sums_differ(found, expected)]


def _moments(case: Case) -> list[int]:
    facts = [second for second, _ in case.states] + [second for tag in case.tags for second, _ in tag.readings]
    return facts + [event.at for tag in case.tags for event in tag.events]
