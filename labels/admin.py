"""Layouts are set up here; what was printed is looked at, and fetched."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from core.admin import MasterDataAdmin, ReadOnlyAdmin, ScopedFilter, link
from core.exact import plain_number
from labels.models import Label, LabelBatch, LabelLayout, LabelReprint
from labels.resources import LabelLayoutResource
from labels.selectors import with_reprints


@admin.register(LabelLayout)
class LabelLayoutAdmin(MasterDataAdmin):
    list_display = ("name", "code", "labels_what", "symbology", "size", "site", "is_active")
    list_filter = ("symbology", "labels_what", ("site", ScopedFilter), "is_active")
    list_select_related = ("site",)
    search_fields = ("code", "name", "labels_what")
    search_help_text = "Code, name or what is labelled"
    autocomplete_fields = ("site",)
    fieldsets = (
        (None, {"fields": (("code", "name"), ("labels_what", "site"), "is_active")}),
        ("Symbol", {"fields": (("symbology", "error_level"), ("payload", "base_url"))}),
        ("Label", {"fields": (("width_mm", "height_mm"), ("dpi", "text_mm"), "text_lines", "on_sheets")}),
    )
    resource_classes = [LabelLayoutResource]

    @display(description="size")
    def size(self, layout: LabelLayout) -> str:
        return f"{plain_number(layout.width_mm)} × {plain_number(layout.height_mm)} mm"


@admin.register(LabelBatch)
class LabelBatchAdmin(ReadOnlyAdmin):
    list_display = ("id", "recorded_at", "of_layout", "site", "label_count", "printed_by", "files")
    list_filter = (("layout", ScopedFilter), ("site", ScopedFilter), ("recorded_at", RangeDateTimeFilter))
    list_select_related = ("layout", "site", "printed_by")
    fields = ("layout", "site", "label_count", "printed_by", "recorded_at", "design", "idempotency_key", "files")
    readonly_fields = ("files",)

    @display(description="layout", ordering="layout__name")
    def of_layout(self, batch: LabelBatch) -> str | SafeString:
        return link(batch.layout)

    @display(description="files")
    def files(self, batch: LabelBatch) -> SafeString:
        return format_html_join(
            " ",
            '<a class="crumb" href="{}">{}</a>',
            ((reverse(f"labelbatch-{kind}", args=[batch.pk]), kind.upper()) for kind in ("pdf", "zpl", "zip")),
        )


@admin.register(Label)
class LabelAdmin(ReadOnlyAdmin):
    list_display = ("code", "labels_what", "of_batch", "site", "again", "picture")
    list_filter = ("labels_what", ("site", ScopedFilter))
    list_select_related = ("batch", "site")
    search_fields = ("code",)
    search_help_text = "Code"
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return with_reprints(super().get_queryset(request))

    @display(description="batch", ordering="batch")
    def of_batch(self, label: Label) -> str | SafeString:
        return link(label.batch)

    @display(description="printed again", ordering="reprint_count")
    def again(self, label: Any) -> int:
        return int(label.reprint_count)

    @display(description="picture")
    def picture(self, label: Label) -> SafeString:
        return format_html('<a class="crumb" href="{}">PNG</a>', reverse("label-png", args=[label.pk]))


@admin.register(LabelReprint)
class LabelReprintAdmin(ReadOnlyAdmin):
    list_display = ("recorded_at", "of_label", "reason", "printed_by")
    list_filter = (("recorded_at", RangeDateTimeFilter),)
    list_select_related = ("label", "printed_by")
    search_fields = ("label__code", "reason")
    search_help_text = "Code or reason"

    @display(description="label", ordering="label__code")
    def of_label(self, again: LabelReprint) -> str | SafeString:
        return link(again.label)
