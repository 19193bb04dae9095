"""Take what the ERP sends: each row made, changed or left as it is, by the name that the ERP has for it.

A row is written through the serializer and the service of the app that owns it, in a transaction of its own: a bad one
does not keep the others out, and says its field. A row that says what is stored already writes nothing, so the same
content again changes nothing (decision 107).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, IntegrityError, models, transaction
from rest_framework import serializers
from rest_framework.exceptions import APIException, ValidationError

from core import master_data
from core.errors import Conflict, DomainError, Invalid
from core.master_data import in_scope, site_id_of
from core.serializers import AwareDateTimeField, MasterDataSerializer, Plain, ReferenceField
from erp.stock_rows import StockRow, count_stock
from products.models import BillOfMaterialLine, Product, ProductRevision, Routing, RoutingOperation
from products.serializers import (
    BillOfMaterialLineSerializer,
    ProductRevisionSerializer,
    ProductSerializer,
    RoutingOperationSerializer,
    RoutingSerializer,
)
from products.services import release_revision
from workorders.models import Customer, Demand, WorkOrder
from workorders.serializers import CustomerSerializer, DemandSerializer, WorkOrderSerializer

MOST_ROWS = 10_000
MOST_FAULTS = 1_000
NOT_THERE = "Your account may not import at that site."
CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row: its kind, its place (from 1; in a file its row there), what it is called, the field,
    the words.
    """

    kind: str
    row: int
    key: str
    field: str
    message: str


@dataclass(slots=True)
class Outcome:
    """What became of the rows of an import, by kind."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """How many rows were not taken."""
        return sum(found["refused"] for found in self.counts.values())


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


Write = Callable[[Mapping[str, Any], Sender], str]


def write_row(kind: type[MasterDataSerializer], known: models.Model | None, row: Mapping[str, Any], by: Sender) -> str:
    """Make or change one thing by a row; say which, or that the row says nothing new."""
    serializer = kind(known, data=dict(row), partial=known is not None, context=by.context)
    serializer.is_valid(raise_exception=True)
    if known is None:
        serializer.save()
        return CREATED
    if all(_is_as(known, name, value) for name, value in serializer.validated_data.items()):
        return UNCHANGED
    serializer.save()
    return UPDATED


def _is_as(thing: models.Model, name: str, value: Any) -> bool:
    # A reason and a note belong to a step; without one they say nothing.
    if name in ("status_reason", "status_note"):
        return True
    stored = getattr(thing, name)
    return bool({**stored, **value} == stored) if name == "custom" else bool(stored == value)


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None or value == "":
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise Invalid("This is a text.", field=name)
    text = str(value)
    if "\0" in text or len(text) > 200:
        raise Invalid("It is too long, or holds a character that cannot be stored.", field=name)
    return text


# --- customers, products, orders, demands: one row, one thing ---


def write_customer(row: Mapping[str, Any], by: Sender) -> str:
    """Make or change a customer by what the ERP calls it, else by its code."""
    external_id, code = _text(row, "external_id"), _text(row, "code")
    if not external_id and not code:
        raise Invalid("Say which customer: its external_id, or its code.", field="external_id")
    known = Customer.objects.filter(external_id=external_id).first() if external_id else None
    if known is None and code:
        # One that was written here before the ERP knew of it becomes the ERP's.
        known = Customer.objects.filter(code=code).first()
        if known is not None and known.external_id and external_id:
            raise Conflict(f"Customer {code} is {known.external_id} to the ERP.", field="code")
    return write_row(CustomerSerializer, known, row, by)


def write_product(row: Mapping[str, Any], by: Sender) -> str:
    """Make or change a product by its code."""
    code = _text(row, "code")
    if not code:
        raise Invalid("Say which product: its code.", field="code")
    return write_row(ProductSerializer, Product.objects.filter(code=code).first(), row, by)


def write_order(row: Mapping[str, Any], by: Sender) -> str:
    """Make or change an order by what the ERP calls it, else by its number."""
    orders = by.seen(WorkOrder.objects.select_related("customer"))
    external_id, number = _text(row, "external_id"), _text(row, "order_number")
    if not external_id and not number:
        raise Invalid("Say which order: its external_id, or its order_number.", field="external_id")
    known = orders.filter(external_id=external_id).first() if external_id else None
    if known is None and number:
        # One that was written here before the ERP knew of it becomes the ERP's.
        known = orders.filter(order_number=number).first()
        if known is not None and known.external_id and external_id:
            raise Conflict(f"Order {number} is {known.external_id} to the ERP.", field="order_number")
    if known is None and not number:
        row = {**row, "order_number": external_id}
    return write_row(WorkOrderSerializer, known, row, by)


def write_demand(row: Mapping[str, Any], by: Sender) -> str:
    """Make or change a demand by what the ERP calls it."""
    external_id = _text(row, "external_id")
    if not external_id:
        raise Invalid("Say which demand: its external_id.", field="external_id")
    known = by.seen(Demand.objects.select_related("customer")).filter(external_id=external_id).first()
    return write_row(DemandSerializer, known, row, by)


# --- revisions: a bill and routings, whole ---


class RevisionRow(Plain):
    """A revision with all of its bill and routings; what is left out is left as it is."""

    product = ReferenceField(queryset=Product.objects.all())
    code = serializers.CharField(max_length=32)
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    base_quantity = serializers.DecimalField(max_digits=18, decimal_places=6, required=False)
    bill = serializers.ListField(child=serializers.DictField(), required=False, max_length=1000)
    routings = serializers.ListField(child=serializers.DictField(), required=False, max_length=20)
    release_from = AwareDateTimeField(required=False, help_text="Release it from this moment on.")


def write_revision(row: Mapping[str, Any], by: Sender) -> str:
    """Make or change a draft with its bill and routings, and release it where that is asked for.

    A released one stays as it is: the same again is fine, anything else needs a revision of another code.
    """
    said = RevisionRow(data=dict(row), context=by.context)
    said.is_valid(raise_exception=True)
    given = said.validated_data
    product, code = given["product"], given["code"]
    known = ProductRevision.objects.filter(product=product, code=code).first()
    head = {name: row[name] for name in ("name", "base_quantity") if name in row}
    done = [write_row(ProductRevisionSerializer, known, {**head, "product": product.pk, "code": code}, by)]
    revision = known or ProductRevision.objects.get(product=product, code=code)
    if "bill" in given:
        done += _replace(
            BillOfMaterialLineSerializer,
            revision.bill_lines.all(),
            "position",
            given["bill"],
            {"revision": revision.pk},
            by,
        )
    for number, routing_row in enumerate(given.get("routings", ()), start=1):
        done += _write_routing(revision, routing_row, number, by)
    if given.get("release_from") and revision.is_draft:
        release_revision(revision=revision, valid_from=given["release_from"])
        done.append(UPDATED)
    return CREATED if known is None else UPDATED if set(done) != {UNCHANGED} else UNCHANGED


def _write_routing(revision: ProductRevision, row: Mapping[str, Any], number: int, by: Sender) -> list[str]:
    operations = row.get("operations", [])
    if (
        not isinstance(operations, list)
        or not all(isinstance(one, dict) for one in operations)
        or len(operations) > 500
    ):
        raise Invalid(f"Routing {number}: its operations are a list of at most 500.", field="routings")
    head = {name: value for name, value in row.items() if name != "operations"}
    known = Routing.objects.filter(revision=revision, code=_text(row, "code")).first()
    done = [write_row(RoutingSerializer, known, {**head, "revision": revision.pk}, by)]
    routing = known or Routing.objects.get(revision=revision, code=_text(row, "code"))
    rows = routing.operations.all()
    return done + _replace(RoutingOperationSerializer, rows, "sequence", operations, {"routing": routing.pk}, by)


def _replace(
    kind: type[MasterDataSerializer],
    stored: Iterable[BillOfMaterialLine | RoutingOperation],
    place: str,
    rows: Sequence[Mapping[str, Any]],
    parent: Mapping[str, Any],
    by: Sender,
) -> list[str]:
    """Let the rows of a revision be these, known by their place; say what became of each."""
    known = {getattr(one, place): one for one in stored}
    done = []
    for number, row in enumerate(rows, start=1):
        at = row.get(place)
        try:
            done.append(write_row(kind, known.pop(at, None) if isinstance(at, int) else None, {**row, **parent}, by))
        except ValidationError as error:
            raise ValidationError({f"{place} {at if at is not None else number}": error.detail}) from None
    for left in known.values():
        master_data.delete(left)
        done.append(UPDATED)
    return done


def write_stock(row: Mapping[str, Any], by: Sender) -> str:
    """Let the stock of a product (and lot) at a place be so much, by a movement of the difference."""
    said = StockRow(data=dict(row), context=by.context)
    said.is_valid(raise_exception=True)
    by.check_stock(said.validated_data["location"])
    return UPDATED if count_stock(**said.validated_data, actor=by.request.user, now=by.now) else UNCHANGED


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of rows: how one is written, the fields that name it, its shape,
    and which right writes it for a person.
    """

    write: Write
    key: tuple[str, ...]
    shape: type[serializers.Serializer]
    right: tuple[str, str]
    is_flat: bool = True


KINDS: dict[str, Kind] = {
    "customers": Kind(write_customer, ("external_id", "code"), CustomerSerializer, ("add", "order")),
    "products": Kind(write_product, ("code",), ProductSerializer, ("add", "master_data")),
    "revisions": Kind(write_revision, ("product", "code"), RevisionRow, ("add", "master_data"), is_flat=False),
    "orders": Kind(write_order, ("external_id", "order_number"), WorkOrderSerializer, ("add", "order")),
    "demands": Kind(write_demand, ("external_id",), DemandSerializer, ("add", "order")),
    "stock": Kind(write_stock, ("product", "lot", "location"), StockRow, ("change", "material")),
}
"""In the order in which they are taken: what others refer to comes first."""


def refuse_malformed(sent: Any) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Return the lists of rows by kind. Raises Invalid for what is no import, or too much of one."""
    if not isinstance(sent, dict) or not sent:
        raise Invalid(f"Send lists of rows by kind: {', '.join(KINDS)}.")
    for kind, rows in sent.items():
        if kind not in KINDS:
            raise Invalid(f"There is no kind '{str(kind)[:64]}'; there are {', '.join(KINDS)}.", field=str(kind)[:64])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise Invalid("This is a list of rows; each is an object.", field=kind)
    if sum(len(rows) for rows in sent.values()) > MOST_ROWS:
        raise Invalid(f"At most {MOST_ROWS} rows at once; send the rest in another request.")
    return sent


def flat_kind(name: str) -> Kind:
    """Return the kind of the rows that a file may hold. Raises Invalid for one that is none, or needs JSON."""
    kind = KINDS.get(name)
    if kind is None:
        raise Invalid(f"There is no kind '{name[:64]}'; there are {', '.join(KINDS)}.")
    if not kind.is_flat:
        raise Invalid(f"{name.capitalize()} hold lists of their own; send JSON.")
    return kind


def take(sent: Any, *, by: Sender, numbers: Sequence[int] = ()) -> Outcome:
    """Write the rows of an import, kind by kind; return what became of them. Raises Invalid for what is none.

    `numbers` are those of the rows in the file that they come from; without, they are counted from 1.
    """
    rows_by_kind = refuse_malformed(sent)
    outcome = Outcome()
    for kind, how in KINDS.items():
        if kind not in rows_by_kind:
            continue
        counts = outcome.counts[kind] = dict.fromkeys((CREATED, UPDATED, UNCHANGED, "refused"), 0)
        rows = rows_by_kind[kind]
        for number, row in zip(numbers or range(1, len(rows) + 1), rows, strict=True):
            try:
                with transaction.atomic():
                    done = how.write(row, by)
                counts[done] += 1
            except (APIException, DomainError, DjangoValidationError, IntegrityError, DataError) as error:
                counts["refused"] += 1
                called = " ".join(str(row[name])[:64] for name in how.key if row.get(name) not in (None, ""))
                if len(outcome.faults) < MOST_FAULTS:
                    outcome.faults += [Fault(kind, number, called, name, words) for name, words in _said(error)]
    return outcome


def _said(error: Exception) -> list[tuple[str, str]]:
    """Return what is wrong, by field; "" = it concerns no single one."""
    if isinstance(error, DomainError):
        return [(error.field or "", error.message)]
    if isinstance(error, DjangoValidationError):
        if hasattr(error, "error_dict"):
            return [(name.replace("__all__", ""), " ".join(words)) for name, words in error.message_dict.items()]
        return [("", " ".join(error.messages))]
    if isinstance(error, APIException):
        return list(_flat(error.detail))[:10]
    if isinstance(error, IntegrityError):
        return [("", "It contradicts what is stored: another one of that name, perhaps at another site.")]
    return [("", "A value is outside what can be stored.")]


def _flat(detail: Any, name: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(detail, dict):
        for key, inner in detail.items():
            here = "" if key == "non_field_errors" else str(key)
            yield from _flat(inner, f"{name}.{here}" if name and here else name or here)
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flat(inner, name)
    else:
        yield name, str(detail)
