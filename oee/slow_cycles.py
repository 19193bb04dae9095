"""Find where machines ran slower than they should, and how steady their cycles are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from core.intervals import Interval
from core.retention import refuse_closed
from enterprise.models import Machine
from oee.engine.cycles import Cycle, Limit, SlowStretch, begun, cycles, slow_stretches
from oee.histories import NOTHING_COUNTED, load_counted, load_histories
from oee.selectors import schemes_of
from products.models import Product

# What lies further apart is no cycle.
LONGEST_CYCLE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SlowRun:
    """A machine ran slowly."""

    machine: Machine
    stretch: SlowStretch


def slow_runs(machines: Sequence[Machine], window: Interval, *, now: datetime) -> list[SlowRun]:
    """Return where machines ran slower than their limit or their product's, in order of time."""
    of_products = {
        product.pk: Fraction(product.slow_cycle_above or 0, 100)
        for product in Product.objects.filter(slow_cycle_above__isnull=False).only("slow_cycle_above")
    }
    found = []
    for machine, of_machine in cycles_of(machines, window, now=now).items():
        own = machine.slow_cycle_above
        limit = Limit(None if own is None else Fraction(own, 100), of_products)
        found += [SlowRun(machine, stretch) for stretch in slow_stretches(of_machine, limit)]
    return sorted(found, key=lambda run: (run.stretch.start, run.machine.pk))


def cycles_of(machines: Sequence[Machine], window: Interval, *, now: datetime) -> dict[Machine, tuple[Cycle, ...]]:
    """Return each machine's cycles that ended in the past of a window. Raises Closed for time whose facts are gone."""
    if window.start >= now:
        return dict.fromkeys(machines, ())
    refuse_closed(window.start, field="starts_at")
    past = Interval(window.start, min(window.end, now))
    counted = load_counted(machines, past)
    schemes = schemes_of([machine.pk for machine in machines])
    started = {
        machine.pk: [
            (start, one)
            for start, one in begun(counted.get(machine.pk, NOTHING_COUNTED).increments, schemes[machine.pk], past)
            if one.at - start <= LONGEST_CYCLE
        ]
        for machine in machines
    }
    first = min([past.start, *(start for of_machine in started.values() for start, _ in of_machine)])
    reach = Interval(first, past.end)
    histories = load_histories(machines, reach, now=now)
    return {machine: cycles(histories[machine.pk], started[machine.pk], reach) for machine in machines}
