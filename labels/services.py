"""Print labels, each code once, and print one again with a reason."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import transaction

from core.errors import Conflict, Invalid
from core.gs1 import NotGs1, parse
from core.locks import take_turns
from enterprise.models import Site
from labels.models import Label, LabelBatch, LabelLayout, LabelReprint
from labels.rendering import FONT, Content, Design, place
from labels.symbols import GS1, NotEncodable, Symbology
from labels.wording import BadTemplate, fill, names

MAX_LABELS = 2_000
MAX_FIELDS, MAX_VALUE = 40, 200
MAX_CODE = 100
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Printed:
    """A batch; `is_new` is false where a request was repeated."""

    batch: LabelBatch
    is_new: bool


@dataclass(frozen=True, slots=True)
class Reprinted:
    """A reprint; `is_new` is false where a request was repeated."""

    reprint: LabelReprint
    is_new: bool


def design_of(layout: LabelLayout) -> dict[str, Any]:
    """Return what a batch keeps of its layout."""
    return {
        "width_mm": str(layout.width_mm),
        "height_mm": str(layout.height_mm),
        "dpi": layout.dpi,
        "symbology": layout.symbology,
        "level": layout.error_level,
        "text_mm": str(layout.text_mm),
        "on_sheets": layout.on_sheets,
    }


def design_from(kept: Mapping[str, Any]) -> Design:
    """Return how labels look by what a batch kept."""
    return Design(
        width_mm=Decimal(kept["width_mm"]),
        height_mm=Decimal(kept["height_mm"]),
        dpi=int(kept["dpi"]),
        symbology=Symbology(kept["symbology"]),
        level=str(kept["level"]),
        text_mm=Decimal(kept["text_mm"]),
        on_sheets=bool(kept["on_sheets"]),
        font=settings.LABEL_FONT or FONT,
    )


def content_of(
    layout: LabelLayout, row: Mapping[str, str], *, site: Site, number: int, day: date
) -> tuple[str, Content]:
    """Return the code of a row, and what its label says. Raises Invalid (rows), naming the row."""
    code = row.get("code", "")
    if not code or len(code) > MAX_CODE or code != code.strip():
        raise Invalid(f"Row {number}: a code has 1 to {MAX_CODE} characters, no blank at its ends.", field="rows")
    if len(row) > MAX_FIELDS or any(len(value) > MAX_VALUE for value in row.values()):
        raise Invalid(
            f"Row {number} has more than {MAX_FIELDS} fields, or a longer text than {MAX_VALUE}.", field="rows"
        )
    if any(not character.isprintable() for value in row.values() for character in value):
        raise Invalid(f"Row {number} holds a character that cannot be printed.", field="rows")
    fields = {
        "base": layout.base_url.rstrip("/"),
        "what": layout.labels_what,
        "site": site.code,
        "date": day.isoformat(),
        **row,
        "number": str(number),
    }
    symbology = Symbology(layout.symbology)
    try:
        payload = fill(layout.payload, fields)
        lines = tuple(fill(line, fields) for line in layout.text_lines)
        if symbology in GS1:
            _check_gs1(layout.payload, payload, fields, day)
        content = Content(payload, lines)
        place(design_from(design_of(layout)), content)
    except (BadTemplate, NotGs1, NotEncodable) as problem:
        raise Invalid(f"Row {number}, '{code}': {problem}", field="rows") from None
    return code, content


def _check_gs1(template: str, payload: str, fields: Mapping[str, str], day: date) -> None:
    """Refuse what is no GS1 element string, or where a value would be read as an identifier of its own."""
    if "(" in "".join(fields[name] for name in names(template)):
        raise NotGs1("A value holds '(', which begins an identifier.")
    parse(payload, today=day)


@transaction.atomic
def print_batch(
    *,
    layout: LabelLayout,
    site: Site,
    rows: Sequence[Mapping[str, str]],
    actor: Any,
    recorded_at: datetime,
    idempotency_key: str | None = None,
) -> Printed:
    """Give each row's `code` a label, all or none; who repeats the request with its key gets the first batch.

    Raises Invalid for rows that cannot be printed, Conflict (rows) for codes that have a label at this site already,
    naming the batch and its day, and Conflict (idempotency_key) when the key was used for something else.
    """
    if not layout.is_active:
        raise Invalid("The layout is switched off; choose another one.", field="layout")
    if layout.site_id is not None and layout.site_id != site.pk:
        raise Invalid("The layout belongs to another site.", field="layout")
    if not rows or len(rows) > MAX_LABELS:
        raise Invalid(f"A batch has 1 to {MAX_LABELS:,} labels.", field="rows")
    asked = json.dumps([layout.pk, site.pk, [dict(row) for row in rows]], sort_keys=True, ensure_ascii=False)
    digest = sha256(asked.encode()).hexdigest()
    # Whoever prints for the same things waits here, so that a duplicate is seen and can be named.
    take_turns(f"labels of {layout.labels_what}", site.pk)
    if idempotency_key:
        take_turns(f"label batch {idempotency_key}")
        known = LabelBatch.objects.filter(idempotency_key=idempotency_key).first()
        if known is not None:
            if known.request_digest != digest:
                raise Conflict("Another batch was printed with this key; it stays.", field="idempotency_key")
            return Printed(known, False)
    day = recorded_at.astimezone(site.zone).date()
    contents = [content_of(layout, row, site=site, number=number, day=day) for number, row in enumerate(rows, start=1)]
    _refuse_duplicates(layout, site, [code for code, _ in contents])
    batch = LabelBatch.objects.create(
        layout=layout,
        site=site,
        design=design_of(layout),
        label_count=len(contents),
        printed_by=actor,
        recorded_at=recorded_at,
        idempotency_key=idempotency_key or None,
        request_digest=digest,
    )
    Label.objects.bulk_create(
        (
            Label(
                batch=batch,
                site=site,
                labels_what=layout.labels_what,
                code=code,
                position=position,
                payload=content.payload,
                texts=list(content.lines),
            )
            for position, (code, content) in enumerate(contents, start=1)
        ),
        batch_size=1000,
    )
    return Printed(batch, True)


def _refuse_duplicates(layout: LabelLayout, site: Site, codes: list[str]) -> None:
    seen: dict[str, int] = {}
    for number, code in enumerate(codes, start=1):
        if code in seen:
            raise Conflict(f"Row {number}, '{code}': the same code is in row {seen[code]}.", field="rows")
        seen[code] = number
    taken = Label.objects.filter(site=site, labels_what=layout.labels_what, code__in=codes)
    first = list(taken.select_related("batch").order_by("batch", "position")[: SHOWN + 1])
    if first:
        named = "; ".join(
            f"'{label.code}' in batch {label.batch_id} of {label.batch.recorded_at.astimezone(site.zone):%Y-%m-%d}"
            for label in first[:SHOWN]
        )
        more = " and others" if len(first) > SHOWN else ""
        raise Conflict(f"Labels were printed already: {named}{more}. Print those again instead.", field="rows")


@transaction.atomic
def reprint(
    *, label: Label, reason: str, actor: Any, recorded_at: datetime, idempotency_key: str | None = None
) -> Reprinted:
    """Record that a label is printed again, and why. Raises Invalid without a reason, Conflict for a used key."""
    said = reason.strip()
    if not said:
        raise Invalid("Say why it is printed again.", field="reason")
    if idempotency_key:
        take_turns(f"label reprint {idempotency_key}")
        known = LabelReprint.objects.filter(idempotency_key=idempotency_key).first()
        if known is not None:
            if (known.label_id, known.reason) != (label.pk, said):
                raise Conflict("Another label was printed again with this key.", field="idempotency_key")
            return Reprinted(known, False)
    again = LabelReprint.objects.create(
        label=label, reason=said, printed_by=actor, recorded_at=recorded_at, idempotency_key=idempotency_key or None
    )
    return Reprinted(again, True)
