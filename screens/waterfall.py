"""Lay the time-loss ledger out as a waterfall: each class takes its time off what was left, down to good pieces."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_lazy

from core.reader import rounded, said, translated
from oee.engine.ledger import Factor, Ledger, LedgerLine
from screens.wording import exact_duration

WIDTH = 1000
PLACES = 2
_WITHIN_BUSY = (Factor.AVAILABILITY, Factor.PERFORMANCE, Factor.QUALITY, Factor.PRODUCTIVE)
_LEFT_AFTER = {
    Factor.UNKNOWN: (gettext_lazy("Planned busy time"), gettext_lazy("What OEE is measured against: 100 %.")),
    Factor.AVAILABILITY: (
        gettext_lazy("Time it ran"),
        gettext_lazy("With micro-stops where they count against performance."),
    ),
    Factor.PERFORMANCE: (
        gettext_lazy("Ideal time of all pieces"),
        gettext_lazy("What the pieces would have taken at their ideal rates."),
    ),
}
# Elements whose times make that of a class; whether they really do is looked at, because policies move time.
ELEMENTS_OF_CLASS = {
    "unscheduled": ("UST",),
    "breaks": ("BRT",),
    "planned_stops": ("PSDT",),
    "no_data": ("NDT",),
    "no_data_loss": ("NDLT",),
    "changeovers": ("AUST",),
    "stops": ("ADET",),
    "waiting": ("ADOT",),
    "undetermined": ("UDT",),
    "micro_stops": ("MST",),
    "startup_rejects": ("ISUT",),
    "productive": ("IGT",),
}


@dataclass(frozen=True, slots=True)
class Part:
    """An element that a class of time is made of, and where it is explained."""

    code: str
    time: str
    url: str


@dataclass(frozen=True, slots=True)
class Step:
    """A bar of the waterfall, placed on a scale of 0–1000, with its row of the table; `share` is of OEE's 100 points.

    `is_level` says that it is what is left, not what was lost. `before` and `after` are where the bars around it meet
    it.
    """

    name: str
    meaning: str
    factor: str
    x: str
    width: str
    before: str
    after: str
    time: str
    share: str
    cost: str = ""
    big_loss: str = ""
    is_level: bool = False
    is_gain: bool = False
    pieces: str = ""
    parts: tuple[Part, ...] = ()

    @property
    def url(self) -> str:
        """Where its time is explained, if by one element."""
        return self.parts[0].url if len(self.parts) == 1 else ""


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The steps from calendar time down to good pieces.

    The shares of losses and OEE make `whole`, to the last digit.
    """

    steps: tuple[Step, ...]
    oee: str
    lost: str
    whole: str
    has_pieces: bool = False


def waterfall(
    found: Ledger,
    elements: Mapping[str, Fraction | None],
    url_of: Callable[[str], str],
    pieces_of: Callable[[Fraction], str] | None = None,
) -> Waterfall:
    """Lay out a ledger; classes without time are left out. `url_of` an element's code is where it is explained, and
    `pieces_of` seconds of planned time is how many pieces they are, in words.
    """
    lines = [line for line in found.lines if line.seconds or line.of.factor is Factor.PRODUCTIVE]
    shares = _shares(lines, found.busy_seconds)
    scale = _highest(lines, found.calendar_seconds)
    left = found.calendar_seconds
    steps = [_level(gettext("Calendar time"), gettext("The whole window so far, once per machine."), left, scale)]
    due = dict(_LEFT_AFTER)
    points = Fraction(100)
    for line in lines:
        for factor in [factor for factor in due if _order(factor) < _order(line.of.factor)]:
            name, meaning = due.pop(factor)
            steps.append(_level(str(name), str(meaning), left, scale, _points(points if shares else None)))
        is_end = line.of.factor is Factor.PRODUCTIVE
        after = left if is_end else left - line.seconds
        start = Fraction(0) if is_end else min(left, after)
        steps.append(
            Step(
                name=translated(line.of.name),
                meaning=translated(line.of.meaning),
                factor=line.of.factor.value,
                x=_at(start, scale),
                width=_at(abs(line.seconds), scale),
                before=_at(left, scale),
                after=_at(after, scale),
                time=_between(left, Fraction(0) if is_end else after),
                share=_points(shares.get(line.of.code)),
                cost="" if is_end else _points(shares.get(line.of.code)),
                big_loss=_big_loss(line),
                is_gain=line.seconds < 0,
                pieces=pieces_of(line.seconds) if pieces_of and line.of.code in shares else "",
                parts=_parts(line, left, elements, url_of),
            )
        )
        left = after
        points -= shares.get(line.of.code, Fraction(0))
    good = shares.get("productive")
    lost = None if good is None else sum(shares.values(), start=Fraction(0)) - good
    return Waterfall(
        tuple(steps), _points(good), _points(lost), _points(Fraction(100) if shares else None), bool(pieces_of)
    )


def _between(before: Fraction, after: Fraction) -> str:
    """Write the time between two levels as the difference of whole seconds, so that what is written adds up."""
    return exact_duration(Fraction(round(before) - round(after)))


def _parts(
    line: LedgerLine, left: Fraction, elements: Mapping[str, Fraction | None], url_of: Callable[[str], str]
) -> tuple[Part, ...]:
    """Return the elements that make a class, from the level that is left before it, or none where they do not."""
    values = {code: value for code in ELEMENTS_OF_CLASS.get(line.of.code, ()) if (value := elements.get(code))}
    if sum(values.values(), start=Fraction(0)) != line.seconds:
        return ()
    parts = []
    for code, value in values.items():
        parts.append(Part(code, _between(left, left - value), url_of(code)))
        left -= value
    return tuple(parts)


def _shares(lines: Sequence[LedgerLine], busy: Fraction) -> dict[str, Fraction]:
    """Return each class's share of planned busy time in percent; OEE's is rounded half up,
    and what rounding leaves over goes to the losses that come nearest to it, so that all of them add up as they are
    written.
    """
    if not busy:
        return {}
    within = [line for line in lines if line.of.factor in _WITHIN_BUSY]
    unit = 100 * 10**PLACES
    exact = {line.of.code: line.seconds / busy * unit for line in within}
    written = {code: value.numerator // value.denominator for code, value in exact.items()}
    written["productive"] = int(exact["productive"] + Fraction(1, 2))
    losses = sorted((code for code in written if code != "productive"), key=lambda code: written[code] - exact[code])
    over = unit - sum(written.values())
    for code in losses:
        step = (over > 0) - (over < 0)
        written[code] += step
        over -= step
    return {code: Fraction(value, 10**PLACES) for code, value in written.items()}


def _level(name: str, meaning: str, left: Fraction, scale: Fraction, share: str = "") -> Step:
    edge = _at(left, scale)
    return Step(name, meaning, "level", "0", edge, edge, edge, _between(left, Fraction(0)), share, is_level=True)


def _highest(lines: Sequence[LedgerLine], calendar: Fraction) -> Fraction:
    """Return the highest level: pieces above their ideal rate lift it."""
    highest = left = calendar
    for line in lines:
        if line.of.factor is not Factor.PRODUCTIVE:
            left -= line.seconds
            highest = max(highest, left)
    return highest or Fraction(1)


def _order(factor: Factor) -> int:
    return list(Factor).index(factor)


def _points(percent: Fraction | None) -> str:
    return "" if percent is None else rounded(percent, PLACES)


def _at(seconds: Fraction, scale: Fraction) -> str:
    return f"{float(seconds / scale * WIDTH):.2f}"


def _big_loss(line: LedgerLine) -> str:
    return "" if line.of.big_loss is None else capfirst(said(line.of.big_loss))
