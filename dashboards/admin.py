"""Where an engineer composes dashboards."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import StackedInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from core.admin import MasterDataAdmin, Scoped, ScopedFilter
from dashboards.models import Dashboard, Tile
from oee.kpis import kpis_for


class TileInline(Scoped, StackedInline):  # type: ignore[misc]
    model = Tile
    extra = 0
    fields = (
        ("position", "kind", "title", "width"),
        ("kpi", "step", "by_line"),
        ("losses", "measure"),
        ("content", "plan_by", "rows", "line"),
        "text",
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the KPIs by name: codes are for programs."""
        if db_field.name != "kpi":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        kpis = sorted((str(kpi.name), kpi.code) for kpi in kpis_for(request.user))
        return forms.ChoiceField(
            choices=[("", "–"), *((code, name) for name, code in kpis)],
            required=False,
            label="KPI",
            help_text="What each means: /kpis/.",
            widget=UnfoldAdminSelectWidget,
        )


@admin.register(Dashboard)
class DashboardAdmin(MasterDataAdmin):
    list_display = ("name", "code", "role", "is_landing", "site", "period", "shown", "is_active")
    list_filter = (("site", ScopedFilter), "role", "is_landing", "is_active")
    list_select_related = ("site",)
    search_fields = ("code", "name")
    search_help_text = "Code or name"
    autocomplete_fields = ("site", "area", "line")
    fieldsets = (
        (None, {"fields": (("code", "name"), ("role", "is_landing"), ("position", "is_active"))}),
        ("What it is about", {"fields": (("site", "area", "line"), ("period", "refresh_seconds"))}),
    )
    inlines = (TileInline,)
    history_of = ("tiles",)

    @display(description="page")
    def shown(self, board: Dashboard) -> SafeString:
        """Return the link to the page."""
        return format_html('<a class="crumb" href="{}">Show</a>', reverse("screens:dashboard", args=[board.code]))
