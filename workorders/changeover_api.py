"""REST of changeover targets, their tasks, and what was done of these."""

from typing import Any

from django.utils import timezone
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.api import MasterDataViewSet, need
from core.idempotency import Idempotent
from core.master_data import caller
from workorders import changeovers
from workorders.models import ChangeoverTarget, ChangeoverTask, ChangeoverTaskDone
from workorders.serializers import ChangeoverTargetSerializer, ChangeoverTaskDoneSerializer, ChangeoverTaskSerializer


class ChangeoverTargetViewSet(MasterDataViewSet):
    """Targets of changeovers. One of any line is for people who see every site."""

    queryset = ChangeoverTarget.objects.prefetch_related("tasks")
    serializer_class = ChangeoverTargetSerializer
    filterset_fields = ("line", "from_product", "to_product")

    def check_site(self, thing: Any) -> None:
        super().check_site(thing)
        if thing.line_id is None and not caller(self.request).sees_every_site():
            self.permission_denied(self.request, "This needs a role at every site.")


class ChangeoverTaskViewSet(MasterDataViewSet):
    """Tasks of changeovers: internal while the line stands, external while it runs."""

    queryset = ChangeoverTask.objects.select_related("target")
    serializer_class = ChangeoverTaskSerializer
    filterset_fields = ("target", "kind")


class ChangeoverTaskDoneViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Tasks that were done, each for the run that it led to."""

    kind = "fact"
    queryset = ChangeoverTaskDone.objects.select_related("task", "run")
    serializer_class = ChangeoverTaskDoneSerializer
    filterset_fields = {"run": ["exact"], "task": ["exact"], "started_at": ["gte", "lt"]}
    ordering_fields = ("id", "started_at")
    ordering = ("-id",)
    lookup_value_regex = r"\d+"

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add one: 201 when it is new, 200 when it was stored already, 409 when it ended otherwise."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        need(self, "add", values["run"])
        done, is_new = changeovers.record_changeover_task(**values, actor=caller(request), recorded_at=timezone.now())
        return Response(self.get_serializer(done).data, status=201 if is_new else 200)
