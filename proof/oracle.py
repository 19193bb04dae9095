"""Say what the engine should find, second by second, from its documentation: slow, simple, and nothing of it shared.

Every question that can be asked of a second (what did the machine say, what did it do, which shift, which run, …) is
answered on a track: one letter or small number a second, from `AROUND` seconds before the window on. Tracks are
painted over: what holds over something else is painted later. Then the seconds are counted.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice, pairwise

from oee.engine import (
    Breaks,
    Category,
    Changeover,
    CounterEventKind,
    CountMode,
    CountRole,
    MicroStopLoss,
    NoData,
    Overtime,
    Policy,
    ResetPolicy,
    StartupRejects,
)
from proof.cases import AROUND, REASONS, Case, Tag

LETTERS = {
    Category.RUNNING: "R",
    Category.UNPLANNED: "U",
    Category.PLANNED: "P",
    Category.CHANGEOVER: "C",
    Category.NOT_SCHEDULED: "N",
    Category.NO_DATA: "?",
    Category.MICRO_STOP: "m",
    Category.UNDETERMINED: "u",
}
# What a machine says is one of the reasons, or one of these: nothing at all; pieces come; no pieces come.
SILENT, PIECES_COME, NONE_COME = 0, 101, 102
_LETTER_OF = bytearray(b"!" * 256)
for _reason, _category in REASONS.items():
    _LETTER_OF[_reason] = ord(LETTERS[_category])
_LETTER_OF[SILENT], _LETTER_OF[PIECES_COME], _LETTER_OF[NONE_COME] = b"?RU"

Key = tuple[int, str, int, int, int]
"""Hour (0 = the one in which the window begins), calendar (S scheduled, B break, - neither), shift, run, rate;
0 = none.
"""


@dataclass
class Answer:
    """Seconds by key and category, seconds and beginnings by key, reason and category, pieces by key,
    knowledge and role.
    """

    seconds: Counter[tuple[Key, str]] = field(default_factory=Counter)
    reasons: Counter[tuple[Key, int, str]] = field(default_factory=Counter)
    beginnings: Counter[tuple[Key, int, str]] = field(default_factory=Counter)
    pieces: dict[tuple[Key, bool, CountRole], Fraction] = field(default_factory=lambda: defaultdict(Fraction))


class Oracle:
    """The tracks of a case. Track positions are seconds + `around`."""

    def __init__(self, case: Case, around: int = AROUND) -> None:
        self.case, self.around = case, around
        self.size = around + (case.length + around if case.known_until is None else case.known_until)
        self.counted = [(tag, at, pieces, since) for tag in case.tags for at, pieces, since in counted(tag)]
        self.run, self.product, self.rate, self.settling = self._runs()
        self.calendar, self.shift = self._shifts()
        self.said = self._said(heard_first=False)
        self.did = self._by_length(self.said.translate(_LETTER_OF))

    def answer(self) -> Answer:
        """Count the window's seconds and pieces."""
        case, found = self.case, Answer()
        first, last = self.around, self.around + case.length
        hours = bytearray((second + case.into_hour) // 3_600 for second in range(case.length))
        tracks = zip(
            *(hours, self.calendar[first:last], self.shift[first:last], self.run[first:last], self.rate[first:last]),
            *(self.said[first:last], self.did[first:last]),
            strict=True,
        )
        for (hour, calendar, shift, run, rate, said, did), seconds in Counter(tracks).items():
            key, reason = (hour, chr(calendar), shift, run, rate), said if said < PIECES_COME else 0
            found.seconds[key, chr(did)] += seconds
            found.reasons[key, reason, chr(did)] += seconds
        for position in range(first, last):
            if self.said[position] != self.said[position - 1] and self.said[position] != SILENT:
                reason = self.said[position] if self.said[position] < PIECES_COME else 0
                found.beginnings[self.key(position - self.around), reason, chr(self.did[position])] += 1
        self._pieces(found)
        return found

    def drawn(self) -> list[tuple[int, str, str]]:
        """Return (reason, category, calendar) of each second of the window."""
        return [
            (said if said < PIECES_COME else 0, chr(did), chr(calendar))
            for said, did, calendar in islice(
                zip(self.said, self.did, self.calendar, strict=True), self.around, self.around + self.case.length
            )
        ]

    def key(self, second: int) -> Key:
        """Return the key of a second of the window."""
        position = second + self.around
        hour = (second + self.case.into_hour) // 3_600
        calendar, shift = chr(self.calendar[position]), self.shift[position]
        return hour, calendar, shift, self.run[position], self.rate[position]

    def _track(self, value: int) -> bytearray:
        return bytearray([value]) * self.size

    def _paint(self, track: bytearray, start: int, end: int | None, value: int) -> None:
        a, b = self._positions(start, end)
        track[a:b] = bytes([value]) * (b - a)

    def _positions(self, start: int, end: int | None) -> tuple[int, int]:
        a = min(max(start + self.around, 0), self.size)
        return a, self.size if end is None else max(a, min(end + self.around, self.size))

    def _runs(self) -> tuple[bytearray, bytearray, bytearray, bytearray]:
        run, product, rate, settling = (self._track(0) for _ in range(4))
        for n, span in enumerate(self.case.runs, start=1):
            self._paint(run, span.start, span.end, n)
            self._paint(product, span.start, span.end, span.product or 0)
            if span.settled is not None:
                settled = span.settled if span.end is None else min(span.settled, span.end)
                self._paint(settling, span.start, settled, 1)
        for n, ideal in enumerate(self.case.rates, start=1):
            # A rate holds while its product is made.
            a, b = self._positions(ideal.start, ideal.end)
            rate[a:b] = bytes(
                n if made == ideal.product else r for made, r in zip(product[a:b], rate[a:b], strict=True)
            )
        return run, product, rate, settling

    def _shifts(self) -> tuple[bytearray, bytearray]:
        shift = self._track(0)
        calendar = self._track(ord("S" if self.case.shifts is None else "-"))
        for n, span in enumerate(self.case.shifts or (), start=1):
            self._paint(shift, span.start, span.end, n)
            self._paint(calendar, span.start, span.end, ord("S"))
            for start, end in span.breaks:
                self._paint(calendar, start, end, ord("B"))
        return calendar, shift

    def _said(self, *, heard_first: bool) -> bytearray:
        """Return the reason that holds at each second, people's corrections over the rest.

        `heard_first`: the second in which a gap begins is not yet in it. What was counted then was heard.
        """
        said = self._track(SILENT)
        for at, reason in sorted(self.case.states):
            self._paint(said, at, None, reason)
        if self.case.counted_running is not None:
            said = self._with_counted(said, *self.case.counted_running)
        for start, end in self.case.gaps:
            self._paint(said, start + 1 if heard_first else start, end, SILENT)
        by_itself, ran = bytes(said), said.translate(_LETTER_OF)
        for word in self.case.corrections:
            a, b = self._positions(word.start, word.end)
            if word.reason is None:
                said[a:b] = by_itself[a:b]
                continue
            said[a:b] = bytes(
                word.reason if word.replaces_running or letter != ord("R") else reason
                for reason, letter in zip(said[a:b], ran[a:b], strict=True)
            )
        return said

    def _with_counted(self, said: bytearray, stop_after: int, run_after: int) -> bytearray:
        """Let pieces say whether it ran, and what the machine said why it stood, or which kind of running it was."""
        pieces = sorted({at for tag, at, made, _ in self.counted if tag.role is not CountRole.INFEED and made})
        runs = self._track(0)
        row: list[int] = []
        for piece in pieces:
            row.append(piece)
            if any(piece < other <= piece + stop_after for other in pieces):
                continue
            if len(row) >= run_after:
                known = self.case.known_until
                may_go_on = known is not None and known - piece <= stop_after
                self._paint(runs, row[0], None if may_go_on else piece, 1)
            row = []
        since = min((at for tag in self.case.tags for at, _ in tag.readings), default=None)
        start = self.size if since is None else self._positions(since, None)[0]
        for position in range(start, self.size):
            if said[position] == SILENT or (_LETTER_OF[said[position]] == ord("R")) != bool(runs[position]):
                said[position] = PIECES_COME if runs[position] else NONE_COME
        return said

    def _by_length(self, letters: bytearray) -> bytearray:
        """Call the unplanned parts of stands that are shorter than the limit micro-stops.

        A stand is a time without running. If it goes on at the end of what is known, nobody knows yet how long it is.
        Next to time of which nothing is known it may be longer than it looks.
        """
        limits = dict(self.case.micro_below_of)
        for stand in re.finditer(rb"[^R]+", bytes(letters)):
            limit = limits.get(self.product[stand.start()], self.case.micro_below)
            if limit is None or stand.end() - stand.start() >= limit or b"?" in stand.group():
                continue
            goes_on = stand.end() == self.size and self.case.known_until is not None
            letters[stand.start() : stand.end()] = stand.group().replace(b"U", b"u" if goes_on else b"m")
        return letters

    def _pieces(self, found: Answer) -> None:
        heard = self.did
        if self.case.gaps:
            heard = self._said(heard_first=True).translate(_LETTER_OF)
        words = [at for at, _ in self.case.states]
        if self.case.counted_running is not None:
            words += [at for tag in self.case.tags for at, _ in tag.readings]
        for tag, at, pieces, since in self.counted:
            if not 0 <= at < self.case.length:
                continue
            has_data = heard[at + self.around] != ord("?")
            if since is not None and words:
                # Nothing was lost before the machine's first word; nobody had begun to listen.
                listening = max(since, min(words))
                lost = self.did[listening + self.around : at + self.around].count(b"?")
                has_data = has_data and lost * 2 <= at - since
            key = self.key(at)
            found.pieces[key, has_data, tag.role] += pieces
            if tag.role is CountRole.REJECT and self.settling[at + self.around]:
                found.pieces[key, has_data, CountRole.STARTUP_REJECT] += pieces


def counted(tag: Tag) -> list[tuple[int, Fraction, int | None]]:
    """Return (second, pieces, second since when they were made) of a counter's readings;
    nothing counted is left out.
    """
    ordered, found = sorted(tag.readings), list[tuple[int, Fraction, int | None]]()
    if tag.mode is CountMode.DELTA:
        found = [(at, max(0, value + tag.offset) * tag.scale, None) for at, value in ordered]
    else:
        for before, after in pairwise(ordered):
            told = [event for event in tag.events if before[0] < event.at <= after[0]]
            pulses = (
                _told(tag, before[1], after[1], told[-1].kind, told[-1].value) if told else _guessed(tag, before, after)
            )
            found.append((after[0], pulses * tag.scale, before[0]))
    return [step for step in found if step[1]]


def _told(tag: Tag, before: int, after: int, kind: CounterEventKind, value: int | None) -> int:
    """Return the pulses of a step of which somebody said what happened; what makes no sense counts nothing."""
    if kind is CounterEventKind.ROLLOVER:
        return after - before + tag.modulus if tag.modulus else 0
    if kind is CounterEventKind.GENUINE:
        return max(0, after - before)
    if kind is CounterEventKind.RESET:
        if value is None and tag.reset_policy is ResetPolicy.NEW_BASELINE:
            return 0
        return max(0, after - (-tag.offset if value is None else value))
    return 0  # Another counter: its first reading is a baseline.


def _guessed(tag: Tag, before: tuple[int, int], after: tuple[int, int]) -> int:
    """Return the pulses of a step of which nobody said anything: a rise, a rollover, a restart, or held."""
    seconds, rise = after[0] - before[0], after[1] - before[1]
    fastest = None if tag.fastest_rate is None else tag.fastest_rate * seconds
    if rise >= 0:
        return rise if fastest is None or rise <= fastest else 0
    if tag.modulus is not None:
        wrapped = rise + tag.modulus
        if wrapped <= (Fraction(tag.modulus, 2) if fastest is None else fastest):
            return wrapped
    if tag.reset_policy is ResetPolicy.FROM_ZERO:
        restarted = after[1] + tag.offset
        if 0 <= restarted <= (Fraction(before[1] + tag.offset, 2) if fastest is None else fastest):
            return restarted
    return 0


# --- What time and pieces count as ------------------------------------------------------------------------------------


def element(policy: Policy, calendar: str, did: str) -> str:
    """Return the time element that a second is, as the table in docs/proof.md has it."""
    if calendar != "S":
        if did == "R" and policy.overtime is Overtime.COUNT:
            return "actual_production_time"
        if calendar == "-" or policy.breaks is Breaks.UNSCHEDULED:
            return "unscheduled_time"
        # Running that is left out is no standing: it is no loss of anything.
        stands = did != "R"
        return "actual_unit_delay_time" if stands and policy.breaks is Breaks.AVAILABILITY_LOSS else "break_time"
    if did == "C":
        loss = policy.changeover is Changeover.AVAILABILITY_LOSS
        return "actual_unit_setup_time" if loss else "planned_stop_time"
    if did == "m":
        return "minor_stop_time" if policy.micro_stops is MicroStopLoss.PERFORMANCE else "actual_unit_delay_time"
    if did == "?":
        return "no_data_time" if policy.no_data is NoData.EXCLUDE else "no_data_loss_time"
    return {
        "R": "actual_production_time",
        "U": "actual_unit_delay_time",
        "u": "undetermined_time",
        "P": "planned_stop_time",
        "N": "unscheduled_time",
    }[did]


BUSY = {
    *("actual_production_time", "minor_stop_time", "actual_unit_setup_time", "actual_unit_delay_time"),
    *("undetermined_time", "no_data_loss_time"),
}

Ratios = tuple[Fraction | None, Fraction | None, Fraction | None, Fraction | None]


@dataclass
class Totals:
    """Seconds by element, pieces and ideal seconds by what they are, and what else the sums hold, by its name there."""

    numbers: dict[str, Fraction] = field(default_factory=lambda: defaultdict(Fraction))

    def ratios(self) -> Ratios:
        """Return availability, performance, quality and OEE by the formulas of docs/glossary.md and decisions 5 and
        6.
        """
        n = self.numbers
        busy = sum((n[name] for name in BUSY), Fraction(0))
        producing = n["actual_production_time"] + n["minor_stop_time"]
        rated = not n["quantity_without_rate"]
        nothing_expected = not n["produced"] and n["planned_time_without_rate"] and n["actual_production_time"]
        speed_known = rated and not nothing_expected
        by_ideal_time = rated and n["ideal_time"]
        return (
            producing / busy if busy else None,
            n["ideal_time"] / producing if speed_known and producing else None,
            n["ideal_time_of_good"] / n["ideal_time"]
            if by_ideal_time
            else (n["good"] / n["produced"] if n["produced"] else None),
            n["ideal_time_of_good"] / busy if speed_known and busy else None,
        )


def totals(case: Case, answer: Answer) -> Totals:
    """Return what the seconds and pieces of an answer add up to under the case's policies."""
    found = Totals()
    numbers = found.numbers
    for ((hour, calendar, _, run, rate), did), seconds in answer.seconds.items():
        policy = _policy(case, hour)
        what = element(policy, calendar, did)
        numbers[what] += seconds
        if what in BUSY or what == "no_data_time":
            numbers["planned_time_without_rate"] += 0 if rate else seconds
            numbers["ideal_quantity_of_planned_time"] += seconds / case.rates[rate - 1].cycle if rate else 0
        if what == "actual_production_time":
            numbers["overtime"] += seconds if calendar != "S" else 0
            numbers["production_time_without_rate"] += 0 if rate else seconds
        numbers["micro_stop_time"] += seconds if did == "m" and calendar == "S" else 0
        numbers["order_time"] += seconds if run else 0
    for (key, has_data), roles in _by_key(answer).items():
        policy = _policy(case, key[0])
        if key[1] != "S" and policy.overtime is Overtime.EXCLUDE:
            continue
        cycle = case.rates[key[4] - 1].cycle if key[4] else None
        made = quantities(case, policy, roles)
        for name, quantity in made.items():
            numbers[name] += quantity
        if not has_data:
            numbers["quantity_without_data"] += made["produced"]
        elif cycle is None:
            numbers["quantity_without_rate"] += made["produced"]
        else:
            numbers["ideal_time"] += made["produced"] * cycle
            numbers["ideal_time_of_good"] += made["good"] * cycle
            numbers["ideal_time_of_scrap"] += (made["scrap"] - made["startup_scrap"]) * cycle
            numbers["ideal_time_of_startup_scrap"] += made["startup_scrap"] * cycle
            numbers["ideal_time_of_rework"] += made["rework"] * cycle
    return found


def _by_key(answer: Answer) -> dict[tuple[Key, bool], dict[CountRole, Fraction]]:
    found: dict[tuple[Key, bool], dict[CountRole, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for (key, has_data, role), pieces in answer.pieces.items():
        found[key, has_data][role] += pieces
    return found


def _policy(case: Case, hour: int) -> Policy:
    later = case.later_policy
    return later[1] if later is not None and hour >= later[0] else case.policy


def quantities(case: Case, policy: Policy, made: dict[CountRole, Fraction]) -> dict[str, Fraction]:
    """Return pieces by what they are: the parts make the total, unless a counter of the total says otherwise."""
    roles = {tag.role for tag in case.tags}
    scrap, rework, startup = made[CountRole.REJECT], made[CountRole.REWORK], made[CountRole.STARTUP_REJECT]
    good = made[CountRole.GOOD]
    if CountRole.TOTAL in roles and CountRole.GOOD not in roles:
        good = made[CountRole.TOTAL] - scrap - rework
    produced = made[CountRole.TOTAL] if CountRole.TOTAL in roles else good + scrap + rework
    if policy.startup_rejects is StartupRejects.EXCLUDE:
        produced, scrap, startup = produced - startup, scrap - startup, Fraction(0)
    return {
        "produced": produced,
        "good": good,
        "scrap": scrap,
        "rework": rework,
        "infeed": made[CountRole.INFEED],
        "startup_scrap": startup,
    }
