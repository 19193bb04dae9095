"""Narrow lists, by what a resource declares and by custom fields (`?custom.<code>=`), and sort them (`?ordering=`)."""

from collections.abc import Mapping
from typing import Any

from django_filters import rest_framework as filters
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend, OrderingFilter
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


class SortedAs(OrderingFilter):
    """Sort by what a view's fields mean: `sorted_as` names the column for one whose text sorts otherwise than it
    counts.
    """

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> Any:
        """Return the columns to sort by, for pages with cursors, too."""
        meant: Mapping[str, str] = getattr(view, "sorted_as", {})
        asked = super().get_ordering(request, queryset, view)
        return [f"{'-' * one.startswith('-')}{meant.get(one.lstrip('-'), one.lstrip('-'))}" for one in asked or ()]
