"""Which orders come to a job shop in an hour. Pure: the same answer for the same seed and hour, always."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from simulator.shop.plan import Part, ShopPlan

HOUR = timedelta(hours=1)
_SATURDAY = 6
_URGENT, _RELAXED = 3, 8


@dataclass(frozen=True, slots=True)
class Job:
    """An order as the customer gives it; `setups` are the set-up times of its steps in ms,
    together those of the order.
    """

    number: str
    part: Part
    quantity: int
    customer: str
    priority: int
    created_at: datetime
    due_at: datetime
    setups: tuple[int, ...]


def jobs_of_hour(plan: ShopPlan, hour: datetime, *, seed: int) -> list[Job]:
    """Return the orders that come in [hour, hour + 1), in order of time; `hour` is a full hour in UTC."""
    local = hour.astimezone(plan.zone)
    if local.isoweekday() >= _SATURDAY:
        arrivals = plan.weekend_arrivals
    else:
        arrivals = next(one for one in plan.weekday_arrivals if one.from_hour <= local.hour < one.until_hour)
    rng = Random(f"{seed}|{plan.code}|orders|{hour.isoformat()}")
    seconds = sorted(rng.sample(range(3600), rng.randint(arrivals.fewest, arrivals.most)))
    return [
        _job(plan, f"{plan.site[0]}-{hour:%y%m%d%H}-{number}", hour + timedelta(seconds=second), rng)
        for number, second in enumerate(seconds, start=1)
    ]


def _job(plan: ShopPlan, number: str, created_at: datetime, rng: Random) -> Job:
    part = rng.choices(plan.parts, weights=[part.weight for part in plan.parts])[0]
    fewest, most, step = plan.quantities
    priority = min(10, max(1, round(rng.gauss(5, 2))))
    wait = 7 if priority <= _URGENT else 28 if priority >= _RELAXED else 12
    setup = rng.randint(*plan.setup_minutes) * 60_000
    # Setting up to turn takes longer than putting parts on a measuring table.
    weights = [rng.uniform(0.7, 1.3) * (0.5 if plan.kind(step.kind).people_count else 1) for step in part.steps]
    setups = [int(setup * weight / sum(weights)) // 1000 * 1000 for weight in weights]
    setups[0] += setup - sum(setups)
    return Job(
        number=number,
        part=part,
        quantity=rng.randrange(fewest, most + 1, step),
        customer=rng.choice(plan.customers) if rng.random() < plan.for_customers else "",
        priority=priority,
        created_at=created_at,
        due_at=created_at + timedelta(hours=wait + rng.randint(0, 8)),
        setups=tuple(setups),
    )
