"""Serial units can be reported on: what was filled in at their stages, what they are built of,
what happened to them.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from reports.known_sources import PRODUCT_FIELDS, printed_at, product_fields
from reports.sources import Source, register
from tracking.models import SerialUnit
from tracking.records import RELATED, shown, units_as_records

_NOT_OF_A_NAME = re.compile("[^a-z0-9]+")


def name_of(*codes: str) -> str:
    """Return codes as one step of a path: PULL and X are pull_x."""
    name = _NOT_OF_A_NAME.sub("_", " ".join(codes).lower()).strip("_")
    return name if name[:1].isalpha() else f"n_{name}"


def _typed(kind: str, value: str | None) -> Any:
    if value is None:
        return None
    if kind == "number":
        return Decimal(value)
    return datetime.fromisoformat(value) if kind == "timestamp" else shown(kind, value)


def read_units(units: Sequence[SerialUnit], user: Any) -> list[dict[str, Any]]:
    """Return the fields of serial units, in as many queries as of one, but for the levels of their parts."""
    return [_fields(unit, record) for unit, record in zip(units, units_as_records(units), strict=True)]


def _fields(unit: SerialUnit, record: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, dict[str, Any]] = defaultdict(dict)
    entered = []
    for stage in record["stages"]:
        for one in stage["fields"]:
            value = _typed(one["kind"], one["value"])
            values[name_of(stage["code"])][name_of(one["code"], one["position"])] = value
            entered.append({**one, "value": value, "stage": stage["name"], "stage_code": stage["code"]})
    return {
        "serial": record["serial"],
        "product": product_fields(unit.product),
        "order_number": record["order"],
        "status": unit.get_status_display(),
        "overall": record["overall"].replace("_", " "),
        "site": unit.site.name,
        "rework_count": record["rework_count"],
        "created_at": record["created_at"],
        "finished_at": record["finished_at"],
        "replaces": record["replaces"],
        "parent": record["parent"],
        "position": record["position"],
        "printed_at": printed_at(),
        "time_zone": unit.site.time_zone,
        "values": dict(values),
        "stages": [{**stage, "number": number} for number, stage in enumerate(record["stages"], start=1)],
        "fields": entered,
        "parts": [{**part, "number": number} for number, part in enumerate(_flat(record["parts"]), start=1)],
        "history": record["history"],
    }


def _flat(parts: list[dict[str, Any]], depth: int = 1) -> Iterator[dict[str, Any]]:
    for part in parts:
        yield {**part, "depth": depth}
        yield from _flat(part["parts"], depth + 1)


register(
    Source(
        name="serial_unit",
        label="Serial unit",
        model=SerialUnit,
        title=lambda unit: str(unit.serial),
        read=read_units,
        related=RELATED,
        filters={
            "product": "product",
            "order": "order",
            "site": "site",
            "status": "status",
            "serial": "serial",
            "finished_from": "finished_at__gte",
            "finished_until": "finished_at__lt",
        },
        fields={
            "serial": "Its serial number",
            **PRODUCT_FIELDS,
            "order_number": "The order that it was made for",
            "status": "Its status",
            "overall": "How it stands in one word",
            "site": "The site",
            "rework_count": "How often it was reworked",
            "created_at": "When it was created",
            "finished_at": "When its last stage was done",
            "replaces": "The scrapped unit that it was made for",
            "parent": "What it is built into",
            "position": "At which position",
            "printed_at": "The moment of printing",
            "stages[].number": "1, 2, 3 …",
            "stages[].code": "The stage's code",
            "stages[].name": "The stage's name",
            "stages[].state": "How it stands",
            "stages[].round": "Which time it is gone through",
            "stages[].started_at": "When it began",
            "stages[].completed_at": "When it was done",
            "fields[].stage": "The stage's name",
            "fields[].stage_code": "The stage's code",
            "fields[].label": "What is asked for",
            "fields[].code": "The field's code; one alone is values.wire_bond.pull_x (stage WIRE-BOND, field PULL, sub-unit X)",
            "fields[].position": "The sub-unit that it is asked of",
            "fields[].value": "What was filled in",
            "fields[].unit": "What that is in",
            "fields[].minimum": "The least that is good",
            "fields[].maximum": "The most that is good",
            "fields[].is_ok": "Whether it is good",
            "fields[].by": "Who filled it in",
            "fields[].at": "When it was filled in",
            "parts[].number": "1, 2, 3 …",
            "parts[].depth": "1 = a part of the unit, 2 = a part of a part …",
            "parts[].serial": "A part's serial number",
            "parts[].product": "The part's product",
            "parts[].position": "Where it is built in",
            "parts[].since": "Since when",
            "history[].at": "When something happened, the newest first",
            "history[].by": "Who did it",
            "history[].what": "What it was",
            "history[].stage": "At which stage",
            "history[].reason": "Why",
        },
    )
)
