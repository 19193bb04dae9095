"""Scrap reasons and policies to set up; work, reports and readings to look at."""

from typing import Any

from django.contrib import admin
from unfold.contrib.filters.admin import RangeDateTimeFilter

from core.admin import MasterDataAdmin, MasterDataForm, ReadOnlyAdmin, ScopedFilter
from core.name_forms import NAME_FIELDS, NamesForm
from execution.models import (
    ExecutionPolicy,
    OperationRun,
    OperationStep,
    ParameterReading,
    ProductionReport,
    ScrapReason,
)
from execution.resources import ScrapReasonResource

OF_ORDER = ("operation__work_order__order_number", "operation__code", "operation__name")


class ScrapReasonForm(NamesForm, MasterDataForm):
    """A reason with its names in the other languages."""


@admin.register(ScrapReason)
class ScrapReasonAdmin(MasterDataAdmin):
    form = ScrapReasonForm
    list_display = ("name", "code", "is_active")
    list_filter = ("is_active",)
    search_fields = ("code", "name")
    search_help_text = "Code or name"
    fieldsets = (
        (
            None,
            {
                "fields": (("code", "name"), "is_active"),
                "description": "Why a piece is scrap or has to be reworked. Once there are reasons, people choose one"
                " with every scrap that they report.",
            },
        ),
        ("In other languages", {"fields": (NAME_FIELDS,)}),
    )
    resource_classes = [ScrapReasonResource]


@admin.register(ExecutionPolicy)
class ExecutionPolicyAdmin(MasterDataAdmin):
    list_display = ("site", "missing_material", "machine_down")
    list_select_related = ("site",)
    search_fields = ("site__code", "site__name")
    search_help_text = "Site"
    autocomplete_fields = ("site",)
    fields = ("site", "missing_material", "machine_down")


@admin.register(OperationRun)
class OperationRunAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "ended_at", "operation", "order", "machine", "employee", "kind", "ending")
    list_filter = ("kind", "ending", ("machine__line", ScopedFilter), ("started_at", RangeDateTimeFilter))
    list_select_related = ("operation__work_order", "machine", "employee")
    search_fields = (*OF_ORDER, "machine__name")
    search_help_text = "Order, operation or machine"

    @admin.display(description="order")
    def order(self, run: OperationRun) -> Any:
        return run.operation.work_order


@admin.register(ProductionReport)
class ProductionReportAdmin(ReadOnlyAdmin):
    list_display = (
        "occurred_at",
        "operation",
        "order",
        "good",
        "scrap",
        "rework",
        "unit",
        "scrap_reason",
        "recorded_by",
    )
    list_filter = ("scrap_reason", ("operation__work_order__line", ScopedFilter), ("occurred_at", RangeDateTimeFilter))
    list_select_related = ("operation__work_order", "scrap_reason", "recorded_by", "unit")
    search_fields = OF_ORDER
    search_help_text = "Order or operation"

    @admin.display(description="order")
    def order(self, report: ProductionReport) -> Any:
        return report.operation.work_order


@admin.register(OperationStep)
class OperationStepAdmin(ReadOnlyAdmin):
    list_display = ("occurred_at", "action", "operation", "order", "employee", "reason", "recorded_by")
    list_filter = ("action", ("operation__work_order__line", ScopedFilter), ("occurred_at", RangeDateTimeFilter))
    list_select_related = ("operation__work_order", "employee", "recorded_by")
    search_fields = OF_ORDER
    search_help_text = "Order or operation"

    @admin.display(description="order")
    def order(self, step: OperationStep) -> Any:
        return step.operation.work_order


@admin.register(ParameterReading)
class ParameterReadingAdmin(ReadOnlyAdmin):
    list_display = ("occurred_at", "parameter", "value", "is_outside", "order", "recorded_by")
    list_filter = (
        ("parameter__operation__work_order__line", ScopedFilter),
        ("occurred_at", RangeDateTimeFilter),
    )
    list_select_related = ("parameter__operation__work_order", "recorded_by")
    search_fields = ("parameter__operation__work_order__order_number", "parameter__code", "parameter__name")
    search_help_text = "Order or set-point"

    @admin.display(boolean=True, description="outside its bounds")
    def is_outside(self, reading: ParameterReading) -> bool:
        return reading.deviates

    @admin.display(description="order")
    def order(self, reading: ParameterReading) -> Any:
        return reading.parameter.operation.work_order
