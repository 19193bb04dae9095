"""Work orders, schedules and runs, for whoever plans and whoever looks a thing up."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from core.admin import (
    MasterDataAdmin,
    MasterDataForm,
    ReadOnlyAdmin,
    RowInline,
    ScopedFilter,
    link,
    trail,
)
from core.exact import plain_number
from core.name_forms import NAME_FIELDS, NamesForm
from workorders import changeover_admin as changeover_admin  # registers the admin of changeovers
from workorders import services
from workorders.inlines import CopiedInline
from workorders.models import (
    Customer,
    Demand,
    DemandOrder,
    LotSizing,
    Operation,
    OrderConfirmation,
    OrderMaterial,
    OrderParameter,
    OrderReason,
    OrderStatusChange,
    Run,
    Schedule,
    WorkOrder,
)
from workorders.resources import (
    CustomerResource,
    DemandResource,
    LotSizingResource,
    OrderReasonResource,
    RunResource,
    ScheduleResource,
    WorkOrderResource,
)


class ScheduleInline(RowInline):
    model = Schedule
    fields = ("line", "kind", "planned_start_at", "planned_end_at", "status", "note")


class RunInline(RowInline):
    model = Run
    fields = ("line", "started_at", "ended_at", "estimated_finish_at")
    readonly_fields = fields
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OperationInline(CopiedInline):
    model = Operation
    fields = ("sequence", "code", "name", "status", "planned_quantity")


class MaterialInline(CopiedInline):
    model = OrderMaterial
    fields = ("position", "product", "quantity_required", "unit", "operation")
    show_change_link = False


@admin.register(WorkOrder)
class WorkOrderAdmin(MasterDataAdmin):
    list_display = (
        *("order_number", "for_product", "on_line", "target", "planned_start_at", "planned_end_at"),
        *("priority", "status"),
    )
    list_filter = (
        "status",
        ("line__area__site", ScopedFilter),
        ("line", ScopedFilter),
        ("planned_start_at", RangeDateTimeFilter),
    )
    list_select_related = ("line__area", "product")
    search_fields = (
        *("order_number", "description", "product__code", "product__name", "line__name"),
        *("external_id", "customer__name", "sales_order", "lot_number"),
    )
    search_help_text = "Number, description, product, line, customer, sales order or lot"
    autocomplete_fields = ("line", "product", "revision", "unit", "parent", "customer")
    fieldsets = (
        (None, {"fields": (("order_number", "status"), "description")}),
        ("What and where", {"fields": (("product", "target_quantity", "unit"), "line", "lot_number")}),
        (
            "How",
            {
                "fields": (("revision", "routing_code"), "released_at"),
                "description": "When it is released, the operations and materials of the revision are copied to it.",
            },
        ),
        ("Plan", {"fields": (("planned_start_at", "planned_end_at"), ("due_at", "priority"))}),
        ("For whom", {"fields": (("customer", "sales_order"), "external_id")}),
        ("Where it comes from", {"fields": (("parent", "parent_kind"),)}),
        ("How much is enough", {"fields": (("over_tolerance", "under_tolerance"),)}),
    )
    readonly_fields = ("released_at",)
    inlines = (ScheduleInline, RunInline)
    resource_classes = [WorkOrderResource]

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        copied = [OperationInline, MaterialInline] if obj is not None and obj.released_at is not None else []
        return [*super().get_inlines(request, obj), *copied]

    def write(self, obj: Any) -> None:
        services.save_order(work_order=obj, at=timezone.now())

    @display(description="product", ordering="product__name")
    def for_product(self, order: WorkOrder) -> str | SafeString:
        return link(order.product)

    @display(description="line", ordering="line__name")
    def on_line(self, order: WorkOrder) -> SafeString:
        return trail(order.line.area, order.line)

    @display(description="target", ordering="target_quantity")
    def target(self, order: WorkOrder) -> str:
        return (
            f"{plain_number(order.target_quantity)} {order.unit_id or (order.product.unit_id if order.product else '')}"
        )


class OrderParameterInline(CopiedInline):
    model = OrderParameter
    fields = ("code", "name", "target", "minimum", "maximum", "unit")
    show_change_link = False


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    list_display = ("of_order", "sequence", "code", "name", "where", "planned_quantity", "status")
    list_filter = ("status", ("work_order__line__area__site", ScopedFilter), ("work_order__line", ScopedFilter))
    list_select_related = ("work_order", "line", "machine", "machine_class")
    search_fields = ("work_order__order_number", "code", "name")
    search_help_text = "Order or operation"
    inlines = (OrderParameterInline,)

    @display(description="order", ordering="work_order__order_number")
    def of_order(self, operation: Operation) -> str | SafeString:
        return link(operation.work_order)

    @display(description="where")
    def where(self, operation: Operation) -> str | SafeString:
        return link(operation.work_centre)


@admin.register(Schedule)
class ScheduleAdmin(MasterDataAdmin):
    list_display = ("planned_start_at", "planned_end_at", "on_line", "kind", "of_order", "status", "shift_date", "note")
    list_filter = (
        "kind",
        "status",
        ("line__area__site", ScopedFilter),
        ("line", ScopedFilter),
        ("planned_start_at", RangeDateTimeFilter),
    )
    list_select_related = ("line__area", "work_order")
    search_fields = ("work_order__order_number", "line__name", "note")
    search_help_text = "Order, line or note"
    autocomplete_fields = ("line", "work_order", "operation")
    readonly_fields = ("shift", "shift_date", "planner")
    fieldsets = (
        (None, {"fields": (("line", "kind", "status"), ("work_order", "operation"))}),
        ("Plan", {"fields": (("planned_start_at", "planned_end_at"), "planned_quantity", "note")}),
        ("What follows from it", {"fields": (("shift", "shift_date"), "planner")}),
    )
    resource_classes = [ScheduleResource]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.planner = request.user
        super().save_model(request, obj, form, change)

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


@admin.register(Customer)
class CustomerAdmin(MasterDataAdmin):
    list_display = ("name", "code", "external_id", "is_active")
    list_filter = ("is_active",)
    search_fields = ("code", "name", "external_id")
    search_help_text = "Code, name or what the ERP calls it"
    fieldsets = ((None, {"fields": (("code", "name"), ("external_id", "is_active"))}),)
    resource_classes = [CustomerResource]


class OrderReasonForm(NamesForm, MasterDataForm):
    """A reason with its names in the other languages."""


@admin.register(OrderReason)
class OrderReasonAdmin(MasterDataAdmin):
    form = OrderReasonForm
    list_display = ("name", "code", "kind", "for_hold", "for_cancel", "for_short", "is_active")
    list_filter = ("kind", "is_active")
    search_fields = ("code", "name")
    search_help_text = "Code or name"
    fieldsets = (
        (None, {"fields": (("code", "name"), ("kind", "is_active"))}),
        ("What it is given for", {"fields": (("for_hold", "for_cancel", "for_short"),)}),
        ("In other languages", {"fields": (NAME_FIELDS,)}),
    )
    resource_classes = [OrderReasonResource]


@admin.register(OrderStatusChange)
class OrderStatusChangeAdmin(ReadOnlyAdmin):
    list_display = ("changed_at", "of_order", "from_status", "to_status", "reason", "note", "changed_by")
    list_filter = (
        "to_status",
        ("reason", ScopedFilter),
        ("order__line__area__site", ScopedFilter),
        ("changed_at", RangeDateTimeFilter),
    )
    list_select_related = ("order", "reason", "changed_by")
    search_fields = ("order__order_number", "note")
    search_help_text = "Order or note"

    @display(description="order", ordering="order__order_number")
    def of_order(self, change: OrderStatusChange) -> str | SafeString:
        return link(change.order)


@admin.register(OrderConfirmation)
class OrderConfirmationAdmin(ReadOnlyAdmin):
    list_display = ("confirmed_at", "of_order", "good", "scrap", "rework", "note", "confirmed_by", "reverses")
    list_filter = (("order__line__area__site", ScopedFilter), ("confirmed_at", RangeDateTimeFilter))
    list_select_related = ("order", "confirmed_by", "reverses__order")
    search_fields = ("order__order_number", "note")
    search_help_text = "Order or note"

    @display(description="order", ordering="order__order_number")
    def of_order(self, row: OrderConfirmation) -> str | SafeString:
        return link(row.order)


class DemandOrderInline(CopiedInline):
    model = DemandOrder
    fields = ("order", "quantity", "recorded_at")
    show_change_link = False


@admin.register(Demand)
class DemandAdmin(MasterDataAdmin):
    list_display = ("due_at", "product", "quantity", "unit", "customer", "sales_order", "site", "is_active")
    list_filter = (("site", ScopedFilter), "is_active", ("due_at", RangeDateTimeFilter))
    list_select_related = ("product", "unit", "site", "customer")
    search_fields = ("product__code", "product__name", "customer__name", "sales_order", "external_id")
    search_help_text = "Product, customer or sales order"
    autocomplete_fields = ("site", "product", "unit", "line", "customer")
    fieldsets = (
        (None, {"fields": (("site", "product"), ("quantity", "unit"), ("due_at", "line"), "is_active")}),
        ("For whom", {"fields": (("customer", "sales_order"), "external_id")}),
    )
    resource_classes = [DemandResource]

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [*super().get_inlines(request, obj), *([DemandOrderInline] if obj is not None else [])]


@admin.register(LotSizing)
class LotSizingAdmin(MasterDataAdmin):
    list_display = ("product", "site", "rule", "lot_size", "minimum", "multiple", "reorder_point", "stock_level")
    list_filter = (("site", ScopedFilter), "rule")
    list_select_related = ("product", "site")
    search_fields = ("product__code", "product__name")
    search_help_text = "Product"
    autocomplete_fields = ("site", "product", "line")
    fieldsets = (
        (None, {"fields": (("site", "product"), ("line", "lead_time_hours"), "rule")}),
        ("How much an order makes", {"fields": ("lot_size", ("minimum", "multiple"))}),
        ("To stock level", {"fields": (("reorder_point", "stock_level"),)}),
    )
    resource_classes = [LotSizingResource]
