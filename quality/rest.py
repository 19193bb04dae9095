"""What the REST edges of quality have in common."""

from typing import Any, ClassVar, cast

from rest_framework import mixins
from rest_framework.viewsets import GenericViewSet

from core.fact_api import FactPagination
from core.idempotency import Idempotent
from core.master_data import caller, site_id_of
from enterprise.models import Site

NOT_ALLOWED = "Your role at that site does not allow this."


class Facts(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Rows that are read, and written by services."""

    kind: ClassVar[str]
    pagination_class = FactPagination
    ordering = ("-id",)
    lookup_value_regex = r"\d+"

    def site_id_of(self, thing: Any) -> int | None:
        """Return the site of a row."""
        return site_id_of(thing)

    def may(self, what: str, thing: Any) -> None:
        """Raise PermissionDenied unless the caller may do it at the thing's site."""
        site_id = thing.pk if isinstance(thing, Site) else site_id_of(thing)
        if not caller(self.request).may(what, self.kind, site_id):
            self.permission_denied(self.request, NOT_ALLOWED)

    def said(self, serializer: type[Any]) -> dict[str, Any]:
        """Return what was sent, validated."""
        given = serializer(data=self.request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        return cast(dict[str, Any], given.validated_data)
