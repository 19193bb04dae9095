"""Give Django's admin its permissions from roles."""

from typing import Any

from django.contrib.auth.backends import BaseBackend

from accounts import rights
from accounts.models import User
from core.master_data import site_id_of


class RoleBackend(BaseBackend):
    """Answer `has_perm("app.action_model", thing)` from the person's roles at the thing's site; without it, at any.

    Rows of other sites are hidden elsewhere.
    """

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not isinstance(user_obj, User):
            return False
        app, _, codename = perm.partition(".")
        action, _, model = codename.partition("_")
        if action not in (rights.VIEW, rights.ADD, rights.CHANGE, rights.DELETE):
            return False
        site_id = None if obj is None else site_id_of(obj)
        return user_obj.may(action, rights.kind_of(f"{app}.{model}"), site_id)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Say whether the person may see anything of an app."""
        if not isinstance(user_obj, User):
            return False
        kinds = {kind for label, kind in rights.KIND_OF_MODEL.items() if label.startswith(f"{app_label}.")}
        return any(user_obj.may(rights.VIEW, kind) for kind in kinds)
