"""REST of defects, non-conformances, and the actions that follow."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.fact_api import refuse_future
from core.master_data import caller
from quality import corrective_actions, dispositions, nonconformances
from quality.models import (
    CorrectiveAction,
    Defect,
    NonConformance,
)
from quality.nonconformances import About
from quality.rest import Facts
from quality.serializers import (
    ChangeNonConformanceSerializer,
    CheckActionSerializer,
    CorrectiveActionSerializer,
    DefectSerializer,
    DispositionSerializer,
    NewActionSerializer,
    NewDefectSerializer,
    NewDispositionSerializer,
    NewNonConformanceSerializer,
    NonConformanceSerializer,
    NoteSerializer,
)

_ABOUT = ("inspection", "work_order", "operation_code", "machine", "product", "lot")


def _about(said: dict[str, Any]) -> About:
    return About(**{name: said.pop(name) for name in _ABOUT if name in said})


class DefectViewSet(Facts):
    """Defects that were found."""

    kind = "inspection"
    queryset = Defect.objects.select_related("code")
    serializer_class = DefectSerializer
    filterset_fields = {
        "code": ["exact"],
        "site": ["exact"],
        "machine": ["exact"],
        "work_order": ["exact"],
        "lot": ["exact"],
        "severity": ["exact"],
        "cause": ["exact"],
        "detected_at": ["gte", "lt"],
    }

    @extend_schema(request=NewDefectSerializer, responses={201: DefectSerializer})
    def create(self, request: Request) -> Response:
        """Record a defect: 201, or 200 with the first answer for a repeated key."""
        said, now = self.said(NewDefectSerializer), timezone.now()
        self.may("add", said["site"])
        at = said.pop("detected_at", now)
        refuse_future(at, now)
        row, is_new = nonconformances.record_defect(
            said=_about(said), actor=caller(request), detected_at=at, recorded_at=now, **said
        )
        return Response(self.get_serializer(row).data, status=201 if is_new else 200)


class NonConformanceViewSet(Facts):
    """Non-conformances: raise, investigate, decide, approve, close."""

    kind = "nonconformance"
    queryset = NonConformance.objects.all()
    serializer_class = NonConformanceSerializer
    # They are numbered as they are raised; as texts, the millionth would come before the second.
    sorted_as: ClassVar = {"number": "id"}
    filterset_fields = ("number", "site", "status", "severity", "lot", "work_order", "machine", "is_contained")

    @extend_schema(request=NewNonConformanceSerializer, responses={201: NonConformanceSerializer})
    def create(self, request: Request) -> Response:
        """Raise one: 201, or 200 with the first answer for a repeated key."""
        said = self.said(NewNonConformanceSerializer)
        self.may("add", said["site"])
        row, is_new = nonconformances.raise_nonconformance(
            said=_about(said), actor=caller(request), raised_at=timezone.now(), **said
        )
        return Response(self.get_serializer(row).data, status=201 if is_new else 200)

    @extend_schema(request=ChangeNonConformanceSerializer, responses=NonConformanceSerializer)
    def partial_update(self, request: Request, pk: str = "") -> Response:
        """Note what was found out, and how far it is."""
        ncr = self._held("change")
        said = self.said(ChangeNonConformanceSerializer)
        found = nonconformances.change_nonconformance(
            nonconformance=ncr, actor=caller(request), at=timezone.now(), **said
        )
        return Response(self.get_serializer(found).data)

    @extend_schema(request=NewDispositionSerializer, responses={201: DispositionSerializer})
    @action(detail=True, methods=["post"])
    def dispose(self, request: Request, pk: str = "") -> Response:
        """Decide what becomes of a quantity; the stock and the lot follow."""
        ncr, now = self._held("change"), timezone.now()
        row, is_new = dispositions.dispose(
            nonconformance=ncr,
            actor=caller(request),
            decided_at=now,
            recorded_at=now,
            **self.said(NewDispositionSerializer),
        )
        return Response(DispositionSerializer(row).data, status=201 if is_new else 200)

    @extend_schema(request=None, responses=NonConformanceSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str = "") -> Response:
        """Approve what somebody else decided."""
        found = nonconformances.approve_nonconformance(
            nonconformance=self._held("change"), actor=caller(request), approved_at=timezone.now()
        )
        return Response(self.get_serializer(found).data)

    @extend_schema(request=None, responses=NonConformanceSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str = "") -> Response:
        """Close it: 409 names what is not done."""
        found = nonconformances.close_nonconformance(
            nonconformance=self._held("change"), actor=caller(request), closed_at=timezone.now()
        )
        return Response(self.get_serializer(found).data)

    @extend_schema(request=NewActionSerializer, responses={201: CorrectiveActionSerializer})
    @action(detail=True, methods=["post"])
    def actions(self, request: Request, pk: str = "") -> Response:
        """Say what is done so that it does not happen again."""
        row = corrective_actions.add_action(nonconformance=self._held("change"), **self.said(NewActionSerializer))
        return Response(CorrectiveActionSerializer(row).data, status=201)

    def _held(self, what: str) -> NonConformance:
        ncr: NonConformance = self.get_object()
        self.may(what, ncr)
        return ncr


class CorrectiveActionViewSet(Facts):
    """Corrective and preventive actions."""

    kind = "nonconformance"
    queryset = CorrectiveAction.objects.select_related("nonconformance__site", "owner")
    serializer_class = CorrectiveActionSerializer
    filterset_fields = {
        "nonconformance": ["exact"],
        "owner": ["exact"],
        "verdict": ["exact"],
        "due_date": ["gte", "lt"],
        "done_at": ["isnull"],
    }

    @extend_schema(request=NoteSerializer, responses=CorrectiveActionSerializer)
    @action(detail=True, methods=["post"])
    def done(self, request: Request, pk: str = "") -> Response:
        """Say that it was done: its owner, or quality."""
        found = self.get_object()
        self.may("add", found)
        row = corrective_actions.finish_action(
            action=found, actor=caller(request), done_at=timezone.now(), **self.said(NoteSerializer)
        )
        return Response(self.get_serializer(row).data)

    @extend_schema(request=CheckActionSerializer, responses=CorrectiveActionSerializer)
    @action(detail=True, methods=["post"])
    def check(self, request: Request, pk: str = "") -> Response:
        """Say whether it had its effect."""
        found = self.get_object()
        self.may("change", found)
        row = corrective_actions.check_action(
            action=found, actor=caller(request), checked_at=timezone.now(), **self.said(CheckActionSerializer)
        )
        return Response(self.get_serializer(row).data)
