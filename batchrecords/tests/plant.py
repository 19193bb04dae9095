"""A batch made on a line: what the tests of this app have in common."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from accounts.signing import Confirmed
from batchrecords.models import StepTemplate
from batchrecords.services import open_record, sign
from downtime.services import NewState, record_states
from labor.models import LaborEntry
from materials.models import MaterialTransaction
from tests.factories import (
    make_employee,
    make_machine,
    make_product,
    make_reason,
    make_revision,
    make_routing,
    make_run,
    make_shift,
    make_user,
    make_work_order,
)
from workorders.models import Operation, OrderParameter

DAY = datetime(2026, 3, 2, tzinfo=UTC)
NOW = DAY + timedelta(days=2)


def at(hours):
    return DAY + timedelta(hours=hours)


class Batch:
    """An order that ran from 8 to 12 with a jam of an hour, one worker, and three operations' steps to be set up."""

    def __init__(self, status="completed", opens=True):
        self.machine = make_machine()
        self.line = self.machine.line
        self.site = self.line.area.site
        make_shift(line=self.line)
        self.product = make_product()
        self.revision = make_revision(product=self.product, code="B", name="less sugar")
        self.routing = make_routing("MIX", revision=self.revision)
        self.template = self.routing.operations.get()
        self.order = make_work_order(
            line=self.line, product=self.product, revision=self.revision, status=status, released_at=at(7)
        )
        self.operation = Operation.objects.create(
            work_order=self.order, template=self.template, sequence=10, code="MIX", name="Mix", planned_quantity=1000
        )
        self.run = make_run(work_order=self.order, line=self.line, started_at=at(8), ended_at=at(12))
        running, self.jam = make_reason(), make_reason("unplanned", name="Jam")
        record_states(
            [
                NewState(self.machine.pk, at(8), running.pk),
                NewState(self.machine.pk, at(9), self.jam.pk),
                NewState(self.machine.pk, at(10), running.pk),
            ],
            recorded_at=at(12),
        )
        self.worker, self.preparer, self.reviewer, self.approver = (
            make_user(role, site=self.site, first_name=name, last_name="Nowak")
            for role, name in (
                ("operator", "Wera"),
                ("supervisor", "Paul"),
                ("quality", "Rita"),
                ("quality", "Anna"),
            )
        )
        employee = make_employee(site=self.site, user=self.worker)
        self.entry = LaborEntry.objects.create(
            employee=employee,
            work_order=self.order,
            line=self.line,
            started_at=at(8),
            ended_at=at(12),
            recorded_at=at(12),
        )
        if opens:
            self.record = open_record(order=self.order, actor=self.preparer, now=at(13))

    def step(self, code="PH", **overrides):
        return StepTemplate.objects.create(
            **{"operation": self.template, "code": code, "prompt": f"Do {code}", **overrides}
        )

    def parameter(self, target=80):
        return OrderParameter.objects.create(
            operation=self.operation, code="T", name="Temperature", target=Decimal(target)
        )

    def sign(self, meaning, user=None, **more):
        users = {"prepared": self.preparer, "reviewed": self.reviewer, "approved": self.approver}
        user = user or users.get(meaning, self.approver)
        return sign(record=self.record, identity=Confirmed(user), meaning=meaning, now=more.pop("now", NOW), **more)

    def resolve_all(self):
        from batchrecords.assembly import assemble
        from batchrecords.services import resolve

        for one in assemble(self.record, now=NOW).open_exceptions:
            resolve(
                record=self.record,
                key=one.finding.key,
                decision="accepted",
                comment="Looked at it.",
                actor=self.reviewer,
                now=NOW,
            )

    def sign_all(self):
        self.sign("prepared")
        self.resolve_all()
        for meaning in ("reviewed", "approved", "released"):
            self.sign(meaning)
        self.record.refresh_from_db()

    def move(self, **overrides):
        return MaterialTransaction.objects.create(
            **{
                "kind": "consume",
                "work_order": self.order,
                "product": self.product,
                "unit": "pcs",
                "quantity": Decimal(5),
                "occurred_at": at(9),
                "recorded_at": at(9),
                "performed_by": self.worker,
                **overrides,
            }
        )
