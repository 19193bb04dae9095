"""Measure what a KPI costs, next to a look-up by primary key in the same run, with a year of many facts.

Runs in a process of its own on a scratch database (`manage.py bench_kpi`). Facts are generated in SQL; the hours are
stored by the function that always stores them.
"""

import http.client
import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from typing import Any

MACHINES = 20
DAYS = 365
HTTP_GOAL_MS = 20.0
_COUNTS_PER_STATE = 4
_RECENT = timedelta(days=28)


def main(address: str, sizes: list[int]) -> None:
    """Print the table for each number of facts, the smaller first."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    now = datetime.now(UTC)
    end = now.replace(hour=0, minute=0, second=0, microsecond=0)
    plant = Plant(end - timedelta(days=DAYS), end)
    for facts in sizes:
        _say(f"\n{facts:,} facts of {MACHINES} lines in {DAYS} days")
        started = time.perf_counter()
        plant.generate(facts)
        _say(f"  generated in {time.perf_counter() - started:,.0f} s")
        plant.store_hours(facts)
        _measure(plant, address)


def _say(line: str) -> None:
    print(line, flush=True)


class Plant:
    """Lines of one machine, three shifts a day, a run a day.

    `beside` = so many machines more in the first line. The run of the last day goes on.
    """

    def __init__(self, start: datetime, end: datetime, *, lines: int = MACHINES, beside: int = 0) -> None:
        from django.db import connection

        from accounts.models import User
        from core.partitions import attach_before, make_room, month_start
        from counts.models import CountTag, CountType
        from downtime.models import StateReason
        from enterprise.models import Area, Enterprise, Line, Machine, Shift, Site
        from products.models import IdealRate, Product
        from workorders.models import Run, WorkOrder

        self.start, self.end = start, end
        self.months = [start + timedelta(days=n) for n in range((end - start).days + 1)]
        with connection.cursor() as cursor:
            for table in ("counts_counthistory", "downtime_statehistory"):
                if end - start > _RECENT:
                    # As in a plant that has run for a year: each month its partition.
                    cursor.execute(f"ALTER TABLE {table} DETACH PARTITION {table}_before")
                    attach_before(cursor, table, f"{table}_before", month_start(start))
                make_room(table, self.months)
        site = Site.objects.create(code="bench", name="Bench", enterprise=Enterprise.objects.create(code="b", name="B"))
        area = Area.objects.create(code="bench", name="Bench", site=site)
        self.shifts = [
            Shift.objects.create(
                site=site, name=name, start_time=clock_time(hour), end_time=clock_time((hour + 8) % 24)
            )
            for name, hour in (("Early", 6), ("Late", 14), ("Night", 22))
        ]
        reasons = [("run", "running"), ("jam", "unplanned"), ("clean", "planned"), ("setup", "changeover")]
        self.reasons = [
            StateReason.objects.create(code=code, name=code, category=category).pk for code, category in reasons
        ]
        good, reject = (CountType.objects.create(code=role, name=role, role=role) for role in ("good", "reject"))
        products = [Product.objects.create(code=f"p{n}", name=f"P{n}") for n in range(3)]
        self.machines = []
        days = -((start - end) // timedelta(days=1))
        for n in range(lines):
            line = Line.objects.create(code=f"line-{n}", name=f"Line {n}", area=area)
            machine = Machine.objects.create(code=f"m-{n}", name=f"M {n}", line=line, is_constraint=True)
            self.machines.append(machine)
            if n == 0:
                Machine.objects.bulk_create(
                    Machine(code=f"m-0-{place}", name=f"M 0.{place}", line=line, position=place)
                    for place in range(1, beside + 1)
                )
            for role in (good, reject):
                CountTag.objects.create(tag_path=f"m-{n}/{role.code}", machine=machine, count_type=role)
            for product in products:
                IdealRate.objects.create(machine=machine, product=product, value=Decimal(7), valid_from=start)
            orders = WorkOrder.objects.bulk_create(
                WorkOrder(order_number=f"{n}-{day}", line=line, product=products[day % 3], target_quantity=1000)
                for day in range(days)
            )
            Run.objects.bulk_create(
                Run(
                    line=line,
                    work_order=order,
                    started_at=start + timedelta(days=day, minutes=20),
                    ended_at=None if day + 1 == days else start + timedelta(days=day + 1, minutes=5),
                )
                for day, order in enumerate(orders)
            )
        self.machines = list(Machine.objects.select_related("line__area__site").order_by("id"))
        self.user = User.objects.create(username="bench", is_superuser=True)

    def generate(self, facts: int) -> None:
        """Replace all facts by so many, evenly over machines and time, with jitter."""
        from django.db import connection

        states = facts // (1 + _COUNTS_PER_STATE) // len(self.machines)
        readings = (facts // len(self.machines) - states) // 2
        span = self.end - self.start
        ids = [machine.pk for machine in self.machines]
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE counts_counthistory, downtime_statehistory, core_changedspan")
            cursor.execute("TRUNCATE oee_computedhour, oee_hourslice, oee_hourreason, oee_counterstep")
            cursor.execute("SELECT setseed(0.5)")
            cursor.execute(
                """
                INSERT INTO downtime_statehistory (machine_id, occurred_at, reason_id, detail, recorded_at, source)
                SELECT machine, %(start)s + %(step)s::interval * (n + random() * 0.9),
                    (%(reasons)s::bigint[])[CASE WHEN n %% 2 = 0 THEN 1 ELSE 2 + n / 2 %% 3 END], '', now(), 'bench'
                FROM unnest(%(ids)s::bigint[]) machine, generate_series(0, %(states)s - 1) n
                """,
                {
                    "start": self.start,
                    "step": str(span / states),
                    "reasons": self.reasons,
                    "ids": ids,
                    "states": states,
                },
            )
            cursor.execute(
                """
                INSERT INTO counts_counthistory (tag_id, occurred_at, value, recorded_at, source)
                SELECT id, %(start)s + %(step)s::interval * (n + random() * 0.9),
                    CASE WHEN id %% 2 = 1 THEN n %% 20 ELSE n %% 2 END, now(), 'bench'
                FROM counts_counttag, generate_series(0, %(readings)s - 1) n
                """,
                {"start": self.start, "step": str(span / readings), "readings": readings},
            )
        vacuum()

    def store_hours(self, facts: int) -> None:
        """Store the hours by `rebuild`, and say how fast."""
        from oee.models import ComputedHour
        from oee.services import rebuild

        started = time.perf_counter()
        rebuild(now=self.end)
        seconds = time.perf_counter() - started
        hours = ComputedHour.objects.count()
        _say(
            f"  hours stored: {hours:,} in {seconds:,.0f} s: {hours / seconds:,.0f} hours/s, {facts / seconds:,.0f} facts/s"
        )
        vacuum()


def vacuum() -> None:
    """Let the database know what lies where; inside a transaction, as in tests, it may not."""
    from django.db import connection

    if connection.in_atomic_block:
        return
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _median_ms(act: Callable[[], Any], times: int) -> float:
    act()
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        act()
        spent.append(time.perf_counter() - started)
    return statistics.median(spent) * 1000


def _measure(plant: Plant, address: str) -> None:
    from django.db import connection

    from core.intervals import HOUR, Interval
    from downtime.services import NewState, record_states
    from enterprise.models import Machine
    from oee.scopes import shifts_on
    from oee.selectors import report, shift_report

    now, machine = plant.end, plant.machines[7]
    day = (plant.end - timedelta(days=100)).date()
    shift = shifts_on(machine, day)[0]
    month = Interval(plant.end - timedelta(days=40), plant.end - timedelta(days=10))
    ids = [machine.pk for machine in plant.machines]

    def select(statement: str, *parameters: Any) -> Callable[[], Any]:
        def act() -> Any:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.fetchall()

        return act

    sums = (
        "sum(running), sum(unplanned), sum(planned), sum(changeover), sum(no_data), sum(good), sum(reject), sum(total)"
    )
    of_shift = f"SELECT calendar, rate_id, {sums} FROM oee_hourslice WHERE machine_id = %s AND starts_at >= %s AND starts_at < %s GROUP BY 1, 2"
    of_month = f"SELECT machine_id, calendar, rate_id, {sums} FROM oee_hourslice WHERE machine_id = ANY(%s) AND starts_at >= %s AND starts_at < %s GROUP BY 1, 2, 3"
    of_shifts = f"SELECT machine_id, shift_date, shift_id, rate_id, {sums} FROM oee_hourslice WHERE machine_id = ANY(%s) AND starts_at >= %s AND starts_at < %s GROUP BY 1, 2, 3, 4"
    view = "SELECT * FROM bi.machine_shifts WHERE machine_id = ANY(%s) AND shift_date >= %s AND shift_date < %s"

    lookup = _median_ms(select("SELECT * FROM enterprise_machine WHERE id = %s", machine.pk), 300)
    _say(f"  {'one primary-key look-up':<58}{lookup:>10.2f} ms      ×1.0")

    def line(what: str, ms: float, goal: str = "") -> None:
        _say(f"  {what:<58}{ms:>10.2f} ms {f'×{ms / lookup:,.1f}':>9}  {goal}")

    line("the same through the ORM", _median_ms(lambda: Machine.objects.get(pk=machine.pk), 200))
    line(
        "OEE of a shift, in the database",
        _median_ms(select(of_shift, machine.pk, shift.start, shift.end), 200),
        "goal ×3",
    )
    line("OEE of a shift, at the service", _median_ms(lambda: shift_report(machine, shift, now=now), 100), "goal ×3")
    query = f"machine={machine.code}&shift={shift.shift_id}&date={day}"
    line("OEE of a shift with its losses, over HTTP", _http_ms(plant, address, query), "goal 20 ms")
    line(
        "30 days × 3 shifts × 20 lines, in the database",
        _median_ms(select(of_shifts, ids, month.start, month.end), 20),
    )
    line(
        "the same with policies and ratios, bi.machine_shifts",
        _median_ms(select(view, ids, month.start.date(), month.end.date()), 5),
    )
    line(
        "30 days × 20 lines, in the database",
        _median_ms(select(of_month, ids, month.start, month.end), 20),
        "goal 10 ms",
    )
    line("30 days × 20 lines, at the service", _median_ms(lambda: report(plant.machines, month, now=now), 10))
    year = Interval(plant.start, plant.end)
    line("a year of a line, at the service", _median_ms(lambda: report([machine], year, now=now), 10))
    late = iter(range(1, 1000))

    def late_fact() -> None:
        at = shift.start + timedelta(seconds=97 * next(late), microseconds=13)
        record_states([NewState(machine.pk, at, plant.reasons[1])], recorded_at=now)
        report([machine], Interval(shift.start, shift.start + 8 * HOUR), now=now)

    line("a late state, and the OEE of its shift after it", _median_ms(late_fact, 50), "goal 5 ms")


def _http_ms(plant: Plant, address: str, query: str) -> float:
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from core.scratch import HOST, serve

    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(plant.user.pk), plant.user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[1]
    session.save()
    server, port = serve(address)
    try:
        wire = http.client.HTTPConnection(HOST, port)
        headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session.session_key}"}

        def ask() -> None:
            wire.request("GET", f"/oee/report/?{query}", headers=headers)
            answer = wire.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{answer.status}: {body[:300]!r}")

        return _median_ms(ask, 50)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
