"""Make backups of the running plant, prove that they can be restored, and restore one.

Each backup is restored into a database beside the plant and compared, table by table, with the very snapshot that was
dumped: so it is compared with what the plant held at that moment, however much is written meanwhile.
"""

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from django.conf import settings
from django.utils.translation import gettext_noop

from core import partitions
from core.errors import Conflict, Invalid
from operations import copies, databases, fingerprints
from operations.databases import Database, NotDone
from operations.fingerprints import Fingerprint
from operations.store import DUMP, Backup, State, Store, manifest_of, problems_of_files, write_manifest

AUTOMATIC, ASKED = gettext_noop("automatic"), gettext_noop("asked for")
BEFORE_RESTORE = gettext_noop("before a restore")
AFTER_FAILURE = timedelta(hours=1)
FIRST_AFTER = timedelta(hours=1)
_PROJECT = Path(__file__).resolve().parent.parent
_LONGEST_LABEL = 30

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: from what, and where that lies which was there before."""

    backup: Backup
    safety: Backup | None
    """The backup of what was there before; None when it could not be made, then `former` is kept."""
    former: str
    """The name of the database that was there before; empty once it is in `safety`, and dropped."""
    migrated: bool


def the_store() -> Store:
    """Return the store that the settings name."""
    return Store(Path(settings.BACKUP_DIR))


def _silent(_said: str) -> None:
    pass


# --- making ----------------------------------------------------------------------------------------------------------


def make_backup(
    *,
    store: Store,
    database: Database,
    why: str,
    by: str,
    now: datetime,
    keep: int,
    say: Say = _silent,
) -> Backup:
    """Back a database up while it is written to, restore the backup beside it, compare, and forget the oldest.

    Returns the backup; its state says whether it is good. Raises NotDone when none could be made.
    """
    with store.alone("a backup"):
        backup = _make(store=store, database=database, label=database.name, why=why, by=by, now=now, say=say)
        _send_copy(store, backup, now=now, say=say)
        for name in store.tidy(keep):
            store.note(at=now, who="", what="deleted, more than are kept", name=name)
    return store.get(backup.name)


def _make(
    *, store: Store, database: Database, label: str, why: str, by: str, now: datetime, say: Say, retry: bool = True
) -> Backup:
    _drop_leftovers(database)
    _refuse_full_disk(store)
    began = time.monotonic()
    with store.new(label[:_LONGEST_LABEL], now) as folder:
        say(f"dumping {database.name}")
        try:
            manifest = _dump(database, folder / DUMP)
        except psycopg.errors.UndefinedTable:
            # A month was pruned between the snapshot and the lock.
            if not retry:
                raise
            manifest = _dump(database, folder / DUMP)
        except psycopg.Error as error:
            raise NotDone(f"The database could not be read: {error}") from error
        write_manifest(
            folder,
            {
                **manifest,
                "made_at": now.isoformat(),
                "database": label,
                "why": why,
                "by": by,
                "on": platform.node(),
                "seconds": round(time.monotonic() - began, 3),
            },
        )
        name = folder.name.removesuffix(".partial")
    store.note(at=now, who=by, what=f"made, {why}", name=name)
    return _verify(store=store, backup=store.get(name), database=database, now=now, say=say)


def _dump(database: Database, target: Path) -> dict[str, Any]:
    """Dump a snapshot and take its fingerprint; returns what to write down about it."""
    with database.connect() as opened:
        major = databases.major_version(opened)
        opened.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        row = opened.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
        fingerprints.lock_tables(opened)
        fingerprint = fingerprints.take(opened)
        migrations = _applied(opened)
        databases.dump(database, target, snapshot=row[0], server_major=major)
        opened.execute("ROLLBACK")
    return {"server": major, "migrations": migrations, "fingerprint": fingerprint.to_json()}


def _applied(opened: "psycopg.Connection[Any]") -> list[str] | None:
    """Return the migrations that a database has; None for one that Django never saw."""
    if opened.execute("SELECT to_regclass('public.django_migrations')").fetchone() == (None,):
        return None
    rows = opened.execute("SELECT app || '.' || name FROM public.django_migrations ORDER BY 1").fetchall()
    return [name for (name,) in rows]


def _refuse_full_disk(store: Store) -> None:
    last = store.last_good()
    free = shutil.disk_usage(store.folder).free
    if last is not None and free < last.bytes * 3 // 2:
        raise NotDone(f"There are {free} bytes left for backups, and the last one has {last.bytes}.")


def _send_copy(store: Store, backup: Backup, *, now: datetime, say: Say) -> None:
    """Put an encrypted copy elsewhere, where the settings say so; a failure is kept beside the backup."""
    if not settings.BACKUP_COPY_DIR or not backup.is_good:
        return
    say("copying it elsewhere")
    try:
        copies.send(backup, Path(settings.BACKUP_COPY_DIR), settings.BACKUP_COPY_KEY, keep=settings.BACKUP_KEEP)
    except (OSError, Invalid) as error:
        store.note_copy(backup, at=now, problem=str(error)[:500])
        store.note(at=now, who="", what=f"not copied: {error}"[:500], name=backup.name)
    else:
        store.note_copy(backup, at=now)


# --- verifying -------------------------------------------------------------------------------------------------------


def verify_backup(*, store: Store, database: Database, name: str, now: datetime, by: str, say: Say = _silent) -> Backup:
    """Read a backup, restore it beside the plant, compare it with what was dumped; returns it with what was found.

    Raises NotFound for a name that is none, NotDone when no database could be made to restore it into.
    """
    with store.alone(f"verifying {name}"):
        backup = _verify(store=store, backup=store.get(name), database=database, now=now, say=say)
        store.note(at=now, who=by, what=f"verified: {backup.state}", name=name)
    return backup


def _verify(*, store: Store, backup: Backup, database: Database, now: datetime, say: Say) -> Backup:
    say(f"verifying {backup.name}")
    problems = problems_of_files(backup)
    if not problems:
        scratch = databases.create_like(database, f"{_scratch_prefix(database)}{uuid4().hex[:8]}")
        try:
            problems = _fill_and_compare(backup, scratch)
        finally:
            databases.drop(scratch)
    return store.note_check(backup, at=now, problems=problems, restored=not problems)


def _scratch_prefix(database: Database) -> str:
    # A database that was put aside by a restore shares its plant's, so that what is left of either is found.
    return f"{database.name.partition('_before_')[0][:_LONGEST_LABEL]}_scratch_"


def _drop_leftovers(database: Database) -> None:
    """Drop what a process that died left; whoever holds the store is the only one at work."""
    for left in databases.beside(database, _scratch_prefix(database)):
        databases.drop(left)


def _fill_and_compare(backup: Backup, empty: Database, *, without_grants: bool = False) -> list[str]:
    """Restore a backup into an empty database; return in which ways it is not what was dumped."""
    manifest = manifest_of(backup)
    try:
        wanted = Fingerprint.from_json(manifest["fingerprint"])
        databases.restore(backup.dump, empty, without_grants=without_grants)
    except (KeyError, TypeError, ValueError, AttributeError):
        return ["the manifest says nothing to compare with"]
    except NotDone as error:
        return [error.message]
    with empty.connect() as opened:
        major = databases.major_version(opened)
        found = fingerprints.take(opened)
    return fingerprints.differences(wanted, found, shapes=major == manifest.get("server"))


def recheck_one(*, store: Store, now: datetime, older_than: timedelta) -> Backup | None:
    """Read the files of the backup that nobody has looked at for longest; None where all were looked at lately."""
    with store.alone("reading an older backup"):
        due = [backup for backup in store.backups() if (backup.checked_at or backup.made_at) < now - older_than]
        if not due:
            return None
        oldest = min(due, key=lambda backup: backup.checked_at or backup.made_at)
        return store.note_check(oldest, at=now, problems=problems_of_files(oldest), restored=False)


# --- by itself -------------------------------------------------------------------------------------------------------


def is_due(*, store: Store, database: Database, now: datetime, every: timedelta) -> bool:
    """Say whether it is time for the next automatic backup; a plant is an hour old before its first.

    One that failed is tried again after an hour.
    """
    if not every:
        return False
    backups = store.backups()
    if any(backup.made_at > now - AFTER_FAILURE for backup in backups):
        return False
    failed = next((entry["at"] for entry in store.journal(50) if entry["what"].startswith("failed")), None)
    if failed is not None and failed > now - AFTER_FAILURE:
        return False
    good = next((backup for backup in backups if backup.is_good), None)
    if good is not None:
        return good.made_at <= now - every
    with database.connect() as opened:
        if opened.execute("SELECT to_regclass('public.django_migrations')").fetchone() == (None,):
            return False
        row = opened.execute("SELECT min(applied) FROM public.django_migrations").fetchone()
    return row is not None and row[0] is not None and row[0] <= now - FIRST_AFTER


def back_up_when_due(*, store: Store, database: Database, now: datetime) -> Backup | None:
    """Make the automatic backup if it is time, and read an older one again; a failure is written down, and raised."""
    every = timedelta(hours=settings.BACKUP_EVERY_HOURS)
    if not is_due(store=store, database=database, now=now, every=every):
        return None
    try:
        backup = make_backup(store=store, database=database, why=AUTOMATIC, by="", now=now, keep=settings.BACKUP_KEEP)
    except (NotDone, OSError) as error:
        store.note(at=now, who="", what=f"failed: {error}"[:500])
        raise
    recheck_one(store=store, now=now, older_than=timedelta(days=1))
    return backup


# --- restoring -------------------------------------------------------------------------------------------------------


def restore_backup(
    *,
    store: Store,
    database: Database,
    name: str,
    by: str,
    now: datetime,
    without_grants: bool = False,
    known_migrations: "frozenset[str] | None" = None,
    say: Say = _silent,
) -> Restored:
    """Put a backup in the place of the plant's database, and back up what was there before.

    The backup is restored beside the plant, compared, and brought to the tables of today, while the plant goes on; then
    the two databases exchange their names in one transaction, which cuts everybody off for a moment. What was there
    before is whole and still: it is backed up and verified, and only then dropped. Raises Conflict for a backup that is
    damaged or was made by a newer version (one of its migrations is not among the known ones); nothing has changed
    then.
    """
    with store.alone(f"restoring {name}"):
        backup = store.get(name)
        problems = problems_of_files(backup)
        if problems:
            store.note_check(backup, at=now, problems=problems, restored=False)
            raise Conflict(f"The backup is damaged, nothing was changed: {'; '.join(problems)}.", field="name")
        applied = manifest_of(backup).get("migrations")
        unknown = set(applied or ()) - (known_migrations or set(applied or ()))
        if unknown:
            raise Conflict(f"The backup was made by a newer version, which knows {min(unknown)}.", field="name")
        _drop_leftovers(database)
        fresh = databases.create_like(database, f"{_scratch_prefix(database)}{uuid4().hex[:8]}")
        try:
            say(f"restoring {name} beside the plant")
            problems = _fill_and_compare(backup, fresh, without_grants=without_grants)
            if problems:
                store.note_check(backup, at=now, problems=problems, restored=False)
                raise Conflict(
                    f"The backup is not whole, nothing was changed: {'; '.join(problems[:5])}.", field="name"
                )
            store.note_check(backup, at=now, problems=[], restored=True)
            behind = applied is not None and bool((known_migrations or set()) - set(applied))
            if behind:
                say("bringing it to the tables of today")
                _migrate(fresh)
            _make_room_alike(database, fresh)
            former = database.named(f"{database.name[:_LONGEST_LABEL]}_before_{now:%Y%m%d%H%M%S}_{uuid4().hex[:4]}")
            say("exchanging the databases")
            databases.exchange(database, fresh, former.name)
        except BaseException:
            databases.drop(fresh)
            raise
        store.note(at=now, who=by, what="restored", name=name)
        safety = _back_up_former(store, former, label=database.name, by=by, now=now, say=say)
    return Restored(store.get(name), safety, "" if safety else former.name, behind)


def _back_up_former(store: Store, former: Database, *, label: str, by: str, now: datetime, say: Say) -> Backup | None:
    """Back up what was there before a restore, and drop it; None, and kept as it is, when the backup is not good."""
    say("backing up what was there before")
    try:
        safety = _make(store=store, database=former, label=label, why=BEFORE_RESTORE, by=by, now=now, say=say)
    except (NotDone, OSError, psycopg.Error) as error:
        store.note(
            at=now, who="", what=f"failed: what was there before is kept as database {former.name}. {error}"[:500]
        )
        return None
    if safety.state is not State.GOOD:
        return None
    databases.drop(former)
    return safety


def _migrate(fresh: Database) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=_PROJECT,
        env={**os.environ, "DATABASE_URL": fresh.url()},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotDone(
            f"The backup could not be brought to the tables of today, nothing was changed: {done.stderr[-1000:]}"
        )


def _make_room_alike(plant: Database, fresh: Database) -> None:
    """Give the fresh database the months that the plant has: processes that go on remember them."""
    with (
        plant.connect() as there,
        fresh.connect() as here,
        there.transaction(),
        here.transaction(),
        there.cursor() as theirs,
        here.cursor() as own,
    ):
        names = set(partitions.partitioned_tables(theirs)) & set(partitions.partitioned_tables(own))
        for name in sorted(names):
            partitions.make_alike(name, theirs, own)


def known_migrations() -> frozenset[str]:
    """Return the migrations that this version has."""
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(None)
    return frozenset(f"{app}.{name}" for app, name in loader.disk_migrations)
