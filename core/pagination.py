"""How lists are cut into pages, or, asked for as a file, given whole (`core.exports`)."""

from typing import Any

from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response

from core.exports import chunk_asked_for


class Exportable:
    """Let a list be asked for as a file: mixed into every way of paging."""

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> Any:
        """Return a page, or the chunk of an export that is under way. Raises `ListAsked` where a file is asked for."""
        chunk = chunk_asked_for(request, lambda: self.in_order(queryset, request, view))
        return super().paginate_queryset(queryset, request, view=view) if chunk is None else chunk  # type: ignore[misc]

    def in_order(self, queryset: Any, request: Any, view: Any) -> Any:
        """Return all of a list in the order of its pages."""
        return queryset

    def get_paginated_response(self, data: Any) -> Response:
        """Return a page; a chunk of an export has no neighbours."""
        if not hasattr(self, "page"):
            return Response({"results": data})
        response: Response = super().get_paginated_response(data)  # type: ignore[misc]
        return response


class BoundedPagination(Exportable, PageNumberPagination):
    """Page lists by number; a page never holds more than 1,000 rows."""

    page_size_query_param = "page_size"
    max_page_size = 1000
