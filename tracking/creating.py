"""Create units with the stages that they go through, and the serial numbers of a pattern."""

import re
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import User
from core.errors import Conflict, Invalid
from core.locks import take_turns
from enterprise.models import Site
from products.models import Product, RoutingOperation
from products.selectors import revision_at
from tracking.models import SERIAL, SerialUnit, StageForm, UnitStage
from tracking.state import UnitStatus
from workorders.models import Operation, WorkOrder
from workorders.selectors import target_in_product_unit
from workorders.services import refuse_work

MOST_AT_ONCE = 1000


@transaction.atomic
def create_units(
    *,
    serials: Sequence[str],
    actor: User,
    at: datetime,
    order: WorkOrder | None = None,
    product: Product | None = None,
    site: Site | None = None,
    replaces: SerialUnit | None = None,
) -> list[SerialUnit]:
    """Create units of an order, or of a product at a site, with the stages that they go through.

    Serials that the same order has already are returned as they are. Raises Invalid without a way to make the product,
    Conflict for a serial that is taken, an order that is held or over, and for more units than the order is for.
    """
    product, site = _what_and_where(order, product, site)
    wanted = [serial.strip() for serial in serials]
    _refuse_odd_serials(wanted)
    take_turns("tracking.serials", product.pk)
    known = {unit.serial: unit for unit in SerialUnit.objects.filter(product=product, serial__in=wanted)}
    for serial, unit in known.items():
        if unit.order_id != (order.pk if order else None) or unit.site_id != site.pk:
            raise Conflict(f"{product.name} has a unit {serial} already.", field="serials")
    new = [serial for serial in wanted if serial not in known]
    if new:
        if order is not None:
            refuse_work(order)
            _refuse_too_many(order, len(new))
        stages = _stages_for(order, product, at)
        made = SerialUnit.objects.bulk_create(
            SerialUnit(
                product=product,
                serial=serial,
                site=site,
                order=order,
                created_by=actor,
                created_at=at,
                replaces=replaces,
            )
            for serial in new
        )
        UnitStage.objects.bulk_create(
            UnitStage(unit=unit, is_due=number == 0, **values) for unit in made for number, values in enumerate(stages)
        )
        known |= {unit.serial: unit for unit in made}
    return [known[serial] for serial in wanted]


def _what_and_where(order: WorkOrder | None, product: Product | None, site: Site | None) -> tuple[Product, Site]:
    if order is not None:
        if order.product is None:
            raise Invalid("The order names no product; its pieces cannot be tracked.", field="order")
        if product is not None and product.pk != order.product_id:
            raise Invalid("The order makes another product.", field="product")
        return order.product, order.line.area.site
    if product is None:
        raise Invalid("Say which order or which product they are of.", field="product")
    if site is None:
        raise Invalid("Say at which site they are made.", field="site")
    return product, site


def _refuse_odd_serials(wanted: list[str]) -> None:
    if not wanted:
        raise Invalid("Give at least one serial number.", field="serials")
    if len(wanted) > MOST_AT_ONCE:
        raise Invalid(f"At most {MOST_AT_ONCE} units are created at once.", field="serials")
    if len(set(wanted)) != len(wanted):
        raise Invalid("A serial number is given twice.", field="serials")
    for serial in wanted:
        if len(serial) > 100 or not re.match(SERIAL, serial):
            raise Invalid(f"'{serial[:100]}' is no serial number: 1 to 100 printable characters.", field="serials")


def _refuse_too_many(order: WorkOrder, new: int) -> None:
    there = SerialUnit.objects.filter(order=order).exclude(status=UnitStatus.SCRAPPED).count()
    most = target_in_product_unit(order)
    if there + new > most:
        raise Conflict(
            f"Order {order} is for {most.numerator // most.denominator} pieces and has {there} units;"
            f" {new} more are too many.",
            field="serials",
        )


def _stages_for(order: WorkOrder | None, product: Product, at: datetime) -> list[dict[str, object]]:
    """Return the stages of a unit: the order's operations, else the product's routing,
    else the stage forms themselves.
    """
    forms = {
        form.operation_code: form
        for form in StageForm.objects.filter(product=product, status=StageForm.Status.RELEASED)
    }
    operations: list[Operation] | list[RoutingOperation] = []
    if order is not None:
        operations = list(order.operations.exclude(status=Operation.Status.SKIPPED).order_by("sequence", "id"))
    if not operations:
        revision = (order.revision if order else None) or revision_at(product.pk, at)
        routing = revision.routings.filter(is_default=True).first() if revision else None
        operations = list(routing.operations.order_by("sequence", "id")) if routing else []
    if operations:
        return [
            {
                "sequence": row.sequence,
                "code": row.code,
                "name": row.name,
                "form": forms.get(row.code),
                "line_id": row.line_id,
                "machine_id": row.machine_id,
                "machine_class_id": row.machine_class_id,
            }
            for row in operations
        ]
    if not forms:
        raise Invalid(
            f"{product.name} has neither a released routing nor a released stage form; set one up first.",
            field="product",
        )
    found = sorted(forms.values(), key=lambda form: (form.sequence, form.pk))
    return [
        {"sequence": 10 * number, "code": form.operation_code, "name": form.name, "form": form}
        for number, form in enumerate(found, start=1)
    ]


def serials_of(
    *,
    pattern: str,
    count: int,
    product: Product,
    at: datetime,
    order: WorkOrder | None = None,
    site: Site | None = None,
) -> list[str]:
    """Return the next free serial numbers of a pattern such as `BP-{YY}{MM}-####`; the year is the site's.

    `{YYYY}`, `{YY}`, `{MM}`, `{DD}` and `{order}` are filled in; the `#` stand for a number. Call it in the transaction
    that creates the units.
    """
    if not 1 <= count <= MOST_AT_ONCE:
        raise Invalid(f"From 1 to {MOST_AT_ONCE} units are created at once.", field="count")
    place = order.line.area.site if order else site
    day = at.astimezone(place.zone) if place else at
    values = {"YYYY": f"{day:%Y}", "YY": f"{day:%y}", "MM": f"{day:%m}", "DD": f"{day:%d}"}
    values["order"] = order.order_number if order else ""
    text = re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), pattern)
    numbers = re.findall("#+", text)
    if len(numbers) != 1 or len(numbers[0]) > 9:
        raise Invalid("Write the number once, as # for each digit: PACK-####.", field="pattern")
    before, after = text.split(numbers[0])
    take_turns("tracking.serials", product.pk)
    used = SerialUnit.objects.filter(product=product, serial__startswith=before, serial__endswith=after)
    shape = re.compile(f"{re.escape(before)}([0-9]{{{len(numbers[0])}}}){re.escape(after)}")
    taken = [int(found[1]) for serial in used.values_list("serial", flat=True) if (found := shape.fullmatch(serial))]
    first = max(taken, default=0) + 1
    if len(str(first + count - 1)) > len(numbers[0]):
        raise Conflict("The pattern has no more numbers; use another, or more digits.", field="pattern")
    return [f"{before}{number:0{len(numbers[0])}d}{after}" for number in range(first, first + count)]
