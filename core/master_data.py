"""The one write path of master data: admin, REST and imports all change it here.

A change is validated by the model and by the database's constraints, written with its history, and followed by what
must follow from it (`follows`), all in one transaction.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from typing import Any, TypeVar, cast

from django.core.exceptions import ObjectDoesNotExist
from django.db import models, transaction
from django.db.models import Q

from core import bulk, custom_fields
from core.deletion import refuse_if_referenced

Consequence = Callable[..., None]
Preparation = Callable[[Any], None]
Thing = TypeVar("Thing", bound=models.Model)

_preparations: dict[type[models.Model], list[Preparation]] = defaultdict(list)
_consequences: dict[type[models.Model], list[Consequence]] = defaultdict(list)


def follows(*kinds: type[models.Model]) -> Callable[[Consequence], Consequence]:
    """Declare what follows from a change of these models: a service called with `before` and `after`.

    `before` is None for what is new, `after` is None for what is deleted.
    """

    def declare(consequence: Consequence) -> Consequence:
        for kind in kinds:
            _consequences[kind].append(consequence)
        return consequence

    return declare


def precedes(kind: type[models.Model]) -> Callable[[Preparation], Preparation]:
    """Declare what has to happen before one of these is validated and written: a service called with it."""

    def declare(preparation: Preparation) -> Preparation:
        _preparations[kind].append(preparation)
        return preparation

    return declare


def save(thing: Thing) -> Thing:
    """Write one object as it stands, whole. Raises Django's ValidationError with the fields at fault."""
    with transaction.atomic():
        before = _stored(thing)
        for prepare in _preparations[type(thing)]:
            prepare(thing)
        custom_fields.check(thing, before)
        thing.full_clean()
        thing.save()
        for consequence in _consequences[type(thing)]:
            consequence(before=before, after=thing)
    return thing


def save_all(kind: type[Thing], made: Sequence[Thing], changed: Mapping[Any, Mapping[str, Any]]) -> None:
    """Write many of a kind, each as `save` writes one: all of them, or none. `changed` are the new values by id.

    What `save` asks the database about each (uniqueness, constraints, references), the database refuses by itself:
    raises IntegrityError, of which `save` of the one at fault says more; and ObjectDoesNotExist for what is gone.
    """
    with transaction.atomic():
        rows = kind._base_manager.select_for_update(of=("self",)).filter(pk__in=changed).order_by("pk")
        stored = {thing.pk: thing for thing in rows}
        if len(stored) < len(changed):
            raise ObjectDoesNotExist("One of them was deleted meanwhile.")
        before = {pk: copy(thing) for pk, thing in stored.items()}
        for pk, values in changed.items():
            for name, value in values.items():
                setattr(stored[pk], name, value)
        things = [*made, *stored.values()]
        fields = custom_fields.every_field_of(kind)
        references = [field.name for field in kind._meta.concrete_fields if field.is_relation]
        for thing in things:
            for prepare in _preparations[kind]:
                prepare(thing)
            custom_fields.check(thing, before.get(thing.pk), fields)
            thing.clean_fields(exclude=references)
            thing.clean()
        bulk.insert(made)
        bulk.update(list(stored.values()), {name for values in changed.values() for name in values})
        for thing in things:
            for consequence in _consequences[kind]:
                consequence(before=before.get(thing.pk), after=thing)


def delete(thing: models.Model) -> None:
    """Delete one object. Raises StillReferenced when something that stays refers to it."""
    with transaction.atomic():
        before = _stored(thing)
        refuse_if_referenced(thing)
        thing.delete()
        for consequence in _consequences[type(thing)]:
            consequence(before=before, after=None)


def _stored(thing: Thing) -> Thing | None:
    """Return the object as it is in the database, locked, so that two editors take turns."""
    if thing.pk is None:
        return None
    return type(thing)._base_manager.select_for_update(of=("self",)).filter(pk=thing.pk).first()


def caller(request: Any) -> Any:
    """Return the logged-in person of a request that only such may make.

    This floor knows no people; what it asks of one is `may`, `site_ids` and `sees_every_site`.
    """
    return request.user


def sees_every_site(user: Any) -> bool:
    """Say whether nothing is hidden from a user."""
    return bool(user.is_authenticated and user.sees_every_site())


def in_scope(queryset: models.QuerySet[Any], user: Any, scope_paths: Iterable[str]) -> models.QuerySet[Any]:
    """Return what a user may know of: rows that lead to a site of theirs, or to none at all.

    `scope_paths` are the look-ups from the model to its site ("" = it is the site); without any, it belongs to all.
    """
    paths = list(scope_paths)
    if not user.is_authenticated:
        return queryset.none()
    if not paths or sees_every_site(user):
        return queryset
    condition = Q()
    for path in paths:
        condition |= Q(**{f"{path or 'pk'}__in": user.site_ids()})
    if getattr(queryset.model, "without_site_for_all", False):
        condition |= Q(**{f"{path}__isnull": True for path in paths})
    # As a sub-query, because a path over several rows would reach a row several times.
    return queryset.filter(pk__in=queryset.model._base_manager.filter(condition).values("pk"))


def belongs_to_all(thing: Any) -> bool:
    """Say whether a thing belongs to every site: its kind does, or it does until it names a place of one."""
    kind = type(thing)
    if not getattr(kind, "site_paths", ()):
        return True
    return getattr(kind, "without_site_for_all", False) and site_id_of(thing) is None


def site_id_of(thing: Any) -> int | None:
    """Follow a thing's `site_paths` to the id of its site; None when it has none or belongs to all."""
    for path in getattr(type(thing), "site_paths", ()):
        place = thing
        for step in path.split("__") if path else ():
            place = getattr(place, step, None)
            if place is None or hasattr(place, "all"):
                break
        else:
            # A thing of the lowest floor names its site by the id alone.
            return cast(int | None, getattr(place, "pk", place))
    return None
