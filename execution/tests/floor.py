"""An order on a line, released with its operations, and people to work on it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

from counts.services import NewReading, record_readings
from execution.reporting import report_production
from execution.selectors import progress_of_operations
from execution.taking import Quantities, Taken
from products.services import release_revision
from tests.factories import (
    LONG_AGO,
    make_machine,
    make_product,
    make_revision,
    make_routing,
    make_user,
    make_work_order,
)
from workorders.models import Operation
from workorders.services import release_order

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
NOW = AT + timedelta(hours=12)


def minutes(number):
    return AT + timedelta(minutes=number)


def taken(at=0, actor=None, now=NOW, **said):
    """Return how a step is taken, so many minutes after the beginning."""
    return Taken(at=minutes(at), recorded_at=now, actor=actor or make_user(), **said)


def make_order(*codes, machine=None, source="operator", quantity=100, product=None, **fields):
    """Return a released order with an operation of each code; `fields` are of every step of its routing."""
    machine = machine or make_machine()
    product = product or make_product()
    revision = make_revision(product=product)
    routing = make_routing(*codes, revision=revision)
    routing.operations.update(counting_source=source, **fields)
    release_revision(revision=revision, valid_from=LONG_AGO)
    order = make_work_order(line=machine.line, product=product, target_quantity=Decimal(quantity))
    return release_order(work_order=order, at=AT)


def make_floor(*codes, **options):
    """Return an order with its machine and its operations by code."""
    machine = options.pop("machine", None) or make_machine()
    order = make_order(*(codes or ("CUT", "WELD")), machine=machine, **options)
    operations = {operation.code: operation for operation in order.operations.all()}
    return SimpleNamespace(
        order=order, machine=machine, operations=operations, first=next(iter(operations.values())), user=make_user()
    )


def stored(operation):
    return Operation.objects.select_related("work_order__line__area__site", "work_order__product__unit").get(
        pk=operation.pk
    )


def count(tag, *readings):
    """Let a counter say what it read, by minutes."""
    running = tag.mode == "running"
    record_readings(
        [NewReading(tag.pk, tag.machine_id, running, minutes(at), value) for at, value in readings], recorded_at=NOW
    )


def made(operation, now=NOW):
    """Return what an operation has made: good, scrap, rework."""
    pieces = progress_of_operations([stored(operation)], now=now)[operation.pk].made
    return pieces.good, pieces.scrap, pieces.rework


def report(operation, good=0, scrap=0, rework=0, at=5, **options):
    """Report pieces of an operation."""
    said = {
        name: options.pop(name) for name in ("unit", "scrap_reason", "counter_start", "counter_end") if name in options
    }
    quantities = Quantities(good=Decimal(good), scrap=Decimal(scrap), rework=Decimal(rework), **said)
    return report_production(operation=operation, quantities=quantities, taken=taken(at, **options))[0]
