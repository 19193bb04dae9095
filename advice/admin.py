"""Advice, to look at: it is written by the worker and decided on its page."""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter

from advice.models import AdviceModel, Recommendation, RecommendationStep, Silence
from advice.wording import headline, silence
from core.admin import ReadOnlyAdmin, ScopedFilter


@admin.register(Recommendation)
class RecommendationAdmin(ReadOnlyAdmin):
    list_display = ("says", "kind", "status", "gain_hours", "probability", "made_at", "valid_until", "came_true")
    list_filter = ("kind", "status", "came_true", ("line", ScopedFilter), ("made_at", RangeDateTimeFilter))
    list_select_related = ("line", "machine")
    search_fields = ("component", "machine__code", "line__code")
    search_help_text = _("Component, machine or line")

    @admin.display(description=_("recommendation"))
    def says(self, one: Recommendation) -> str:
        return headline(one)


@admin.register(RecommendationStep)
class RecommendationStepAdmin(ReadOnlyAdmin):
    list_display = ("occurred_at", "kind", "recommendation", "done_by", "came_true", "note")
    list_filter = ("kind", "came_true", ("occurred_at", RangeDateTimeFilter))
    list_select_related = ("recommendation", "recorded_by")
    search_fields = ("note",)
    search_help_text = _("Note")

    @admin.display(description=_("by"))
    def done_by(self, step: RecommendationStep) -> Any:
        return step.who


@admin.register(Silence)
class SilenceAdmin(ReadOnlyAdmin):
    list_display = ("kind", "line", "machine", "says", "looked_at")
    list_filter = ("kind", ("line", ScopedFilter))
    list_select_related = ("line", "machine")
    search_fields = ("subject",)
    search_help_text = _("Subject")

    @admin.display(description=_("why nothing is said"))
    def says(self, one: Silence) -> str:
        return silence(one)


@admin.register(AdviceModel)
class AdviceModelAdmin(ReadOnlyAdmin):
    list_display = ("site", "kind", "version", "trained_at", "window_start", "window_end")
    list_filter = ("kind", ("site", ScopedFilter))
    list_select_related = ("site",)
    search_fields = ("site__code",)
    search_help_text = _("Site")
