"""What lists of states can be narrowed by."""

from django_filters import rest_framework as filters

from downtime.models import StateCorrection, StateHistory


class StateHistoryFilter(filters.FilterSet):  # type: ignore[misc]
    """By machine, line, site, reason, category and time."""

    line = filters.NumberFilter(field_name="machine__line")
    site = filters.NumberFilter(field_name="machine__line__area__site")
    category = filters.CharFilter(field_name="reason__category")
    occurred_from = filters.IsoDateTimeFilter(field_name="occurred_at", lookup_expr="gte")
    occurred_until = filters.IsoDateTimeFilter(field_name="occurred_at", lookup_expr="lt")

    class Meta:
        model = StateHistory
        fields = ("machine", "reason")


class StateCorrectionFilter(filters.FilterSet):  # type: ignore[misc]
    """By machine, line, reason and time."""

    line = filters.NumberFilter(field_name="machine__line")
    starts_from = filters.IsoDateTimeFilter(field_name="starts_at", lookup_expr="gte")
    starts_until = filters.IsoDateTimeFilter(field_name="starts_at", lookup_expr="lt")

    class Meta:
        model = StateCorrection
        fields = ("machine", "reason", "corrected_by")
