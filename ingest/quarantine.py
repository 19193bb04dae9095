"""Keep what was refused, once, for a person to see."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from accounts.keys import DeviceScope
from core.facts import fact_cursor
from ingest.items import Refused

LONGEST_PAYLOAD = 2000


class KeptItem(NamedTuple):
    """An item, who delivered it, and why it was refused."""

    item: Any
    scope: DeviceScope
    refusal: Refused


def keep(items: Sequence[KeptItem], *, received_at: datetime) -> None:
    """Keep items aside; a device that repeats itself for days adds to a number, not to the table."""
    rows: dict[tuple[str, str], tuple[Any, ...]] = {}
    for item, scope, refusal in items:
        payload = _written(item)
        digest = hashlib.sha256(f"{refusal.code}\n{payload}".encode()).hexdigest()
        rows[scope.source, digest] = (
            *(scope.site_id, scope.source, payload[:LONGEST_PAYLOAD], digest),
            *(refusal.code, refusal.field, refusal.message[:500]),
        )
    if not rows:
        return
    ordered = [row for _, row in sorted(rows.items())]
    with fact_cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ingest_quarantineditem AS kept (site_id, source, payload, digest, code, field, message,
                times, first_received_at, last_received_at, resolution)
            SELECT site_id, source, payload, digest, code, field, message, 1, %s, %s, 'open'
            FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
                AS item (site_id, source, payload, digest, code, field, message)
            ON CONFLICT (source, digest) DO UPDATE
            SET times = kept.times + 1, last_received_at = excluded.last_received_at
            """,
            [received_at, received_at, *map(list, zip(*ordered, strict=True))],
        )


_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=lambda beyond: msgspec.Raw(str(beyond).encode()))


def _written(item: Any) -> str:
    """Return an item as the JSON that it came as, in a form that the database can hold, whatever was in it."""
    try:
        return _encoder.encode(item).decode()
    except UnicodeEncodeError:
        return json.dumps(item, default=str)
    except RecursionError:
        return "(nested too deeply to be kept)"
