"""Plans and tools to set up; orders, steps, parts and mountings to look at."""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter

from core.admin import MasterDataAdmin, ReadOnlyAdmin, ScopedFilter
from maintenance.models import MaintenanceOrder, MaintenancePlan, MaintenanceStep, PartUse, Tool, ToolMounting
from maintenance.resources import MaintenancePlanResource, ToolResource


@admin.register(MaintenancePlan)
class MaintenancePlanAdmin(MasterDataAdmin):
    resource_classes = [MaintenancePlanResource]
    list_display = ("name", "code", "machine", "basis", "every", "counted_from", "is_active")
    list_filter = ("is_active", "basis", ("machine__line", ScopedFilter))
    list_select_related = ("machine",)
    search_fields = ("code", "name", "machine__code", "machine__name")
    search_help_text = _("Code, name or machine")
    autocomplete_fields = ("machine",)
    fieldsets = (
        (
            None,
            {
                "fields": (("code", "name"), "machine", "is_active"),
                "description": _(
                    "What is to be done to a machine again and again. When it is due, an order comes by itself."
                ),
            },
        ),
        (_("When"), {"fields": (("basis", "every"), ("counted_from", "warn_percent"))}),
        (_("What"), {"fields": (("planned_minutes", "stops_machine"), "instructions")}),
    )


@admin.register(Tool)
class ToolAdmin(MasterDataAdmin):
    resource_classes = [ToolResource]
    list_display = ("name", "code", "site", "basis", "life", "is_active")
    list_filter = ("is_active", "basis", ("site", ScopedFilter))
    list_select_related = ("site",)
    search_fields = ("code", "name")
    search_help_text = _("Code or name")
    autocomplete_fields = ("site",)
    fieldsets = (
        (
            None,
            {
                "fields": (("code", "name"), "site", "is_active"),
                "description": _("Its life is counted while it is mounted: by what its machine ran or made."),
            },
        ),
        (_("Life"), {"fields": (("basis", "life"), "warn_percent")}),
    )


@admin.register(MaintenanceOrder)
class MaintenanceOrderAdmin(ReadOnlyAdmin):
    list_display = ("title", "machine", "kind", "status", "requested_at", "down_since", "finished_at")
    list_filter = ("status", "kind", ("machine__line", ScopedFilter), ("requested_at", RangeDateTimeFilter))
    list_select_related = ("machine",)
    search_fields = ("title", "machine__code", "machine__name")
    search_help_text = _("Title or machine")


@admin.register(MaintenanceStep)
class MaintenanceStepAdmin(ReadOnlyAdmin):
    list_display = ("occurred_at", "kind", "order", "done_by", "note")
    list_filter = ("kind", ("order__machine__line", ScopedFilter), ("occurred_at", RangeDateTimeFilter))
    list_select_related = ("order", "recorded_by")
    search_fields = ("order__title", "person")
    search_help_text = _("Title or person")

    @admin.display(description=_("by"))
    def done_by(self, step: MaintenanceStep) -> Any:
        return step.who


@admin.register(PartUse)
class PartUseAdmin(ReadOnlyAdmin):
    list_display = ("movement", "order", "used_at")
    list_filter = (("order__machine__line", ScopedFilter),)
    list_select_related = ("order", "movement__product", "movement__lot")
    search_fields = ("order__title", "movement__product__code", "movement__product__name")
    search_help_text = _("Order or part")


@admin.register(ToolMounting)
class ToolMountingAdmin(ReadOnlyAdmin):
    list_display = ("tool", "machine", "mounted_at", "removed_at", "is_renewed")
    list_filter = (("machine__line", ScopedFilter), ("tool", ScopedFilter))
    list_select_related = ("tool", "machine")
    search_fields = ("tool__code", "tool__name", "machine__code", "machine__name")
    search_help_text = _("Tool or machine")
