"""Take what the ERP sends: each row made, changed or left as it is, by the name that the ERP has for it.

A row is written through the serializer and the service of the app that owns it: a bad one does not keep the others out,
and says its field. A row that says what is stored already writes nothing, so the same content again changes nothing
(decision 107). Rows that are one thing each are looked up, and where that is possible written, together
(`erp.row_sets`, decision 130).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError, transaction
from rest_framework import serializers
from rest_framework.exceptions import APIException

from core.errors import DomainError, Invalid
from erp import rows as flat
from erp.revision_rows import RevisionRow, write_revision
from erp.row_sets import REFUSALS, Taken, take_together
from erp.rows import CREATED, UNCHANGED, UPDATED, Row, Things
from erp.senders import Sender
from erp.stock_rows import StockRow, count_stock

MOST_ROWS = 10_000
MOST_FAULTS = 1_000


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


def write_stock(row: Mapping[str, Any], by: Sender) -> str:
    """Let the stock of a product (and lot) at a place be so much, by a movement of the difference."""
    said = StockRow(data=dict(row), context=by.context)
    said.is_valid(raise_exception=True)
    by.check_stock(said.validated_data["location"])
    return UPDATED if count_stock(**said.validated_data, actor=by.request.user, now=by.now) else UNCHANGED


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of rows: how one is written, the fields that name it, its shape, and which right writes it for a person.

    `things`: its rows are one thing each, and are taken together.
    """

    write: Callable[[Row, Sender], str]
    key: tuple[str, ...]
    shape: type[serializers.Serializer]
    right: tuple[str, str]
    is_flat: bool = True
    things: Things | None = None

    def take(self, rows: Sequence[Row], by: Sender) -> list[Taken]:
        """Write the rows; return what became of each, in their order."""
        if self.things is not None:
            return take_together(self.things, rows, by)
        return [_take_one(self.write, row, by) for row in rows]


def _take_one(write: Callable[[Row, Sender], str], row: Row, by: Sender) -> Taken:
    try:
        with transaction.atomic():
            return write(row, by)
    except REFUSALS as error:
        return error


def _of(things: Things, *right: str) -> Kind:
    action, kind = right
    return Kind(things.write, things.names, things.serializer, (action, kind), things=things)


KINDS: dict[str, Kind] = {
    "customers": _of(flat.CUSTOMERS, "add", "order"),
    "products": _of(flat.PRODUCTS, "add", "master_data"),
    "revisions": Kind(write_revision, ("product", "code"), RevisionRow, ("add", "master_data"), is_flat=False),
    "orders": _of(flat.ORDERS, "add", "order"),
    "demands": _of(flat.DEMANDS, "add", "order"),
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
    for kind in rows_by_kind:
        by.check_kind(KINDS[kind].right)
    outcome = Outcome()
    for kind, how in KINDS.items():
        if kind not in rows_by_kind:
            continue
        counts = outcome.counts[kind] = dict.fromkeys((CREATED, UPDATED, UNCHANGED, "refused"), 0)
        rows = rows_by_kind[kind]
        taken = how.take(rows, by)
        for number, row, done in zip(numbers or range(1, len(rows) + 1), rows, taken, strict=True):
            if isinstance(done, str):
                counts[done] += 1
                continue
            counts["refused"] += 1
            called = " ".join(str(row[name])[:64] for name in how.key if row.get(name) not in (None, ""))
            if len(outcome.faults) < MOST_FAULTS:
                outcome.faults += [Fault(kind, number, called, name, words) for name, words in _said(done)]
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
