"""Explain a number in three steps: its elements, the stretches and counts that they add up from, and the raw facts.

Each step is computed by the code that computes the number itself, so what is shown adds up to it, exactly.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from core.errors import NotFound
from core.exact import plain_number
from core.intervals import Interval
from core.retention import closed_until, refuse_closed
from counts.models import CountCorrection, CounterEvent, CountHistory, CountTag
from downtime.models import StateHistory, StateReason
from downtime.selectors import after_rules, all_reasons, corrections_in, gaps_in
from enterprise.models import Machine
from oee.engine import Calendar, Category, Evidence, MachineSums, Slice, SliceKey, evidence
from oee.engine.catalogue import ELEMENTS
from oee.engine.element_values import element_values
from oee.engine.reasons import ReasonSums, TimeInReason
from oee.histories import load_counted, load_histories
from oee.kpi_elements import Values, answer
from oee.kpis import Kpi, KpiValue, kpis_of, values_of
from oee.questions import Question
from oee.reason_times import ReasonTime, Traits, reason_times
from oee.selectors import Report, report, sums_for
from oee.slicing import slices_of

# Longer windows are taken apart into hours, then days, each of which can be explained in turn.
LONGEST_IN_STRETCHES = timedelta(hours=36)
LONGEST_IN_HOURS = timedelta(days=4)
# What adds up over stretches of time and counts; the rest is of a whole line, a schedule, or single cycles.
ADDITIVE = frozenset(code for code, value in element_values(MachineSums(), ReasonSums()).items() if value is not None)


@dataclass(frozen=True, slots=True)
class KpiExplanation:
    """A KPI with its elements, each by machine: the elements are the sums of their machines' values. `values` are those
    of all elements.
    """

    answer: Report
    reasons: ReasonSums
    kpi: KpiValue
    values: Values
    by_machine: dict[int, dict[str, Fraction | None]]


def explain_kpi(code: str, asked: Question, *, now: datetime) -> KpiExplanation:
    """Return the first step: the formula's elements. Raises NotFound for a KPI that there is not."""
    kpi = _kpi(code, asked.machines)
    found = answer(asked, now=now)
    slices = slices_of(asked.machines, asked.window, now=now, part=asked.part)
    sums = sums_for(asked.machines, slices.values())
    traits, rows = Traits(), _by_machine(reason_times(asked.machines, asked.window, now=now, part=asked.part))
    elements = set(kpi.elements) & ADDITIVE
    return KpiExplanation(
        answer=found.report,
        reasons=found.reasons,
        kpi=values_of(found.values, [kpi])[0],
        values=found.values,
        by_machine={
            machine.pk: {
                name: value
                for name, value in element_values(
                    sums.of(machine, slices[machine.pk]), traits.sums(rows[machine.pk])
                ).items()
                if name in elements
            }
            for machine in asked.machines
        },
    )


def _by_machine(rows: Iterable[ReasonTime]) -> dict[int, list[ReasonTime]]:
    of_machines: dict[int, list[ReasonTime]] = defaultdict(list)
    for row in rows:
        of_machines[row.machine_id].append(row)
    return of_machines


def _kpi(code: str, machines: Sequence[Machine]) -> Kpi:
    found = next((kpi for kpi in kpis_of(machines) if kpi.code == code), None)
    if found is None:
        raise NotFound(f"There is no KPI '{code}'; /oee/kpi/ lists them.", field="kpi")
    return found


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a stretch of a machine's time, or a count, or an hour, or a day, adds to an element.

    `unknown` says that the element is not known because of this: pieces for which no ideal rate held.
    """

    machine_id: int
    start: datetime
    end: datetime
    value: Fraction
    unknown: bool = False
    key: SliceKey | None = None
    category: Category | None = None
    reason_id: int | None = None
    counted: Fraction | None = None
    counted_as: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ElementExplanation:
    """An element's value and what it adds up from: stretches (with counts), hours or days, as `made_of` says.

    Where the value is not known, the contributions that make it so are `unknown`; without any, a machine ran without an
    ideal rate and made nothing.
    """

    code: str
    value: Fraction | None
    made_of: str
    contributions: tuple[Contribution, ...]

    @property
    def total(self) -> Fraction:
        """The sum of the contributions that are known: the value, where that is."""
        return sum((one.value for one in self.contributions), start=Fraction(0))


def explain_element(code: str, asked: Question, *, now: datetime) -> ElementExplanation:
    """Return the second step: what an element adds up from, ordered by time. Raises NotFound for no element."""
    if code not in ELEMENTS:
        raise NotFound(f"There is no element '{code}'; /kpis/ lists them.", field="element")
    past = Interval(asked.window.start, min(asked.window.end, now))
    if code not in ADDITIVE:
        return ElementExplanation(code, answer(asked, now=now).values[code], "nothing smaller", ())
    sums = report(asked.machines, asked.window, now=now, part=asked.part).sums
    rows = reason_times(asked.machines, asked.window, now=now, part=asked.part)
    value = element_values(sums, Traits().sums(rows))[code]
    length = past.end - past.start
    closed = closed_until()
    # Of time whose facts are gone hours are the smallest that is known.
    if length <= LONGEST_IN_STRETCHES and (closed is None or closed <= past.start):
        return ElementExplanation(code, value, "stretches", tuple(_stretches(code, asked, past, now=now)))
    by_day = length > LONGEST_IN_HOURS
    periods = tuple(_periods(code, asked, past, now=now, by_day=by_day))
    return ElementExplanation(code, value, "days" if by_day else "hours", periods)


def _stretches(code: str, asked: Question, past: Interval, *, now: datetime) -> list[Contribution]:
    counted = load_counted(asked.machines, past)
    histories = load_histories(asked.machines, past, counted, now=now)
    pieces = {
        machine.pk: [one for one in evidence(histories[machine.pk], past) if asked.part.covers(one.slice.key)]
        for machine in asked.machines
    }
    sums, traits = sums_for(asked.machines, [[one.slice for one in of_one] for of_one in pieces.values()]), Traits()
    found = [
        _of_evidence(code, machine, one, sums.of(machine, [one.slice]), traits)
        for machine in asked.machines
        for one in pieces[machine.pk]
    ]
    return sorted((one for one in found if one.value or one.unknown), key=lambda one: (one.start, one.machine_id))


def _of_evidence(code: str, machine: Machine, one: Evidence, sums: MachineSums, traits: Traits) -> Contribution:
    reasons = ReasonSums()
    if one.increment is None and one.slice.key.calendar is Calendar.SCHEDULED:
        spent = one.slice.microseconds[one.category]
        reasons = ReasonSums.of([TimeInReason(one.category, traits.of(one.reason_id), spent, int(one.begins))])
    value = element_values(sums, reasons)[code]
    return Contribution(
        machine_id=machine.pk,
        start=one.start,
        end=one.end,
        value=value or Fraction(0),
        unknown=value is None and bool(sums.quantity_without_rate),
        key=one.slice.key,
        category=None if one.increment else one.category,
        reason_id=one.reason_id,
        counted=one.increment.quantity if one.increment else None,
        counted_as=one.increment.role.value if one.increment else "",
        since=one.increment.since if one.increment else None,
    )


def _periods(code: str, asked: Question, past: Interval, *, now: datetime, by_day: bool) -> list[Contribution]:
    slices = slices_of(asked.machines, past, now=now, part=asked.part, by_hour=True)
    sums, traits = sums_for(asked.machines, slices.values()), Traits()
    rows = _by_machine(reason_times(asked.machines, past, now=now, part=asked.part, by_hour=True))
    found = []
    for machine in asked.machines:
        zone = machine.line.area.site.zone

        def period(hour: datetime, zone: ZoneInfo = zone) -> datetime:
            return hour.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0) if by_day else hour

        periods: dict[datetime, list[Slice]] = defaultdict(list)
        for piece in slices[machine.pk]:
            periods[period(piece.key.hour)].append(piece)
        reasons: dict[datetime, list[ReasonTime]] = defaultdict(list)
        for row in rows[machine.pk]:
            reasons[period(row.hour)].append(row)
        for start, of_period in sorted(periods.items()):
            summed = sums.of(machine, of_period)
            value = element_values(summed, traits.sums(reasons[start]))[code]
            unknown = value is None and bool(summed.quantity_without_rate)
            if value or unknown:
                hours = [piece.key.hour for piece in of_period]
                found.append(
                    Contribution(
                        machine_id=machine.pk,
                        start=max(min(hours), past.start),
                        end=min(max(hours) + timedelta(hours=1), past.end),
                        value=value or Fraction(0),
                        unknown=unknown,
                    )
                )
    return sorted(found, key=lambda one: (one.start, one.machine_id))


MOST_FACTS = 1000


@dataclass(frozen=True, slots=True)
class RawFact:
    """A fact as it was stored: what was said, by whom, when it happened, and when it came."""

    kind: str
    occurred_at: datetime
    until: datetime | None
    said: str
    source: str
    recorded_at: datetime
    corrected: str = ""


@dataclass(frozen=True, slots=True)
class RawFacts:
    """The facts about a machine that bear on a span, oldest first; `is_cut` says that there are more."""

    machine: Machine
    window: Interval
    facts: tuple[RawFact, ...]
    is_cut: bool


def raw_facts(machine: Machine, starts_at: datetime, ends_at: datetime) -> RawFacts:
    """Return the third step: states with the one carried into the span, people's words, gaps, readings with the one
    before, and what happened to counters. What happened at its very end is shown too, for it ended the span.
    """
    refuse_closed(starts_at, field="starts_at")
    window = Interval(starts_at, ends_at + timedelta(microseconds=1))
    found = [*_states(machine, window), *_words(machine, window), *_gaps(machine, window), *_readings(machine, window)]
    found.sort(key=lambda fact: (fact.occurred_at, fact.kind))
    return RawFacts(machine, window, tuple(found[:MOST_FACTS]), len(found) > MOST_FACTS)


def _states(machine: Machine, window: Interval) -> Iterable[RawFact]:
    states = StateHistory.objects.filter(machine=machine).select_related("reason")
    carried = states.filter(occurred_at__lt=window.start).order_by("-occurred_at")[:1]
    within = states.filter(occurred_at__gte=window.start, occurred_at__lt=window.end).order_by("occurred_at")
    facts = [*carried, *within[: MOST_FACTS + 1]]
    sent = [(state.occurred_at, state.reason_id, state.reason.category, state.detail) for state in facts]
    ruled = [reason_id for _, reason_id, *_ in after_rules([machine], {machine.pk: sent})[machine.pk]]
    names = StateReason.objects.without_tree_fields().in_bulk(set(ruled))
    for state, reason_id in zip(facts, ruled, strict=True):
        said = f"{state.reason}: {state.detail}" if state.detail else str(state.reason)
        by_rule = "" if reason_id == state.reason_id else f"by rule: {names[reason_id]}"
        yield RawFact("state", state.occurred_at, None, said, state.source, state.recorded_at, by_rule)


def _words(machine: Machine, window: Interval) -> Iterable[RawFact]:
    reasons = all_reasons()
    for word in corrections_in([machine.pk], window):
        reason = "as the machine said" if word.reason_id is None else reasons[word.reason_id]
        said = f"{reason}: {word.comment}" if word.comment else str(reason)
        source = f"user:{word.corrected_by_id}"
        yield RawFact("correction", word.starts_at, word.holds_until, said, source, word.recorded_at)


def _gaps(machine: Machine, window: Interval) -> Iterable[RawFact]:
    for gap in gaps_in([machine.pk], window):
        yield RawFact("gap", gap.starts_at, gap.ends_at, gap.cause, gap.source, gap.recorded_at)


def _readings(machine: Machine, window: Interval) -> Iterable[RawFact]:
    tags = {tag.pk: tag for tag in CountTag.objects.filter(machine=machine)}
    span = {"occurred_at__gte": window.start, "occurred_at__lt": window.end}
    before = [
        reading
        for tag_id in tags
        for reading in CountHistory.objects.filter(tag=tag_id, occurred_at__lt=window.start).order_by("-occurred_at")[
            :1
        ]
    ]
    within = list(CountHistory.objects.filter(tag__in=tags, **span).order_by("occurred_at")[: MOST_FACTS + 1])
    moments = {reading.occurred_at for reading in [*before, *within]}
    holds: dict[tuple[int, datetime], str] = {}
    for word in CountCorrection.objects.filter(tag__in=tags, occurred_at__in=moments).order_by("id"):
        value = "void" if word.value is None else plain_number(word.value)
        holds[word.tag_id, word.occurred_at] = value
        said = f"{tags[word.tag_id].tag_path} = {value}: {word.comment}"
        yield RawFact("correction", word.occurred_at, None, said, f"user:{word.corrected_by_id}", word.recorded_at)
    for reading in [*before, *within]:
        tag = tags[reading.tag_id]
        said = f"{tag.tag_path} = {plain_number(reading.value)}"
        corrected = holds.get((reading.tag_id, reading.occurred_at), "")
        yield RawFact("count", reading.occurred_at, None, said, reading.source, reading.recorded_at, corrected)
    for event in CounterEvent.objects.filter(tag__in=tags, **span).order_by("occurred_at"):
        said = f"{tags[event.tag_id].tag_path}: {event.get_kind_display()}"
        source = event.source or (f"user:{event.stated_by_id}" if event.stated_by_id else "")
        yield RawFact("counter event", event.occurred_at, None, said, source, event.recorded_at)
