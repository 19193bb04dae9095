"""Give Django's admin its permissions from roles."""

from typing import Any

from django.contrib.auth.backends import BaseBackend

from accounts import rights
from accounts.models import User
from core.master_data import belongs_to_all, site_id_of

# No site has this id, so that only roles held at every site count at it.
NO_SITE = 0


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
        return user_obj.may(action, rights.kind_of(f"{app}.{model}"), _site_id(obj))

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Say whether the person may see anything of an app."""
        if not isinstance(user_obj, User):
            return False
        kinds = {kind for label, kind in rights.KIND_OF_MODEL.items() if label.startswith(f"{app_label}.")}
        return any(user_obj.may(rights.VIEW, kind) for kind in kinds)


def _site_id(thing: Any) -> int | None:
    """Return the site at which a role must be held; for what belongs to several sites, one that only `None` covers."""
    if thing is None or belongs_to_all(thing):
        return None
    return site_id_of(thing) or NO_SITE
