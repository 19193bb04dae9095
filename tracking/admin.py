"""Stage forms are set up here; units and what is recorded of them are to look at."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest

from core.admin import MasterDataAdmin, ReadOnlyAdmin, RowInline, ScopedFilter
from tracking import stage_forms
from tracking.models import (
    Assembly,
    SerialUnit,
    StageEntry,
    StageField,
    StageForm,
    UnitEvent,
    UnitPackingStep,
    UnitStage,
)


class _Draft:
    """Let what belongs to a form be edited as long as that is a draft."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return stage_forms.may_be_edited(obj) and bool(super().has_change_permission(request, obj))  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return stage_forms.may_be_edited(obj) and bool(super().has_delete_permission(request, obj))  # type: ignore[misc]


class StageFieldInline(_Draft, RowInline):
    model = StageField
    fields = (
        *("sequence", "code", "label", "kind", "required", "per_position", "filled_by"),
        *("minimum", "maximum", "unit", "choices", "component", "help"),
    )
    autocomplete_fields = ("unit", "component")
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return stage_forms.may_be_edited(obj) and bool(super().has_add_permission(request, obj))


@admin.action(description="Release: new units take it")
def release_forms(model_admin: Any, request: HttpRequest, queryset: Any) -> None:
    """Release the chosen drafts."""
    for form in queryset:
        stage_forms.release_form(form=form)
        messages.success(request, f"{form} is released.")


@admin.action(description="Make a new version")
def revise_forms(model_admin: Any, request: HttpRequest, queryset: Any) -> None:
    """Copy the chosen forms to drafts of the next version."""
    for form in queryset:
        messages.success(request, f"{stage_forms.revise_form(form=form)} is a draft now.")


@admin.action(description="Retire: new units go without it")
def retire_forms(model_admin: Any, request: HttpRequest, queryset: Any) -> None:
    """Take the chosen forms back."""
    for form in queryset:
        stage_forms.retire_form(form=form)
        messages.success(request, f"{form} is retired.")


@admin.register(StageForm)
class StageFormAdmin(_Draft, MasterDataAdmin):
    list_display = ("name", "version", "status", "product", "operation_code", "sequence")
    list_filter = ("status", ("product", ScopedFilter))
    list_select_related = ("product",)
    search_fields = ("name", "operation_code", "product__code", "product__name")
    search_help_text = "Stage or product"
    autocomplete_fields = ("product",)
    fieldsets = (
        (None, {"fields": ("product", ("operation_code", "version"), "name", ("sequence", "positions"))}),
        (
            "Released",
            {
                "fields": ("status",),
                "description": "Release it with the action of the list; from then on it stays as it is.",
            },
        ),
    )
    readonly_fields = ("status",)
    inlines = (StageFieldInline,)
    history_of = ("fields",)
    actions = (release_forms, revise_forms, retire_forms)


class _Looked(RowInline):
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class UnitStageInline(_Looked):
    model = UnitStage
    fields = ("sequence", "name", "state", "round", "is_due", "form")
    show_change_link = False


@admin.register(SerialUnit)
class SerialUnitAdmin(ReadOnlyAdmin):
    list_display = (
        "serial",
        "product",
        "order",
        "status",
        "is_blocked",
        "rework_count",
        "parent",
        "container",
        "created_at",
    )
    list_filter = ("status", "is_blocked", ("product", ScopedFilter), ("site", ScopedFilter))
    list_select_related = ("product", "order", "parent", "container")
    search_fields = ("serial", "order__order_number")
    search_help_text = "Serial number or order"
    inlines = (UnitStageInline,)


@admin.register(StageEntry)
class StageEntryAdmin(ReadOnlyAdmin):
    list_display = ("occurred_at", "unit", "stage", "field", "position", "value", "reason", "entered_by")
    list_select_related = ("unit", "stage", "field", "entered_by")
    search_fields = ("unit__serial",)
    search_help_text = "Serial number"


@admin.register(UnitEvent)
class UnitEventAdmin(ReadOnlyAdmin):
    list_display = ("occurred_at", "unit", "kind", "stage", "reason", "decided_by")
    list_filter = ("kind",)
    list_select_related = ("unit", "stage", "decided_by")
    search_fields = ("unit__serial",)
    search_help_text = "Serial number"


@admin.register(Assembly)
class AssemblyAdmin(ReadOnlyAdmin):
    list_display = ("assembled_at", "parent", "position", "child", "assembled_by", "removed_at")
    list_select_related = ("parent", "child", "assembled_by", "removal")
    search_fields = ("parent__serial", "child__serial")
    search_help_text = "Serial number"

    @admin.display(description="taken out")
    def removed_at(self, made: Assembly) -> Any:
        return made.removal.removed_at if hasattr(made, "removal") else None


@admin.register(UnitPackingStep)
class UnitPackingStepAdmin(ReadOnlyAdmin):
    list_display = ("occurred_at", "unit", "kind", "container", "performed_by")
    list_filter = ("kind",)
    list_select_related = ("unit", "container", "performed_by")
    search_fields = ("unit__serial", "container__code")
    search_help_text = "Serial number or container"
