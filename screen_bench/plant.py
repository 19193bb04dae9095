"""A plant whose pages have content: a long history of lines, and one thing of each kind beside it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

FACTS_PER_MACHINE_AND_DAY = 137
"""So that a year of twenty lines of one machine has 10^6."""
_BESIDE = 9
_PLANNED_DAYS = 14


@dataclass(frozen=True, slots=True)
class Asked:
    """A page: what it is called in the table, and its address."""

    name: str
    address: str


class Factory:
    """A site of lines, the first with ten machines, and a small site with one thing of each kind that has a page."""

    def __init__(self, days: int, lines: int) -> None:
        from oee.benchmark import Plant
        from simulator.boards import create_dashboards
        from tests.everything import Plant as Everything

        self.now = datetime.now(UTC).replace(second=0, microsecond=0)
        midnight = self.now.replace(hour=0, minute=0)
        self.plant = Plant(midnight - timedelta(days=days), self.now, lines=lines, beside=_BESIDE)
        self.lines = [machine.line for machine in self.plant.machines if machine.is_constraint]
        self.machine = next(machine for machine in self.plant.machines if machine.is_constraint)
        self.facts = FACTS_PER_MACHINE_AND_DAY * days * len(self.plant.machines)
        self._reasons()
        self.plant.generate(self.facts)
        self.plant.store_hours(self.facts)
        self._work()
        create_dashboards()
        self.everything = Everything()
        self.person = self._person()
        self._people_and_lots()
        self.closings = self._closings(days)

    def _reasons(self) -> None:
        from downtime.models import StateReason

        # Of a sixth of all states nobody knows why: there is something to ask for on each of the pages.
        StateReason.objects.filter(code="jam").update(explains=False)

    def _person(self) -> Any:
        """Return somebody with every role everywhere, and no right beyond roles."""
        from accounts.models import Membership, Role, User

        person = User.objects.create(username="everybody", is_staff=True)
        Membership.objects.bulk_create(Membership(user=person, site=None, role=role) for role in Role)
        return person

    def _work(self) -> None:
        """Make past orders done, the last of each line running with operations, more to come; plan the lines."""
        from execution.tests import floor
        from workorders.models import Run, Schedule, WorkOrder

        WorkOrder.objects.update(status=WorkOrder.Status.COMPLETED)
        running = Run.objects.filter(ended_at__isnull=True)
        WorkOrder.objects.filter(runs__in=running).update(status=WorkOrder.Status.IN_PROGRESS)
        entries = [
            Schedule(line=run.line, work_order=run.work_order, planned_start_at=run.started_at, planned_end_at=end)
            for run in Run.objects.select_related("line", "work_order")
            if (end := run.started_at + timedelta(hours=23)) > self.now - timedelta(days=60)
        ]
        for line in self.lines:
            machine = next(one for one in self.plant.machines if one.line_id == line.pk and one.is_constraint)
            for number in range(3):
                make_order: Any = floor.make_order
                order = make_order("CUT", "WELD", machine=machine, source="machine" if number else "operator")
                start = self.now + timedelta(days=1 + number * _PLANNED_DAYS // 3)
                end = start + timedelta(hours=20)
                entries.append(Schedule(line=line, work_order=order, planned_start_at=start, planned_end_at=end))
        Schedule.objects.bulk_create(entries)

    def _people_and_lots(self) -> None:
        from andon.services import Said, call
        from materials.models import Location
        from tests.factories import make_call_type, make_crew, make_employee, make_lot, make_product, make_serial_unit

        site = self.lines[0].area.site
        crew, kind, product = (
            make_crew(site=site),
            make_call_type((5, "supervisor"), name="Maintenance"),
            make_product(),
        )
        product.lot_controlled = True
        product.save()
        place = Location.objects.create(code="store", name="Store", site=site)
        for _ in range(40):
            make_employee(site=site, crew=crew)
        for _ in range(60):
            make_lot(location=place, product=product, actor=self.person)
        for _ in range(10):
            make_serial_unit(site=site)
        for line in self.lines[:5]:
            machine = next(one for one in self.plant.machines if one.line_id == line.pk)
            call(call_type=kind, machine=machine, said=Said(at=self.now, recorded_at=self.now, actor=self.person))

    def _closings(self, days: int) -> int:
        """Sign each line's shift of yesterday, and put the same signatures under the days before."""
        from oee.closing import close_shift
        from oee.models import ClosingCheck, ShiftClosing

        yesterday = (self.now - timedelta(days=1)).date()
        rows = []
        for line in self.lines:
            signed = close_shift(
                place=line, shift_id=self.plant.shifts[0].pk, shift_date=yesterday, actor=self.person, now=self.now
            )
            for back in range(1, days - 1):
                row = ShiftClosing.objects.get(pk=signed.pk)
                row.pk, row.sequence = None, signed.sequence + back
                row.shift_date -= timedelta(days=back)
                row.starts_at -= timedelta(days=back)
                row.ends_at -= timedelta(days=back)
                rows.append(row)
        ShiftClosing.objects.bulk_create(rows, batch_size=1000)
        ClosingCheck.objects.bulk_create(
            ClosingCheck(
                closing=row,
                machine_ids=[one.pk for one in self.plant.machines if one.line_id == row.line_id],
                starts_at=row.starts_at,
                ends_at=row.ends_at,
                checked_at=self.now,
            )
            for row in rows
        )
        return len(rows) + len(self.lines)

    def pages(self) -> list[Asked]:
        """Return every page that is got, each by its own name and at least one thing with a history."""
        from django.urls import reverse

        from tests.everything import NO_PAGES, pages_without_objects

        fetched = {"overview-fragments", "floor-fragments", "board-fragments", "supervise-panels"}
        fetched |= {"planner-data", "planner-backlog", "planner-needs"} & NO_PAGES
        small = [*pages_without_objects(), *(reverse(f"screens:{name}") for name in sorted(fetched))]
        small += self.everything.addresses
        named = [Asked(address.partition("?")[0], address) for address in small if "kpi=nothing" not in address]
        return list({page.address: page for page in reversed([*self._of_history(), *named])}.values())[::-1]

    def _of_history(self) -> list[Asked]:
        from django.urls import reverse

        from dashboards.models import Dashboard
        from downtime.models import StateHistory
        from reports.kinds import KINDS
        from screens.timeline import stop_address
        from workorders.models import Operation, WorkOrder

        line, machine = self.lines[0], self.machine
        day = (self.now - timedelta(days=2)).date()
        of_shift = {"date": day.isoformat(), "shift": self.plant.shifts[0].pk}

        def page(name: str, view: str, *args: Any, **query: Any) -> Asked:
            address = reverse(view, args=args)
            return Asked(name, f"{address}?{urlencode(query)}" if query else address)

        long_over = self.now - timedelta(hours=30)
        stops = StateHistory.objects.filter(machine=machine, reason__code="jam", occurred_at__lt=long_over)
        stop = stops.latest("occurred_at")
        stop_url = stop_address(machine, stop.occurred_at)
        code, order = line.code, WorkOrder.objects.filter(line=line, status="completed").latest("id")
        operation = Operation.objects.filter(work_order__line=line).earliest("id")
        found = [
            page("line", "screens:line", code),
            page("hour by hour", "screens:hours", code),
            page("hand-over", "screens:handover", code),
            page("hand-over of a past shift", "screens:handover", code, **of_shift),
            *(
                page(f"timeline of ten machines, {span}", "screens:timeline", code, span=span, date=day.isoformat())
                for span in ("shift", "day", "3d", "7d", "30d")
            ),
            Asked("stop", stop_url),
            Asked("stop, cause", f"{stop_url}cause/"),
            page("floor, a past day", "screens:floor", date=day.isoformat()),
            page("pareto of a month", "screens:pareto", **self._month()),
            page("waterfall of a month", "screens:waterfall", **self._month()),
            page("terminal of a machine", "screens:operate", machine.code),
            page("beside the terminal", "screens:operate-beside", machine.code, operation=operation.pk),
            page("list of work of a line", "screens:dispatch", line=line.pk),
            page("order with a run", "screens:order", order.order_number),
            page("order to come", "screens:order", operation.work_order.order_number),
            page("board of an area", "screens:board", line.area.code),
            *(page(f"dashboard '{one.code}'", "screens:dashboard", one.code) for one in Dashboard.objects.all()),
            *(
                page(f"tiles of '{one.code}'", "screens:dashboard-tiles", one.code)
                for one in Dashboard.objects.filter(is_active=True)
            ),
            page("reports", "reports:index"),
            page("files", "reports:exports"),
            page("report of an order", "reports:order", order.order_number),
        ]
        for kind in KINDS.values():
            if kind.places:
                place = "line" if "line" in kind.places else "machine"
                found.append(
                    page(f"report: {kind.code}", "reports:report", kind.code, **{place: getattr(self, place).pk})
                )
        return found

    @property
    def line(self) -> Any:
        """The line of ten machines."""
        return self.lines[0]

    def _month(self) -> dict[str, str]:
        today = self.now.date()
        return {"first": (today - timedelta(days=30)).isoformat(), "last": today.isoformat()}

    def session(self) -> str:
        """Log the person in and return the session's key."""
        from django.conf import settings
        from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
        from django.contrib.sessions.backends.db import SessionStore

        session = SessionStore()
        session[SESSION_KEY], session[HASH_SESSION_KEY] = str(self.person.pk), self.person.get_session_auth_hash()
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[1]
        session.save()
        return str(session.session_key)

    def device_key(self) -> str:
        """Return a key with which the last line's machine may send."""
        from accounts.models import DeviceKey

        return str(DeviceKey.objects.create_key(name="bench", line=self.lines[-1])[1])
