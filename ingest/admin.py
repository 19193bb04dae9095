"""What was delivered but not stored, for a person to see."""

import msgspec
from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from core.admin import DecisionAdmin, ScopedFilter
from ingest.models import QuarantinedItem
from ingest.release import discard, release


@admin.register(QuarantinedItem)
class QuarantinedItemAdmin(DecisionAdmin):
    decisions = {
        "release": ("Release: take it after all", release),
        "discard": ("Discard", discard),
    }
    list_display = ("last_received_at", "code", "field", "message", "times", "source", "site", "resolution")
    list_filter = (
        "resolution",
        "code",
        ("site", ScopedFilter),
        ("last_received_at", RangeDateTimeFilter),
    )
    list_select_related = ("site", "resolved_by")
    search_fields = ("message", "source", "payload")
    search_help_text = "Reason, source or content"
    readonly_fields = ("item",)
    fieldsets = (
        ("Why it was refused", {"fields": ("code", "field", "message")}),
        ("What came", {"fields": ("item", "times", "source", "site", "first_received_at", "last_received_at")}),
        ("What became of it", {"fields": ("resolution", "resolved_at", "resolved_by")}),
    )

    @display(description="item")
    def item(self, quarantined: QuarantinedItem) -> SafeString:
        try:
            # Laid out, not decoded: what was refused may be something that no decoder gives back as it came.
            text = msgspec.json.format(quarantined.payload, indent=2)
        except (msgspec.MsgspecError, RecursionError):
            text = quarantined.payload
        return format_html('<pre class="payload">{}</pre>', text)
