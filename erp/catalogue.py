"""Which types of messages there are; `docs/erp.md` says what is in each."""

from collections.abc import Sequence

from django.db.models import Q

from materials.reported import CONTAINER_TYPES, MATERIAL_TYPES

TYPES: tuple[str, ...] = (
    "order.status_changed",
    "order.confirmed",
    "operation.status_changed",
    "operation.confirmed",
    *MATERIAL_TYPES,
    *CONTAINER_TYPES,
    "unit.dispatched",
    "unit.scrapped",
    "downtime.ended",
    "downtime.corrected",
    "downtime.withdrawn",
)


def is_known(pattern: str) -> bool:
    """Say whether a type is known, or, ending in `.*`, a group of types."""
    if pattern.endswith(".*"):
        return any(name.startswith(pattern[:-1]) for name in TYPES)
    return pattern in TYPES


def matching(patterns: Sequence[str]) -> Q:
    """Return the condition for messages of some types or groups; without any, for all."""
    condition = Q()
    for pattern in patterns:
        condition |= Q(type__startswith=pattern[:-1]) if pattern.endswith(".*") else Q(type=pattern)
    return condition
