"""The rights of REST: a view names the kind of thing that it serves, roles say who may."""

from typing import Any

from rest_framework.filters import BaseFilterBackend
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from accounts import rights
from core.exports import asks_for_a_file, may_export
from core.master_data import caller, in_scope, site_id_of

ACTIONS = {
    "GET": rights.VIEW,
    "HEAD": rights.VIEW,
    "OPTIONS": rights.VIEW,
    "POST": rights.ADD,
    "PUT": rights.CHANGE,
    "PATCH": rights.CHANGE,
    "DELETE": rights.DELETE,
}


class RolePermission(IsAuthenticated):
    """Let those in who have a role for the action; which site it counts at is checked on the object."""

    message = "Your role does not allow this."

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        if asks_for_a_file(request) and not may_export(caller(request)):
            return False
        kind = getattr(view, "kind", None)
        return kind is None or bool(caller(request).may(ACTIONS[request.method or "GET"], kind))

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        kind = getattr(view, "kind", None)
        return kind is None or bool(caller(request).may(ACTIONS[request.method or "GET"], kind, site_id_of(obj)))


class SiteScopeFilter(BaseFilterBackend):
    """Hide what belongs to sites at which the caller has no role: for them it does not exist."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        return in_scope(queryset, request.user, queryset.model.site_paths)
