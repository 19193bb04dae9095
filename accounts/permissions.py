"""The rights of REST: a view names the kind of thing that it serves, roles say who may."""

from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.filters import BaseFilterBackend
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from accounts import rights
from accounts.models import ClientKey
from accounts.scopes import scopes_for
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


def refuse_beyond_scope(request: Any, action: str, kind: str | None) -> None:
    """Raise PermissionDenied, naming the scope that is missing, when a client key is not made for an action on a kind
    of thing.

    Who comes with a password or a session has no scope, and is not held to one.
    """
    key = getattr(request, "auth", None)
    needed = scopes_for(action, kind)
    if not isinstance(key, ClientKey) or not set(needed).isdisjoint(key.scopes):
        return
    names = " or ".join(f"'{scope.value}'" for scope in needed)
    raise PermissionDenied({"detail": f"This key lacks the scope {names}.", "missing_scope": [*needed]})


class RolePermission(IsAuthenticated):
    """Let those in who have a role for the action, with a key that is made for it; at which site is checked on the
    object.
    """

    message = "Your role does not allow this."

    def actions(self, request: Request) -> tuple[str, ...]:
        """Return the actions of which the caller needs the right to one."""
        return (ACTIONS[request.method or "GET"],)

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        kind = getattr(view, "kind", None)
        refuse_beyond_scope(request, ACTIONS[request.method or "GET"], kind)
        if asks_for_a_file(request) and not may_export(caller(request)):
            return False
        return kind is None or any(caller(request).may(action, kind) for action in self.actions(request))

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        kind = getattr(view, "kind", None)
        return kind is None or bool(caller(request).may(ACTIONS[request.method or "GET"], kind, site_id_of(obj)))


class SiteScopeFilter(BaseFilterBackend):
    """Hide what belongs to sites at which the caller has no role: for them it does not exist."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        return in_scope(queryset, request.user, queryset.model.site_paths)
