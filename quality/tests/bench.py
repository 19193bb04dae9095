"""A small plant with a line, an order that runs, a gauge, and people, for tests of quality."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.keys import DeviceScope
from ingest.services import Delivery, Outcome, accept
from quality.models import Inspection, InspectionPlan
from quality.results import Said, record_results
from quality.services import What, finish_inspection, open_inspection
from tests.factories import make_machine, make_product, make_run, make_user, make_work_order
from workorders.models import Operation, WorkOrder

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


def minutes(number: Any) -> datetime:
    return AT + timedelta(minutes=number)


class Bench:
    """Everything in one place."""

    def __init__(self) -> None:
        self.machine = make_machine()
        self.line = self.machine.line
        self.site = self.line.area.site
        self.ewa = make_user("quality", site=self.site)
        self.olek = make_user("operator", site=self.site)
        self.product = make_product()

    def order(self, **overrides: Any) -> WorkOrder:
        return make_work_order(line=self.line, product=self.product, **overrides)

    def run(self, order: WorkOrder, start: Any = 0, end: Any = None) -> Any:
        ended = None if end is None else minutes(end)
        return make_run(line=self.line, work_order=order, started_at=minutes(start), ended_at=ended)

    def operation(self, order: WorkOrder, code: str, sequence: int, **overrides: Any) -> Operation:
        return Operation.objects.create(
            work_order=order, code=code, name=code, sequence=sequence, planned_quantity=Decimal(100), **overrides
        )

    def begin(self, plan: InspectionPlan, at: Any = 0, **about: Any) -> Inspection:
        more = {
            name: about.pop(name) for name in ("sample_size", "lot_size", "rule", "idempotency_key") if name in about
        }
        about = about or {"machine": self.machine}
        return open_inspection(plan=plan, what=What(**about), actor=self.olek, opened_at=minutes(at), **more)[0]

    def measure(self, inspection: Inspection, *values: Any, at: Any = 1, **more: Any) -> Any:
        """Record a value for units 1, 2 … of the plan's first characteristic."""
        of: Any = inspection.plan.characteristics.first()
        field = {"variable": "value", "count": "value", "attribute": "verdict"}.get(of.kind, "text")

        def content(value: Any) -> dict[str, Any]:
            return {field: Decimal(value) if field == "value" else value}

        said = [
            Said(
                characteristic=of,
                sample=place,
                occurred_at=minutes(at) + timedelta(seconds=place),
                **content(value),
                **more,
            )
            for place, value in enumerate(values, start=1)
        ]
        return record_results(inspection=inspection, results=said, actor=self.olek, recorded_at=minutes(at))

    def finish(self, inspection: Inspection, at: Any = 5) -> Inspection:
        return finish_inspection(inspection=inspection, actor=self.olek, finished_at=minutes(at))

    def inspect(self, plan: InspectionPlan, *values: Any, at: Any = 0, **about: Any) -> Inspection:
        inspection = self.begin(plan, at, sample_size=about.pop("sample_size", len(values)), **about)
        self.measure(inspection, *values, at=at + 1)
        return self.finish(inspection, at + 5)

    def deliver(self, *items: Any, now: datetime | None = None) -> Outcome:
        scope = DeviceScope("key:test", self.site.pk, frozenset([self.machine.pk]))
        return accept(Delivery(items, scope), recorded_at=now or minutes(1000))
