"""Which things make up the set-up of a plant, in which order, and what each is known by: no ids, no secrets,
no facts.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models

from accounts.rights import KIND_OF_MODEL

_KINDS = frozenset(
    {"master_data", "quality_setup", "employee", "cost", "account", "connector", "partner", "report_subscription"}
)
_BESIDES = frozenset({"core.retention", "workorders.customer"})
_LEFT_OUT = frozenset(
    {
        # Keys, and what belongs to one.
        *("accounts.clientkey", "erp.partnersecret", "connectors.tablet"),
        # What happened: facts, and how something is right now.
        *("connectors.connectorhealth", "connectors.unmappedsignal", "erp.partnerprogress", "reports.reportmail"),
        *("quality.calibration", "quality.chartphase", "labor.absence"),
    }
)
_NO_FIELDS: dict[str, frozenset[str]] = {
    "accounts.user": frozenset({"password", "last_login", "date_joined"}),
    "labor.employee": frozenset({"pin"}),
    "core.retention": frozenset({"closed_until"}),
    "reports.workbookversion": frozenset({"uploaded_at"}),
}
_KEYS: dict[str, tuple[str, ...]] = {
    "core.retention": (),
    "enterprise.shift": ("site", "line", "machine", "name", "valid_from", "weekdays"),
    "products.idealrate": ("product", "machine", "valid_from"),
    "products.machinerate": ("line", "machine", "valid_from"),
    "products.productcost": ("product", "site", "valid_from"),
    "labor.employmentterms": ("employee", "valid_from"),
}
_FIRST = ("enterprise.enterprise", "enterprise.site", "accounts.user", "accounts.membership", "core.customfield")
"""What others need without a foreign key that says so: rights, and the fields that values are of."""

Model = type[models.Model]


@cache
def plant_models() -> tuple[Model, ...]:
    """Return the models of the set-up, each after those that it refers to."""
    chosen = {
        model._meta.label_lower: model
        for model in apps.get_models()
        if model._meta.label_lower not in _LEFT_OUT
        and (KIND_OF_MODEL.get(model._meta.label_lower) in _KINDS or model._meta.label_lower in _BESIDES)
    }
    done: dict[str, Model] = {}

    def visit(label: str) -> None:
        if label in done or label not in chosen:
            return
        for target in _targets(chosen[label]):
            if target != label:
                visit(target)
        done[label] = chosen[label]

    for label in (*_FIRST, *sorted(chosen)):
        visit(label)
    return tuple(done.values())


def _targets(model: Model) -> Iterator[str]:
    for field in model._meta.concrete_fields:
        if field.is_relation and field.related_model is not None:
            yield field.related_model._meta.label_lower


@cache
def fields_of(model: Model) -> tuple[Any, ...]:
    """Return the fields of a thing that stand in a file."""
    left_out = _NO_FIELDS.get(model._meta.label_lower, frozenset())
    own_key = model._meta.pk
    return tuple(
        field
        for field in model._meta.concrete_fields
        if field.name not in left_out and not (field is own_key and not field.is_relation)
    )


@cache
def key_fields(model: Model) -> tuple[Any, ...]:
    """Return the fields that a thing is known by, all of them where nothing less tells it from others."""
    label = model._meta.label_lower
    fields = {field.name: field for field in fields_of(model)}
    if label in _KEYS:
        return tuple(fields[name] for name in _KEYS[label])
    unique = sorted(
        (field for field in fields.values() if field.unique),
        key=lambda field: (field.name != "code", field.is_relation),
    )
    if unique:
        return (unique[0],)
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and constraint.fields and constraint.condition is None:
            return tuple(fields[name] for name in constraint.fields)
    return tuple(fields.values())


def own_parent(model: Model) -> Any:
    """Return the field by which a thing refers to one of its own kind; None when it does not."""
    return next((field for field in fields_of(model) if field.is_relation and field.related_model is model), None)
