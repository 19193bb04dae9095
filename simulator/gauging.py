"""What the scales at the fillers measure: how far a bottle's content is off its nominal, in millilitres.

Pure and repeatable.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from simulator.facts import MeasureFact
from simulator.plant import LinePlan

EVERY = timedelta(minutes=1)
SPREAD = 0.8
_SLIPS_EVERY, _SLIP = 97, 3.6
"""Now and then a filling valve sticks for one bottle, so that a live chart has something to say."""


def scale_tag(line: LinePlan) -> str:
    """Return how the line's gateway calls the readings of its scale."""
    return f"{line.constraint.code.replace('-', '/', 1)}/fill-deviation"


def readings(
    line: LinePlan, after: datetime, until: datetime, *, seed: int, every: timedelta = EVERY
) -> Iterator[MeasureFact]:
    """Yield a reading for each full step of time after a moment, up to another."""
    length = int(every.total_seconds())
    number = int(after.timestamp()) // length + 1
    while (at := datetime.fromtimestamp(number * length, tz=after.tzinfo)) <= until:
        rng = Random(f"{seed}|{line.code}|fill|{number}")
        value = rng.gauss(0, SPREAD) + (_SLIP if number % _SLIPS_EVERY == 0 else 0)
        yield MeasureFact(scale_tag(line), at, Decimal(round(value * 100)).scaleb(-2))
        number += 1
