"""Tell the API documentation how callers say who they are."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from accounts.permissions import ACTIONS
from accounts.scopes import Scope, scopes_for
from core.openapi import Schema


class ScopedSchema(Schema):
    """Describe a view, with the scope that a client key needs for it."""

    def get_extensions(self) -> dict[str, Any]:
        """Return the scopes of which a client key needs one."""
        needed = scopes_for(ACTIONS[self.method], getattr(self.view, "kind", None))
        return {**super().get_extensions(), "x-key-scope": [scope.value for scope in needed]}


class ClientKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The `Api-Key` header of client systems."""

    target_class = "accounts.authentication.ClientKeyAuthentication"
    name = "clientKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Api-Key <key>` of a client system; made in the admin, shown once. It is made for some of these"
            " scopes, and perhaps for some sites; `x-key-scope` of an operation names those of which it needs one, and 403"
            " with `missing_scope` the one that it lacks.\n\n"
            + "\n".join(f"- `{value}`: {label}" for value, label in Scope.choices),
        }
