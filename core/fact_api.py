"""What the REST resources of facts share: text ids from natural keys, cursors instead of counted pages, no deletion."""

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.api import need
from core.errors import Invalid
from core.facts import Verdict
from core.idempotency import Idempotent
from core.pagination import Exportable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
MAX_AHEAD = timedelta(minutes=5)


def fact_id(owner_id: int, occurred_at: datetime) -> str:
    """Return the id of a fact: its owner's id and the microseconds since 1970."""
    return f"{owner_id}-{(occurred_at - _EPOCH) // _MICROSECOND}"


def parse_fact_id(written: str) -> tuple[int, datetime]:
    """Return (owner id, occurred_at) of a fact's id; raises Http404 for what is none."""
    owner, _, microseconds = written.partition("-")
    try:
        return int(owner), _EPOCH + int(microseconds) * _MICROSECOND
    except (ValueError, OverflowError):
        raise Http404 from None


def refuse_future(occurred_at: datetime, now: datetime) -> None:
    """Raise Invalid for a moment that has not come yet."""
    if occurred_at > now + MAX_AHEAD:
        raise Invalid("The time lies in the future.", field="occurred_at")


class FactPagination(Exportable, CursorPagination):
    """Page through facts, newest first; never counts them."""

    page_size = 100
    max_page_size = 1000
    page_size_query_param = "page_size"

    def in_order(self, queryset: Any, request: Any, view: Any) -> Any:
        return queryset.order_by(*self.get_ordering(request, queryset, view))


@extend_schema(parameters=[OpenApiParameter("id", str, "path", description="`{owner id}-{microseconds since 1970}`")])
class FactViewSet(
    Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, GenericViewSet
):
    """Serve facts: read, add, correct; never delete."""

    kind = "fact"
    pagination_class = FactPagination
    lookup_url_kwarg = "id"
    lookup_value_regex = r"\d{1,18}-\d{1,18}"
    owner_field: ClassVar[str]

    def get_object(self) -> Any:
        owner_id, occurred_at = parse_fact_id(self.kwargs["id"])
        rows = self.filter_queryset(self.get_queryset())
        found = rows.filter(**{self.owner_field: owner_id, "occurred_at": occurred_at}).first()
        if found is None:
            raise Http404
        self.check_object_permissions(self.request, found)
        return found

    def check_site_of(self, place: Any, action: str) -> None:
        """Raise PermissionDenied unless the caller may do something about facts of a machine or tag."""
        need(self, action, place)

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Refuse: what happened has happened; it can be corrected."""
        raise MethodNotAllowed("DELETE", "Facts are not deleted; correct them with PATCH, saying why in 'comment'.")


STATUS_OF_VERDICT = {Verdict.ACCEPTED: 201, Verdict.DUPLICATE: 200, Verdict.CONFLICT: 409}
CONFLICT_MESSAGE = (
    "Another value is stored for this moment; the stored one stays. Correct it with PATCH if it is wrong."
)
