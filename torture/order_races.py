"""Let people want contrary things of one order at the same moment: one wins, the others are told,
the history has one row each.
"""

import argparse
import os
import platform
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Barrier
from typing import Any

from torture.world import PROJECT, cluster_in, scratch_directory

CYCLES, SMALL = 10_000, 100
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
Act = Callable[[], Any]


@dataclass(slots=True)
class Races:
    """What came of it: races by name, and what was wrong in words."""

    run: Counter[str] = field(default_factory=Counter)
    winners: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    broken: list[str] = field(default_factory=list)


def race(cycles: int, *, seed: int = 1) -> Races:
    """Run races in a database that Django is connected to. It needs no data, and leaves its orders behind."""
    found, chance = Races(), random.Random(seed)
    world = _World()
    names = list(_RACES)
    with ThreadPoolExecutor(max_workers=2) as pool:
        for number in range(cycles):
            name = names[number % len(names)]
            setting = _RACES[name](world)
            acts, orders = setting.acts, setting.orders
            before = {order.pk: _steps(order) for order in orders}
            if chance.random() < 0.5:
                acts.reverse()
            barrier = Barrier(len(acts))
            outcomes = list(pool.map(lambda act, b=barrier: _try(act, b), acts))
            won = [outcome for outcome in outcomes if outcome is None]
            found.run[name] += 1
            found.refused += len(outcomes) - len(won)
            names_won = [act.__name__ for act, outcome in zip(acts, outcomes, strict=True) if outcome is None]
            found.winners[f"{name}: {' and '.join(sorted(names_won)) or 'nobody'}"] += 1
            if len(won) not in setting.may_win:
                found.broken.append(f"{name}: {len(won)} won: {[str(outcome) for outcome in outcomes]}")
            for outcome in outcomes:
                if outcome is not None and not outcome.startswith("refused"):
                    found.broken.append(f"{name}: {outcome}")
            new = [step for order in orders for step in _steps(order)[len(before[order.pk]) :]]
            if len(new) != (len(won) if setting.writes else 0):
                found.broken.append(f"{name}: {len(won)} won, and the history has new rows {new}")
            for order in orders:
                _check_chain(order, found, name)
            if len(found.broken) > 20:
                break
        closing = Barrier(2)
        list(pool.map(_close, [closing] * 2))
    return found


def _steps(order: Any) -> list[tuple[str, str]]:
    from workorders.models import OrderStatusChange

    rows = OrderStatusChange.objects.filter(order=order).order_by("id")
    return list(rows.values_list("from_status", "to_status"))


def _check_chain(order: Any, found: Races, name: str) -> None:
    """Note when an order's rows do not lead from one to the next, or not to where it is."""
    order.refresh_from_db()
    steps = _steps(order)
    if any(one[1] != other[0] for one, other in pairwise(steps)) or steps[-1][1] != order.status:
        found.broken.append(f"{name}: the history is {steps}, and the order is {order.status}")


def _try(act: Act, barrier: Barrier) -> str | None:
    """Do something as soon as everybody is there; None when it was done, else what stood against it."""
    from django.core.exceptions import ValidationError

    from core.errors import DomainError

    barrier.wait(timeout=30)
    try:
        act()
    except (DomainError, ValidationError) as refusal:
        return f"refused: {refusal}"
    except Exception as error:
        return f"failed: {error!r}"
    return None


def _close(everybody: Barrier) -> None:
    """Give a thread's connection back; each thread meets the others here, so that each comes once."""
    from django.db import connections

    everybody.wait(timeout=30)
    connections.close_all()


class _World:
    """Two lines, a reason, and orders as they are needed, each made by the one write path."""

    def __init__(self) -> None:
        from core import master_data
        from enterprise.models import Area, Enterprise, Line, Site
        from workorders.models import OrderReason, WorkOrder

        stamp = f"{time.time_ns():x}"
        enterprise = master_data.save(Enterprise(code=f"E{stamp}", name="Races"))
        site = master_data.save(Site(code=f"S{stamp}", name="Races", enterprise=enterprise, time_zone="UTC"))
        area = master_data.save(Area(code=f"A{stamp}", name="Races", site=site))
        self.line: Any = master_data.save(Line(code=f"L{stamp}", name="Races", area=area))
        self.reason, _ = OrderReason.objects.get_or_create(code="other", defaults={"name": "Another reason"})
        self._order, self._stamp, self._number = WorkOrder, stamp, 0
        self.moment = AT

    def order(self, *steps: str) -> Any:
        """Return a new order that went through these actions."""
        from workorders import life, services

        self._number += 1
        number = f"R{self._stamp}-{self._number}"
        order = services.save_order(
            work_order=self._order(order_number=number, line=self.line, target_quantity=10), at=AT
        )
        for step in steps:
            act: Any = services.release_order if step == "release" else getattr(life, step)
            order = act(work_order=order, at=AT, **({"reason": self.reason} if step == "hold" else {}))
        return order

    def span(self) -> datetime:
        """Return a moment on the line that no other race uses."""
        self.moment += timedelta(hours=2)
        return self.moment

    def act(self, name: str, order: Any) -> Act:
        """Return an action on an order, to be done later; its name is the action's."""
        from workorders import life, services

        def do() -> None:
            more = {"reason": self.reason} if name in ("hold", "cancel") else {}
            act: Any = services.release_order if name == "release" else getattr(life, name)
            act(work_order=order, at=AT, **more)

        do.__name__ = name
        return do

    def begin(self, order: Any, at: datetime, name: str = "start_run") -> Act:
        """Return the start of a run, with its end, so that later races find the line free."""
        from workorders import services

        def do() -> None:
            services.start_run(work_order=order, line=self.line, started_at=at, ended_at=at + timedelta(hours=1))

        do.__name__ = name
        return do

    def end(self, run: Any, at: datetime, name: str) -> Act:
        """Return the end of a run."""
        from workorders import services

        def do() -> None:
            services.end_run(run=run, ended_at=at)

        do.__name__ = name
        return do


@dataclass(frozen=True, slots=True)
class Setting:
    """What is done at once, the orders concerned, how many may win,
    and whether a winner's order gets a row of history.
    """

    acts: list[Act]
    orders: list[Any]
    may_win: frozenset[int] = frozenset({1})
    writes: bool = True


def _two(one: str, other: str, *steps: str, may_win: frozenset[int] = frozenset({1})) -> Callable[[_World], Setting]:
    def make(world: _World) -> Setting:
        order = world.order(*steps)
        return Setting([world.act(one, order), world.act(other, order)], [order], may_win)

    return make


def _run_against_cancel(world: _World) -> Setting:
    order = world.order("release")
    return Setting([world.begin(order, world.span(), "run"), world.act("cancel", order)], [order], EITHER)


def _run_against_hold(world: _World) -> Setting:
    order = world.order("release")
    return Setting([world.begin(order, world.span(), "run"), world.act("hold", order)], [order], EITHER)


def _two_orders_one_line(world: _World) -> Setting:
    orders, at = [world.order("release"), world.order("release")], world.span()
    return Setting([world.begin(order, at, f"order {n}") for n, order in enumerate(orders)], orders)


def _same_order_twice(world: _World) -> Setting:
    order, at = world.order("release"), world.span()
    return Setting([world.begin(order, at, f"start {n}") for n in range(2)], [order])


def _end_against_end(world: _World) -> Setting:
    from workorders import services

    order, at = world.order("release"), world.span()
    run = services.start_run(work_order=order, line=world.line, started_at=at)
    ends = [world.end(run, at + timedelta(minutes=10 + n), f"end {n}") for n in range(2)]
    return Setting(ends, [order], writes=False)


# Where the one leaves room for the other when it comes first, both may win, one after the other.
EITHER = frozenset({1, 2})
_RACES: dict[str, Callable[[_World], Setting]] = {
    "complete against cancel": _two("complete", "cancel", "release", "start"),
    "complete against complete": _two("complete", "complete", "release", "start"),
    "resume against resume": _two("resume", "resume", "release", "start", "hold"),
    "release against release": _two("release", "release"),
    "hold against hold": _two("hold", "hold", "release"),
    "cancel against cancel": _two("cancel", "cancel", "release"),
    "close against reopen": _two("close", "reopen", "release", "start", "complete"),
    "start against start": _two("start", "start", "release"),
    "release against cancel": _two("release", "cancel", may_win=EITHER),
    "hold against start": _two("hold", "start", "release", may_win=EITHER),
    "run against cancel": _run_against_cancel,
    "run against hold": _run_against_hold,
    "two orders on one line": _two_orders_one_line,
    "one order started twice": _same_order_twice,
    "end against end": _end_against_end,
}


def main() -> None:
    """Run the races in a cluster of their own, print what came of them, and fail when something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m torture.order_races", description=__doc__)
    parser.add_argument("--cycles", type=int, default=CYCLES)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if not asked.inside:
        with scratch_directory() as directory, cluster_in(directory) as cluster:
            again = [sys.executable, "-m", "torture.order_races", "--inside", "--cycles", str(asked.cycles)]
            sys.exit(subprocess.run(again, cwd=PROJECT, env=cluster.environment, check=False).returncode)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    started = time.monotonic()
    found = race(asked.cycles)
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, {time.monotonic() - started:.0f} s"
    )
    print("| race | run | first or only winner |\n| --- | --- | --- |")
    for name, count in found.run.items():
        won = ", ".join(
            f"{winner.removeprefix(name + ': ')} {times:,}"
            for winner, times in sorted(found.winners.items())
            if winner.startswith(f"{name}: ")
        )
        print(f"| {name} | {count:,} | {won} |")
    print(f"races {sum(found.run.values()):,}, refused {found.refused:,}, wrong {len(found.broken)}")
    for broken in found.broken:
        print(f"  {broken}")
    sys.exit(bool(found.broken))


if __name__ == "__main__":
    main()
