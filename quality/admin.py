"""Plans, gauges, the catalogue of defects and charts, as an engineer sets them up; and what was inspected,
to look at.
"""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import RangeDateTimeFilter

from core.admin import MasterDataAdmin, MasterDataForm, ReadOnlyAdmin, RowInline, ScopedFilter, ScopedSearchFilter
from core.errors import DomainError
from core.name_forms import NAME_FIELDS, NamesForm
from core.resources import refuse_without_right
from quality.models import (
    Calibration,
    Characteristic,
    ChartPhase,
    ControlChart,
    CorrectiveAction,
    Defect,
    DefectCode,
    Disposition,
    Gauge,
    GaugeTag,
    Inspection,
    InspectionPlan,
    NonConformance,
    Result,
    SamplingRule,
    Signal,
)
from quality.planning import new_version, release_plan, retire_plan


class CharacteristicInline(RowInline):
    model = Characteristic
    fields = (
        "position",
        "code",
        "name",
        "kind",
        "lower_limit",
        "nominal",
        "upper_limit",
        "unit",
        "decimals",
        "severity",
    )


class SamplingRuleInline(RowInline):
    model = SamplingRule
    fields = ("kind", "every", "sample_size", "level", "aql", "may_reduce", "overdue_minutes")
    show_change_link = False


@admin.register(InspectionPlan)
class InspectionPlanAdmin(MasterDataAdmin):
    list_display = ("name", "code", "version", "kind", "status", "product", "operation_code", "blocks")
    list_filter = ("status", "kind", ("product", ScopedSearchFilter), ("site", ScopedFilter))
    list_select_related = ("product",)
    search_fields = ("code", "name", "operation_code", "supplier")
    search_help_text = "Code, name, operation or supplier"
    autocomplete_fields = ("site", "product", "machine")
    fieldsets = (
        (None, {"fields": (("code", "version"), "name", ("kind", "blocks"), "instructions")}),
        (
            "What it is for",
            {"fields": (("product", "material_type"), ("operation_code", "machine"), "supplier", "site")},
        ),
    )
    inlines = (CharacteristicInline, SamplingRuleInline)
    history_of = ("characteristics", "rules")
    actions = ("release", "retire", "make_version")

    @admin.action(description="Release: put into force")
    def release(self, request: HttpRequest, queryset: Any) -> None:
        """Put the chosen drafts into force."""
        self._each(request, queryset, lambda plan, now: release_plan(plan=plan, at=now))

    @admin.action(description="Take out of force")
    def retire(self, request: HttpRequest, queryset: Any) -> None:
        """Take the chosen plans out of force."""
        self._each(request, queryset, lambda plan, now: retire_plan(plan=plan, at=now))

    @admin.action(description="New version")
    def make_version(self, request: HttpRequest, queryset: Any) -> None:
        """Copy the chosen plans to drafts."""
        self._each(request, queryset, lambda plan, now: new_version(plan=plan))

    def _each(self, request: HttpRequest, queryset: Any, act: Any) -> None:
        now: datetime = timezone.now()
        done = 0
        for plan in queryset:
            try:
                refuse_without_right(request.user, plan)
                with transaction.atomic():
                    act(plan, now)
                done += 1
            except DomainError as refusal:
                messages.error(request, f"{plan}: {refusal.message}")
        if done:
            messages.success(request, f"Done: {done}.")


@admin.register(Characteristic)
class CharacteristicAdmin(MasterDataAdmin):
    list_display = ("name", "code", "plan", "kind", "lower_limit", "nominal", "upper_limit", "unit")
    list_filter = ("kind", ("plan", ScopedSearchFilter))
    list_select_related = ("plan", "unit")
    search_fields = ("code", "name", "plan__code", "plan__name")
    search_help_text = "Characteristic or plan"
    autocomplete_fields = ("plan", "unit")
    fieldsets = (
        (None, {"fields": ("plan", ("code", "name"), ("kind", "severity"), ("position", "is_required"))}),
        ("Limits", {"fields": (("lower_limit", "nominal", "upper_limit"), ("unit", "decimals"), "needs_gauge")}),
        ("One of several", {"fields": (("choices", "accepted"),)}),
        ("How", {"fields": ("instructions",)}),
    )


@admin.register(SamplingRule)
class SamplingRuleAdmin(MasterDataAdmin):
    list_display = ("plan", "kind", "every", "sample_size", "level", "aql", "overdue_minutes")
    list_filter = ("kind", ("plan", ScopedSearchFilter))
    list_select_related = ("plan",)
    search_fields = ("plan__code", "plan__name")
    search_help_text = "Plan"
    autocomplete_fields = ("plan",)
    fields = ("plan", ("kind", "every"), ("sample_size", "overdue_minutes"), ("level", "aql", "may_reduce"))


@admin.register(Gauge)
class GaugeAdmin(MasterDataAdmin):
    list_display = ("name", "code", "site", "serial_number", "interval_days", "is_active")
    list_filter = (("site", ScopedFilter), "is_active")
    list_select_related = ("site",)
    search_fields = ("code", "name", "serial_number")
    search_help_text = "Code, name or serial number"
    autocomplete_fields = ("site",)
    fields = ("site", ("code", "name"), ("serial_number", "interval_days"), "is_active")


@admin.register(Calibration)
class CalibrationAdmin(ReadOnlyAdmin):
    list_display = ("gauge", "calibrated_at", "valid_until", "result", "deviation", "certificate")
    list_filter = ("result", ("gauge", ScopedSearchFilter))
    list_select_related = ("gauge",)
    search_fields = ("gauge__code", "gauge__name", "certificate")
    search_help_text = "Gauge or certificate"


@admin.register(GaugeTag)
class GaugeTagAdmin(MasterDataAdmin):
    list_display = ("tag_path", "machine", "characteristic", "gauge", "unit", "is_active")
    list_filter = (("machine", ScopedSearchFilter), "is_active")
    list_select_related = ("machine", "characteristic", "gauge", "unit")
    search_fields = ("tag_path", "machine__code", "gauge__code")
    search_help_text = "Name, machine or gauge"
    autocomplete_fields = ("machine", "characteristic", "gauge", "unit")
    fields = ("tag_path", "machine", "characteristic", ("gauge", "unit"), "is_active")


class DefectCodeForm(NamesForm, MasterDataForm):
    """A code with its names in the other languages."""


@admin.register(DefectCode)
class DefectCodeAdmin(MasterDataAdmin):
    form = DefectCodeForm
    list_display = ("name", "code", "category", "severity", "is_active")
    list_filter = ("category", "severity", "is_active")
    search_fields = ("code", "name")
    search_help_text = "Code or name"
    fields = (("code", "name"), ("category", "severity"), "is_active", NAME_FIELDS)


class ChartPhaseInline(RowInline):
    model = ChartPhase
    fields = readonly_fields = ("name", "starts_at", "centre", "sigma", "subgroups", "set_by", "set_at")
    show_change_link = False
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ControlChart)
class ControlChartAdmin(MasterDataAdmin):
    list_display = ("name", "code", "characteristic", "machine", "product", "kind", "rule_set", "is_active")
    list_filter = ("kind", ("site", ScopedFilter), ("machine", ScopedSearchFilter), "is_active")
    list_select_related = ("characteristic", "machine", "product")
    search_fields = ("code", "name", "machine__code", "product__code")
    search_help_text = "Chart, machine or product"
    autocomplete_fields = ("site", "characteristic", "machine", "product")
    fields = (
        ("site", "is_active"),
        ("code", "name"),
        "characteristic",
        ("machine", "product"),
        ("kind", "subgroup_size", "weight"),
        ("rule_set", "on_signal"),
    )
    inlines = (ChartPhaseInline,)


@admin.register(Inspection)
class InspectionAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "work_order", "operation_code", "lot", "machine", "opened_at", "status", "result")
    list_filter = ("status", ("machine", ScopedSearchFilter), ("opened_at", RangeDateTimeFilter))
    list_select_related = ("plan", "work_order", "lot", "machine")
    search_fields = ("plan__code", "work_order__order_number", "lot__number", "serial", "batch")
    search_help_text = "Plan, order, lot, batch or serial number"


@admin.register(Result)
class ResultAdmin(ReadOnlyAdmin):
    list_display = ("characteristic", "value", "verdict", "text", "occurred_at", "inspection", "gauge", "source")
    list_filter = (("gauge", ScopedSearchFilter), ("occurred_at", RangeDateTimeFilter))
    list_select_related = ("characteristic", "inspection__plan", "gauge")


@admin.register(Signal)
class SignalAdmin(ReadOnlyAdmin):
    list_display = ("chart", "rule", "text", "point_at", "detected_at")
    list_filter = (("chart", ScopedSearchFilter), ("point_at", RangeDateTimeFilter))
    list_select_related = ("chart",)


@admin.register(Defect)
class DefectAdmin(ReadOnlyAdmin):
    list_display = ("code", "quantity", "severity", "cause", "machine", "work_order", "lot", "detected_at")
    list_filter = ("severity", "cause", ("code", ScopedSearchFilter), ("detected_at", RangeDateTimeFilter))
    list_select_related = ("code", "machine", "work_order", "lot")
    search_fields = ("code__code", "serial", "note", "lot__number", "work_order__order_number")
    search_help_text = "Defect, order, lot or serial number"


@admin.register(NonConformance)
class NonConformanceAdmin(ReadOnlyAdmin):
    list_display = ("numbered", "title", "severity", "status", "is_contained", "lot", "work_order", "raised_at")
    list_filter = ("status", "severity", "is_contained", ("site", ScopedFilter))
    list_select_related = ("lot", "work_order")
    search_fields = ("number", "title", "lot__number", "work_order__order_number")
    search_help_text = "Number, title, lot or order"

    @admin.display(description="number", ordering="id")
    def numbered(self, ncr: NonConformance) -> str:
        """Return the number, sorted as they were given."""
        return ncr.number


@admin.register(Disposition)
class DispositionAdmin(ReadOnlyAdmin):
    list_display = ("nonconformance", "kind", "quantity", "reason", "decided_by", "decided_at")
    list_filter = ("kind",)
    list_select_related = ("nonconformance", "decided_by")


@admin.register(CorrectiveAction)
class CorrectiveActionAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "nonconformance", "kind", "owner", "due_date", "done_at", "check_date", "verdict")
    list_filter = ("kind", "verdict", "due_date")
    list_select_related = ("nonconformance", "owner")
    search_fields = ("description", "nonconformance__number")
    search_help_text = "Action or number"
