"""What lists of readings can be narrowed by."""

from django_filters import rest_framework as filters

from core.filters import FilterSet
from counts.models import CountHistory


class CountHistoryFilter(FilterSet):
    """By tag, machine, line, role and time."""

    machine = filters.NumberFilter(field_name="tag__machine")
    line = filters.NumberFilter(field_name="tag__machine__line")
    site = filters.NumberFilter(field_name="tag__machine__line__area__site")
    role = filters.CharFilter(field_name="tag__count_type__role")
    occurred_from = filters.IsoDateTimeFilter(field_name="occurred_at", lookup_expr="gte")
    occurred_until = filters.IsoDateTimeFilter(field_name="occurred_at", lookup_expr="lt")

    class Meta:
        model = CountHistory
        fields = ("tag",)
