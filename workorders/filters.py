"""Narrow the lists of orders and demand."""

from typing import Any

from django.db.models import Q
from django_filters import rest_framework as filters

from core.filters import FilterSet
from workorders.models import Demand, WorkOrder


def of_customer(queryset: Any, name: str, text: str) -> Any:
    """Keep what is for the customer of that code, external id or name."""
    return queryset.filter(
        Q(**{f"{name}__code": text}) | Q(**{f"{name}__external_id": text}) | Q(**{f"{name}__name": text})
    )


class WorkOrderFilter(FilterSet):
    """Narrow orders."""

    customer = filters.CharFilter(method=of_customer)

    class Meta:
        model = WorkOrder
        fields = {
            "order_number": ["exact", "icontains"],
            "line": ["exact"],
            "product": ["exact"],
            "status": ["exact", "in"],
            "planned_start_at": ["gte", "lt"],
            "planned_end_at": ["gte", "lt"],
            "due_at": ["gte", "lt"],
            "priority": ["exact", "lte", "gte"],
            "sales_order": ["exact"],
            "external_id": ["exact"],
            "lot_number": ["exact"],
            "parent": ["exact"],
            "revision": ["exact"],
        }


class DemandFilter(FilterSet):
    """Narrow demand."""

    customer = filters.CharFilter(method=of_customer)

    class Meta:
        model = Demand
        fields = {
            "site": ["exact"],
            "product": ["exact"],
            "due_at": ["gte", "lt"],
            "sales_order": ["exact"],
            "external_id": ["exact"],
            "is_active": ["exact"],
        }
