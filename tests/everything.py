"""One thing of each kind that has a page, and the addresses of all pages."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from advice import services as advice
from advice.findings import Finding, Quiet
from advice.models import Kind
from batchrecords.models import StepTemplate
from batchrecords.services import open_record
from core.intervals import Interval
from labels.services import print_batch
from maintenance.services import Said, ask
from oee.closing import close_shift
from quality import charting
from quality.corrective_actions import add_action
from quality.nonconformances import About, raise_nonconformance, record_defect
from quality.tests.bench import AT, Bench, minutes
from screens.urls import urlpatterns
from tests.factories import (
    make_control_chart,
    make_count_tag,
    make_crew,
    make_defect_code,
    make_employee,
    make_gauge,
    make_ideal_rate,
    make_label_layout,
    make_location,
    make_lot,
    make_maintenance_plan,
    make_plan,
    make_reason,
    make_revision,
    make_routing,
    make_schedule,
    make_serial_unit,
    make_shift,
    make_stage_form,
    make_tool,
    make_user,
)
from workorders.changeovers import begin_changeover

# Read by scripts, files to download, and addresses that only take what is posted.
NO_PAGES = {
    *("overview-fragments", "floor-fragments", "board-fragments", "supervise-panels", "close-shift", "home"),
    *("planner-data", "planner-backlog", "planner-needs"),
    *("operate-clock", "operate-manifest", "service-worker", "plant-file-download"),
    *("kpis", "explain", "explain-element", "explain-facts", "station", "terminal"),
}


class Plant(Bench):
    """A small plant with one thing of each kind that has a page."""

    def __init__(self) -> None:
        super().__init__()
        now = timezone.now()
        self.person = make_user("admin", site=None, is_superuser=True, is_staff=True)
        shift = make_shift(site=self.site, start_time=now.replace(hour=0, minute=0, second=0, microsecond=0).time())
        make_ideal_rate(machine=self.machine, product=self.product)
        tag = make_count_tag(machine=self.machine)
        run, stop = make_reason(name="Running"), make_reason("unplanned", name="Jam", names={"de": "Stau"})
        order = self.order(description="First")
        self.operation(order, "10", 10, machine=self.machine)
        started = now - timedelta(hours=2)
        self.made_by = self.run(order)
        state = {"machine": self.machine.code}
        self.deliver(
            {**state, "at": started.isoformat(), "state": run.code},
            {**state, "at": (started + timedelta(minutes=17)).isoformat(), "state": stop.code},
            {**state, "at": (started + timedelta(minutes=31)).isoformat(), "state": run.code},
            {"tag": tag.tag_path, "at": (started + timedelta(minutes=40)).isoformat(), "value": 1234},
            now=now,
        )
        plan = make_plan()
        chart = make_control_chart(
            site=self.site, characteristic=plan.characteristics.get(), machine=self.machine, name="Diameter"
        )
        for at, value in enumerate(("10.1", "9.9", "10", "10.2", "9.8")):
            self.inspect(plan, value, at=10 * at, machine=self.machine)
        charting.set_baseline(
            of=chart,
            name="1",
            starts_at=AT,
            learned_from=AT,
            learned_until=minutes(99),
            actor=self.ewa,
            set_at=minutes(99),
        )
        lot = make_lot(location=make_location(site=self.site), product=self.product)
        make_tool(site=self.site)
        make_maintenance_plan(machine=self.machine)
        leak, _ = ask(
            machine=self.machine, title="Leak", said=Said(at=now, recorded_at=now, actor=self.person), machine_down=True
        )
        ncr, _ = raise_nonconformance(site=self.site, title="Wet", said=About(lot=lot), actor=self.ewa, raised_at=AT)
        record_defect(
            code=make_defect_code(),
            site=self.site,
            said=About(machine=self.machine),
            actor=self.ewa,
            detected_at=now,
            recorded_at=now,
        )
        add_action(nonconformance=ncr, description="Dry it", owner=self.ewa, due_date=AT.date(), check_date=AT.date())
        make_gauge(site=self.site)
        make_crew(site=self.site)
        make_employee(site=self.site)
        make_schedule(line=self.line, work_order=order)
        changeover, _ = begin_changeover(
            line=self.line, started_at=now - timedelta(minutes=9), actor=self.person, recorded_at=now
        )
        fields: Any = ({"code": "a", "kind": "text"}, {"code": "b", "kind": "number"}, {"code": "c"})
        make_stage_form(self.product, "WELD", *fields)
        unit = make_serial_unit(product=self.product, site=self.site)
        asked_for = make_routing("MIX", revision=make_revision(product=self.product)).operations.get()
        mixing = self.operation(order, "20", 20, machine=self.machine, template=asked_for)
        for code, kind in (("PH", "number"), ("TWO", "person"), ("LOOK", "read")):
            StepTemplate.objects.create(operation=asked_for, code=code, kind=kind, prompt=f"Do {code}")
        labels = print_batch(
            layout=make_label_layout(), site=self.site, rows=[{"code": "PK-1"}], actor=self.person, recorded_at=now
        ).batch
        record = open_record(order=order, actor=self.person, now=now)
        open_inspection = self.begin(plan, 80)
        day = (now - timedelta(days=1)).date()
        closing = close_shift(place=self.line, shift_id=shift.pk, shift_date=day, actor=self.person, now=now)
        asked = f"?line={self.line.code}&date={now.date()}"
        since = f"{started:%Y-%m-%dT%H:%M:%SZ}&to={now:%Y-%m-%dT%H:%M:%SZ}"
        self.addresses = [
            reverse("simulator:index"),
            reverse("screens:line", args=[self.line.code]),
            reverse("screens:closed-shift", args=[closing.pk]),
            reverse("screens:lot", args=[lot.pk]),
            reverse("screens:order", args=[order.order_number]),
            reverse("screens:changeover", args=[changeover.pk]),
            reverse("screens:record", args=[record.number]),
            reverse("screens:inspection", args=[open_inspection.pk]),
            reverse("screens:chart", args=[chart.pk]),
            reverse("screens:charts-at", args=[self.machine.code]),
            reverse("screens:steps", args=[mixing.pk]),
            reverse("screens:label-batch", args=[labels.pk]),
            reverse("screens:ncr", args=[ncr.pk]),
            reverse("screens:maintenance-order", args=[leak.pk]),
            reverse("screens:recommendation", args=[self._advice(now)]),
            reverse("screens:certificate", args=[lot.pk]),
            reverse("screens:unit", args=[unit.pk]),
            reverse("screens:station", args=[self.machine.code]),
            reverse("screens:station-unit", args=[self.machine.code, unit.pk]),
            reverse("screens:dispatch") + f"?line={self.line.pk}",
            reverse("screens:terminal"),
            reverse("screens:kpis"),
            reverse("screens:explain") + f"{asked}&kpi=oee_index",
            reverse("screens:explain") + f"{asked}&element=APT",
            reverse("screens:explain") + f"?facts_machine={self.machine.code}&from={since}",
            reverse("screens:explain") + "?kpi=nothing",
        ]

    def _advice(self, now: Any) -> int:
        said = {"loss": "stops", "hours_per_week": 4, "oee_points": 3, "weeks": 1, "recovered": 0.5, "trend": [1, None]}
        found = Finding(
            kind=Kind.LOSS,
            subject="loss",
            evidence={**said, "reasons": [], "links": [{"page": "waterfall", "line": self.line.code}]},
            says=("stops",),
            strength=Decimal(2),
            window=Interval(now - timedelta(days=7), now),
            valid_until=now + timedelta(days=7),
            line=self.line,
            gain_hours=Decimal(2),
        )
        quiet = Quiet(kind=Kind.FAILURE, subject="failure", why="nothing_known")
        return int(advice.write(site=self.site, found=[found, quiet], now=now).made[0].pk)


def pages_without_objects() -> list[str]:
    """Return the addresses of pages that need no object."""
    found = []
    for pattern in urlpatterns:
        try:
            if pattern.name not in NO_PAGES:
                found.append(reverse(f"screens:{pattern.name}"))
        except NoReverseMatch:
            continue
    return [*found, reverse("erp:upload")]
