"""Revisions as the ERP has them: a bill and routings, whole."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from core import master_data
from core.errors import Invalid
from core.serializers import AwareDateTimeField, MasterDataSerializer, Plain, ReferenceField
from erp.rows import CREATED, UNCHANGED, UPDATED, text, write_row
from erp.senders import Sender
from products.models import BillOfMaterialLine, Product, ProductRevision, Routing, RoutingOperation
from products.serializers import (
    BillOfMaterialLineSerializer,
    ProductRevisionSerializer,
    RoutingOperationSerializer,
    RoutingSerializer,
)
from products.services import release_revision


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
    known = Routing.objects.filter(revision=revision, code=text(row, "code")).first()
    done = [write_row(RoutingSerializer, known, {**head, "revision": revision.pk}, by)]
    routing = known or Routing.objects.get(revision=revision, code=text(row, "code"))
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
