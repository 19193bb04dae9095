"""REST of files that are made in the background: POST the address of a list, watch, fetch, cancel."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone, translation
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.errors import Conflict
from core.exports import FORMATS, KIND, Streamed
from core.idempotency import Idempotent
from core.master_data import caller
from core.serializers import AwareDateTimeField
from reports import export_jobs
from reports.export_views import file_of, jobs_of
from reports.models import ExportJob


class ExportJobSerializer(serializers.ModelSerializer):
    """A list on its way into a file: how many rows of how many, and until when the file is kept."""

    path = serializers.CharField(
        max_length=2000, help_text="The address of a list, with filters and form: /machine/?line=3&format=xlsx"
    )
    asked_at = AwareDateTimeField(read_only=True)
    finished_at = AwareDateTimeField(read_only=True)
    kept_until = AwareDateTimeField(read_only=True)

    class Meta:
        model = ExportJob
        fields = (
            *("id", "path", "form", "name", "status", "rows_done", "rows_total", "size", "error"),
            *("asked_at", "finished_at", "kept_until"),
        )
        read_only_fields = tuple(name for name in fields if name != "path")


class ExportJobViewSet(
    Idempotent,
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet,
):
    """Files of long lists, made in the background and kept some days for who asked for them."""

    kind = KIND
    queryset = ExportJob.objects.all()
    serializer_class = ExportJobSerializer
    filterset_fields = ("status",)
    ordering_fields = ("id", "asked_at")
    ordering = ("-id",)
    lookup_value_regex = r"\d+"

    def get_queryset(self) -> QuerySet[ExportJob]:
        return jobs_of(caller(self.request)) if self.request else ExportJob.objects.none()

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Ask for a file: 202; it is made in the background. Asking again while it is made is the same job."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        job = export_jobs.ask(
            path=asked.validated_data["path"],
            owner=caller(request),
            language=translation.get_language() or "en",
            now=timezone.now(),
        )
        return Response(self.get_serializer(job).data, status=202)

    def perform_destroy(self, instance: ExportJob) -> None:
        """Cancel it, and delete its file."""
        export_jobs.cancel(job=instance, now=timezone.now())
        export_jobs.forget(job=instance, now=timezone.now())

    @extend_schema(responses={(200, FORMATS["csv"]): OpenApiTypes.BINARY, (200, FORMATS["xlsx"]): OpenApiTypes.BINARY})
    @action(detail=True)
    def file(self, request: Request, pk: str) -> Streamed:
        """Answer the file; 409 until it is ready."""
        job = self.get_object()
        if job.status != ExportJob.Status.DONE:
            raise Conflict(f"It is not ready: {job.status}.")
        return file_of(job)
