"""REST of what an order costs."""

from fractions import Fraction
from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import need
from core.exact import decimal_text
from core.master_data import in_scope
from oee.costs import CostRow, costs_of
from workorders.models import WorkOrder


class CostRowSerializer(serializers.Serializer):
    """A kind of cost, planned against actual, rounded to a hundredth; null = not known."""

    kind = serializers.CharField(help_text="material, labour, overhead, scrap (part of material), total.")
    planned = serializers.SerializerMethodField()
    actual = serializers.SerializerMethodField()
    difference = serializers.SerializerMethodField(help_text="Actual less planned.")
    missing = serializers.ListField(child=serializers.CharField(), help_text="For want of what a sum is not known.")

    def get_planned(self, row: CostRow) -> str | None:
        """Return what was planned."""
        return cents(row.planned)

    def get_actual(self, row: CostRow) -> str | None:
        """Return what it cost."""
        return cents(row.actual)

    def get_difference(self, row: CostRow) -> str | None:
        """Return actual less planned."""
        return cents(row.difference)


class OrderCostsSerializer(serializers.Serializer):
    """What an order costs, in its site's currency."""

    work_order = serializers.IntegerField()
    currency = serializers.CharField()
    rows = CostRowSerializer(many=True)


def cents(value: Fraction | None) -> str | None:
    """Return money to a hundredth, half to even, as text; None stays unknown."""
    return decimal_text(value, 2)


class OrderCostsView(GenericAPIView):
    """What an order costs."""

    kind = "cost"
    queryset = WorkOrder.objects.none()
    filter_backends = ()
    pagination_class = None
    serializer_class = OrderCostsSerializer

    @extend_schema(responses=OrderCostsSerializer)
    def get(self, request: Request, order_id: str) -> Response:
        """Return material, labour, overhead and scrap, planned against actual up to now,
        and what is missing by name.
        """
        orders = in_scope(WorkOrder.objects.all(), request.user, WorkOrder.site_paths)
        order: Any = orders.select_related("line__area__site", "product", "unit").filter(pk=int(order_id)).first()
        if order is None:
            raise Http404
        need(self, "view", order)
        found = costs_of(order, now=timezone.now())
        rows = {"work_order": order.pk, "currency": found.currency, "rows": found.rows}
        return Response(OrderCostsSerializer(rows).data)
