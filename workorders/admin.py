"""Work orders, schedules and runs, for whoever plans and whoever looks a thing up."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from core.admin import MasterDataAdmin, RowInline, ScopedFilter, link, trail
from workorders.models import Run, Schedule, WorkOrder
from workorders.resources import RunResource, ScheduleResource, WorkOrderResource


class ScheduleInline(RowInline):
    model = Schedule
    fields = ("line", "kind", "planned_start_at", "planned_end_at", "note")


class RunInline(RowInline):
    model = Run
    fields = ("line", "started_at", "ended_at", "estimated_finish_at")
    readonly_fields = fields
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(WorkOrder)
class WorkOrderAdmin(MasterDataAdmin):
    list_display = ("order_number", "for_product", "on_line", "target", "planned_start_at", "planned_end_at", "status")
    list_filter = (
        "status",
        ("line__area__site", ScopedFilter),
        ("line", ScopedFilter),
        ("planned_start_at", RangeDateTimeFilter),
    )
    list_select_related = ("line__area", "product")
    search_fields = ("order_number", "description", "product__code", "product__name", "line__name")
    search_help_text = "Number, description, product or line"
    autocomplete_fields = ("line", "product")
    fieldsets = (
        (None, {"fields": (("order_number", "status"), "description")}),
        ("What and where", {"fields": (("product", "target_quantity"), "line")}),
        ("Plan", {"fields": (("planned_start_at", "planned_end_at"),)}),
    )
    inlines = (ScheduleInline, RunInline)
    resource_classes = [WorkOrderResource]

    @display(description="product", ordering="product__name")
    def for_product(self, order: WorkOrder) -> str | SafeString:
        return link(order.product)

    @display(description="line", ordering="line__name")
    def on_line(self, order: WorkOrder) -> SafeString:
        return trail(order.line.area, order.line)

    @display(description="target", ordering="target_quantity")
    def target(self, order: WorkOrder) -> str:
        return f"{order.target_quantity.normalize():f} {order.product.unit if order.product else ''}"


@admin.register(Schedule)
class ScheduleAdmin(MasterDataAdmin):
    list_display = ("planned_start_at", "planned_end_at", "on_line", "kind", "of_order", "note")
    list_filter = (
        "kind",
        ("line__area__site", ScopedFilter),
        ("line", ScopedFilter),
        ("planned_start_at", RangeDateTimeFilter),
    )
    list_select_related = ("line__area", "work_order")
    search_fields = ("work_order__order_number", "line__name", "note")
    search_help_text = "Order, line or note"
    autocomplete_fields = ("line", "work_order")
    fieldsets = (
        (None, {"fields": (("line", "kind"), "work_order")}),
        ("Plan", {"fields": (("planned_start_at", "planned_end_at"), "note")}),
    )
    resource_classes = [ScheduleResource]

    @display(description="line", ordering="line__name")
    def on_line(self, schedule: Schedule) -> SafeString:
        return trail(schedule.line.area, schedule.line)

    @display(description="order", ordering="work_order__order_number")
    def of_order(self, schedule: Schedule) -> str | SafeString:
        return link(schedule.work_order)


@admin.register(Run)
class RunAdmin(MasterDataAdmin):
    list_display = ("started_at", "ended_at", "on_line", "of_order", "product")
    list_filter = (
        ("line__area__site", ScopedFilter),
        ("line", ScopedFilter),
        ("started_at", RangeDateTimeFilter),
        ("ended_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("line__area", "work_order__product")
    search_fields = ("work_order__order_number", "line__name", "work_order__product__name")
    search_help_text = "Order, line or product"
    autocomplete_fields = ("line", "work_order", "schedule")
    fieldsets = (
        (None, {"fields": (("line", "work_order"), "schedule")}),
        ("When", {"fields": (("started_at", "ended_at"), "estimated_finish_at")}),
    )
    resource_classes = [RunResource]

    def has_import_permission(self, request: HttpRequest) -> bool:
        return False

    @display(description="line", ordering="line__name")
    def on_line(self, run: Run) -> SafeString:
        return trail(run.line.area, run.line)

    @display(description="order", ordering="work_order__order_number")
    def of_order(self, run: Run) -> str | SafeString:
        return link(run.work_order)

    @display(description="product", ordering="work_order__product__name")
    def product(self, run: Run) -> str | SafeString:
        return link(run.work_order.product)
