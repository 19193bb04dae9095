"""Try the search for drifts on made-up figures, with a fixed seed."""

from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandParser

from advice.engine.drift import FALSE_ALARM_EVERY, Usual, alarms_in, found_within, usual_of

_SEED = 20261122


class Command(BaseCommand):
    """See the help."""

    help = "Count false alarms on figures that do not drift, and figures until a drift of 8 % is found, by how much they scatter."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repeats", type=int, default=400)

    def handle(self, *args: Any, **options: Any) -> None:
        random = np.random.default_rng(_SEED)
        self.stdout.write(f"One false alarm in {FALSE_ALARM_EVERY} figures is allowed.")
        head = ("learned from", "scatter %", "false per 1000", "found: mean", "95 of 100", "foretold")
        self.stdout.write("".join(f"{name:>16}" for name in head))
        for learned in (60, 100, 200):
            for scatter in (2, 5, 10):
                self.stdout.write(self._row(random, learned, scatter, options["repeats"]))

    def _row(self, random: np.random.Generator, learned: int, scatter: int, repeats: int) -> str:
        alarms = figures = 0
        needed: list[int] = []
        for _ in range(repeats):
            usual = usual_of((100 + scatter * random.standard_normal(learned)).tolist())
            assert usual is not None
            alarms += len(alarms_in((100 + scatter * random.standard_normal(500)).tolist(), usual))
            figures += 500
            seen = alarms_in((108 + scatter * random.standard_normal(500)).tolist(), usual)
            needed.append(seen[0] + 1 if seen else 500)
        foretold = found_within(0.08, Usual(100, scatter, learned))
        told = "–" if foretold is None else f"{foretold:.1f}"
        numbers = (
            learned,
            scatter,
            f"{1000 * alarms / figures:.2f}",
            f"{np.mean(needed):.1f}",
            f"{np.percentile(needed, 95):.0f}",
            told,
        )
        return "".join(f"{number:>16}" for number in numbers)
