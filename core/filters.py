"""Narrow lists: by what a resource declares, and by custom fields, `?custom.<code>=`."""

from typing import Any

from django_filters import rest_framework as filters
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from core import custom_fields

PREFIX = "custom."


class FilterSet(filters.FilterSet):  # type: ignore[misc]
    """What a resource's filters are declared in: the one place that knows that the library has no types."""


class CustomFieldFilter(BaseFilterBackend):
    """Keep what has the values asked for; an empty value keeps what has none."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        asked = {name: value for name, value in request.query_params.items() if name.startswith(PREFIX)}
        if not asked or not issubclass(queryset.model, custom_fields.HasCustomFields):
            return queryset
        fields = {field.code: field for field in custom_fields.fields_of(queryset.model)}
        for name, text in asked.items():
            field = fields.get(name.removeprefix(PREFIX))
            if field is None:
                raise ValidationError({name[:64]: ["There is no such field."]})
            try:
                value = custom_fields.parse(field, text)
            except ValueError as error:
                raise ValidationError({name: [str(error)]}) from None
            has = {"custom__contains": {field.code: value}}
            queryset = queryset.exclude(custom__has_key=field.code) if value is None else queryset.filter(**has)
        return queryset
