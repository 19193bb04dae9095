"""Comments on hours, notes of shifts and reviews, to look at."""

from django.contrib import admin
from unfold.contrib.filters.admin import RangeDateTimeFilter

from core.admin import ReadOnlyAdmin, ScopedSearchFilter
from oee.models import HourComment, ShiftNote, ShiftReview


@admin.register(HourComment)
class HourCommentAdmin(ReadOnlyAdmin):
    """All comments, the newest first; of an hour the newest holds."""

    list_display = ("line", "starts_at", "text", "author", "recorded_at")
    list_filter = (("line", ScopedSearchFilter), ("starts_at", RangeDateTimeFilter))
    list_select_related = ("line", "author")
    search_fields = ("line__name", "line__code", "text")
    search_help_text = "Line or words of the comment"


@admin.register(ShiftNote)
class ShiftNoteAdmin(ReadOnlyAdmin):
    """All notes, the newest first."""

    list_display = ("line", "shift_date", "text", "author", "recorded_at")
    list_filter = (("line", ScopedSearchFilter), ("recorded_at", RangeDateTimeFilter))
    list_select_related = ("line", "author")
    search_fields = ("line__name", "line__code", "text")
    search_help_text = "Line or words of the note"
    exclude = ("shift",)


@admin.register(ShiftReview)
class ShiftReviewAdmin(ReadOnlyAdmin):
    """Who looked at which balance."""

    list_display = ("line", "shift_date", "reviewed_by", "recorded_at")
    list_filter = (("line", ScopedSearchFilter), ("recorded_at", RangeDateTimeFilter))
    list_select_related = ("line", "reviewed_by")
    search_fields = ("line__name", "line__code")
    search_help_text = "Line"
    exclude = ("shift",)
