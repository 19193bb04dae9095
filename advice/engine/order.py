"""The order of jobs on a line with the least time for changing over,
none of them later than it was planned to be due.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations

MOST_JOBS = 40
_EXACT, _ROUNDS = 7, 10


@dataclass(frozen=True, slots=True)
class Job:
    """Something to make: of which product, how many minutes it takes, and minutes from the start until it is due."""

    key: int
    product: int
    minutes: float
    due: float | None = None


Cost = Callable[[int, int], float]
"""Minutes from one product to another."""


@dataclass(frozen=True, slots=True)
class Order:
    """Jobs in an order, the minutes of changing over in it, and how many are late in it."""

    jobs: tuple[Job, ...]
    changing: float
    late: int


def order_of(jobs: Sequence[Job], *, first: int | None, cost: Cost) -> Order:
    """Return what an order costs; `first` is the product that the line is set up for, None = any."""
    at, changing, late, before = 0.0, 0.0, 0, first
    for job in jobs:
        change = 0.0 if before is None or before == job.product else cost(before, job.product)
        changing += change
        at += change + job.minutes
        late += job.due is not None and at > job.due
        before = job.product
    return Order(tuple(jobs), changing, late)


def best_order(jobs: Sequence[Job], *, first: int | None, cost: Cost) -> Order:
    """Return the order with the fewest late jobs, at most as many as in the order given, then the least changing over.

    Of up to 7 jobs the best of all; of more the best that grouping by product, moving and swapping finds. Beyond
    `MOST_JOBS` the rest stays where it is. Of equal ones the given order stays.
    """
    head, tail = list(jobs[:MOST_JOBS]), list(jobs[MOST_JOBS:])
    given = order_of([*head, *tail], first=first, cost=cost)

    def rank(order: Sequence[Job]) -> tuple[int, float]:
        found = order_of([*order, *tail], first=first, cost=cost)
        return max(found.late - given.late, 0), round(found.changing, 6)

    best = min(permutations(head), key=rank) if len(head) <= _EXACT else _improved(_grouped(head, rank), rank)
    found = order_of([*best, *tail], first=first, cost=cost)
    return found if found.late <= given.late and found.changing < given.changing - 1e-9 else given


def _grouped(head: list[Job], rank: Callable[[Sequence[Job]], tuple[int, float]]) -> list[Job]:
    """Return the better of the order given and of one with all jobs of a product together,
    its products in their best order.
    """
    groups: dict[int, list[Job]] = {}
    for job in head:
        groups.setdefault(job.product, []).append(job)
    orders = permutations(groups) if len(groups) <= _EXACT else [tuple(groups)]
    together = ([job for product in order for job in groups[product]] for order in orders)
    return min([head, *together], key=rank)


def _improved(head: list[Job], rank: Callable[[Sequence[Job]], tuple[int, float]]) -> tuple[Job, ...]:
    best, figure = list(head), rank(head)
    for _ in range(_ROUNDS):
        better = None
        for i in range(len(best)):
            for j in range(len(best)):
                if i == j:
                    continue
                moved = [*best[:i], *best[i + 1 :]]
                moved.insert(j, best[i])
                swapped = list(best)
                swapped[i], swapped[j] = swapped[j], swapped[i]
                for tried in (moved, swapped):
                    found = rank(tried)
                    if found < figure:
                        better, figure = tried, found
        if better is None:
            break
        best = better
    return tuple(best)
