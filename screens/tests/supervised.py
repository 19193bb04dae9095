"""A line with stops, for the tests of the supervisor's pages."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.urls import reverse
from django.utils import timezone

from core import master_data
from core.intervals import Interval
from counts.services import NewReading, record_readings
from downtime.services import NewState, record_states
from enterprise.models import Shift
from oee.stops import stops_of
from tests.factories import (
    make_count_tag,
    make_ideal_rate,
    make_line,
    make_machine,
    make_product,
    make_reason,
    make_run,
    make_user,
    make_work_order,
)

DAY = date(2026, 3, 2)
START = datetime(2026, 3, 2, 5, tzinfo=UTC)
"""06:00 in Warsaw, when the morning shift begins."""
THAT_DAY = {"date": "2026-03-02"}


def at(hours):
    return START + timedelta(hours=hours)


class Plant:
    """A line that ran, jammed without a reason from 08:00 to 08:30 and from 10:00 to 10:05, and ran on until 14:00."""

    def __init__(self, machines=1, stops=0):
        self.line = make_line(name="Bottling")
        self.site = self.line.area.site
        master_data.save(Shift(site=self.site, name="Morning", start_time=time(6), end_time=time(14)))
        self.shift = Shift.objects.get(site=self.site)
        self.runs, self.stands = make_reason(name="Running"), make_reason("unplanned", name="Stand", explains=False)
        self.jam, self.off = make_reason("unplanned", name="Label jam"), make_reason("not_scheduled", name="Off")
        self.product = make_product()
        self.order = make_work_order(product=self.product, line=self.line, due_at=at(10))
        make_run(line=self.line, work_order=self.order, started_at=START, ended_at=at(8))
        self.machines = [self.machine(n) for n in range(machines)]
        self.boss = make_user("supervisor", site=self.site, first_name="Ada", last_name="Nowak")
        for n in range(stops):
            self.say((at(3) + timedelta(minutes=2 * n), self.stands), (at(3) + timedelta(minutes=2 * n + 1), self.runs))

    def machine(self, n):
        machine = make_machine(line=self.line, name=f"Machine {n}", position=n, is_constraint=n == 0)
        make_ideal_rate(product=self.product, machine=machine)
        self.say(
            (START, self.runs), (at(2), self.stands), (at(2.5), self.runs), (at(4), self.stands),
            (at(4) + timedelta(minutes=5), self.runs), (at(8), self.off), machine=machine,
        )  # fmt: skip
        tag = make_count_tag(machine=machine)
        readings = [(at(hour + 0.5), Decimal(900)) for hour in range(8)]
        record_readings([NewReading(tag.pk, machine.pk, False, *one) for one in readings], recorded_at=timezone.now())
        return machine

    def say(self, *states, machine=None):
        machine = machine or self.machines[0]
        record_states(
            [NewState(machine.pk, moment, reason.pk) for moment, reason in states], recorded_at=timezone.now()
        )

    def stop(self, hours=2.1, machine=None):
        moment = at(hours)
        around = Interval(moment, moment + timedelta(seconds=1))
        machine = (
            type(self.machines[0]).objects.select_related("line__area__site").get(pk=(machine or self.machines[0]).pk)
        )
        (stop,) = stops_of([machine], around, now=timezone.now())
        return stop

    def url(self, name, *args, **query):
        return reverse(f"screens:{name}", args=args or None, query=query or None)

    def of_line(self, name, **query):
        return self.url(name, self.line.code, **query)

    def stop_url(self, hours=2.1):
        from core.fact_api import fact_id

        stop = self.stop(hours)
        return self.url("stop", fact_id(stop.machine_id, stop.start))
