"""Types of calls to set up; calls and their steps to look at."""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter

from andon.models import AndonCall, AndonStep, CallType, EscalationStep
from andon.resources import CallTypeResource
from core.admin import MasterDataAdmin, MasterDataForm, ReadOnlyAdmin, RowInline, ScopedFilter
from core.name_forms import NAME_FIELDS, NamesForm


class CallTypeForm(NamesForm, MasterDataForm):
    """A type of call with its names in the other languages."""


class EscalationStepInline(RowInline):
    model = EscalationStep
    fields = ("after_minutes", "unless", "role", "person")
    verbose_name_plural = _("who has to know when it stands")
    show_change_link = False


@admin.register(CallType)
class CallTypeAdmin(MasterDataAdmin):
    form = CallTypeForm
    list_display = ("name", "code", "tone", "position", "is_active")
    list_filter = ("is_active", "tone")
    search_fields = ("code", "name")
    search_help_text = _("Code or name")
    fieldsets = (
        (
            None,
            {
                "fields": (("code", "name"), "is_active"),
                "description": _("What people at a machine call for. Each type is a button on the tablet."),
            },
        ),
        (_("On screens"), {"fields": (("tone", "position"), "icon")}),
        (_("In other languages"), {"fields": (NAME_FIELDS,)}),
    )
    inlines = (EscalationStepInline,)
    history_of = ("escalation_steps",)
    resource_classes = [CallTypeResource]


@admin.register(AndonCall)
class AndonCallAdmin(ReadOnlyAdmin):
    list_display = ("called_at", "call_type", "machine", "status", "work_order")
    list_filter = ("status", "call_type", ("machine__line", ScopedFilter), ("called_at", RangeDateTimeFilter))
    list_select_related = ("call_type", "machine", "work_order")
    search_fields = ("machine__code", "machine__name", "call_type__name")
    search_help_text = _("Machine or type")


@admin.register(AndonStep)
class AndonStepAdmin(ReadOnlyAdmin):
    list_display = ("occurred_at", "kind", "call", "done_by", "note")
    list_filter = ("kind", ("call__machine__line", ScopedFilter), ("occurred_at", RangeDateTimeFilter))
    list_select_related = ("call__call_type", "call__machine", "recorded_by")
    search_fields = ("call__machine__code", "call__machine__name", "person")
    search_help_text = _("Machine or person")

    @admin.display(description=_("by"))
    def done_by(self, step: AndonStep) -> Any:
        return step.who
