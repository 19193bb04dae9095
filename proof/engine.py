"""The engine's answer in the oracle's shape, and the three proofs that need no database."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any

from core.intervals import HOUR, Interval
from oee.engine import (
    Calendar,
    Kpis,
    MachineHistory,
    MachineSums,
    ReasonSlice,
    Slice,
    SliceKey,
    evidence,
    segments,
    slice_window,
    sum_slices,
)
from proof.cases import Case
from proof.inputs import FULL_HOUR, cycles_of, history_of, policy_at, scheme_of, window_of
from proof.oracle import LETTERS, Answer, Key, Oracle, Totals, totals

_SECOND = 1_000_000
_CALENDAR = {Calendar.SCHEDULED: "S", Calendar.ON_BREAK: "B", Calendar.UNSCHEDULED: "-"}

Slices = tuple[tuple[Slice, ...], tuple[ReasonSlice, ...]]


def key_of(key: SliceKey) -> Key:
    """Return the engine's key as the oracle writes it."""
    hour = (key.hour - FULL_HOUR) // HOUR
    return hour, _CALENDAR[key.calendar], key.shift_id or 0, key.run_id or 0, key.rate_id or 0


def answer_of(found: Slices) -> Answer:
    """Return the engine's slices as the oracle writes them; raises ValueError for a part of a second."""
    answer = Answer()
    for piece in found[0]:
        key = key_of(piece.key)
        for category, microseconds in piece.microseconds.items():
            if microseconds % _SECOND or piece.key.has_data is (LETTERS[category] == "?"):
                raise ValueError(f"Not a whole number of seconds, or knowledge that is none: {piece}")
            answer.seconds[key, LETTERS[category]] += microseconds // _SECOND
        for role, quantity in piece.quantities.items():
            answer.pieces[key, piece.key.has_data, role] += quantity
    for part in found[1]:
        of_reason = key_of(part.key), part.reason_id or 0, LETTERS[part.category]
        answer.reasons[of_reason] += part.microseconds // _SECOND
        answer.beginnings[of_reason] += part.occurrences
    return answer


def sums_of(case: Case, found: Slices) -> MachineSums:
    """Return what the engine makes of slices under the case's policies."""
    return sum_slices(
        found[0], rates=cycles_of(case), scheme=scheme_of(case), policy=lambda hour: policy_at(case, hour)
    )


def numbers_of(sums: MachineSums) -> dict[str, Fraction]:
    """Return the engine's sums by name, times in seconds, as the oracle has them."""
    in_microseconds = {"planned_time_without_rate", "production_time_without_rate", "micro_stop_time", "order_time"}
    numbers = {e.name: Fraction(getattr(sums.times, e.name), _SECOND) for e in fields(sums.times)}
    numbers |= {q.name: getattr(sums.quantities, q.name) for q in fields(sums.quantities)}
    for each in fields(sums):
        if each.name not in {"times", "quantities"}:
            value = Fraction(getattr(sums, each.name))
            numbers[each.name] = value / _SECOND if each.name in {*in_microseconds, "overtime"} else value
    return numbers


def differences(case: Case, found: Slices, expected: Answer) -> list[str]:
    """Say where the engine and the oracle differ."""
    answer = answer_of(found)
    said = [
        *different("seconds", answer.seconds, expected.seconds),
        *different("seconds by reason", answer.reasons, expected.reasons),
        *different("beginnings", answer.beginnings, expected.beginnings),
        *different("pieces", answer.pieces, expected.pieces),
    ]
    return said + sums_differ(sums_of(case, found), totals(case, expected))


def sums_differ(sums: MachineSums, expected: Totals) -> list[str]:
    """Say where sums and the KPIs of them differ."""
    kpis = Kpis.of(sums)
    ratios = kpis.availability, kpis.effectiveness, kpis.quality_ratio, kpis.oee_index
    said = different("sums", numbers_of(sums), expected.numbers)
    if ratios != expected.ratios():
        said.append(f"A, P, Q, OEE: {_texts(ratios)}, expected {_texts(expected.ratios())}")
    return said


def _texts(ratios: tuple[Fraction | None, ...]) -> str:
    return ", ".join(str(ratio) for ratio in ratios)


def different(what: str, found: Mapping[Any, Any], expected: Mapping[Any, Any]) -> list[str]:
    """Say where two answers differ; what is missing is 0."""
    if found == expected:
        return []
    return [
        f"{what} {key}: {found.get(key, 0)}, expected {expected.get(key, 0)}"
        for key in {**found, **expected}
        if found.get(key, 0) != expected.get(key, 0)
    ]


def prove_oracle(case: Case, random: Random) -> list[str]:
    """The engine finds what the oracle finds: time, reasons, beginnings, pieces, elements, KPIs, and what is drawn."""
    history, window, oracle = history_of(case), window_of(case), Oracle(case)
    said = differences(case, slice_window(history, window), oracle.answer())
    drawn = [
        letter
        for s in segments(history, window)
        for letter in [(s.reason_id or 0, LETTERS[s.category], _CALENDAR[s.calendar])]
        * round((s.end - s.start).total_seconds())
    ]
    return said if drawn == oracle.drawn() else [*said, "What is drawn differs."]


def prove_permutation(case: Case, random: Random) -> list[str]:
    """Facts in another order, some of them twice: the same slices, reasons and segments, to the last digit."""
    window, plain, other = window_of(case), history_of(case), history_of(case, random)
    one, two = slice_window(plain, window), slice_window(other, window)
    said = [] if one[0] == two[0] else [f"slices {one[0]}, shuffled {two[0]}"]
    if len(one[1]) != len(two[1]) or set(one[1]) != set(two[1]):
        said.append(f"reasons {one[1]}, shuffled {two[1]}")
    return said if segments(plain, window) == segments(other, window) else [*said, "segments differ"]


def prove_additivity(case: Case, random: Random) -> list[str]:
    """A window cut anywhere, to the microsecond: its parts add up to it, and its elements to its length."""
    window, history = window_of(case), history_of(case)
    cuts = {
        window.start + timedelta(microseconds=random.randrange(1, window.microseconds))
        for _ in range(random.randint(1, 3))
    }
    # At what happens, too, for that is where cutting is hard.
    happened = [event.at for event in history.states] + [increment.at for increment in history.increments]
    cuts |= {at for at in random.sample(happened, min(len(happened), 2)) if window.start < at < window.end}
    bounds = [window.start, *sorted(cuts), window.end]
    parts = [slice_window(history, Interval(a, b)) for a, b in pairwise(bounds)]
    whole = slice_window(history, window)
    one, other = _by_keys([whole]), _by_keys(parts)
    said = [
        message
        for n, what in enumerate(("time", "pieces", "reasons", "beginnings"))
        for message in different(what, other[n], one[n])
    ]
    sums = sums_of(case, whole)
    if MachineSums.total(sums_of(case, part) for part in parts) != sums:
        said.append("The sums of the parts are not those of the whole.")
    drawn = segments(history, window)
    bounds_drawn = [drawn[0].start, *(segment.end for segment in drawn)]
    if bounds_drawn != [*(segment.start for segment in drawn), window.end] or drawn[0].start != window.start:
        said.append("The timeline has a hole.")
    said += _evidence_differs(history, window, one)
    if sums.times.calendar_time != window.microseconds:
        said.append(f"Elements of {sums.times.calendar_time} µs in a window of {window.microseconds} µs.")
    return said


def _evidence_differs(history: MachineHistory, window: Interval, whole: "ByKeys") -> list[str]:
    """Say where the evidence of a window does not add up to its slices, clock hours aside."""
    pieces = evidence(history, window)
    found = _by_keys([(tuple(piece.slice for piece in pieces), ())])
    began: Counter = Counter()
    for piece in pieces:
        began[piece.slice.key.run_id, piece.reason_id, piece.category] += piece.begins
    expected: Counter = Counter()
    for (key, reason, category), number in whole[3].items():
        expected[key.run_id, reason, category] += number
    return [
        *different("time of the evidence", _without_hours(found[0]), _without_hours(whole[0])),
        *different("pieces of the evidence", _without_hours(found[1]), _without_hours(whole[1])),
        *different("beginnings of the evidence", began, expected),
    ]


def _without_hours(by_key: Mapping[Any, Any]) -> dict[Any, Any]:
    found: dict[Any, Any] = defaultdict(int)
    for (key, what), number in by_key.items():
        found[replace(key, hour=FULL_HOUR), what] += number
    return found


ByKeys = tuple[dict[Any, Any], dict[Any, Any], dict[Any, Any], dict[Any, Any]]


def _by_keys(parts: list[Slices]) -> ByKeys:
    time: Counter = Counter()
    pieces: dict = defaultdict(Fraction)
    reasons: Counter = Counter()
    beginnings: Counter = Counter()
    for slices, by_reason in parts:
        for piece in slices:
            for category, microseconds in piece.microseconds.items():
                time[piece.key, category] += microseconds
            for role, quantity in piece.quantities.items():
                pieces[piece.key, role] += quantity
        for part in by_reason:
            reasons[part.key, part.reason_id, part.category] += part.microseconds
            beginnings[part.key, part.reason_id, part.category] += part.occurrences
    return time, pieces, reasons, beginnings
