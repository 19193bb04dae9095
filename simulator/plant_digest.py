"""Say what a plant's rows are in a few hashes: two plants with the same content have the same, whatever their keys.

Rows are read without their own key; a reference is read as the content of what it refers to, a person as the user name.
What is accidental is left out: passwords, keys of devices, seals, and what signatures say of keys.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import connection, models

from core.audit_chain import written

_APPS = (
    "enterprise",
    "products",
    "workorders",
    "materials",
    "labor",
    "execution",
    "quality",
    "downtime",
    "batchrecords",
    "andon",
    "maintenance",
)
_LEFT_OUT = frozenset({"Picture", "Certificate", "OrderConfirmation"})
# What was signed and decided names rows by their keys; those rows are here themselves.
_COVER_KEYS = {
    "batchrecords.Signature": {"snapshot", "content_hash", "snapshot_hash"},
    "batchrecords.Resolution": {"key", "finding_hash"},
}
_FACTS = """
    SELECT tag.tag_path, fact.occurred_at, fact.value, fact.recorded_at, fact.source
    FROM counts_counthistory fact JOIN counts_counttag tag ON tag.id = fact.tag_id ORDER BY 1, 2
"""
_STATES = """
    SELECT machine.code, fact.occurred_at, reason.code, fact.detail, fact.recorded_at, fact.source
    FROM downtime_statehistory fact JOIN enterprise_machine machine ON machine.id = fact.machine_id
    JOIN downtime_statereason reason ON reason.id = fact.reason_id ORDER BY 1, 2
"""
_BIG = {"counts.CountHistory": _FACTS, "downtime.StateHistory": _STATES}
_READ_AT_ONCE = 20_000


def digest_of() -> Iterator[tuple[str, int, str]]:
    """Yield each kind of row with the number of rows and the SHA-256 of what they say, in a fixed order;
    then of all.
    """
    whole, known = hashlib.sha256(), _Known()
    for label, statement in _BIG.items():
        rows, sha = _of_statement(statement)
        whole.update(f"{label} {sha}\n".encode())
        yield label, rows, sha
    for model in sorted(_models(), key=lambda model: model._meta.label):
        hashes = sorted(known.of(model).values())
        sha = hashlib.sha256("\n".join(hashes).encode()).hexdigest()
        whole.update(f"{model._meta.label} {sha}\n".encode())
        if hashes:
            yield model._meta.label, len(hashes), sha
    yield "everything", 0, whole.hexdigest()


def _models() -> list[type[models.Model]]:
    return [
        model
        for label in _APPS
        for model in apps.get_app_config(label).get_models()
        if not model.__name__.startswith("Historical")
        and model.__name__ not in _LEFT_OUT
        and model._meta.label not in _BIG
    ]


def _of_statement(statement: str) -> tuple[int, str]:
    sha, rows = hashlib.sha256(), 0
    with connection.cursor() as cursor:
        cursor.execute(statement)
        while found := cursor.fetchmany(_READ_AT_ONCE):
            rows += len(found)
            sha.update("\n".join(repr([written(value) for value in row]) for row in found).encode())
    return rows, sha.hexdigest()


class _Known:
    """The hash of each row's content, by model and key; worked out when it is first referred to."""

    def __init__(self) -> None:
        self._by_model: dict[type[models.Model], dict[Any, str]] = {}
        self._open: set[type[models.Model]] = set()

    def of(self, model: type[models.Model]) -> dict[Any, str]:
        """Return the hashes of a model's rows, by their keys."""
        if model not in self._by_model:
            self._open.add(model)
            without = _COVER_KEYS.get(model._meta.label, set())
            fields = [
                field
                for field in model._meta.concrete_fields
                if (not field.primary_key or field.is_relation) and field.name not in without
            ]
            names = [field.attname for field in fields]
            rows = list(model._base_manager.order_by().values_list("pk", *names))
            of = [self._referred(field) for field in fields]
            self._by_model[model] = {
                pk: hashlib.sha256(
                    repr(
                        [
                            written(value) if hashes is None or value is None else hashes.get(value, "")
                            for value, hashes in zip(values, of, strict=True)
                        ]
                    ).encode()
                ).hexdigest()
                for pk, *values in rows
            }
            self._open.discard(model)
        return self._by_model[model]

    def _referred(self, field: "models.Field[Any, Any]") -> dict[Any, str] | None:
        """Return by what a reference is read; None for a plain value."""
        if not isinstance(field, models.ForeignKey):
            return None
        target = field.related_model
        if target._meta.label == "accounts.User":
            return dict(target._base_manager.values_list("pk", "username"))
        if field.target_field.attname != target._meta.pk.attname:
            return None
        label = target._meta.label
        if label in _BIG or target in self._open or target.__name__ in _LEFT_OUT:
            # A row that refers to one of its own kind says so by that one's name, where it has one.
            return self._names(target)
        return self.of(target)

    def _names(self, target: type[models.Model]) -> dict[Any, str]:
        for name in ("code", "order_number", "number"):
            if any(field.name == name for field in target._meta.concrete_fields):
                return dict(target._base_manager.values_list("pk", name))
        return {}
