"""Read the plant as the tree that an engineer sets up."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.models import Count, Q
from django.urls import reverse

from core.master_data import in_scope
from core.models import MasterData
from enterprise.models import Area, Enterprise, Line, Machine, Site


@dataclass(slots=True)
class Branch:
    """One thing of the plant with what lies below it, and where to go from it."""

    kind: str
    thing: Any
    edit_url: str
    add_url: str = ""
    add_kind: str = ""
    tags: int = 0
    machines: int = 0
    has_shifts: bool = False
    children: list["Branch"] = field(default_factory=list)


# Each level with the name of its key to the level above.
LEVELS: tuple[tuple[type[MasterData], str], ...] = (
    (Enterprise, ""),
    (Site, "enterprise"),
    (Area, "site"),
    (Line, "area"),
    (Machine, "line"),
)


def plant_tree(user: Any) -> list[Branch]:
    """Return the enterprises that a user may see, with everything below them, in one query per level."""
    below: dict[int, list[Branch]] = defaultdict(list)
    # From the machines upwards, so that each level finds its children ready.
    for depth in range(len(LEVELS) - 1, -1, -1):
        model, parent = LEVELS[depth]
        queryset = in_scope(model._default_manager.all(), user, model.site_paths)
        level: dict[int, list[Branch]] = defaultdict(list)
        for thing in _annotated(model, queryset):
            level[getattr(thing, f"{parent}_id") if parent else 0].append(_branch(depth, thing, below[thing.pk], user))
        below = level
    return below[0]


def _annotated(model: type[models.Model], queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    if model is Machine:
        active = Q(count_tags__is_active=True)
        queryset = queryset.annotate(own_tags=Count("count_tags", filter=active, distinct=True))
    if model in (Site, Line, Machine):
        queryset = queryset.annotate(own_shifts=Count("shifts", distinct=True))
    return queryset


def _branch(depth: int, thing: Any, children: list[Branch], user: Any) -> Branch:
    model = LEVELS[depth][0]
    branch = Branch(
        kind=str(model._meta.verbose_name),
        thing=thing,
        edit_url=_url(model, "change", thing.pk),
        tags=getattr(thing, "own_tags", 0) + sum(child.tags for child in children),
        machines=1 if model is Machine else sum(child.machines for child in children),
        has_shifts=getattr(thing, "own_shifts", 0) > 0,
        children=children,
    )
    if depth + 1 < len(LEVELS):
        child, parent = LEVELS[depth + 1]
        if user.has_perm(f"enterprise.add_{child._meta.model_name}", thing):
            branch.add_kind = str(child._meta.verbose_name)
            branch.add_url = f"{_url(child, 'add')}?{parent}={thing.pk}"
    return branch


def _url(model: type[models.Model], page: str, *args: Any) -> str:
    return reverse(f"admin:enterprise_{model._meta.model_name}_{page}", args=args)
