"""A plant with random facts, and every KPI of it."""

import random
from datetime import datetime, time, timedelta
from decimal import Decimal

from core.intervals import HOUR, Interval
from counts.models import CountHistory
from counts.services import NewReading, correct_count, record_readings
from downtime.services import NewGap, NewState, correct_state, record_gaps, record_states
from enterprise.models import Machine, ShiftBreak
from oee.reason_times import losses
from oee.scopes import Place, machines_of, production_day, shifts_on
from oee.selectors import product_report, report, run_report, shift_report
from tests.factories import (
    make_count_tag,
    make_ideal_rate,
    make_machine,
    make_product,
    make_reason,
    make_run,
    make_shift,
    make_user,
    make_work_order,
)
from workorders.models import Run


class Plant:
    """A line of two machines whose shifts begin at half past, with three days of random facts around the end of a
    month.
    """

    def __init__(self, seed: int, month_end: datetime, *, now: datetime) -> None:
        self.random = random.Random(seed)
        self.month_end, self.now = month_end, now
        self.first, self.last = month_end - timedelta(days=1, hours=20, minutes=43), month_end + timedelta(days=1)
        first = make_machine(no_signal_timeout=5400, micro_stop_below=600)
        second = make_machine(line=first.line, position=2)
        self.line, self.site = first.line, first.line.area.site
        self.line.oee_mode = "weighted"
        self.line.save()
        self.machines = list(Machine.objects.select_related("line__area__site").filter(line=self.line))
        for name, start, end in (("Early", 6, 14), ("Late", 14, 22), ("Night", 22, 6)):
            shift = make_shift(site=self.site, name=name, start_time=time(start, 30), end_time=time(end, 30))
            ShiftBreak.objects.create(shift=shift, start_time=time(start + 1, 10), end_time=time(start + 1, 40))
        self.products = [make_product(), make_product()]
        for machine in self.machines:
            for product, value in zip(self.products, (7, 11), strict=True):
                make_ideal_rate(machine=machine, product=product, value=Decimal(value))
        self._runs()
        categories = ("running", "running", "unplanned", "planned", "changeover", "no_data")
        self.reasons = [make_reason(category) for category in categories]
        for machine in (first, second):
            self._facts(machine)
        self.person = make_user()

    def _runs(self) -> None:
        at = self.first + timedelta(minutes=11)
        for n in range(5):
            order = make_work_order(line=self.line, product=self.products[n % 2])
            end = at + timedelta(minutes=self.random.randint(700, 1100))
            make_run(line=self.line, work_order=order, started_at=at, ended_at=end)
            at = end + timedelta(minutes=self.random.choice([0, 37]))

    def moments(self, average_minutes: int) -> list[datetime]:
        at, moments = self.first, []
        while at < self.last:
            moments.append(at)
            at += timedelta(microseconds=self.random.randint(1, average_minutes * 120_000_000))
        return moments

    def _facts(self, machine: Machine) -> None:
        record_states(
            [NewState(machine.pk, at, self.random.choice(self.reasons).pk) for at in self.moments(40)],
            recorded_at=self.now,
        )
        running = make_count_tag(machine=machine, mode="running", modulus=10_000)
        slow = make_count_tag(machine=machine, mode="running", role="rework")
        delta = make_count_tag(machine=machine, role="reject")
        counter, rare, readings = 0, 0, []
        for at in self.moments(25):
            counter = (counter + self.random.randint(0, 300)) % 10_000
            readings.append(NewReading(running.pk, machine.pk, True, at, counter))
        for at in self.moments(60 * 9):
            rare += self.random.randint(0, 30)
            readings.append(NewReading(slow.pk, machine.pk, True, at, rare))
        readings += [NewReading(delta.pk, machine.pk, False, at, self.random.randint(0, 9)) for at in self.moments(50)]
        record_readings(readings, recorded_at=self.now)
        lost = self.month_end - timedelta(hours=5, minutes=7)
        record_gaps([NewGap(machine.pk, lost, lost + timedelta(hours=3), "overflow")], recorded_at=self.now)

    def correct(self) -> None:
        """Let people have their say, also about the last reading before the end of the month."""
        machine = self.machines[0]
        for at in (self.month_end - timedelta(days=2), self.month_end - timedelta(minutes=50)):
            correct_state(
                machine=machine,
                starts_at=at,
                ends_at=at + timedelta(minutes=100),
                reason=self.reasons[3],
                comment="seen",
                actor=self.person,
                recorded_at=self.now,
            )
        last = CountHistory.objects.filter(occurred_at__lt=self.month_end, tag__mode="running").order_by(
            "-occurred_at"
        )[0]
        correct_count(fact=last, value=None, comment="void", actor=self.person, recorded_at=self.now)

    def numbers(self) -> dict:
        """Return every KPI that is asked of a plant, exactly."""
        numbers: dict = {}
        places: list[Place] = [self.machines[0], self.site]
        days = [self.first.date() + timedelta(days=n) for n in range(4)]
        for place in places:
            machines = machines_of(place)
            for day in days:
                window = production_day(machines[0], day)
                numbers["day", str(place), day] = self.of(machines, window)
                for shift in shifts_on(machines[0], day):
                    numbers["shift", str(place), day, shift.shift_id] = shift_report(place, shift, now=self.now).sums
                    numbers["losses", str(place), day, shift.shift_id] = losses(machines, shift.interval, now=self.now)
            for product in self.products:
                window = Interval(self.first.replace(minute=0), self.last)
                numbers["product", str(place), product.pk] = product_report(
                    product.pk, place, window, now=self.now
                ).sums
            for hours in ((0, 60), (17, 18), (20, 30), (35, 55)):
                start = self.first.replace(minute=0)
                numbers["hours", str(place), hours] = self.of(
                    machines, Interval(start + hours[0] * HOUR, start + hours[1] * HOUR)
                )
        for run in Run.objects.all():
            numbers["run", run.pk] = run_report(run, now=self.now).sums
        return numbers

    def of(self, machines, window: Interval):
        return report(machines, window, now=self.now).sums, losses(machines, window, now=self.now)
