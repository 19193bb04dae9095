"""Closed shifts to look at and to decide about, and the rules by which sites close them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from accounts.models import User
from core.admin import DecisionAdmin, MasterDataAdmin, ScopedSearchFilter
from oee.closing import accept_difference, bring_checks_up_to_date
from oee.models import ClosingRule, ShiftClosing
from oee.resources import ClosingRuleResource


def percent(ratio: Any) -> str:
    """Return a ratio as people read it; what is not known is said to be so."""
    return "not known" if ratio is None else f"{Decimal(str(ratio)) * 100:.2f} %"


@admin.register(ClosingRule)
class ClosingRuleAdmin(MasterDataAdmin):
    """Rules, one for a site."""

    list_display = ("site", "close_after_hours", "first_date", "needs_review", "needs_hour_comments")
    list_select_related = ("site",)
    search_fields = ("site__code", "site__name")
    search_help_text = "Site"
    autocomplete_fields = ("site",)
    fieldsets = (
        (None, {"fields": ("site",)}),
        (
            "When shifts are closed",
            {
                "fields": (("close_after_hours", "first_date"), "unexplained_minutes"),
                "description": "A closed shift keeps the numbers that were signed. What the facts say later is shown"
                " beside them until a supervisor accepts it.",
            },
        ),
        (
            "What a person has to do first",
            {"fields": ("needs_review", "needs_hour_comments")},
        ),
    )
    resource_classes = [ClosingRuleResource]


def _accept(closing: ShiftClosing, actor: User, now: datetime) -> None:
    accept_difference(closing=closing, comment="Accepted in the list of closed shifts", actor=actor, now=now)


class DiffersFilter(admin.SimpleListFilter):
    """By what the facts say since."""

    title = "facts since"
    parameter_name = "since"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("differ", "differ from what was signed"), ("same", "as signed"), ("superseded", "superseded")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ShiftClosing]) -> QuerySet[ShiftClosing]:
        if self.value() == "superseded":
            return queryset.filter(superseded_by__isnull=False)
        if self.value() in ("differ", "same"):
            return queryset.filter(check_row__differs=self.value() == "differ")
        return queryset


@admin.register(ShiftClosing)
class ShiftClosingAdmin(DecisionAdmin):
    """All revisions; those that differ wait for a decision."""

    list_display = ("of", "shift_name", "shift_date", "revision", "signed_as", "closed_at", "was", "now", "since")
    list_filter = (
        DiffersFilter,
        ("line", ScopedSearchFilter),
        ("machine", ScopedSearchFilter),
        "meaning",
        ("starts_at", RangeDateTimeFilter),
    )
    list_select_related = ("line", "machine", "check_row", "superseded_by")
    search_fields = ("line__name", "line__code", "machine__name", "shift_name", "signed_as", "comment")
    search_help_text = "Line, machine, shift or signature"
    decisions = {"accept": ("Accept the numbers of now: sign them", _accept)}
    fields = (
        *("of", "shift_name", "shift_date", "starts_at", "ends_at", "revision", "supersedes", "was", "now"),
        *("signed_as", "closed_at", "meaning", "comment", "page", "content_hash", "previous_hash"),
    )
    readonly_fields = ("of", "was", "now", "page")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "GET":
            bring_checks_up_to_date(now=timezone.now())
        view: HttpResponse = super().changelist_view(request, extra_context)
        return view

    @display(description="line or machine")
    def of(self, closing: ShiftClosing) -> str:
        return str(closing.place)

    @display(description="OEE as signed")
    def was(self, closing: ShiftClosing) -> str:
        return percent(closing.numbers["kpis"]["oee"])

    @display(description="OEE now")
    def now(self, closing: ShiftClosing) -> str:
        return percent(closing.check_row.oee_now) if hasattr(closing, "check_row") else "–"

    @display(description="since then")
    def since(self, closing: ShiftClosing) -> SafeString:
        if not hasattr(closing, "check_row"):
            words = f"superseded by revision {closing.superseded_by.revision}"
        else:
            words = "differs" if closing.check_row.differs else "as signed"
        return format_html('<a class="crumb" href="{}">{}</a>', _page(closing), words)

    @display(description="was and now")
    def page(self, closing: ShiftClosing) -> SafeString:
        return format_html('<a class="crumb" href="{}">Compare, number by number</a>', _page(closing))


def _page(closing: ShiftClosing) -> str:
    return reverse("screens:closed-shift", args=[closing.pk])
