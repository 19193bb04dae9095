"""From readings to pieces: what lies between two neighbours decides, so the order of arrival does not."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from oee.engine.facts import CountMode, Increment, Reading, ResetPolicy, TagConfig


def increments(config: TagConfig, readings: Iterable[Reading]) -> list[Increment]:
    """Return the pieces that readings stand for, each at the moment it was counted.

    Give the last reading before the window with a running counter's readings: the first one is a baseline and counts
    nothing. Readings may come in any order and more than once; zero increments are left out.
    """
    ordered = sorted(set(readings))
    if config.mode is CountMode.DELTA:
        steps = ((reading, reading.value) for reading in ordered)
    else:
        steps = ((reading, _rise(config, before.value, reading.value)) for before, reading in pairwise(ordered))
    return [Increment(reading.at, config.role, Fraction(pulses) * config.scale) for reading, pulses in steps if pulses]


def _rise(config: TagConfig, before: Decimal, after: Decimal) -> Decimal:
    """Return the pulses between two neighbouring readings of a running counter.

    A drop is a rollover if the counter has a modulus (65530 → 4 of 65536 is 10), else a reset by the tag's policy.
    """
    if after >= before:
        return after - before
    if config.modulus is not None:
        return after - before + config.modulus
    return after if config.reset_policy is ResetPolicy.FROM_ZERO else Decimal(0)
