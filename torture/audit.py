"""Tamper with audit trails and signed records, past every trigger: each time the verifier has to find it.

Every tampering is made in a transaction of its own, which is rolled back after the verifier has looked.
"""

import argparse
import os
import platform
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from torture.world import PROJECT, cluster_in, scratch_directory

CYCLES, SMALL = 10_000, 60
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)

AUDITED = (
    "batchrecords_batchrecord",
    "batchrecords_signature",
    "batchrecords_deviation",
    "batchrecords_resolution",
    "batchrecords_stepentry",
)
TRAIL, HEADS, CLOSINGS = "accounts_auditentry", "core_chainhead", "oee_shiftclosing"


@dataclass(slots=True)
class Tamperings:
    """What was done, and what nobody found."""

    done: Counter[str] = field(default_factory=Counter)
    named: int = 0
    missed: list[str] = field(default_factory=list)


def tamper(cycles: int, *, seed: int = 1) -> Tamperings:
    """Tamper so often in a database that Django is connected to, which has signed records."""
    from django.db import connection, transaction

    from batchrecords.verification import broken_anywhere

    found, chance = Tamperings(), random.Random(seed)
    whole = [str(broken) for broken in broken_anywhere()]
    if whole:
        raise AssertionError(f"Broken before anybody tampered: {whole[:3]}")
    names = list(_WAYS)
    for number in range(cycles):
        name = names[number % len(names)]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            # No trigger, no foreign key: what a person with the database's password can do.
            cursor.execute("SET LOCAL session_replication_role = replica")
            what, row = _WAYS[name](cursor, chance)
            problems = [str(broken) for broken in broken_anywhere()]
            transaction.set_rollback(True)
        found.done[name] += 1
        if not problems:
            found.missed.append(f"{name}: {what}")
        elif any(any(part in problem for part in row) for problem in problems):
            found.named += 1
        else:
            found.missed.append(f"{name}: {what} is not named in {problems[:3]}")
        if len(found.missed) > 20:
            break
    return found


Row = tuple[str, tuple[str, ...]]


def _pick(cursor: Any, chance: random.Random, table: str, columns: str = "id", where: str = "true") -> Any:
    cursor.execute(f"SELECT {columns} FROM {table} WHERE {where} ORDER BY 1")
    rows = cursor.fetchall()
    return chance.choice(rows)


def _columns(cursor: Any, table: str, *without: str) -> list[tuple[str, str]]:
    cursor.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s AND table_schema = 'public'"
        " ORDER BY column_name",
        [table],
    )
    return [(name, kind) for name, kind in cursor.fetchall() if name not in without]


_OTHER = {
    "bigint": "coalesce({0}, 0) + 1",
    "integer": "coalesce({0}, 0) + 1",
    "smallint": "coalesce({0}, 0) + 1",
    "boolean": "NOT {0}",
    "numeric": "coalesce({0}, 0) + 0.000001",
    "timestamp with time zone": "coalesce({0}, now()) + interval '1 microsecond'",
    "date": "{0} + 1",
    "jsonb": "jsonb_set(CASE jsonb_typeof({0}) WHEN 'object' THEN {0} ELSE '{{}}' END, '{{forged}}', '\"x\"')",
    "bytea": "coalesce({0}, ''::bytea) || '\\x00'::bytea",
}
_TEXT = "CASE WHEN {0} IS NULL OR {0} = '' THEN 'x' ELSE overlay({0} placing chr(ascii(right({0}, 1)) # 1) from length({0})) END"


def _alter(cursor: Any, chance: random.Random, table: str, pk: Any, *without: str) -> str:
    """Change one column of a row, by as little as there is; one that no constraint refuses."""
    from django.db import IntegrityError, transaction

    columns = _columns(cursor, table, "id", *without)
    while True:
        column, kind = chance.choice(columns)
        expression = _OTHER.get(kind, _TEXT).format(f'"{column}"')
        try:
            with transaction.atomic():
                cursor.execute(f'UPDATE {table} SET "{column}" = {expression} WHERE id = %s', [pk])
        except IntegrityError:
            continue
        return f"{column} of {table} {pk}"


def _entry_names(sequence: int) -> tuple[str, ...]:
    return (f"entry {sequence} ", f"row {sequence}:", f"rows {sequence}–", f"–{sequence}:", "its head")


def _alter_entry(cursor: Any, chance: random.Random) -> Row:
    pk, sequence = _pick(cursor, chance, TRAIL, "id, sequence")
    return _alter(cursor, chance, TRAIL, pk, "sequence", "site_id"), _entry_names(sequence)


def _delete_entry(cursor: Any, chance: random.Random) -> Row:
    pk, sequence = _pick(cursor, chance, TRAIL, "id, sequence")
    cursor.execute(f"DELETE FROM {TRAIL} WHERE id = %s", [pk])
    return f"entry {sequence} deleted", (f"row {sequence}:", f"rows {sequence}")


def _cut_off(cursor: Any, chance: random.Random) -> Row:
    site, last = _pick(cursor, chance, TRAIL, "site_id, sequence")
    cursor.execute(f"DELETE FROM {TRAIL} WHERE site_id = %s AND sequence >= %s", [site, last])
    return f"entries from {last} cut off", (f"row {last}: cut", f"rows {last}–")


def _cut_off_with_head(cursor: Any, chance: random.Random) -> Row:
    """Cut the end off and set the head back to what is left, as far as that can be known without the key."""
    site, last = _pick(cursor, chance, TRAIL, "site_id, sequence", "sequence > 1")
    cursor.execute(f"DELETE FROM {TRAIL} WHERE site_id = %s AND sequence >= %s", [site, last])
    cursor.execute(
        f"UPDATE {HEADS} SET sequence = %s, last_hash = e.content_hash, seal = e.seal FROM {TRAIL} e"
        " WHERE chain = 'accounts.audit:' || %s AND e.site_id = %s AND e.sequence = %s",
        [last - 1, str(site), site, last - 1],
    )
    return f"entries from {last} cut off, head set back", ("its head",)


def _swap(cursor: Any, chance: random.Random) -> Row:
    site, one = _pick(cursor, chance, TRAIL, "site_id, sequence")
    cursor.execute(f"SELECT sequence FROM {TRAIL} WHERE site_id = %s AND sequence <> %s", [site, one])
    other = chance.choice(sorted(row[0] for row in cursor.fetchall()))
    for before, after in ((one, 0), (other, one), (0, other)):
        cursor.execute(f"UPDATE {TRAIL} SET sequence = %s WHERE site_id = %s AND sequence = %s", [after, site, before])
    return f"entries {one} and {other} swapped", (f"entry {one} ", f"entry {other} ")


def _insert(cursor: Any, chance: random.Random) -> Row:
    """Put a copy of an entry in, at the end or in between."""
    pk, site = _pick(cursor, chance, TRAIL, "id, site_id")
    cursor.execute(f"SELECT max(sequence) FROM {TRAIL} WHERE site_id = %s", [site])
    last = cursor.fetchone()[0]
    at = chance.randint(1, last + 1)
    far = 1_000_000
    cursor.execute(f"UPDATE {TRAIL} SET sequence = sequence + {far} WHERE site_id = %s AND sequence >= %s", [site, at])
    cursor.execute(
        f"UPDATE {TRAIL} SET sequence = sequence - {far - 1} WHERE site_id = %s AND sequence > {far}", [site]
    )
    names = ", ".join(f'"{name}"' for name, _ in _columns(cursor, TRAIL, "id", "sequence"))
    cursor.execute(f"INSERT INTO {TRAIL} (sequence, {names}) SELECT %s, {names} FROM {TRAIL} WHERE id = %s", [at, pk])
    # A copy put in right before its original is the original's content at the original's place: the next is the
    # stranger.
    return f"an entry put in at {at}", (f"entry {at} ", f"entry {at + 1} ", f"row {at}:", f"rows {at}–")


def _rewrite(cursor: Any, chance: random.Random) -> Row:
    """Forge an entry and write its hash, the chain behind it and the head anew; only the key is missing."""
    from accounts.audit import _content, chain_of
    from accounts.models import AuditEntry
    from core.audit_chain import digest
    from core.models import ChainHead

    pk, site, sequence = _pick(cursor, chance, TRAIL, "id, site_id, sequence")
    previous: str | None = None
    for entry in AuditEntry.objects.filter(site=site, sequence__gte=sequence).order_by("sequence"):
        if entry.pk == pk:
            entry.actor_name += "x"
        if previous is not None:
            entry.previous_hash = previous
        previous = entry.content_hash = digest(_content(entry))
        entry.save()
    ChainHead.objects.filter(pk=chain_of(site)).update(last_hash=previous)
    return f"entry {sequence} forged, chain written anew", (f"entry {sequence} ",)


def _alter_head(cursor: Any, chance: random.Random) -> Row:
    (chain,) = _pick(cursor, chance, HEADS, "chain")
    what = chance.choice(
        ["sequence = sequence + 1", "sequence = sequence - 1", "last_hash = repeat('0', 64)", "seal = ''"]
    )
    cursor.execute(f"UPDATE {HEADS} SET {what} WHERE chain = %s", [chain])
    return f"head of {chain}: {what}", (chain, "row ", "its head")


def _delete_head(cursor: Any, chance: random.Random) -> Row:
    (chain,) = _pick(cursor, chance, HEADS, "chain")
    cursor.execute(f"DELETE FROM {HEADS} WHERE chain = %s", [chain])
    return f"head of {chain} deleted", ("its head",)


def _empty_chain(cursor: Any, chance: random.Random) -> Row:
    (site,) = _pick(cursor, chance, TRAIL, "site_id")
    cursor.execute(f"DELETE FROM {TRAIL} WHERE site_id = %s", [site])
    cursor.execute(f"DELETE FROM {HEADS} WHERE chain = %s", [f"accounts.audit:{site}"])
    return f"the whole trail of site {site} deleted with its head", ("the audit trail does not know it",)


def _subject(table: str, pk: Any) -> tuple[str, ...]:
    return (f"{table.replace('_', '.', 1)}:{pk}",)


def _alter_row(cursor: Any, chance: random.Random) -> Row:
    table = chance.choice(AUDITED)
    (pk,) = _pick(cursor, chance, table)
    return _alter(cursor, chance, table, pk), _subject(table, pk)


def _delete_row(cursor: Any, chance: random.Random) -> Row:
    table = chance.choice(AUDITED)
    (pk,) = _pick(cursor, chance, table)
    cursor.execute(f"DELETE FROM {table} WHERE id = %s", [pk])
    return f"{table} {pk} deleted", _subject(table, pk)


def _insert_row(cursor: Any, chance: random.Random) -> Row:
    """Put in a copy of a row under a new id; unique columns are made so."""
    table = chance.choice(AUDITED)
    (pk,) = _pick(cursor, chance, table)
    unique = {
        "batchrecords_batchrecord": {"number": "number || 'x'", "work_order_id": "work_order_id + 1000000"},
        "batchrecords_signature": {"revision": "revision + 1000"},
        "batchrecords_resolution": {"key": "key || 'x'"},
    }.get(table, {})
    names = [name for name, _ in _columns(cursor, table, "id")]
    into, values = ", ".join(f'"{name}"' for name in names), ", ".join(unique.get(name, f'"{name}"') for name in names)
    cursor.execute(f"INSERT INTO {table} ({into}) SELECT {values} FROM {table} WHERE id = %s RETURNING id", [pk])
    made = cursor.fetchone()[0]
    return f"{table} {made} put in", _subject(table, made)


def _alter_snapshot(cursor: Any, chance: random.Random) -> Row:
    """Change one cell of what was signed, with both hashes of the signature written anew."""
    from batchrecords.models import Signature
    from core.audit_chain import digest

    (pk,) = _pick(cursor, chance, "batchrecords_signature")
    signature = Signature.objects.get(pk=pk)
    content = signature.snapshot["content"]
    section = chance.choice([one for one in content["sections"] if one["rows"]])
    row = chance.choice(section["rows"])
    row[chance.randrange(len(row))] += "0"
    signature.content_hash, signature.snapshot_hash = digest(content), digest(signature.snapshot)
    signature.save()
    return f"a cell of {section['code']} in signature {pk}", _subject("batchrecords_signature", pk)


def _alter_closing(cursor: Any, chance: random.Random) -> Row:
    (pk,) = _pick(cursor, chance, CLOSINGS)
    without = ("line_id", "machine_id", "sequence")
    return _alter(cursor, chance, CLOSINGS, pk, *without), (f"closing {pk}:", "it is not the one that was last")


def _delete_closing(cursor: Any, chance: random.Random) -> Row:
    pk, sequence = _pick(cursor, chance, CLOSINGS, "id, sequence")
    cursor.execute(f"DELETE FROM {CLOSINGS} WHERE id = %s", [pk])
    return f"closing {pk} deleted", (f"row {sequence}:", f"rows {sequence}–")


_WAYS: dict[str, Callable[[Any, random.Random], Row]] = {
    "entry altered": _alter_entry,
    "entry deleted": _delete_entry,
    "trail cut off": _cut_off,
    "trail cut off, head set back": _cut_off_with_head,
    "entries swapped": _swap,
    "entry put in": _insert,
    "entry forged, chain written anew": _rewrite,
    "head altered": _alter_head,
    "head deleted": _delete_head,
    "whole trail deleted with its head": _empty_chain,
    "signed or noted row altered": _alter_row,
    "signed or noted row deleted": _delete_row,
    "row put in": _insert_row,
    "snapshot altered, its hashes written anew": _alter_snapshot,
    "closed shift altered": _alter_closing,
    "closed shift deleted": _delete_closing,
}


def build(records: int = 3) -> None:
    """Make signed records with steps and deviations, and closed shifts, through the services."""
    from decimal import Decimal

    from accounts.models import Membership, User
    from accounts.signing import Confirmed
    from batchrecords.assembly import assemble
    from batchrecords.models import StepTemplate
    from batchrecords.services import open_deviation, resolve, sign
    from batchrecords.steps import Answer, enter_step
    from enterprise.models import Area, Enterprise, Line, Machine, Shift, Site
    from oee.closing import close_shift
    from products.models import Product, ProductRevision, Routing, RoutingOperation
    from workorders.models import Operation, Run, WorkOrder

    site = Site.objects.create(
        code="audit",
        name="Audit",
        enterprise=Enterprise.objects.create(code="audit", name="A"),
        time_zone="Europe/Warsaw",
    )
    line = Line.objects.create(code="audit", name="Audit", area=Area.objects.create(code="audit", name="A", site=site))
    Machine.objects.create(code="audit", name="Audit", line=line, is_constraint=True)
    worker, preparer, reviewer, approver = (User.objects.create(username=f"audit-{n}") for n in range(4))
    for user in (worker, preparer, reviewer, approver):
        Membership.objects.create(user=user, role="quality", site=site)
    product = Product.objects.create(code="audit", name="Audit")
    revision = ProductRevision.objects.create(product=product, code="A")
    template = RoutingOperation.objects.create(
        routing=Routing.objects.create(revision=revision, code="main"), code="MIX", name="Mix"
    )
    step = StepTemplate.objects.create(
        operation=template, code="PH", kind="number", prompt="Measure", minimum=Decimal(6), maximum=Decimal(8)
    )
    later = AT + timedelta(days=1)
    for number in range(records):
        start = AT + timedelta(hours=number)
        order = WorkOrder.objects.create(
            order_number=f"audit-{number}", target_quantity=Decimal(10), line=line, product=product, revision=revision,
            status="in_progress",
        )  # fmt: skip
        operation = Operation.objects.create(
            work_order=order, template=template, sequence=10, code="MIX", name="Mix", planned_quantity=Decimal(10)
        )
        Run.objects.create(work_order=order, line=line, started_at=start, ended_at=start + timedelta(minutes=50))
        for value in ("7", "9"):
            enter_step(
                operation=operation, template=step, answer=Answer(number=Decimal(value)), actor=worker,
                occurred_at=start, now=start, comment="As measured",
            )  # fmt: skip
        WorkOrder.objects.filter(pk=order.pk).update(status="completed")
        record = order.batch_records.select_related("work_order__line__area__site").get()
        open_deviation(record=record, title="Smell", severity="minor", actor=worker, now=later)
        sign(record=record, identity=Confirmed(preparer), meaning="prepared", now=later)
        for one in assemble(record, now=later).open_exceptions:
            resolve(
                record=record, key=one.finding.key, decision="accepted", comment="Looked at", actor=reviewer, now=later
            )
        for user, meaning in ((reviewer, "reviewed"), (approver, "approved"), (approver, "released")):
            sign(record=record, identity=Confirmed(user), meaning=meaning, now=later)
    shift = Shift.objects.create(line=line, name="Morning", start_time="06:00", end_time="14:00")
    shift.refresh_from_db()
    for day in range(3):
        date = (AT + timedelta(days=day)).date()
        close_shift(place=line, shift_id=shift.pk, shift_date=date, actor=approver, now=AT + timedelta(days=5))


def main() -> None:
    """Tamper in a cluster of its own, print what came of it, and fail when something was not found."""
    parser = argparse.ArgumentParser(prog="python -m torture.audit", description=__doc__)
    parser.add_argument("--cycles", type=int, default=CYCLES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if not asked.inside:
        with scratch_directory() as directory, cluster_in(directory) as cluster:
            again = [sys.executable, "-m", "torture.audit", "--inside", "--cycles", str(asked.cycles)]
            again += ["--seed", str(asked.seed)]
            sys.exit(subprocess.run(again, cwd=PROJECT, env=cluster.environment, check=False).returncode)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    build()
    started = time.monotonic()
    found = tamper(asked.cycles, seed=asked.seed)
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, {time.monotonic() - started:.0f} s"
    )
    print("| tampering | done |\n| --- | --- |")
    for name, count in found.done.items():
        print(f"| {name} | {count:,} |")
    print(f"tamperings {sum(found.done.values()):,}, found and named {found.named:,}, missed {len(found.missed)}")
    for missed in found.missed:
        print(f"  {missed}")
    sys.exit(bool(found.missed))


if __name__ == "__main__":
    main()
