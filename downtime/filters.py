"""What lists of states can be narrowed by."""

from typing import Any

from django_filters import rest_framework as filters

from core.filters import FilterSet
from core.master_data import in_scope
from downtime.models import StateCorrection, StateHistory, StateReason
from downtime.selectors import reasons_offered
from enterprise.models import Machine


class StateReasonFilter(FilterSet):
    """By what they are, and by whether people at a machine are offered them."""

    offered_at = filters.NumberFilter(method="narrow_to_machine", label="A machine's id: what its people may choose.")

    class Meta:
        model = StateReason
        fields = {
            "code": ["exact"],
            "name": ["exact", "icontains"],
            "category": ["exact", "in"],
            "parent": ["exact", "isnull"],
            "operator_selectable": ["exact"],
            "is_failure": ["exact"],
            "explains": ["exact"],
            "waits_for": ["exact"],
            "maintenance": ["exact"],
            "is_active": ["exact"],
        }

    def narrow_to_machine(self, queryset: Any, name: str, value: Any) -> Any:
        """Keep the reasons that are offered at a machine that the caller may see."""
        visible = in_scope(Machine.objects.select_related("line__area"), self.request.user, Machine.site_paths)
        machine = visible.filter(pk=value).first() if abs(value) < 2**63 else None
        return queryset.none() if machine is None else queryset.filter(pk__in=[r.pk for r in reasons_offered(machine)])


class StateHistoryFilter(FilterSet):
    """By machine, line, site, reason, category and time."""

    line = filters.NumberFilter(field_name="machine__line")
    site = filters.NumberFilter(field_name="machine__line__area__site")
    category = filters.CharFilter(field_name="reason__category")
    occurred_from = filters.IsoDateTimeFilter(field_name="occurred_at", lookup_expr="gte")
    occurred_until = filters.IsoDateTimeFilter(field_name="occurred_at", lookup_expr="lt")

    class Meta:
        model = StateHistory
        fields = ("machine", "reason")


class StateCorrectionFilter(FilterSet):
    """By machine, line, reason and time."""

    line = filters.NumberFilter(field_name="machine__line")
    starts_from = filters.IsoDateTimeFilter(field_name="starts_at", lookup_expr="gte")
    starts_until = filters.IsoDateTimeFilter(field_name="starts_at", lookup_expr="lt")

    class Meta:
        model = StateCorrection
        fields = ("machine", "reason", "corrected_by")
