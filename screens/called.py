"""Find what people call by its number or code, as they type or scan it."""

from typing import Any, TypeVar

from django.db.models import Model
from django.utils.translation import gettext, gettext_lazy

from core.errors import Invalid
from enterprise.models import Machine, Site
from materials.models import MaterialLot
from workorders.models import WorkOrder

Thing = TypeVar("Thing", bound=Model)
_BY: dict[type[Model], tuple[str, str, Any]] = {
    MaterialLot: ("number", "site", gettext_lazy("There is no lot %(name)s.")),
    WorkOrder: ("order_number", "line__area__site", gettext_lazy("There is no order %(name)s.")),
    Machine: ("code", "line__area__site", gettext_lazy("There is no machine %(name)s.")),
}


def called(model: type[Thing], text: str, site: Site, *, field: str) -> Thing | None:
    """Return the thing of a site that is called so, None for no text.

    Raises Invalid, naming the field, unless it is one.
    """
    if not (name := text.strip()):
        return None
    by, of_site, none = _BY[model]
    found = list(model._default_manager.filter(**{by: name, of_site: site})[:2])
    if len(found) != 1:
        words = gettext("Several are called %(name)s: say which over REST.") if found else str(none)
        raise Invalid(words % {"name": name}, field=field)
    return found[0]
