"""The edge that all REST resources share: errors that say what to do."""

from typing import Any, cast

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, InterfaceError, OperationalError
from django.db.models import ProtectedError
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import exception_handler as rest_exception_handler
from rest_framework.viewsets import ModelViewSet

from core import master_data
from core.errors import Conflict, DomainError, NotFound, TooManyAttempts, Unprocessable
from core.exports import ListAsked, answer_list
from core.idempotency import Idempotent
from core.master_data import belongs_to_all, caller, site_id_of
from core.request_ids import current


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer what `_refusal` says, with the id of the request, by which the log tells more."""
    response = _refusal(error, context)
    if response is not None and current() and isinstance(response.data, dict):
        response.data = {**response.data, "request_id": current()}
    return response


def _refusal(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer domain errors and database refusals as 4xx with the field at fault, an outage as 503;
    a list that was asked for as a file, as that file.
    """
    if isinstance(error, ListAsked):
        try:
            return cast(Response, answer_list(error, context["view"], context["view"].request))
        except DomainError as refusal:
            return _refusal(refusal, context)
    if isinstance(error, DomainError):
        headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyAttempts) else None
        return Response(_domain_body(error), status=_domain_status(error), headers=headers)
    if isinstance(error, ProtectedError):
        kinds = sorted({str(thing._meta.verbose_name_plural) for thing in error.protected_objects})
        return Response(
            {"detail": f"It is still referenced by {', '.join(kinds)}; delete those first, or deactivate it."},
            status=status.HTTP_409_CONFLICT,
        )
    if isinstance(error, DjangoValidationError):
        body = _validation_body(error)
        return Response(body, status=status.HTTP_400_BAD_REQUEST)
    if isinstance(error, DataError):
        return Response({"detail": "A value is outside what can be stored."}, status=status.HTTP_400_BAD_REQUEST)
    if isinstance(error, OperationalError | InterfaceError):
        unavailable = APIException("The database is not reachable at the moment; try again.")
        unavailable.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        response = rest_exception_handler(unavailable, context)
        if response is not None:
            response["Retry-After"] = "2"
        return response
    return rest_exception_handler(error, context)


def _validation_body(error: DjangoValidationError) -> dict[str, Any]:
    if not hasattr(error, "error_dict"):
        return {"detail": " ".join(error.messages)}
    # What concerns no single field stands where REST's own errors of that kind stand.
    return {name if name != "__all__" else "non_field_errors": texts for name, texts in error.message_dict.items()}


def _domain_status(error: DomainError) -> int:
    if isinstance(error, NotFound):
        return status.HTTP_404_NOT_FOUND
    if isinstance(error, TooManyAttempts):
        return status.HTTP_429_TOO_MANY_REQUESTS
    if isinstance(error, Conflict):
        return status.HTTP_409_CONFLICT
    if isinstance(error, Unprocessable):
        return status.HTTP_422_UNPROCESSABLE_ENTITY
    return status.HTTP_400_BAD_REQUEST


def _domain_body(error: DomainError) -> dict[str, Any]:
    words: dict[str, Any] = {error.field: [error.message]} if error.field else {"detail": error.message}
    return {**error.facts, **words}


NOT_AT_THAT_SITE = "Your role at that site does not allow this."


def need(view: Any, action: str, thing: Any, kind: str = "") -> None:
    """Raise PermissionDenied unless the caller may do that, to the view's kind of thing or another,
    at the site of a thing.
    """
    if not caller(view.request).may(action, kind or view.kind, site_id_of(thing)):
        view.permission_denied(view.request, NOT_AT_THAT_SITE)


class MasterDataViewSet(Idempotent, ModelViewSet):
    """Serve master data: list with filters, ordering and search; read, write and delete through `core.master_data`."""

    kind = "master_data"
    ordering_fields: Any = "__all__"
    ordering: Any = ["id"]
    lookup_value_regex = r"\d+"

    def check_site(self, thing: Any) -> None:
        """Raise PermissionDenied unless the caller may write a thing at the site where it would then be."""
        action = "add" if thing.pk is None else "change"
        if not caller(self.request).has_perm(f"{thing._meta.app_label}.{action}_{thing._meta.model_name}", thing):
            self.permission_denied(self.request, NOT_AT_THAT_SITE)
        # What would belong to no site yet, although its kind belongs to sites: a new enterprise, a new site.
        founds = thing.pk is None and not belongs_to_all(thing) and site_id_of(thing) is None
        if founds and not caller(self.request).sees_every_site():
            self.permission_denied(self.request, "This needs a role at every site.")

    def perform_destroy(self, instance: Any) -> None:
        master_data.delete(instance)
