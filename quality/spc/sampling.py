"""Acceptance sampling by attributes: code letters, single sampling plans, and when to inspect more or less.

Facts of ISO 2859-1:1999, tables 1, 2-A, 2-B and 2-C, and its switching rules (clause 9.3). AQL is in percent
nonconforming up to 10, beyond that (and below, if so agreed) in nonconformities per 100 items.
"""

from bisect import bisect_left
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from core.errors import Invalid
from quality.spc.numbers import Number, exact


class Severity(StrEnum):
    """How severely lots are inspected."""

    NORMAL = "normal"
    TIGHTENED = "tightened"
    REDUCED = "reduced"


LETTERS = "ABCDEFGHJKLMNPQR"
_AQLS = """
    0.010 0.015 0.025 0.040 0.065 0.10 0.15 0.25 0.40 0.65 1.0 1.5 2.5 4.0 6.5 10
    15 25 40 65 100 150 250 400 650 1000
"""
AQLS = tuple(Decimal(text) for text in _AQLS.split())
_COLUMN = {exact(aql): place for place, aql in enumerate(AQLS)}

# Table 1: the largest lot of each row (the last has none), and the letters down the rows.
_LARGEST_LOTS = (8, 15, 25, 50, 90, 150, 280, 500, 1200, 3200, 10000, 35000, 150000, 500000)
_CODE_LETTERS: dict[str, str] = {
    "S-1": "AAAABBBBCCCCDDD",
    "S-2": "AAABBBCCCDDDEEE",
    "S-3": "AABBCCDDEEFFGGH",
    "S-4": "AABCCDEEFGGHJJK",
    "I": "AABCCDEFGHJKLMN",
    "II": "ABCDEFGHJKLMNPQ",
    "III": "BCDEFGHJKLMNPQR",
}

LEVELS = tuple(_CODE_LETTERS)

_SIZES = dict(
    zip(LETTERS + "S", (2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250, 2000, 3150), strict=True)
)
_REDUCED_SIZES = dict(zip(LETTERS, (2, 2, 2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800), strict=True))

# Tables 2-A, 2-B, 2-C. A row: its letter, the AQL of its first entry, and the entries from there on: an acceptance
# number, or an arrow to the plan below (v) or above (^). Before the first entry arrows point down, after the last one
# up.
_NORMAL = """
    A 6.5    0 v v 1 2 3 5 7 10 14 21 30
    B 4.0    0 ^ v 1 2 3 5 7 10 14 21 30 44
    C 2.5    0 ^ v 1 2 3 5 7 10 14 21 30 44
    D 1.5    0 ^ v 1 2 3 5 7 10 14 21 30 44
    E 1.0    0 ^ v 1 2 3 5 7 10 14 21 30 44
    F 0.65   0 ^ v 1 2 3 5 7 10 14 21
    G 0.40   0 ^ v 1 2 3 5 7 10 14 21
    H 0.25   0 ^ v 1 2 3 5 7 10 14 21
    J 0.15   0 ^ v 1 2 3 5 7 10 14 21
    K 0.10   0 ^ v 1 2 3 5 7 10 14 21
    L 0.065  0 ^ v 1 2 3 5 7 10 14 21
    M 0.040  0 ^ v 1 2 3 5 7 10 14 21
    N 0.025  0 ^ v 1 2 3 5 7 10 14 21
    P 0.015  0 ^ v 1 2 3 5 7 10 14 21
    Q 0.010  0 ^ v 1 2 3 5 7 10 14 21
    R 0.010  ^ ^ 1 2 3 5 7 10 14 21
"""
_TIGHTENED = """
    A 10     0 v v 1 2 3 5 8 12 18 27
    B 6.5    0 v v 1 2 3 5 8 12 18 27 41
    C 4.0    0 v v 1 2 3 5 8 12 18 27 41
    D 2.5    0 v v 1 2 3 5 8 12 18 27 41
    E 1.5    0 v v 1 2 3 5 8 12 18 27 41
    F 1.0    0 v v 1 2 3 5 8 12 18
    G 0.65   0 v v 1 2 3 5 8 12 18
    H 0.40   0 v v 1 2 3 5 8 12 18
    J 0.25   0 v v 1 2 3 5 8 12 18
    K 0.15   0 v v 1 2 3 5 8 12 18
    L 0.10   0 v v 1 2 3 5 8 12 18
    M 0.065  0 v v 1 2 3 5 8 12 18
    N 0.040  0 v v 1 2 3 5 8 12 18
    P 0.025  0 v v 1 2 3 5 8 12 18
    Q 0.015  0 v v 1 2 3 5 8 12 18
    R 0.010  0 ^ v 1 2 3 5 8 12 18
    S 0.025  1
"""
_REDUCED = """
    A 6.5    0 v v 1 2 3 5 7 10 14 21 30
    B 4.0    0 ^ v v 1 2 3 5 7 10 14 21 30
    C 2.5    0 ^ v v 1 2 3 5 6 8 10 14 21
    D 1.5    0 ^ v v 1 2 3 5 6 8 10 14 21
    E 1.0    0 ^ v v 1 2 3 5 6 8 10 14 21
    F 0.65   0 ^ v v 1 2 3 5 6 8 10
    G 0.40   0 ^ v v 1 2 3 5 6 8 10
    H 0.25   0 ^ v v 1 2 3 5 6 8 10
    J 0.15   0 ^ v v 1 2 3 5 6 8 10
    K 0.10   0 ^ v v 1 2 3 5 6 8 10
    L 0.065  0 ^ v v 1 2 3 5 6 8 10
    M 0.040  0 ^ v v 1 2 3 5 6 8 10
    N 0.025  0 ^ v v 1 2 3 5 6 8 10
    P 0.015  0 ^ v v 1 2 3 5 6 8 10
    Q 0.010  0 ^ ^ v 1 2 3 5 6 8 10
    R 0.010  ^ ^ ^ 1 2 3 5 6 8 10
"""


def _read(text: str) -> dict[str, tuple[str, ...]]:
    rows = {}
    for line in text.split("\n"):
        if line.strip():
            letter, first, *entries = line.split()
            before = _COLUMN[exact(Decimal(first))]
            rows[letter] = ("v",) * before + tuple(entries) + ("^",) * (len(AQLS) - before - len(entries))
    return rows


_TABLES = {Severity.NORMAL: _read(_NORMAL), Severity.TIGHTENED: _read(_TIGHTENED), Severity.REDUCED: _read(_REDUCED)}


@dataclass(frozen=True, slots=True)
class Plan:
    """A single sampling plan: inspect `size` items, accept the lot with up to `accept` nonconforming ones,
    not with `reject`.
    """

    letter: str
    size: int
    accept: int

    @property
    def reject(self) -> int:
        """From how many on a lot is not accepted."""
        return self.accept + 1

    def accepts(self, found: int) -> bool:
        """Say whether a lot is accepted in whose sample so many were found."""
        if found < 0:
            raise Invalid("A count is not below zero.", field="found")
        return found <= self.accept


@dataclass(frozen=True, slots=True)
class LotPlan:
    """What to do with a lot: how many items to inspect by which plan;
    all of them where the sample would be as large.
    """

    plan: Plan
    inspect: int
    is_whole_lot: bool


def code_letter(lot_size: int, level: str = "II") -> str:
    """Return the code letter of a lot at an inspection level (table 1).

    Raise `Invalid` below two items, or for another level.
    """
    if lot_size < 2:
        raise Invalid("A lot to sample has two items or more.", field="lot_size")
    if level not in _CODE_LETTERS:
        raise Invalid("Inspection levels are S-1 to S-4 and I to III.", field="level")
    return _CODE_LETTERS[level][bisect_left(_LARGEST_LOTS, lot_size)]


def plan(letter: str, aql: Number, severity: Severity = Severity.NORMAL) -> Plan:
    """Return the plan of a code letter and an AQL, arrows followed; its letter may be another one.

    Raise `Invalid` for an AQL or a letter that the tables do not have.
    """
    column = _column(aql)
    if letter not in LETTERS or len(letter) != 1:
        raise Invalid("Code letters are A to R without I and O.", field="letter")
    rows = _TABLES[severity]
    letters = list(rows)
    at = letters.index(letter)
    while (entry := rows[letters[at]][column]) in ("v", "^"):
        at += 1 if entry == "v" else -1
    found = letters[at]
    sizes = _REDUCED_SIZES if severity is Severity.REDUCED else _SIZES
    return Plan(found, sizes[found], int(entry))


def plan_for(lot_size: int, aql: Number, level: str = "II", severity: Severity = Severity.NORMAL) -> LotPlan:
    """Return what to do with a lot. Raise `Invalid` as `code_letter` and `plan` do."""
    of = plan(code_letter(lot_size, level), aql, severity)
    return LotPlan(of, min(of.size, lot_size), of.size >= lot_size)


def tighter_aql(aql: Number) -> Decimal | None:
    """Return the next smaller AQL of the tables; None of the smallest."""
    column = _column(aql)
    return AQLS[column - 1] if column else None


def _column(aql: Number) -> int:
    column = _COLUMN.get(exact(aql, field="aql"))
    if column is None:
        raise Invalid("The tables have no such AQL; take the next smaller one that they have.", field="aql")
    return column


# --- Switching between severities -------------------------------------------------------------------------------------

_TO_REDUCE = 30
_LOTS_LOOKED_AT, _TOO_MANY = 5, 2
_TO_RELAX = 5
_TO_STOP = 5


@dataclass(frozen=True, slots=True)
class Switching:
    """Where a series of lots of one product stands: begin with `Switching()`, and go on with `after`.

    `recent` are the last lots on normal inspection, whether accepted; `score` the switching score there; `run` the lots
    accepted in a row, and `refused` those not accepted, on tightened inspection. `is_stopped`: no inspection until the
    supplier has improved.
    """

    severity: Severity = Severity.NORMAL
    recent: tuple[bool, ...] = ()
    score: int = 0
    run: int = 0
    refused: int = 0
    is_stopped: bool = False


def after(
    state: Switching, *, letter: str, aql: Number, found: int, is_steady: bool = True, may_reduce: bool = True
) -> Switching:
    """Return where the series stands after a lot's first inspection (a lot that comes again does not count).

    Normal to tightened: two of five or fewer lots in a row not accepted. Tightened to normal: five in a row accepted.
    Tightened to stopped: five not accepted in all. Normal to reduced: a switching score of 30, production `is_steady`,
    and the responsible authority agrees (`may_reduce`). Reduced to normal: a lot not accepted, or production not
    steady. The score rises by 3 for a lot that would have been accepted at the next smaller AQL too, by 2 for an
    accepted one where the acceptance number is 0 or 1, and falls to 0 otherwise. Raise `Invalid` where inspection is
    stopped, or the tables have no such plan.
    """
    if state.is_stopped:
        raise Invalid("Inspection is stopped until the supplier has improved: resume it first.", field="state")
    of = plan(letter, aql, state.severity)
    accepted = of.accepts(found)
    if state.severity is Severity.REDUCED:
        return state if accepted and is_steady else Switching()
    if state.severity is Severity.TIGHTENED:
        run, refused = (state.run + 1, state.refused) if accepted else (0, state.refused + 1)
        if run >= _TO_RELAX:
            return Switching()
        return Switching(Severity.TIGHTENED, run=run, refused=refused, is_stopped=refused >= _TO_STOP)
    recent = (*state.recent, accepted)[-_LOTS_LOOKED_AT:]
    if recent.count(False) >= _TOO_MANY:
        return Switching(Severity.TIGHTENED)
    score = _score(state.score, of, aql, found)
    if score >= _TO_REDUCE and is_steady and may_reduce:
        return Switching(Severity.REDUCED)
    return Switching(Severity.NORMAL, recent, score)


def resume(state: Switching) -> Switching:
    """Return the state in which inspection goes on after a stop: tightened.

    Raise `Invalid` where it was not stopped.
    """
    if not state.is_stopped:
        raise Invalid("Inspection is not stopped.", field="state")
    return Switching(Severity.TIGHTENED)


def _score(score: int, of: Plan, aql: Number, found: int) -> int:
    if of.accept <= 1:
        return score + 2 if of.accepts(found) else 0
    tighter = tighter_aql(aql)
    # The same sample against the smaller number: where the acceptance number is 2 or more there always is one.
    return score + 3 if tighter is not None and plan(of.letter, tighter).accepts(found) else 0
