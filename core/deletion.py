"""Protect what is referenced, also by facts, which for their speed have no foreign keys in the database."""

from django.db import models

from core.errors import StillReferenced

_COUNTED = 1000


def references_to(thing: models.Model) -> dict[str, int]:
    """Return how many objects of which kind refer to an object and would stay: counted up to a thousand of each."""
    found: dict[str, int] = {}
    for relation in thing._meta.related_objects:
        # What is deleted with it does not count; `+` marks derived rows, which are computed anew.
        if relation.on_delete in (models.CASCADE, models.SET_NULL) or relation.related_name == "+":
            continue
        model = relation.related_model
        # What it is referred to by: its id, or a code.
        key = getattr(thing, relation.field.target_field.attname)
        rows = model._base_manager.filter(**{relation.field.name: key}).values(relation.field.attname)
        number = rows[:_COUNTED].count()
        if number:
            plural = str(model._meta.verbose_name_plural)
            found[plural] = found.get(plural, 0) + number
    return found


def refuse_if_referenced(thing: models.Model) -> None:
    """Raise StillReferenced, naming what and how many, when something that stays refers to an object."""
    found = references_to(thing)
    if found:
        listed = ", ".join(f"{'over ' if n >= _COUNTED else ''}{n} {plural}" for plural, n in sorted(found.items()))
        raise StillReferenced(
            f"'{thing}' is still referenced by {listed}. Delete those first, or switch it off instead."
        )
