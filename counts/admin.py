"""What is counted and how, as an engineer sets it up; and what was counted, to look at."""

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from core.admin import (
    FactAdmin,
    MasterDataAdmin,
    MasterDataForm,
    ReadOnlyAdmin,
    RowInline,
    ScopedFilter,
    ScopedSearchFilter,
    add_inline,
    link,
    trail,
)
from core.exact import plain_number
from core.name_forms import NAME_FIELDS, NamesForm
from counts.models import CountCorrection, CounterEvent, CountReading, CountTag, CountType
from counts.resources import CountTagResource, CountTypeResource
from enterprise.models import Machine


class CountTagInline(RowInline):
    model = CountTag
    fields = ("tag_path", "count_type", "mode", "scale", "modulus", "reset_policy", "is_active")
    tab = True


add_inline(Machine, CountTagInline)


class CountTypeForm(NamesForm, MasterDataForm):
    """A type with its names in the other languages."""


@admin.register(CountType)
class CountTypeAdmin(MasterDataAdmin):
    form = CountTypeForm
    counted = "tags"
    list_display = ("name", "code", "role", "tags", "is_active")
    list_filter = ("is_active", "role")
    ordering = ("code",)
    search_fields = ("code", "name")
    search_help_text = "Code or name"
    fields = ("code", "name", "role", "is_active", NAME_FIELDS)
    resource_classes = [CountTypeResource]

    @display(description="tags", ordering="child_count")
    def tags(self, count_type: Any) -> int:
        return int(count_type.child_count)


@admin.register(CountTag)
class CountTagAdmin(MasterDataAdmin):
    changes_the_past = True
    list_display = ("tag_path", "on_machine", "count_type", "mode", "pieces_per_pulse", "is_active")
    list_filter = (
        "is_active",
        ("machine__line__area__site", ScopedFilter),
        ("machine__line", ScopedFilter),
        ("count_type", ScopedFilter),
        "mode",
    )
    list_select_related = ("machine__line__area__site", "count_type")
    search_fields = ("tag_path", "machine__code", "machine__name", "machine__line__name")
    search_help_text = "Tag, machine or line"
    autocomplete_fields = ("machine",)
    fieldsets = (
        (None, {"fields": ("tag_path", ("machine", "count_type"), "is_active")}),
        (
            "How it counts",
            {
                "fields": ("mode", ("scale", "cavities", "offset"), ("modulus", "reset_policy", "fastest_rate")),
                "description": "Modulus, reset policy and fastest rate are about running counters only.",
            },
        ),
    )
    resource_classes = [CountTagResource]

    @display(description="machine", ordering="machine__name")
    def on_machine(self, tag: CountTag) -> SafeString:
        return trail(tag.machine.line, tag.machine)

    @display(description="pieces per pulse", ordering="scale")
    def pieces_per_pulse(self, tag: CountTag) -> str:
        return plain_number(tag.scale * tag.cavities)


@admin.register(CountReading)
class CountReadingAdmin(FactAdmin):
    owner = "tag"
    list_display = ("occurred_at", "of_tag", "count", "source", "recorded_at")
    list_filter = (("tag", ScopedSearchFilter), ("occurred_at", RangeDateTimeFilter))
    list_select_related = ("tag__machine__line",)
    list_before_template = "admin/_facts_note.html"
    fields = ("of_tag", "occurred_at", "count", "corrected_to", "source", "recorded_at")
    readonly_fields = fields

    @display(description="tag")
    def of_tag(self, reading: CountReading) -> SafeString:
        return trail(reading.tag.machine, reading.tag)

    @display(description="value (pulses)")
    def count(self, reading: CountReading) -> str:
        return plain_number(reading.value)

    @display(description="corrected to")
    def corrected_to(self, reading: CountReading) -> str:
        word = CountCorrection.objects.filter(tag=reading.tag_id, occurred_at=reading.occurred_at).first()
        if word is None:
            return "not corrected"
        value = "void" if word.value is None else plain_number(word.value)
        return f"{value}, by {word.corrected_by}: {word.comment}"


@admin.register(CountCorrection)
class CountCorrectionAdmin(ReadOnlyAdmin):
    list_display = ("recorded_at", "of_tag", "occurred_at", "new_value", "corrected_by", "comment")
    list_filter = (("tag", ScopedSearchFilter), ("recorded_at", RangeDateTimeFilter))
    list_select_related = ("tag__machine", "corrected_by")
    search_fields = ("comment", "tag__tag_path")
    search_help_text = "Comment or tag"

    @display(description="tag")
    def of_tag(self, correction: CountCorrection) -> str | SafeString:
        return link(correction.tag)

    @display(description="new value (pulses)")
    def new_value(self, correction: CountCorrection) -> str:
        return "void" if correction.value is None else plain_number(correction.value)


@admin.register(CounterEvent)
class CounterEventAdmin(ReadOnlyAdmin):
    list_display = ("occurred_at", "of_tag", "kind", "went_on_from", "stated_by", "source", "comment")
    list_filter = ("kind", ("tag", ScopedSearchFilter), ("occurred_at", RangeDateTimeFilter))
    list_select_related = ("tag__machine", "stated_by")
    search_fields = ("comment", "tag__tag_path")
    search_help_text = "Comment or tag"

    @display(description="tag")
    def of_tag(self, event: CounterEvent) -> str | SafeString:
        return link(event.tag)

    @display(description="went on from")
    def went_on_from(self, event: CounterEvent) -> str:
        return "–" if event.value is None else plain_number(event.value)
