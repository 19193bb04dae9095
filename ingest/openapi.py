"""Describe the device door in the API documentation, which knows only Django's own addresses."""

from typing import Any

from ingest.items import (
    COUNT_EXAMPLE,
    EVENT_EXAMPLE,
    EVENTS,
    GAP_EXAMPLE,
    MAX_CAUSE,
    MAX_DETAIL,
    MAX_ITEMS,
    MEASUREMENT_EXAMPLE,
    STATE_EXAMPLE,
)

_SCHEMAS: dict[str, Any] = {
    "CountItem": {
        "type": "object",
        "required": ["tag", "at", "value"],
        "additionalProperties": False,
        "properties": {
            "tag": {"type": "string", "description": "The count tag's path."},
            "at": {"type": "string", "format": "date-time", "description": "When it was counted, with a zone."},
            "value": {
                "type": "number",
                "minimum": 0,
                "description": "New pulses (delta tag) or the counter's reading (running counter).",
            },
        },
        "example": COUNT_EXAMPLE,
    },
    "StateItem": {
        "type": "object",
        "required": ["at", "state"],
        "additionalProperties": False,
        "properties": {
            "machine": {"type": "string", "description": "The machine's code."},
            "line": {"type": "string", "description": "Instead of the machine: the line's constraint machine."},
            "at": {"type": "string", "format": "date-time", "description": "When the state began, with a zone."},
            "state": {"type": "string", "description": "The state reason's code."},
            "detail": {
                "type": "string",
                "maxLength": MAX_DETAIL,
                "description": "The device's own words, e.g. an alarm.",
            },
        },
        "example": STATE_EXAMPLE,
    },
    "CounterEventItem": {
        "type": "object",
        "required": ["tag", "at", "event"],
        "additionalProperties": False,
        "properties": {
            "tag": {"type": "string", "description": "The path of a running counter's tag."},
            "at": {"type": "string", "format": "date-time", "description": "When it happened, with a zone."},
            "event": {"type": "string", "enum": sorted(EVENTS)},
            "value": {"type": "number", "minimum": 0, "description": "What the counter read right after a reset."},
        },
        "example": EVENT_EXAMPLE,
    },
    "GapItem": {
        "type": "object",
        "required": ["at", "until", "gap"],
        "additionalProperties": False,
        "properties": {
            "machine": {"type": "string", "description": "The machine's code."},
            "line": {"type": "string", "description": "Instead of the machine: the line's constraint machine."},
            "at": {"type": "string", "format": "date-time", "description": "From when on what it said is lost."},
            "until": {"type": "string", "format": "date-time", "description": "Until when; after `at`."},
            "gap": {"type": "string", "maxLength": MAX_CAUSE, "description": "How it is known, e.g. an overflow."},
        },
        "example": GAP_EXAMPLE,
    },
    "MeasurementItem": {
        "type": "object",
        "required": ["measurement", "at", "value"],
        "additionalProperties": False,
        "properties": {
            "measurement": {"type": "string", "description": "What the device calls the readings of a gauge."},
            "at": {"type": "string", "format": "date-time", "description": "When it was measured, with a zone."},
            "value": {"type": "number", "description": "In the unit that was set up; at most nine decimals."},
            "serial": {"type": "string", "maxLength": 64, "description": "The unit's serial number, if it has one."},
        },
        "example": MEASUREMENT_EXAMPLE,
    },
    "DeliveryOutcome": {
        "type": "object",
        "properties": {
            "accepted": {"type": "integer"},
            "duplicates": {"type": "integer"},
            "refused": {"type": "integer"},
            "items": {
                "type": "array",
                "description": "Only what was not plainly accepted.",
                "items": {
                    "type": "object",
                    "properties": {
                        "index": {"type": "integer"},
                        "status": {"type": "string", "enum": ["duplicate", "conflict", "refused", "quarantined"]},
                        "field": {"type": "string"},
                        "code": {"type": "string"},
                        "message": {"type": "string"},
                    },
                },
            },
        },
        "example": {
            "accepted": 998,
            "duplicates": 1,
            "refused": 1,
            "items": [
                {"index": 0, "status": "duplicate", "field": "", "code": "", "message": ""},
                {
                    "index": 17,
                    "status": "refused",
                    "field": "tag",
                    "code": "unknown_tag",
                    "message": "This key knows no tag 'L1/FILLER/god'.",
                },
            ],
        },
    },
}

_ANSWERS = {
    "200": "Everything is stored, or was before.",
    "207": "The good items are stored; `items` says what became of the others.",
    "400": "The body cannot be read.",
    "401": "The device key is missing, unknown or revoked.",
    "408": "The body came too slowly.",
    "413": "The body is too large.",
    "422": "No item could be stored.",
    "503": "The database is away or too much is waiting: nothing is stored, send again after `Retry-After` seconds.",
}


def add_device_door(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add the device door's addresses, schemas and key to the generated document."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {}).update(_SCHEMAS)
    components.setdefault("securitySchemes", {})["deviceKey"] = {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Api-Key <key>` of a device; made in the admin for a machine or a line, shown once.",
    }
    items = {"oneOf": [_reference(f"{kind}Item") for kind in ("Count", "State", "CounterEvent", "Gap")]}
    batch = {
        "type": "object",
        "required": ["items"],
        "properties": {"items": {"type": "array", "minItems": 1, "maxItems": MAX_ITEMS, "items": items}},
    }
    result["paths"].update(
        {
            "/ingest/": _post(
                "Deliver counts, states, counter events and known gaps",
                "ingest_batch",
                {**batch, "example": {"items": [COUNT_EXAMPLE, STATE_EXAMPLE]}},
            ),
            "/ingest/count": _post("Deliver one count", "ingest_count", _reference("CountItem")),
            "/ingest/state": _post("Deliver one state", "ingest_state", _reference("StateItem")),
        }
    )
    result["paths"] = dict(sorted(result["paths"].items()))
    return result


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _post(summary: str, operation: str, schema: dict[str, Any]) -> dict[str, Any]:
    answer = {"application/json": {"schema": _reference("DeliveryOutcome")}}
    return {
        "post": {
            "operationId": operation,
            "summary": summary,
            "description": (
                "Up to 10,000 items, mixed, in any order, as late as they are. Repeating a delivery changes nothing, "
                "so after any doubt: send again. A bad item never rejects a good one."
            ),
            "tags": ["ingest"],
            "security": [{"deviceKey": []}],
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
            "responses": {
                status: {"description": text, **({"content": answer} if status in ("200", "207", "422") else {})}
                for status, text in _ANSWERS.items()
            },
        }
    }
