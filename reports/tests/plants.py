"""A plant with a known past: a shift of 8 hours, a stop, good pieces and scrap."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from counts.services import NewReading, record_readings
from downtime.services import NewState, record_states
from enterprise.models import Machine, Shift
from products.models import Product
from tests.factories import (
    make_count_tag,
    make_ideal_rate,
    make_machine,
    make_product,
    make_reason,
    make_run,
    make_shift,
    make_work_order,
)
from workorders.models import WorkOrder

DAY = date(2026, 3, 2)
STARTS = datetime(2026, 3, 2, 5, tzinfo=UTC)  # 6:00 in Warsaw
ENDS = STARTS + timedelta(hours=8)
NOW = ENDS + timedelta(hours=2)


@dataclass
class Plant:
    """What a test asks about."""

    machine: Machine
    shift: Shift
    product: Product
    order: WorkOrder

    @property
    def line(self) -> Any:
        return self.machine.line

    @property
    def site(self) -> Any:
        return self.machine.line.area.site


def make_plant(**overrides: Any) -> Plant:
    """Make a filler that ran for 7 of 8 hours and made 700 good and 20 bad pieces at 30 s each."""
    machine = make_machine(name=overrides.pop("name", "Filler"))
    site = machine.line.area.site
    shift = make_shift(site=site, start_time=time(6), end_time=time(14))
    product = make_product(name="Woda źródlana")
    make_ideal_rate(product=product, machine=machine, value=Decimal(30))
    order = make_work_order(line=machine.line, product=product)
    make_run(line=machine.line, work_order=order, started_at=STARTS, ended_at=ENDS)
    running, jam = make_reason(), make_reason("unplanned", name=overrides.pop("jam", "Jam"))
    states = [(0, running), (3, jam), (4, running)]
    record_states(
        [NewState(machine.pk, STARTS + timedelta(hours=at), reason.pk) for at, reason in states], recorded_at=NOW
    )
    good, bad = make_count_tag(machine=machine), make_count_tag(machine=machine, role="reject")
    counts = [(good, hour, 100) for hour in (1, 2, 3, 5, 6, 7, 8)] + [(bad, 2, 20)]
    record_readings(
        [
            NewReading(tag.pk, tag.machine_id, False, STARTS + timedelta(hours=hour, minutes=-5), Decimal(value))
            for tag, hour, value in counts
        ],
        recorded_at=NOW,
    )
    return Plant(machine, shift, product, order)
