"""Rows that are one thing each: which one a row names, and what it makes of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models

from core.errors import Conflict, Invalid
from core.serializers import MasterDataSerializer
from erp.senders import Sender
from products.serializers import ProductSerializer
from workorders.serializers import CustomerSerializer, DemandSerializer, WorkOrderSerializer

CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"
Row = Mapping[str, Any]
Look = Callable[[str, str], Any]
"""Return the stored thing of which a field has a value; None where there is none that the sender knows of."""


def write_row(kind: type[MasterDataSerializer], known: models.Model | None, row: Mapping[str, Any], by: Sender) -> str:
    """Make or change one thing by a row; say which, or that the row says nothing new."""
    serializer = kind(known, data=dict(row), partial=known is not None, context=by.context)
    serializer.is_valid(raise_exception=True)
    if known is None:
        serializer.save()
        return CREATED
    if all(is_as(known, name, value) for name, value in serializer.validated_data.items()):
        return UNCHANGED
    serializer.save()
    return UPDATED


def is_as(thing: models.Model, name: str, value: Any) -> bool:
    """Say whether a thing says so already."""
    # A reason and a note belong to a step; without one they say nothing.
    if name in ("status_reason", "status_note"):
        return True
    stored = getattr(thing, name)
    return bool({**stored, **value} == stored) if name == "custom" else bool(stored == value)


def text(row: Mapping[str, Any], name: str) -> str:
    """Return a name that a row gives; "" = none. Raises Invalid for what cannot be one."""
    value = row.get(name)
    if value is None or value == "":
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise Invalid("This is a text.", field=name)
    text = str(value)
    if "\0" in text or len(text) > 200:
        raise Invalid("It is too long, or holds a character that cannot be stored.", field=name)
    return text


@dataclass(frozen=True, slots=True)
class Things:
    """A kind of rows that are one thing each, known by the first of `names` that finds it.

    `is_plain`: they are written by `core.master_data` alone, and so many at once.
    """

    serializer: type[MasterDataSerializer]
    names: tuple[str, ...]
    named: Callable[[Row, Look], tuple[Row, Any]]
    is_plain: bool = False

    @property
    def model(self) -> Any:
        """The model of the things."""
        return self.serializer.Meta.model

    @property
    def references(self) -> list[str]:
        """What rows may say the reference of."""
        said = self.serializer.Meta.fields
        return [one.name for one in self.model._meta.concrete_fields if one.is_relation and one.name in said]

    def stored(self, by: Sender) -> Any:
        """Return the things that the sender knows of, with what they refer to."""
        return by.seen(self.model._default_manager.select_related(*self.references))

    def write(self, row: Row, by: Sender) -> str:
        """Make or change the thing of one row; say which, or that the row says nothing new."""
        stored = self.stored(by)
        row, known = self.named(row, lambda name, value: stored.filter(**{name: value}).first())
        return write_row(self.serializer, known, row, by)


def _by_either(row: Row, look: Look, name: str, called: str) -> Any:
    """Return what a row names by the ERP's id, else by a name of ours. Raises Conflict when the ERP calls that
    otherwise.
    """
    external_id, own = text(row, "external_id"), text(row, name)
    if not external_id and not own:
        raise Invalid(f"Say which {called.lower()}: its external_id, or its {name}.", field="external_id")
    known = look("external_id", external_id) if external_id else None
    if known is None and own:
        # One that was written here before the ERP knew of it becomes the ERP's.
        known = look(name, own)
        if known is not None and known.external_id and external_id:
            raise Conflict(f"{called} {own} is {known.external_id} to the ERP.", field=name)
    return known


def _customer(row: Row, look: Look) -> tuple[Row, Any]:
    return row, _by_either(row, look, "code", "Customer")


def _product(row: Row, look: Look) -> tuple[Row, Any]:
    code = text(row, "code")
    if not code:
        raise Invalid("Say which product: its code.", field="code")
    return row, look("code", code)


def _order(row: Row, look: Look) -> tuple[Row, Any]:
    known = _by_either(row, look, "order_number", "Order")
    if known is None and not text(row, "order_number"):
        row = {**row, "order_number": text(row, "external_id")}
    return row, known


def _demand(row: Row, look: Look) -> tuple[Row, Any]:
    external_id = text(row, "external_id")
    if not external_id:
        raise Invalid("Say which demand: its external_id.", field="external_id")
    return row, look("external_id", external_id)


CUSTOMERS = Things(CustomerSerializer, ("external_id", "code"), _customer, is_plain=True)
PRODUCTS = Things(ProductSerializer, ("code",), _product, is_plain=True)
ORDERS = Things(WorkOrderSerializer, ("external_id", "order_number"), _order)
DEMANDS = Things(DemandSerializer, ("external_id",), _demand)
