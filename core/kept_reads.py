"""Master data kept between requests: each request asks once whether any of it changed since, and then trusts it.

Whatever may be kept is read from tables with the trigger `noted_change`, and from no other: the database itself notes
their changes, whoever makes them and however. What is kept is the same for everybody: nothing in it depends on a clock,
a language or a person, and nobody changes it.
"""

from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from core import sql

MOST_NAMES = 10_000
"""So many things of a kind are kept at most; then its keeping begins anew."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was read of one version of the master data, by kind and name."""

    version: tuple[Any, ...]
    things: dict[str, dict[Any, Any]] = field(default_factory=dict)

    def of_kind(self, kind: str) -> dict[Any, Any]:
        """Return what is known of a kind, to be looked at and added to."""
        known = self.things.setdefault(kind, {})
        if len(known) > MOST_NAMES:
            self.things[kind] = known = {}
        return known


_latest = Kept(())


def kept_now() -> Kept:
    """Return what is kept of the master data as they are now, by one statement; empty after a change.

    Who reads after this and adds to it may add what is newer already. That is found by nobody: the next one who asks
    finds another version.
    """
    global _latest
    (version,) = sql.rows("SELECT count(*), coalesce(bit_xor(token), 0) FROM core_masterdatachange")
    version = (connection.settings_dict["NAME"], *version)
    kept = _latest
    if kept.version != version:
        # Another thread may do the same at this moment; then one of the two reads a little more.
        _latest = kept = Kept(version)
    return kept


def forget_past_changes() -> None:
    """Leave one row of all noted changes, a new one, so that asking for the version stays cheap."""
    sql.run(
        """
        WITH gone AS (DELETE FROM core_masterdatachange WHERE transaction <> pg_current_xact_id()::text::bigint)
        INSERT INTO core_masterdatachange (transaction, token)
        VALUES (pg_current_xact_id()::text::bigint, (random() * 9e18)::bigint)
        ON CONFLICT (transaction) DO UPDATE SET token = excluded.token
        """
    )
