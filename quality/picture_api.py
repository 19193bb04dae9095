"""REST of the pictures of results, defects and non-conformances."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from core.master_data import caller
from core.serializers import ReferenceField
from core.uploads import picture_response
from quality.models import Defect, NonConformance, Picture, Result
from quality.pictures import add_picture
from quality.rest import Facts
from quality.serializers import FactSerializer


class PictureSerializer(FactSerializer):
    """A picture, without its bytes."""

    class Meta:
        model = Picture
        fields = (
            *("id", "site", "result", "defect", "nonconformance", "content_type", "digest"),
            *("recorded_by", "recorded_at"),
        )


class NewPictureSerializer(serializers.Serializer):
    """A picture to keep, of one thing."""

    file = serializers.FileField(help_text="JPEG, PNG or WebP.")
    result = ReferenceField(queryset=Result.objects.select_related("inspection"), required=False)
    defect = ReferenceField(queryset=Defect.objects.all(), required=False)
    nonconformance = ReferenceField(queryset=NonConformance.objects.all(), required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 2:
            raise serializers.ValidationError({"result": "Name one result, defect or non-conformance."})
        return attrs


class PictureViewSet(Facts):
    """Pictures of results, defects and non-conformances. POST keeps one; the same again is the same."""

    kind = "inspection"
    queryset = Picture.objects.defer("content")
    serializer_class = PictureSerializer
    filterset_fields = ("result", "defect", "nonconformance")
    parser_classes = [MultiPartParser]

    @extend_schema(request={"multipart/form-data": NewPictureSerializer}, responses={201: PictureSerializer})
    def create(self, request: Request) -> Response:
        """Keep a picture of one thing."""
        said = self.said(NewPictureSerializer)
        content = said.pop("file").read()
        (of,) = said.values()
        self.may("add", of)
        row = add_picture(content=content, actor=caller(request), recorded_at=timezone.now(), **said)
        return Response(self.get_serializer(row).data, status=201)

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True)
    def file(self, request: Request, pk: str = "") -> HttpResponse:
        """Answer the picture itself."""
        return picture_response(self.get_object())
