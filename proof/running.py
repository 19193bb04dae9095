"""Run proofs over the cores, each case from a seed of its own, and put what they found into a table."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from random import Random
from typing import Any

from proof import calendar_changes, engine
from proof.cases import random_case
from proof.plants import random_plant
from proof.shrinking import shrink

SHOWN = 3
"""So many failing cases of a proof are shown; the others are counted."""


@dataclass(frozen=True)
class Failure:
    """A case that failed: its number, and what differed."""

    number: int
    said: tuple[str, ...]


@dataclass(frozen=True)
class Proof:
    """A claim, and how to try it on the case with a number; `cases` and `small` say how many numbers there are."""

    name: str
    claim: str
    cases: int
    small: int
    on: Callable[[str, int], tuple[int, list[str]]]
    """Given a seed and a number: how many cases that was, and what differed."""
    smallest: Callable[[str, int], str]
    """Given a seed and the number of a failing case: the smallest case that still fails in the same way."""
    needs_database: bool = False


@dataclass
class Result:
    """What became of a proof."""

    name: str
    claim: str
    cases: int = 0
    failures: list[Failure] = field(default_factory=list)
    differences: int = 0
    seconds: float = 0.0


Tried = Callable[[Any], list[str]]


def _case(
    make: Callable[[Random], Any], prove: Callable[[Any, Random], list[str]], name: str, seed: str, number: int
) -> tuple[Any, Tried]:
    """Return the case with a number, and how to try it or one like it."""
    own = f"{seed}:{name}:{number}"

    def tried(case: Any) -> list[str]:
        try:
            return prove(case, Random(own + ":told"))
        except Exception as error:
            return [f"It raised {error!r}"]

    return make(Random(own)), tried


def _on_engine(prove: Callable[[Any, Random], list[str]], name: str, seed: str, number: int) -> tuple[int, list[str]]:
    case, tried = _case(random_case, prove, name, seed, number)
    return 1, tried(case)


def _smallest_for_engine(prove: Callable[[Any, Random], list[str]], name: str, seed: str, number: int) -> str:
    return _smallest(*_case(random_case, prove, name, seed, number))


def _on_database(seed: str, number: int) -> tuple[int, list[str]]:
    # Django must be set up first, which the processes of the pool do.
    from proof.database import prove_database

    plant, tried = _case(random_plant, prove_database, "database", seed, number)
    return 1, tried(plant)


def _smallest_for_database(seed: str, number: int) -> str:
    from proof.database import prove_database

    return _smallest(*_case(random_plant, prove_database, "database", seed, number))


def _smallest(case: Any, tried: Tried) -> str:
    # It must fail in the same way: what is left may make no sense any more, and raise.
    kinds = {word.split()[0] for word in tried(case)}
    return repr(shrink(case, lambda smaller: any(word.split()[0] in kinds for word in tried(smaller))))


def _change(number: int) -> calendar_changes.Change:
    # Neighbours in the list are changes of one zone; a few of them should be of several.
    known = calendar_changes.changes()
    return known[number * 97 % len(known)]


def _on_calendar(seed: str, number: int) -> tuple[int, list[str]]:
    by_rules = calendar_changes.prove_change(_change(number), seed)
    return len(by_rules), [wrong for of_rules in by_rules for wrong in of_rules]


def _smallest_for_calendar(seed: str, number: int) -> str:
    return repr(_change(number))


def proofs() -> dict[str, Proof]:
    """Return the proofs by name."""
    pure = [
        ("oracle", "the engine = the second-by-second oracle", engine.prove_oracle),
        ("permutation", "any order and any number of repetitions = the same", engine.prove_permutation),
        ("additivity", "a window cut anywhere = the sum of its parts; elements = the window", engine.prove_additivity),
    ]
    found = [
        Proof(name, claim, 100_000, 1_000, partial(_on_engine, prove, name), partial(_smallest_for_engine, prove, name))
        for name, claim, prove in pure
    ]
    database = "written in any order, read in between = the oracle = rebuilt"
    changes = len(calendar_changes.changes())
    calendar = f"{len(calendar_changes.ZONES)} zones, {changes} clock changes of 2020–2035 = asking each minute"
    return {
        proof.name: proof
        for proof in (
            *found,
            Proof("database", database, 3_000, 12, _on_database, _smallest_for_database, needs_database=True),
            Proof("calendar", calendar, changes, max(changes // 20, 1), _on_calendar, _smallest_for_calendar),
        )
    }


def try_numbers(name: str, seed: str, numbers: Sequence[int]) -> Result:
    """Try a proof on the cases with these numbers, in this process."""
    proof = proofs()[name]
    result = Result(name, proof.claim)
    for number in numbers:
        cases, said = proof.on(seed, number)
        result.cases += cases
        if said:
            result.differences += 1
            if len(result.failures) < SHOWN:
                result.failures.append(Failure(number, tuple(said[:5])))
    return result


def prove(proof: Proof, seed: str, cases: int, processes: int, initializer: Callable[[], None] | None = None) -> Result:
    """Try a proof on its first so many cases, over several processes."""
    result, began = Result(proof.name, proof.claim), time.monotonic()
    step = max(1, min(500, cases // (processes * 4)))
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer) as pool:
        parts = [pool.submit(try_numbers, proof.name, seed, numbers) for numbers in _in_steps(cases, step)]
        for part in parts:
            done = part.result()
            result.cases += done.cases
            result.differences += done.differences
            result.failures += done.failures
    result.failures = result.failures[:SHOWN]
    result.seconds = time.monotonic() - began
    return result


def _in_steps(cases: int, step: int) -> Iterator[range]:
    for start in range(0, cases, step):
        yield range(start, min(start + step, cases))


def table(results: Sequence[Result]) -> str:
    """Return the results as a Markdown table."""
    rows = [
        ["proof", "claim", "cases", "differences", "took"],
        ["---"] * 5,
        *([r.name, r.claim, f"{r.cases:,}", f"{r.differences:,}", f"{r.seconds:.0f} s"] for r in results),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def cores() -> int:
    """Return on how many cores this process may run."""
    return len(os.sched_getaffinity(0))
