"""Deliver a log through the one write path for devices, once everything that it names exists in the plant."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.keys import DeviceScope
from core import master_data
from core.errors import DomainError
from counts.models import CountTag, CountType
from downtime.models import StateReason
from enterprise.models import Line, Machine
from enterprise.services import ensure_machine
from ingest.services import Delivery, ItemAnswer, accept
from products.models import IdealRate, Product
from products.services import ensure_unit
from simulator.facts import CountFact, StateFact
from simulator.replay.log import Log, OrderNeed
from workorders.life import complete
from workorders.models import Run, WorkOrder

BATCH = 5_000
SOURCE = "replay"


class NotPrepared(DomainError):
    """The plant lacks what a log names; `missing` lists it."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__("The plant lacks what the log names: " + "; ".join(missing))
        self.missing = missing


@dataclass(slots=True)
class ReplayOutcome:
    """What became of a log's facts, with the first answers that were not plain."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    first_refused: list[ItemAnswer] = field(default_factory=list)


def machine_for(line: Line, code: str) -> Machine:
    """Return the machine that a log's facts belong to: the named one of the line, or the line's constraint machine.

    Raises NotPrepared when the line has no such machine.
    """
    if not code:
        return ensure_machine(line)
    machine = Machine.objects.filter(line=line, code=code).first()
    if machine is None:
        raise NotPrepared([f"machine {code} in line {line.code}"])
    return machine


def missing_for(log: Log) -> list[str]:
    """Return what a log names and the plant does not have, in words."""
    states = {fact.state for fact in log.facts if isinstance(fact, StateFact)}
    machines = {fact.machine for fact in log.facts if isinstance(fact, StateFact)}
    tags = {fact.tag for fact in log.facts if isinstance(fact, CountFact)}
    asked: list[tuple[str, set[str], Any, str]] = [
        ("machine", machines, Machine.objects, "code"),
        ("state reason", states, StateReason.objects.without_tree_fields(), "code"),
        ("count tag", tags, CountTag.objects, "tag_path"),
        ("product", {need.code for need in log.products}, Product.objects, "code"),
    ]
    missing: list[str] = []
    for kind, names, rows, key in asked:
        known = set(rows.filter(**{f"{key}__in": names}).values_list(key, flat=True))
        missing.extend(f"{kind} {name}" for name in sorted(names - known))
    orders = {need.number for need in log.orders}
    absent = len(orders) - WorkOrder.objects.filter(order_number__in=orders).count()
    return [*missing, f"{absent} work orders with their runs"] if absent else missing


@transaction.atomic
def prepare(log: Log, machine: Machine) -> None:
    """Make what a log names and the plant does not have: reasons, machines, tags, products with ideal rates,
    orders with runs.

    What exists stays as it is. Raises ValidationError where it contradicts the log, such as another run at that time.
    """
    for need in log.reasons:
        if not StateReason.objects.filter(code=need.code).exists():
            parent = StateReason.objects.get(code=need.parent) if need.parent else None
            master_data.save(StateReason(code=need.code, name=need.name, category=need.category, parent=parent))
    for named in log.machines:
        if not Machine.objects.filter(code=named.code).exists():
            master_data.save(Machine(code=named.code, name=named.name, line=machine.line))
    for tag in log.tags:
        if not CountTag.objects.filter(tag_path=tag.tag_path).exists():
            owner = Machine.objects.get(code=tag.machine) if tag.machine else machine
            master_data.save(CountTag(tag_path=tag.tag_path, machine=owner, count_type=_count_type(tag.count_type)))
    for product in log.products:
        made = Product.objects.filter(code=product.code).first() or master_data.save(
            Product(code=product.code, name=product.name, unit=ensure_unit(code=product.unit))
        )
        if not IdealRate.objects.filter(product=made, machine=machine).exists():
            _save_rate(made, machine, product.minutes_per_piece, log.start)
    for order in log.orders:
        if not WorkOrder.objects.filter(order_number=order.number).exists():
            _save_order(order, machine.line)


def _count_type(code: str) -> CountType:
    found = CountType.objects.filter(code=code).first()
    if found is not None:
        return found
    role = CountType.Role(code.lower())
    return master_data.save(CountType(code=code, name=str(role.label), role=role))


def _save_rate(product: Product, machine: Machine, minutes: Decimal, since: datetime) -> None:
    unit = IdealRate.Unit.MINUTES_PER_PIECE
    begins = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    master_data.save(IdealRate(product=product, machine=machine, value=minutes, unit=unit, valid_from=begins))


def _save_order(need: OrderNeed, line: Line) -> None:
    order = master_data.save(
        WorkOrder(
            order_number=need.number,
            line=line,
            product=Product.objects.get(code=need.product),
            target_quantity=need.quantity,
            planned_start_at=need.start,
            planned_end_at=need.end,
        )
    )
    master_data.save(Run(work_order=order, line=line, started_at=need.start, ended_at=need.end))
    order.status = WorkOrder.Status.IN_PROGRESS
    master_data.save(order)
    complete(work_order=order, at=need.end)


def deliver(
    log: Log, *, recorded_at: datetime, batch: int = BATCH, progress: Callable[[int], None] = lambda done: None
) -> ReplayOutcome:
    """Give a log's facts to the write path, in batches; `progress` is told how many are through.

    Repeating it changes nothing. Raises NotPrepared when the plant lacks what the log names.
    """
    if missing := missing_for(log):
        raise NotPrepared(missing)
    outcome = ReplayOutcome()
    scopes = _scopes(log)
    for start in range(0, len(log.facts), batch):
        items = [fact.item() for fact in log.facts[start : start + batch]]
        answer = accept(Delivery(items, scopes), recorded_at=recorded_at)
        outcome.accepted += answer.accepted
        outcome.duplicates += answer.duplicates
        outcome.refused += answer.refused
        outcome.first_refused.extend(item for item in answer.items if item.status != "duplicate")
        del outcome.first_refused[10:]
        progress(min(start + batch, len(log.facts)))
    return outcome


def _scopes(log: Log) -> DeviceScope:
    """Return the right to deliver for just the machines that a log names. Raises NotPrepared when sites differ."""
    rows = {machine.pk: machine.line.area.site_id for machine in _machines(log)}
    if len(set(rows.values())) != 1:
        raise NotPrepared(["one site: the log names machines of several"])
    return DeviceScope(source=SOURCE, site_id=next(iter(rows.values())), machine_ids=frozenset(rows))


def _machines(log: Log) -> Iterator[Machine]:
    machines = Machine.objects.select_related("line__area")
    codes = {fact.machine for fact in log.facts if isinstance(fact, StateFact)}
    tags = {fact.tag for fact in log.facts if isinstance(fact, CountFact)}
    yield from machines.filter(code__in=codes)
    yield from machines.filter(count_tags__tag_path__in=tags).distinct()
