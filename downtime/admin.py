"""State reasons, as an engineer sets them up; and what machines and people said, to look at."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from tree_queries.forms import TreeNodeChoiceField
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display
from unfold.views import ChangeList
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from accounts.models import Role
from core.admin import (
    FactAdmin,
    MasterDataAdmin,
    MasterDataForm,
    ReadOnlyAdmin,
    RowInline,
    ScopedFilter,
    ScopedSearchFilter,
    link,
    trail,
)
from core.name_forms import NAME_FIELDS, NamesForm
from downtime.models import ReasonPlace, ReasonRule, RecordedState, SignalGap, StateCorrection, StateReason
from downtime.resources import ReasonPlaceResource, ReasonRuleResource, StateReasonResource
from enterprise.models import CalendarLevel, Weekday

INDENT = "\u2003"


class IndentedReasonField(TreeNodeChoiceField):  # type: ignore[misc]
    """Choose a reason from the tree, each one indented below its parent."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{INDENT * obj.tree_depth}{obj.name} ({obj.get_category_display()})"


class StateReasonForm(NamesForm, MasterDataForm):
    """A reason, with the roles that may choose it as boxes to tick."""

    roles = forms.MultipleChoiceField(
        choices=Role.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="Who may choose it; none ticked = everybody.",
    )


class TreeChangeList(ChangeList):  # type: ignore[misc]
    """List a tree depth-first, unless a column was chosen to sort by."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        if self.params.get(ORDER_VAR):
            ordering: list[str] = super().get_ordering(request, queryset)
            return ordering
        return ["tree_ordering"]

    def get_ordering_field_columns(self) -> dict[int, str]:
        columns: dict[int, str] = super().get_ordering_field_columns() if self.params.get(ORDER_VAR) else {}
        return columns


def swatch(colour: str, category: str) -> SafeString:
    """Return a patch of a reason's colour; without one of its own, its category's."""
    if colour:
        return format_html('<span class="swatch" style="background-color: {}"></span>', colour)
    return format_html('<span class="swatch swatch-{}"></span>', category)


LEVELS = ("site", "line", "machine")


class ReasonPlaceInline(RowInline):
    model = ReasonPlace
    fields = LEVELS
    autocomplete_fields = LEVELS
    verbose_name_plural = "offered at (no row: where its parent is, or everywhere)"
    show_change_link = False


@admin.register(StateReason)
class StateReasonAdmin(MasterDataAdmin):
    changes_the_past = True
    form = StateReasonForm
    list_display = ("in_tree", "code", "category", "chosen_by", "is_active")
    list_filter = ("is_active", "category", "operator_selectable", "is_failure", "explains", "waits_for", "maintenance")
    search_fields = ("code", "name")
    search_help_text = "Code or name"
    list_per_page = 200
    fieldsets = (
        (None, {"fields": (("code", "name"), ("parent", "category"), "is_active")}),
        ("What it says", {"fields": (("is_failure", "explains"), ("waits_for", "maintenance"))}),
        ("On screens", {"fields": (("colour", "position"), "icon")}),
        ("In other languages", {"fields": (NAME_FIELDS,)}),
        ("Who chooses it", {"fields": ("operator_selectable", "roles")}),
    )
    inlines = (ReasonPlaceInline,)
    history_of = ("places",)
    resource_classes = [StateReasonResource]

    def get_queryset(self, request: HttpRequest) -> QuerySet[StateReason]:
        return super().get_queryset(request).with_tree_fields()  # type: ignore[attr-defined, no-any-return]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[TreeChangeList]:
        return TreeChangeList

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "parent":
            kwargs["form_class"] = IndentedReasonField
            kwargs["widget"] = UnfoldAdminSelectWidget()
            kwargs["empty_label"] = "None: it stands at the top"
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @display(description="reason", ordering="name")
    def in_tree(self, reason: Any) -> SafeString:
        return format_html(
            '<span class="tree-node" style="--depth: {}">{}{}</span>',
            reason.tree_depth,
            swatch(reason.colour, reason.category),
            reason.name,
        )

    @display(description="chosen by")
    def chosen_by(self, reason: StateReason) -> str:
        if not reason.operator_selectable:
            return "devices only"
        return ", ".join(str(Role(role).label) for role in reason.roles) or "everybody"


@admin.register(ReasonPlace)
class ReasonPlaceAdmin(MasterDataAdmin):
    list_display = ("reason", "place")
    list_filter = (("site", ScopedFilter), ("line", ScopedFilter), ("reason", ScopedFilter))
    list_select_related = ("reason", "site", "line__area__site", "machine__line__area__site")
    search_fields = ("reason__name", "site__name", "line__name", "machine__name")
    search_help_text = "Reason or place"
    autocomplete_fields = ("reason", *LEVELS)
    fieldsets = (
        (None, {"fields": ("reason",)}),
        ("Offered at", {"fields": LEVELS, "description": "Choose exactly one."}),
    )
    resource_classes = [ReasonPlaceResource]

    @display(description="offered at")
    def place(self, offer: ReasonPlace) -> SafeString:
        return level_trail(offer)


class ReasonRuleForm(MasterDataForm):
    """A rule, with the weekdays as boxes to tick."""

    weekdays = forms.TypedMultipleChoiceField(
        choices=Weekday.choices,
        coerce=int,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(attrs={"class": "weekdays"}),
        help_text="The days on which the stop begins; none ticked = any. A time over midnight belongs to the day it starts on.",
    )


@admin.register(ReasonRule)
class ReasonRuleAdmin(MasterDataAdmin):
    form = ReasonRuleForm
    list_display = ("name", "place", "position", "when", "gives", "valid_from", "is_active")
    list_filter = ("is_active", ("site", ScopedFilter), ("line", ScopedFilter), ("reason", ScopedFilter))
    list_select_related = ("reason", "sent_reason", "site", "line__area__site", "machine__line__area__site")
    search_fields = ("name", "detail_text", "reason__name", "site__name", "line__name", "machine__name")
    search_help_text = "Name, text, reason or place"
    autocomplete_fields = (*LEVELS, "sent_reason", "reason")
    fieldsets = (
        (
            "Where",
            {
                "fields": LEVELS,
                "description": "Choose exactly one. A machine's own rules are tried first, then its line's, then its site's.",
            },
        ),
        (None, {"fields": (("name", "position"), "is_active")}),
        (
            "When a stop begins and",
            {
                "fields": ("sent_reason", ("detail_match", "detail_text"), ("start_time", "end_time"), "weekdays"),
                "description": "Everything that is filled in must hold; fill in at least one.",
            },
        ),
        ("Then its reason is", {"fields": ("reason", "valid_from")}),
    )
    resource_classes = [ReasonRuleResource]

    @display(description="holds for")
    def place(self, rule: ReasonRule) -> SafeString:
        return level_trail(rule)

    @display(description="when")
    def when(self, rule: ReasonRule) -> str:
        said = []
        if rule.sent_reason:
            said.append(f"sent {rule.sent_reason}")
        if rule.detail_text:
            said.append(f"detail {rule.get_detail_match_display()} '{rule.detail_text}'")
        if rule.start_time and rule.end_time:
            said.append(f"{rule.start_time:%H:%M}–{rule.end_time:%H:%M}")
        if rule.weekdays:
            said.append(" ".join(Weekday(day).label[:3] for day in sorted(rule.weekdays)))
        return ", ".join(said)

    @display(description="reason", ordering="reason__name")
    def gives(self, rule: ReasonRule) -> SafeString:
        return format_html("{} {}", swatch(rule.reason.colour, rule.reason.category), link(rule.reason))


def level_trail(entry: CalendarLevel) -> SafeString:
    """Return where something of exactly one level is, from the site inwards."""
    machine = entry.machine
    line = machine.line if machine else entry.line
    return trail(entry.site or (line.area.site if line else None), line, machine)


@admin.register(RecordedState)
class RecordedStateAdmin(FactAdmin):
    owner = "machine"
    list_display = ("occurred_at", "of_machine", "state", "detail", "source", "recorded_at")
    list_filter = (("machine", ScopedSearchFilter), ("occurred_at", RangeDateTimeFilter))
    list_select_related = ("machine__line", "reason")
    list_before_template = "admin/_facts_note.html"
    fields = ("of_machine", "occurred_at", "state", "detail", "source", "recorded_at")
    readonly_fields = fields

    @display(description="machine")
    def of_machine(self, state: RecordedState) -> SafeString:
        return trail(state.machine.line, state.machine)

    @display(description="state")
    def state(self, state: RecordedState) -> SafeString:
        return format_html("{} {}", swatch(state.reason.colour, state.reason.category), link(state.reason))


@admin.register(StateCorrection)
class StateCorrectionAdmin(ReadOnlyAdmin):
    list_display = ("recorded_at", "of_machine", "starts_at", "ends_at", "reason", "corrected_by", "comment")
    list_filter = (
        ("machine", ScopedSearchFilter),
        ("reason", ScopedFilter),
        ("recorded_at", RangeDateTimeFilter),
    )
    list_select_related = ("machine__line", "reason", "corrected_by")
    search_fields = ("comment", "machine__name", "machine__code")
    search_help_text = "Comment or machine"

    @display(description="machine")
    def of_machine(self, correction: StateCorrection) -> SafeString:
        return trail(correction.machine.line, correction.machine)


@admin.register(SignalGap)
class SignalGapAdmin(ReadOnlyAdmin):
    list_display = ("starts_at", "ends_at", "of_machine", "cause", "source", "recorded_at")
    list_filter = (("machine", ScopedSearchFilter), ("starts_at", RangeDateTimeFilter))
    list_select_related = ("machine__line",)
    search_fields = ("cause", "machine__name", "machine__code")
    search_help_text = "Cause or machine"

    @display(description="machine")
    def of_machine(self, gap: SignalGap) -> SafeString:
        return trail(gap.machine.line, gap.machine)
