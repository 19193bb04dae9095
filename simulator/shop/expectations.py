"""What the MES must find of a job shop in a window: worked out from the simulated work, not from stored facts."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from simulator.plant import BREAK, NOT_SCHEDULED, RUNNING
from simulator.shop.deeds import COMPLETES_AFTER
from simulator.shop.floor import ShopFloor
from simulator.shop.machining import SETUP
from simulator.shop.working import Stretch

_PAUSES = {BREAK, NOT_SCHEDULED}
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Expected:
    """A machine's sums over a window: times in µs, ideal times in seconds, pieces."""

    machine: str
    calendar: int
    running: int
    setup: int
    stopped: int
    good: int
    reject: int
    ideal: Fraction
    good_ideal: Fraction

    @property
    def busy(self) -> int:
        """Time in which production was expected: set-up, running and stops, in µs."""
        return self.running + self.setup + self.stopped

    @property
    def utilisation(self) -> Fraction:
        """Busy time / calendar time."""
        return Fraction(self.busy, self.calendar)

    @property
    def setup_rate(self) -> Fraction | None:
        """Set-up time / (set-up + running time)."""
        return _ratio(self.setup, self.setup + self.running)

    @property
    def availability(self) -> Fraction | None:
        """Running / busy time."""
        return _ratio(self.running, self.busy)

    @property
    def effectiveness(self) -> Fraction | None:
        """Ideal time of the pieces / running time."""
        return self.ideal * 1_000_000 / self.running if self.running else None

    @property
    def quality(self) -> Fraction | None:
        """Ideal time of the good pieces / ideal time of all."""
        return self.good_ideal / self.ideal if self.ideal else None

    @property
    def oee(self) -> Fraction | None:
        """Ideal time of the good pieces / busy time."""
        return self.good_ideal * 1_000_000 / self.busy if self.busy else None

    def __str__(self) -> str:
        return f"{self.machine:<12} {self.said}"

    @property
    def said(self) -> str:
        """Its ratios and pieces in words."""
        shown = (
            ("utilisation", self.utilisation),
            ("set-up rate", self.setup_rate),
            ("A", self.availability),
            ("P", self.effectiveness),
            ("Q", self.quality),
            ("OEE", self.oee),
        )
        said = "  ".join(f"{name} {'–' if share is None else f'{float(share):.1%}'}" for name, share in shown)
        return f"{said}  good {self.good:,}  rejects {self.reject:,}"


@dataclass(frozen=True, slots=True)
class Orders:
    """What became of a shop's orders in a window."""

    created: int
    started: int
    completed: int
    on_time: int
    good: int
    wanted: int

    def __str__(self) -> str:
        share = f"{self.on_time / self.completed:.1%}" if self.completed else "–"
        return (
            f"orders: {self.created} created, {self.started} started, {self.completed} completed, {share} of them on"
            f" time; {self.good:,} good pieces of {self.wanted:,} wanted"
        )


def expected_machines(floor: ShopFloor, start: datetime, end: datetime) -> list[Expected]:
    """Return what OEE must find of each machine in [start, end)."""
    floor.run(end)
    return [_expected(floor, machine, start, end) for machine in floor.plan.machines]


def expected_orders(floor: ShopFloor, start: datetime, end: datetime) -> Orders:
    """Return what became of the orders in [start, end); an order is completed some minutes after its last step."""
    floor.run(end)
    done = [
        (order, order.ended_at + COMPLETES_AFTER)
        for order in floor.orders
        if order.ended_at is not None and start <= order.ended_at + COMPLETES_AFTER < end
    ]
    return Orders(
        created=sum(start <= job.created_at < end for job in floor.jobs),
        started=sum(start <= order.released_at < end for order in floor.orders),
        completed=len(done),
        on_time=sum(at <= order.job.due_at for order, at in done),
        good=sum(order.good for order, _ in done),
        wanted=sum(order.job.quantity for order, _ in done),
    )


def expected_life(floor: ShopFloor, start: datetime, end: datetime) -> list[str]:
    """Return in words what the MES must find of each machine, of all of them, and of the orders in [start, end)."""
    machines = expected_machines(floor, start, end)
    total = replace(
        machines[0],
        machine="all machines",
        **{
            one.name: sum(getattr(machine, one.name) for machine in machines)
            for one in fields(Expected)
            if one.name != "machine"
        },
    )
    return [str(one) for one in (*machines, total, expected_orders(floor, start, end))]


def _expected(floor: ShopFloor, machine: str, start: datetime, end: datetime) -> Expected:
    lengths = {"running": 0, "setup": 0, "stopped": 0}
    good = reject = 0
    ideal = good_ideal = Fraction(0)
    for stretch in _stretches(floor, machine, start, end):
        if stretch.reason in _PAUSES:
            continue
        name = {RUNNING: "running", SETUP: "setup"}.get(stretch.reason, "stopped")
        lengths[name] += (min(stretch.end, end) - max(stretch.start, start)) // _TICK
    for step in floor.works_between(machine, start, end):
        assert step.work is not None
        seconds: Decimal = step.order.job.part.steps[step.number].seconds
        for counted in step.work.counted:
            if start <= counted.at < end:
                good, reject = good + counted.good, reject + counted.reject
                ideal += (counted.good + counted.reject) * Fraction(seconds)
                good_ideal += counted.good * Fraction(seconds)
    calendar = (end - start) // _TICK
    return Expected(machine, calendar, **lengths, good=good, reject=reject, ideal=ideal, good_ideal=good_ideal)


def _stretches(floor: ShopFloor, machine: str, start: datetime, end: datetime) -> Iterator[Stretch]:
    of_works = (step.work.stretches for step in floor.works_between(machine, start, end) if step.work is not None)
    for stretches in (*of_works, floor.repairs[machine]):
        yield from (one for one in stretches if one.end > start and one.start < end)


def _ratio(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None
