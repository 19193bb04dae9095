"""Where an engineer composes dashboards."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import StackedInline
from unfold.decorators import display

from core.admin import MasterDataAdmin, Scoped, ScopedFilter
from dashboards.models import Dashboard, Tile


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
