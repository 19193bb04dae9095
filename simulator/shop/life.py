"""The life of a job shop: hour by hour, all that its people do, as far as time has come.

It goes on where it was stopped.

A deed is done in one transaction and has a key of its own, so an hour that is done again, because somebody stopped the
simulator in the middle of it, changes nothing.
"""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError

from core.errors import DomainError
from core.intervals import floor_hour
from simulator import diary
from simulator.models import SimulatedHour, Simulation
from simulator.shop.deeds import Deed, Kind, deeds_between
from simulator.shop.doing import Doer
from simulator.shop.floor import Order, ShopFloor
from simulator.shop.jobs import HOUR

logger = logging.getLogger("simulate")

Stops = Callable[[], bool]


class Life:
    """Do what is due, hour by hour. `seen` keys are deeds of the running hour that this process has done."""

    def __init__(self, floor: ShopFloor, doer: Doer, simulation: Simulation) -> None:
        self._floor, self._doer, self._simulation = floor, doer, simulation
        self._done: set[str] = set()
        self._counted: Counter[str] = Counter()

    def go_on(self, now: datetime, *, recorded_at: datetime, stops: Stops = lambda: False) -> int:
        """Do what is due up to a moment, in order; return how many deeds that were. `stops` is asked after each."""
        deeds = 0
        while not stops():
            hour = floor_hour(self._simulation.done_until)
            end = min(hour + HOUR, now)
            if end <= hour:
                return deeds
            # What happens at this very moment is of the next call.
            due = [deed for deed in deeds_between(self._floor, hour, end) if deed.key not in self._done]
            for deed in due:
                self._do(deed, recorded_at)
                deeds += 1
                if stops():
                    break
            else:
                if end == hour + HOUR:
                    self._end_hour(hour)
                    continue
            if due:
                diary.note_hour(self._simulation, hour, self._totals(), is_done=False)
            return deeds
        return deeds

    def _do(self, deed: Deed, recorded_at: datetime) -> None:
        try:
            self._doer.do(deed, now=recorded_at)
        except (DomainError, ValidationError) as refusal:
            logger.warning("%s is not done: %s", deed.key, refusal)
            self._counted["refused"] += 1
        else:
            self._counted.update(_worth(deed))
        self._done.add(deed.key)

    def _end_hour(self, hour: datetime) -> None:
        diary.note_hour(self._simulation, hour, self._totals(), is_done=True)
        diary.done_until(self._simulation, hour + HOUR)
        self._done.clear()
        self._counted.clear()

    def _totals(self) -> dict[str, int]:
        return {name: self._counted[name] for name in SimulatedHour.COUNTED}


def _worth(deed: Deed) -> dict[str, int]:
    """Return what a deed counts in the diary."""
    match deed.kind:
        case Kind.CREATE:
            return {"created": 1}
        case Kind.START:
            assert isinstance(deed.of, Order)
            return {"started": 1, "movements": len(deed.of.job.part.bill)}
        case Kind.FINISH:
            return {"operations": 1}
        case Kind.COMPLETE:
            return {"completed": 1, "inspections": 1, "movements": 1}
        case Kind.CLOSE:
            return {"closed": 1}
        case Kind.RECEIVE:
            return {"movements": 1}
        case Kind.CHECK:
            return {"inspections": 1}
        case Kind.LABOR:
            return {"labor": 1}
        case Kind.SIGN:
            return {"records": 1}
    return {}


def first_hour(now: datetime, *, history: timedelta) -> datetime:
    """Return the hour at which a shop begins that has a past of some length."""
    return floor_hour(now - history)
