"""What can be reported on: a register that apps fill, so that reports depend on none that comes later."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from core.master_data import in_scope

Records = models.QuerySet[Any]


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of record and how its fields are read.

    `read` takes objects of `model` and who asks, and returns for each a nested dict, set-wise, in their order; what the
    person may not know of is left out; moments have their zone, and `time_zone` names the one to show them in.
    `fields` says what each path means; a path that ends in `[]` repeats. `filters` are look-ups by the name they are
    asked by.
    """

    name: str
    label: str
    model: type[models.Model]
    title: Callable[[Any], str]
    read: Callable[[Sequence[Any], Any], list[dict[str, Any]]]
    fields: Mapping[str, str]
    related: tuple[str, ...] = ()
    filters: Mapping[str, str] = field(default_factory=dict)

    def records(self, user: Any) -> Records:
        """Return the records that a person may know of."""
        records = self.model._default_manager.select_related(*self.related).order_by("pk")
        return in_scope(records, user, getattr(self.model, "site_paths", ()))


_sources: dict[str, Source] = {}


def register(source: Source) -> None:
    """Let a kind of record be reported on."""
    if source.name in _sources:
        raise ValueError(f"The source {source.name} is registered twice.")
    _sources[source.name] = source


def names() -> list[str]:
    """Return the names of all sources."""
    return sorted(_sources)


def choices() -> list[tuple[str, str]]:
    """Return names and labels, for forms."""
    return [(name, _sources[name].label) for name in names()]


def get(name: str) -> Source:
    """Return a source. Raises KeyError."""
    return _sources[name]
