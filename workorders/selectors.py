"""Read orders and the schedule."""

from fractions import Fraction

from django.db.models import Case, Count, F, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from products.units import Quantity, convert
from workorders.models import Schedule, WorkOrder


def target_in_product_unit(order: WorkOrder) -> Fraction:
    """Return the target quantity in the unit that the order's product is counted in, exact."""
    if order.product is None or order.unit_id in (None, order.product.unit_id) or order.unit is None:
        return Fraction(order.target_quantity)
    return convert(order.target_quantity, order.unit, order.product.unit, order.product)


def in_product_unit(order: WorkOrder, quantity: Quantity) -> Fraction:
    """Return a quantity of an order in the unit that its product is counted in, exact."""
    if order.product is None or order.unit_id in (None, order.product.unit_id) or order.unit is None:
        return Fraction(quantity)
    return convert(quantity, order.unit, order.product.unit, order.product)


def schedule_entries() -> QuerySet[Schedule]:
    """Return the schedule with `sequence` and `version`.

    `sequence` is an entry's place within line, shift and day by its planned start; None when it is cancelled. `version`
    is the newest line of its history: an editor gives back what was seen.
    """
    not_after = Q(planned_start_at__lt=OuterRef("planned_start_at")) | Q(
        planned_start_at=OuterRef("planned_start_at"), pk__lte=OuterRef("pk")
    )
    before = (
        Schedule.objects.exclude(status=Schedule.Status.CANCELLED)
        .annotate(of_shift=Coalesce("shift_id", 0))
        .filter(not_after, line=OuterRef("line"), shift_date=OuterRef("shift_date"), of_shift=OuterRef("of_shift"))
        .order_by()
        .annotate(everything=Value(1))
        .values("everything")
        .annotate(number=Count("pk"))
        .values("number")
    )
    newest = (
        Schedule.history.filter(id=OuterRef("pk"))
        .order_by()
        .annotate(everything=Value(1))
        .values("everything")
        .annotate(newest=Max("history_id"))
        .values("newest")
    )
    return Schedule.objects.annotate(of_shift=Coalesce(F("shift_id"), 0)).annotate(
        sequence=Case(
            When(status=Schedule.Status.CANCELLED, then=None), default=Subquery(before), output_field=IntegerField()
        ),
        version=Subquery(newest, output_field=IntegerField()),
    )
