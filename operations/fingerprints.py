"""Say what is in a database, so that two can be compared: rows and checksums of each table, shapes, counters.

The checksum of a table is the sum over its rows of 64 bits of SHA-256 of the row's text: the order of rows does not
matter, and a row that is there twice counts twice.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import psycopg
from psycopg import sql

# What a row's text depends on.
_WRITTEN = """
    SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET TimeZone = 'UTC'; SET bytea_output = 'hex';
    SET extra_float_digits = 1; SET search_path = ''; SET lc_monetary = 'C'; SET statement_timeout = 0
"""

_OWN = """
    n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.objid = {oid} AND e.classid = '{catalog}'::regclass
                    AND e.deptype = 'e')
"""

_TABLES = """
    SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND
""" + _OWN.format(oid="c.oid", catalog="pg_catalog.pg_class")

_SHAPES = f"""
    WITH parts (of, part) AS (
        SELECT attrelid, concat_ws(' ', 'column', attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated)
        FROM pg_catalog.pg_attribute WHERE attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT conrelid, concat_ws(' ', 'constraint', conname, contype, convalidated) FROM pg_catalog.pg_constraint
        UNION ALL
        SELECT indrelid, concat_ws(' ', 'index', i.relname, indisunique, indisvalid)
        FROM pg_catalog.pg_index JOIN pg_catalog.pg_class i ON i.oid = indexrelid
        UNION ALL
        SELECT tgrelid, concat_ws(' ', 'trigger', tgname, tgenabled) FROM pg_catalog.pg_trigger WHERE NOT tgisinternal
        UNION ALL
        SELECT inhrelid, concat_ws(' ', 'part of', p.relname, pg_get_expr(c.relpartbound, c.oid))
        FROM pg_catalog.pg_inherits JOIN pg_catalog.pg_class p ON p.oid = inhparent JOIN pg_catalog.pg_class c ON c.oid = inhrelid
    )
    SELECT n.nspname || '.' || c.relname, c.relkind::text, string_agg(part, E'\\n' ORDER BY part COLLATE "C")
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN parts ON parts.of = c.oid
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relpersistence <> 't' AND {_OWN.format(oid="c.oid", catalog="pg_catalog.pg_class")}
    GROUP BY 1, 2
    UNION ALL
    SELECT n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', 'f', p.prosrc
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE {_OWN.format(oid="p.oid", catalog="pg_catalog.pg_proc")}
"""

_SEQUENCES = """
    SELECT schemaname || '.' || sequencename, increment_by, coalesce(last_value, 0) FROM pg_catalog.pg_sequences ORDER BY 1
"""

_CONTENT = """
    SELECT count(*), coalesce(sum(
        ('x' || left(encode(sha256(convert_to(("~row".*)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint::numeric), 0)
    FROM ONLY {} AS "~row"
"""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a database holds: by table (rows, checksum), by thing a digest of its shape, by counter where it stands."""

    tables: dict[str, tuple[int, str]]
    shapes: dict[str, str]
    sequences: dict[str, tuple[int, int]]

    @property
    def rows(self) -> int:
        """Return how many rows there are in all tables."""
        return sum(rows for rows, _ in self.tables.values())

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {"tables": self.tables, "shapes": self.shapes, "sequences": self.sequences}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Fingerprint":
        """Return what `to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        return cls(
            {name: (int(rows), str(total)) for name, (rows, total) in found["tables"].items()},
            {name: str(shape) for name, shape in found["shapes"].items()},
            {name: (int(step), int(at)) for name, (step, at) in found["sequences"].items()},
        )


def lock_tables(opened: "psycopg.Connection[Any]") -> None:
    """Keep every table from being dropped or altered until the transaction ends; readers and writers go on."""
    names = [sql.Identifier(*row) for row in opened.execute(_TABLES).fetchall()]
    if names:
        opened.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(sql.SQL(", ").join(names)))


def take(opened: "psycopg.Connection[Any]") -> Fingerprint:
    """Return what is in a database, as the connection's transaction sees it; reads every row once."""
    opened.execute(_WRITTEN)
    # Counters first: they move on outside of transactions, and what is copied later is never behind.
    sequences = {name: (step, at) for name, step, at in opened.execute(_SEQUENCES).fetchall()}
    shapes = {
        f"{kind} {name}": sha256((shape or "").encode()).hexdigest()[:16]
        for name, kind, shape in opened.execute(_SHAPES).fetchall()
    }
    tables = {}
    for schema, name in sorted(opened.execute(_TABLES).fetchall()):
        row = opened.execute(sql.SQL(_CONTENT).format(sql.Identifier(schema, name))).fetchone()
        assert row is not None
        tables[f"{schema}.{name}"] = (row[0], str(row[1]))
    return Fingerprint(tables, shapes, sequences)


def differences(wanted: Fingerprint, found: Fingerprint, *, shapes: bool = True) -> list[str]:
    """Return what a restored database lacks or has otherwise, in words; none = it is equal."""
    said = []
    for name, (rows, total) in wanted.tables.items():
        if name not in found.tables:
            said.append(f"{name} is missing")
        elif found.tables[name][0] != rows:
            said.append(f"{name} has {found.tables[name][0]} rows instead of {rows}")
        elif found.tables[name][1] != total:
            said.append(f"{name} has other contents")
    said += [f"{name} is more than there was" for name in found.tables.keys() - wanted.tables.keys()]
    if shapes:
        names = wanted.shapes.keys() | found.shapes.keys()
        said += [f"{name[2:]} has another shape" for name in names if wanted.shapes.get(name) != found.shapes.get(name)]
    for name, (step, at) in wanted.sequences.items():
        there = found.sequences.get(name)
        if there is None or (there[1] < at if step > 0 else there[1] > at):
            said.append(f"the counter {name} is behind")
    return sorted(said)
