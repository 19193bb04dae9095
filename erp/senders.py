"""Who imports, and what they may."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.permissions import refuse_beyond_scope
from core.errors import Invalid
from core.master_data import in_scope, site_id_of

NOT_THERE = "Your account may not import at that site."


@dataclass(frozen=True, slots=True)
class Sender:
    """Who imports: checks each thing against their right at its site, as a REST view does."""

    request: Any
    now: datetime

    def check_site(self, thing: Any) -> None:
        """Raise Invalid unless the sender may import at the site where a thing would then be."""
        if not self.request.user.may("add", "inbox", site_id_of(thing)):
            raise Invalid(NOT_THERE, code="not_there")

    def check_stock(self, location: Any) -> None:
        """Raise Invalid unless the sender may say how much there is at a place."""
        self.check_site(location)

    def check_kind(self, right: tuple[str, str]) -> None:
        """Raise PermissionDenied when the sender's key is not made for what a kind of rows writes."""
        refuse_beyond_scope(self.request, *right)

    @property
    def context(self) -> dict[str, Any]:
        """What serializers need to know."""
        return {"request": self.request, "view": self, "by_code": True}

    def seen(self, queryset: Any) -> Any:
        """Return the rows of a queryset that the sender may know of."""
        return in_scope(queryset, self.request.user, getattr(queryset.model, "site_paths", ()))


class Person(Sender):
    """A person who uploads a file: what they may write, with their own roles."""

    __slots__ = ()

    def check_site(self, thing: Any) -> None:
        """Raise Invalid unless the person may write a thing at the site where it would then be."""
        meta = thing._meta
        action = "add" if thing.pk is None else "change"
        if not self.request.user.has_perm(f"{meta.app_label}.{action}_{meta.model_name}", thing):
            raise Invalid(NOT_THERE, code="not_there")

    def check_stock(self, location: Any) -> None:
        """Raise Invalid unless the person may adjust stock at a place."""
        if not self.request.user.may("change", "material", site_id_of(location)):
            raise Invalid(NOT_THERE, code="not_there")
