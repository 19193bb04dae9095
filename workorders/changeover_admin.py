"""Changeovers: how long they may take, and how long they took."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from core.admin import DecisionAdmin, MasterDataAdmin, ReadOnlyAdmin, RowInline, ScopedFilter, trail
from core.errors import Invalid
from core.master_data import sees_every_site
from workorders.changeovers import approve_changeover
from workorders.inlines import CopiedInline
from workorders.models import Changeover, ChangeoverPhase, ChangeoverTarget, ChangeoverTask, ChangeoverTaskDone
from workorders.resources import ChangeoverTargetResource


class ChangeoverTaskInline(RowInline):
    """The tasks of a target."""

    model = ChangeoverTask
    fields = ("position", "name", "kind", "target_minutes")
    show_change_link = False


@admin.register(ChangeoverTarget)
class ChangeoverTargetAdmin(MasterDataAdmin):
    """How long changing from one product to another may take."""

    list_display = ("changes", "on_line", "target_minutes")
    list_filter = (("line__area__site", ScopedFilter), ("line", ScopedFilter))
    list_select_related = ("line__area", "from_product", "to_product")
    search_fields = ("line__name", "from_product__name", "to_product__name")
    search_help_text = "Line or product"
    autocomplete_fields = ("line", "from_product", "to_product")
    fieldsets = (
        (
            None,
            {
                "fields": ("line", ("from_product", "to_product"), "target_minutes"),
                "description": "The most specific target holds: of its line before any line, then the one that names"
                " more products, then the one that names the product to make.",
            },
        ),
    )
    inlines = (ChangeoverTaskInline,)
    history_of = ("tasks",)
    resource_classes = [ChangeoverTargetResource]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if obj.line_id is None and not sees_every_site(request.user):
            raise Invalid("A target of any line needs a role at every site; choose a line.", field="line")
        super().save_model(request, obj, form, change)

    @display(description="changeover")
    def changes(self, target: ChangeoverTarget) -> str:
        return f"{target.from_product or 'any product'} → {target.to_product or 'any product'}"

    @display(description="line", ordering="line__name")
    def on_line(self, target: ChangeoverTarget) -> SafeString | str:
        return trail(target.line.area, target.line) if target.line else "any line"


@admin.register(ChangeoverTaskDone)
class ChangeoverTaskDoneAdmin(ReadOnlyAdmin):
    """Tasks that were done."""

    list_display = ("started_at", "ended_at", "task", "run", "done_by", "recorded_at")
    list_filter = (("run__line", ScopedFilter), ("started_at", RangeDateTimeFilter))
    list_select_related = ("task", "run__work_order", "run__line", "done_by")
    search_fields = ("task__name", "run__work_order__order_number")
    search_help_text = "Task or order"


class ChangeoverPhaseInline(CopiedInline):
    """The phases of a changeover."""

    model = ChangeoverPhase
    fields = ("phase", "started_at", "ended_at")
    readonly_fields = fields
    show_change_link = False


def _approve(record: Changeover, actor: Any, now: datetime) -> None:
    approve_changeover(changeover=record, actor=actor, approved_at=now)


@admin.register(Changeover)
class ChangeoverAdmin(DecisionAdmin):
    """Changeovers that were written down, for whoever approves them."""

    list_display = (
        "started_at",
        "ended_at",
        "line",
        "kind",
        "from_product",
        "to_product",
        "target_minutes",
        "approved_by",
    )
    list_filter = (
        "kind",
        ("line", ScopedFilter),
        ("started_at", RangeDateTimeFilter),
        ("approved_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("line", "from_product", "to_product", "approved_by")
    search_fields = ("line__name", "from_product__name", "to_product__name", "operators", "improvement_idea")
    search_help_text = "Line, product, people or idea"
    inlines = (ChangeoverPhaseInline,)
    decisions = {"approve": ("Approve", _approve)}
