"""Do what the people of a job shop do, through the services of the rooms concerned.

Each deed done twice is done once.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.http import HttpRequest

from accounts.models import Role, User
from accounts.signing import confirm
from batchrecords.assembly import assemble, standing
from batchrecords.models import BatchRecord, Resolution, Signature
from batchrecords.services import open_record, resolve, sign
from core import master_data
from enterprise.models import Machine, Site
from execution.models import OperationRun, ScrapReason
from execution.reporting import report_production
from execution.services import finish_operation, pause_operation, resume_operation, start_operation
from execution.taking import Quantities, Taken
from labor.models import Employee, LaborEntry
from labor.services import clock_in, clock_out, record_labor
from materials.lots import NewLot
from materials.models import Location, LotStatus, MaterialLot
from materials.selectors import pick
from materials.services import issue, produce, receive
from products.models import Product
from quality.services import What
from simulator.shop.checking import Checker
from simulator.shop.deeds import Deed, Kind, Receipt, Stint, material_of
from simulator.shop.floor import Order, StepWork
from simulator.shop.jobs import Job
from simulator.shop.plan import ShopPlan
from simulator.shop.setup import FINAL, RUN, SCRAP, SHORT, UNDER_TOLERANCE, customer_code, finished, machines_of, store
from workorders import life
from workorders.models import Customer, Operation, OrderReason, Step, WorkOrder
from workorders.placing import place
from workorders.services import release_order

_RUNS = OperationRun.Kind
_MEANINGS = (Signature.Meaning.PREPARED, Signature.Meaning.REVIEWED, Signature.Meaning.APPROVED)
_LATE = "Signed anew: machines reported late"


class Doer:
    """The people of a shop, who do one deed after the other; `now` is when it is written down."""

    def __init__(self, plan: ShopPlan, site: Site, *, seed: int, passwords: Mapping[str, str] | None = None) -> None:
        """`passwords` are what those sign batch records with who know theirs, by user name; nobody else does."""
        self.plan, self.site, self._seed = plan, site, seed
        self._passwords = passwords or {}
        # The first of each role. Who inspects does not judge the record: two others of quality review and approve it.
        self._users = {one.role: User.objects.get(username=one.username) for one in reversed(plan.people)}
        _, *judges = (one.username for one in plan.people if one.role == Role.QUALITY)
        self._signers = (self._users["supervisor"].username, *judges)
        self._people = {one.code: one for one in Employee.objects.filter(site=site).select_related("site", "crew")}
        self._machines = {machine.code: machine for machine in machines_of(plan)}
        codes = [part.code for part in plan.parts] + [material.code for material in plan.materials]
        self._products = {one.code: one for one in Product.objects.filter(code__in=codes).select_related("unit")}
        self._places = {one.code: one for one in Location.objects.filter(site=site).select_related("site")}
        codes = [customer_code(plan, number) for number in range(1, len(plan.customers) + 1)]
        self._customers = {one.name: one for one in Customer.objects.filter(code__in=codes)}
        self._checker = Checker(plan, site, self._users["quality"], seed=seed)
        self._do: dict[Kind, Callable[[Deed, datetime], None]] = {
            Kind.RECEIVE: self._receive,
            Kind.CLOCK_IN: self._clock_in,
            Kind.CLOCK_OUT: self._clock_out,
            Kind.CREATE: self._create,
            Kind.START: self._start,
            Kind.SETUP: self._set_up,
            Kind.PRODUCE: self._produce,
            Kind.PAUSE: self._pause,
            Kind.RESUME: self._resume,
            Kind.CHECK: self._check,
            Kind.LABOR: self._labor,
            Kind.FINISH: self._finish,
            Kind.COMPLETE: self._complete,
            Kind.CLOSE: self._close,
        }

    def do(self, deed: Deed, *, now: datetime) -> None:
        """Do a deed, all of it or nothing. Raises what the services raise."""
        if deed.kind == Kind.SIGN:
            # Whoever signs gives both components outside of a transaction: a wrong one has to be remembered.
            self._sign(deed, now)
            return
        with transaction.atomic():
            self._do[deed.kind](deed, now)

    @property
    def foreman(self) -> User:
        """Who leads the shop."""
        return self._users["supervisor"]

    # --- people and material ---

    def _clock_in(self, deed: Deed, now: datetime) -> None:
        clock_in(
            employee=self._people[deed.person], at=deed.at, actor=self._users["operator"], idempotency_key=deed.key
        )

    def _clock_out(self, deed: Deed, now: datetime) -> None:
        clock_out(
            employee=self._people[deed.person], at=deed.at, actor=self._users["operator"], idempotency_key=deed.key
        )

    def _receive(self, deed: Deed, now: datetime) -> None:
        receipt = deed.of
        assert isinstance(receipt, Receipt)
        receive(
            product=self._products[receipt.material.code],
            quantity=receipt.quantity,
            to_location=self._place(store(self.plan)),
            lot=NewLot(
                number=receipt.lot,
                status=LotStatus.RELEASED,
                supplier=receipt.material.supplier,
                supplier_lot=receipt.lot,
            ),
            unit_cost=receipt.material.cost,
            actor=self.foreman,
            occurred_at=deed.at,
            recorded_at=now,
            idempotency_key=deed.key,
        )

    def _place(self, code: str) -> Location:
        return self._places[code]

    # --- orders ---

    def _create(self, deed: Deed, now: datetime) -> None:
        job = deed.of
        assert isinstance(job, Job)
        if WorkOrder.objects.filter(order_number=job.number).exists():
            return
        first = self.plan.kind(job.part.steps[0].kind).machines[0][0]
        order = WorkOrder(
            order_number=job.number,
            description=f"{job.part.name} for {job.customer or 'stock'}",
            line=self._machines[first].line,
            product=self._products[job.part.code],
            target_quantity=Decimal(job.quantity),
            priority=job.priority,
            customer=self._customers.get(job.customer),
            sales_order=f"SO-{job.number}" if job.customer else "",
            due_at=job.due_at,
            lot_number=job.number,
        )
        order.step = Step(at=deed.at, actor=self.foreman)
        master_data.save(order)

    def _start(self, deed: Deed, now: datetime) -> None:
        """Release an order, place its operations in the schedule, and hand out its material."""
        of = deed.of
        assert isinstance(of, Order)
        order = self._order(of)
        if order.status != WorkOrder.Status.CREATED:
            return
        order.line = self._machines[of.steps[0].machine].line
        order.planned_start_at, order.planned_end_at = of.steps[0].planned_start, of.steps[-1].planned_end
        order = master_data.save(order)
        order = release_order(work_order=order, at=deed.at, actor=self.foreman)
        operations = {operation.code: operation for operation in order.operations.select_related("work_order")}
        for step in of.steps:
            place(
                line=self._machines[step.machine].line,
                planned_start_at=step.planned_start,
                planned_end_at=step.planned_end,
                actor=self.foreman,
                work_order=order,
                operation=operations[step.code],
                planned_quantity=order.target_quantity,
            )
        life.schedule(work_order=order, at=deed.at, actor=self.foreman)
        for code, quantity in material_of(of.job).items():
            self._issue(order, code, quantity, deed, now)

    def _issue(self, order: WorkOrder, code: str, quantity: Decimal, deed: Deed, now: datetime) -> None:
        product, location = self._products[code], self._place(store(self.plan))
        for take in pick(product=product, quantity=quantity, location=location, at=deed.at).takes:
            issue(
                product=product,
                quantity=take.quantity,
                from_location=location,
                work_order=order,
                lot=take.lot,
                actor=self.foreman,
                occurred_at=deed.at,
                recorded_at=now,
                operation_code=order.operations.all()[0].code,
                idempotency_key=f"{deed.key} {take.lot}",
            )

    def _complete(self, deed: Deed, now: datetime) -> None:
        """Inspect what an order made, put it in stock, complete the order and open its record."""
        of = deed.of
        assert isinstance(of, Order)
        order = self._order(of)
        if order.status != WorkOrder.Status.IN_PROGRESS:
            return
        self._checker.inspect(What(work_order=order), FINAL, deed, of)
        lot = None
        if of.good:
            posted = produce(
                product=self._products[of.job.part.code],
                quantity=Decimal(of.good),
                to_location=self._place(finished(self.plan)),
                work_order=order,
                lot=NewLot(number=of.job.number, made_date=deed.at.astimezone(self.plan.zone).date()),
                actor=self.foreman,
                occurred_at=deed.at,
                recorded_at=now,
                idempotency_key=f"{deed.key} output",
            )
            lot = posted.transaction.lot
        is_short = of.good < of.job.quantity * (1 - UNDER_TOLERANCE)
        reason = OrderReason.objects.get(code=SHORT) if is_short else None
        life.complete(work_order=order, at=deed.at, actor=self.foreman, short=is_short, reason=reason)
        if of.job.part.requirement:
            self._record(order, lot, of, now)

    def _record(self, order: WorkOrder, lot: MaterialLot | None, of: Order, now: datetime) -> None:
        open_record(order=order, lot=lot, actor=self.foreman, now=now, requirement=of.job.part.requirement)

    def _sign(self, deed: Deed, now: datetime) -> None:
        """Prepare, review or approve an order's record.

        What was signed before and no longer holds, because machines said something late, is signed anew first. It is
        left to others where a signer's password is not known.
        """
        assert isinstance(deed.of, Order)
        record = BatchRecord.objects.filter(work_order__order_number=deed.of.job.number).first()
        if record is None or record.signatures.filter(meaning=_MEANINGS[deed.number]).exists():
            return
        stands = standing(assemble(record, now=now))
        for meaning, username in list(zip(_MEANINGS, self._signers, strict=True))[: deed.number + 1]:
            if stands.holds(meaning) is not None:
                continue
            if username not in self._passwords:
                return
            request = HttpRequest()
            request.META["REMOTE_ADDR"] = "127.0.0.1"
            identity = confirm(request=request, username=username, password=self._passwords[username])
            if meaning == Signature.Meaning.REVIEWED:
                _resolve(record, identity.user, now)
            sign(record=record, identity=identity, meaning=meaning, now=now, comment=_LATE if stands.signatures else "")

    def _close(self, deed: Deed, now: datetime) -> None:
        assert isinstance(deed.of, Order)
        order = self._order(deed.of)
        if order.status == WorkOrder.Status.COMPLETED:
            life.close(work_order=order, at=deed.at, actor=self.foreman)

    def _order(self, of: Order) -> WorkOrder:
        return WorkOrder.objects.select_related("line__area__site", "product__unit").get(order_number=of.job.number)

    # --- work on operations ---

    def _set_up(self, deed: Deed, now: datetime) -> None:
        operation, machine = self._operation(deed.of)
        taken = self._taken(deed, now)
        start_operation(operation=operation, taken=taken, machine=machine, kind=_RUNS.SETUP)

    def _produce(self, deed: Deed, now: datetime) -> None:
        operation, machine = self._operation(deed.of)
        if operation.operation_runs.filter(kind=_RUNS.SETUP, ended_at__isnull=True).exclude(employee__code=deed.person):
            # Somebody else set up; they hand over.
            pause_operation(operation=operation, taken=self._taken(deed, now, " hand-over", alone=True))
        start_operation(operation=operation, taken=self._taken(deed, now), machine=machine, kind=_RUNS.PRODUCTION)

    def _pause(self, deed: Deed, now: datetime) -> None:
        operation, _ = self._operation(deed.of)
        pause_operation(operation=operation, taken=self._taken(deed, now, reason="End of the shift"))

    def _resume(self, deed: Deed, now: datetime) -> None:
        step = deed.of
        assert isinstance(step, StepWork)
        assert step.work is not None
        operation, machine = self._operation(step)
        kind = _RUNS.SETUP if deed.at < step.work.setup_end else _RUNS.PRODUCTION
        resume_operation(operation=operation, taken=self._taken(deed, now), machine=machine, kind=kind)

    def _finish(self, deed: Deed, now: datetime) -> None:
        step = deed.of
        assert isinstance(step, StepWork)
        assert step.work is not None
        operation, machine = self._operation(step)
        taken = self._taken(deed, now)
        if self.plan.kind(step.code).people_count:
            # Of what does not pass at the end, two thirds are scrap; the rest is worked on again some day.
            rework = step.work.reject // 3
            report_production(
                operation=operation,
                quantities=Quantities(
                    good=Decimal(step.work.good),
                    scrap=Decimal(step.work.reject - rework),
                    rework=Decimal(rework),
                    scrap_reason=ScrapReason.objects.get(code=SCRAP[step.work.reject % 2][0]),
                ),
                taken=self._taken(deed, now, " report"),
                machine=machine,
            )
        finish_operation(operation=operation, taken=taken)

    def _labor(self, deed: Deed, now: datetime) -> None:
        stint, step = deed.of, deed.step
        assert isinstance(stint, Stint)
        assert step is not None
        assert step.work is not None
        made = step.work if stint.is_last else None
        seconds = step.order.job.part.steps[step.number].seconds
        record_labor(
            employee=self._people[stint.person],
            kind=LaborEntry.Kind.SETUP if stint.is_setup else LaborEntry.Kind.DIRECT,
            started_at=stint.start,
            ended_at=stint.end,
            actor=self.foreman,
            recorded_at=now,
            work_order=self._order(step.order),
            operation=step.code,
            machine=self._machines[step.machine],
            quantity_produced=Decimal(made.good if made else 0),
            quantity_rejected=Decimal(made.reject if made else 0),
            standard_seconds=step.pieces * seconds if made else None,
            idempotency_key=deed.key,
        )

    def _operation(self, step: object) -> tuple[Operation, Machine]:
        assert isinstance(step, StepWork)
        operation = Operation.objects.select_related("work_order__line__area__site", "work_order__product").get(
            work_order__order_number=step.order.job.number, code=step.code
        )
        return operation, self._machines[step.machine]

    def _taken(self, deed: Deed, now: datetime, suffix: str = "", *, reason: str = "", alone: bool = False) -> Taken:
        return Taken(
            at=deed.at,
            recorded_at=now,
            actor=self._users["operator"],
            employee=None if alone else self._people.get(deed.person),
            reason=reason,
            idempotency_key=f"{deed.key}{suffix}",
        )

    def _check(self, deed: Deed, now: datetime) -> None:
        step = deed.of
        assert isinstance(step, StepWork)
        operation, machine = self._operation(step)
        what = What(work_order=operation.work_order, operation_code=step.code, machine=machine)
        self._checker.inspect(what, RUN, deed, step.order)


def _resolve(record: BatchRecord, reviewer: User, now: datetime) -> None:
    """Decide about a record's deviations: stops of a machine, and whatever else stands out."""
    for one in assemble(record, now=now).open_exceptions:
        resolve(
            record=record,
            key=one.finding.key,
            decision=Resolution.Decision.ACCEPTED,
            comment="Looked at; the final inspection covers it",
            actor=reviewer,
            now=now,
        )
