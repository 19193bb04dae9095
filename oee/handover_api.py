"""REST of the hand-over: comments on hours, notes and reviews; each is added, never changed."""

from typing import Any

from django.utils import timezone
from rest_framework import mixins
from rest_framework.viewsets import GenericViewSet

from core.api import need
from core.idempotency import Idempotent
from core.master_data import caller
from oee import handover
from oee.handover_serializers import HourCommentSerializer, ShiftNoteSerializer, ShiftReviewSerializer
from oee.models import HourComment, ShiftNote, ShiftReview


class _AppendOnly(
    Idempotent, mixins.CreateModelMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet
):
    """What is said about a line, and by whom."""

    kind = ""
    ordering_fields: tuple[str, ...] = ("id", "recorded_at")
    ordering: tuple[str, ...] = ("-id",)
    lookup_value_regex = r"\d+"

    def perform_create(self, serializer: Any) -> None:
        """Say it; the site is checked first."""
        values = dict(serializer.validated_data)
        need(self, "add", values["line"])
        serializer.instance = self.say(values)

    def say(self, values: dict[str, Any]) -> Any:
        """Call the service."""
        raise NotImplementedError


class HourCommentViewSet(_AppendOnly):
    """Comments on hours of lines. The newest of an hour holds."""

    kind = "fact"
    queryset = HourComment.objects.select_related("author")
    serializer_class = HourCommentSerializer
    filterset_fields = ("line", "starts_at")

    def say(self, values: dict[str, Any]) -> HourComment:
        """Comment on an hour."""
        return handover.comment_on_hour(**values, author=caller(self.request), recorded_at=timezone.now())


class ShiftNoteViewSet(_AppendOnly):
    """What shifts leave to the next ones to know."""

    kind = "fact"
    queryset = ShiftNote.objects.select_related("author")
    serializer_class = ShiftNoteSerializer
    filterset_fields = ("line", "shift", "shift_date")

    def say(self, values: dict[str, Any]) -> ShiftNote:
        """Leave a note."""
        shift = values.pop("shift")
        return handover.leave_note(**values, shift_id=shift.pk, author=caller(self.request), recorded_at=timezone.now())


class ShiftReviewViewSet(_AppendOnly):
    """Who looked at the balance of which shift. 409 while the shift lasts, or when the balance is another one now."""

    kind = "closing"
    queryset = ShiftReview.objects.select_related("reviewed_by")
    serializer_class = ShiftReviewSerializer
    filterset_fields = ("line", "shift", "shift_date")

    def say(self, values: dict[str, Any]) -> ShiftReview:
        """Review a balance."""
        shift = values.pop("shift")
        return handover.review_shift(
            **values, shift_id=shift.pk, actor=caller(self.request), recorded_at=timezone.now()
        )
