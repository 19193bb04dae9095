"""Random machines of a plant, for the proof on the database: a history, and in which order it is told,
read in between.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from random import Random

from oee.engine import Category
from proof.cases import REASONS, Case, Correction, Rate, Run, Span, Tag, random_case, random_policy

HOURS = 3
SECONDS = HOURS * 3_600
NEW_DAY = 2
"""The full hour in which a new day begins at the site; a later policy holds from then on."""
FOREVER = 10**6


@dataclass(frozen=True)
class CountEdit:
    """A person's word on a reading: another value, or None to void it. Later ones hold over earlier ones."""

    tag: int
    at: int
    value: int | None


@dataclass(frozen=True)
class Rule:
    """Stops that begin from a second on and are sent with one reason get another."""

    sent: int
    reason: int
    since: int | None


@dataclass(frozen=True)
class Plant:
    """A case as it is told (its gaps are those that somebody reported), with what only a plant has.

    The window is `HOURS` whole hours. `startup_minutes` belong to the policy and the later policy.
    """

    case: Case
    silence_after: int | None = None
    edits: tuple[CountEdit, ...] = ()
    startup_minutes: tuple[int, int] = (0, 0)
    rules: tuple[Rule, ...] = ()

    def meant(self, *, now: int | None = None) -> Case:
        """Return the case as it is meant, for the oracle: with silences, edited counts, start-ups and rules.

        `now` is how long a silence that goes on has gone on; None = for ever.
        """
        return replace(
            self.case,
            states=tuple((at, self._ruled(at, reason)) for at, reason in self.case.states),
            corrections=tuple(replace(word, end=self._end(word)) for word in self.case.corrections),
            gaps=(*self.case.gaps, *self._silences(now)),
            tags=tuple(self._edited(n, tag) for n, tag in enumerate(self.case.tags)),
            runs=tuple(replace(run, settled=self._settled(run)) for run in self.case.runs),
        )

    def _ruled(self, at: int, reason: int) -> int:
        for rule in self.rules:
            if rule.sent == reason and (rule.since is None or at >= rule.since):
                return rule.reason
        return reason

    def _end(self, word: Correction) -> int | None:
        if not word.until_running:
            return word.end
        ran = (at for at, reason in self.case.states if at > word.start and REASONS[reason] is Category.RUNNING)
        return min(ran, default=None)

    def _silences(self, now: int | None) -> list[Span]:
        if self.silence_after is None:
            return []
        signals = {at for at, _ in self.case.states} | {at for tag in self.case.tags for at, _ in tag.readings}
        ordered = sorted(signals)
        spans = [(a, b) for a, b in pairwise(ordered) if b - a > self.silence_after]
        if ordered and (now is None or now - ordered[-1] > self.silence_after):
            spans.append((ordered[-1], FOREVER))
        return spans

    def _edited(self, number: int, tag: Tag) -> Tag:
        values: dict[int, int | None] = dict(tag.readings)
        for edit in self.edits:
            if edit.tag == number:
                values[edit.at] = edit.value
        return replace(tag, readings=tuple((at, value) for at, value in values.items() if value is not None))

    def _settled(self, run: Run) -> int | None:
        is_later = self.case.later_policy is not None and run.start >= NEW_DAY * 3_600
        minutes = self.startup_minutes[is_later]
        return run.start + minutes * 60 if minutes else None


def random_plant(random: Random) -> Plant:
    """Return a machine's history that the services take: decimal rates, whole hours, one new day at most."""
    case = random_case(random, SECONDS)
    case = replace(
        case,
        into_hour=0,
        known_until=None,
        gaps=tuple(dict.fromkeys(case.gaps)),
        rates=tuple(replace(rate, cycle=Fraction(random.randint(1, 160), 4)) for rate in case.rates),
        corrections=tuple(
            replace(word, end=None, replaces_running=False, until_running=True) if random.random() < 0.3 else word
            for word in case.corrections
        ),
        later_policy=(NEW_DAY, random_policy(random)) if random.random() < 0.4 else None,
    )
    readings = [(n, at) for n, tag in enumerate(case.tags) for at, _ in tag.readings]
    edited = random.sample(readings, min(len(readings), random.choice((0, 0, 1, 3))))
    return Plant(
        case,
        silence_after=random.choice((None, None, 60, 600, 1_200)),
        edits=tuple(CountEdit(n, at, random.choice((None, random.randrange(90)))) for n, at in edited),
        startup_minutes=(random.choice((0, 0, 10)), random.choice((0, 30))),
        rules=tuple(
            Rule(sent, random.choice((2, 3, 4, 5, 7)), random.choice((None, random.randrange(SECONDS))))
            for sent in (2, 3)
            if random.random() < 0.2
        ),
    )


def shifted(case: Case, by: int, length: int, known_until: int | None) -> Case:
    """Return a case seen from a window of another start: `by` seconds later."""

    def later(second: int | None) -> int | None:
        return None if second is None else second - by

    def run_of(run: Run) -> Run:
        return replace(run, start=run.start - by, end=later(run.end), settled=later(run.settled))

    def rate_of(rate: Rate) -> Rate:
        return replace(rate, start=rate.start - by, end=later(rate.end))

    def tag_of(tag: Tag) -> Tag:
        return replace(
            tag,
            readings=tuple((at - by, value) for at, value in tag.readings),
            events=tuple(replace(event, at=event.at - by) for event in tag.events),
        )

    begins = case.into_hour + by
    return replace(
        case,
        length=length,
        into_hour=begins % 3_600,
        states=tuple((at - by, reason) for at, reason in case.states),
        gaps=tuple((a - by, b - by) for a, b in case.gaps),
        corrections=tuple(replace(c, start=c.start - by, end=later(c.end)) for c in case.corrections),
        tags=tuple(map(tag_of, case.tags)),
        shifts=None
        if case.shifts is None
        else tuple(
            replace(s, start=s.start - by, end=s.end - by, breaks=tuple((a - by, b - by) for a, b in s.breaks))
            for s in case.shifts
        ),
        runs=tuple(map(run_of, case.runs)),
        rates=tuple(map(rate_of, case.rates)),
        known_until=known_until,
        later_policy=None
        if case.later_policy is None
        else (case.later_policy[0] - begins // 3_600, case.later_policy[1]),
    )
