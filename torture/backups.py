"""Back a database up while it is written to, over and over; damage the backups; restore some.

Nothing may be lost or missed.
"""

import argparse
import os
import platform
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from torture.world import PROJECT, cluster_in, scratch_directory

CYCLES = 100
RESTORE_EVERY = 5

Write = Callable[[Any, int], None]
Read = Callable[[Any], "set[int]"]


@dataclass(slots=True)
class Found:
    """What came of it."""

    equal: int = 0
    exchanged: int = 0
    acknowledged: int = 0
    bytes: int = 0
    damaged: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


class Writer(threading.Thread):
    """Writes one row after another until told to stop, coming back when it is cut off; knows what was acknowledged."""

    def __init__(self, database: Any, write: Write, first: int = 1) -> None:
        super().__init__(daemon=True)
        self._database, self._write, self._number = database, write, first
        self._stopping, self._begun = threading.Event(), threading.Event()
        self.acknowledged: set[int] = set()

    def __enter__(self) -> "Writer":
        self.start()
        self._begun.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self.join()

    def run(self) -> None:
        import psycopg

        while not self._stopping.is_set():
            try:
                with self._database.connect() as opened:
                    while not self._stopping.is_set():
                        self._number += 1
                        self._write(opened, self._number)
                        self.acknowledged.add(self._number)
                        self._begun.set()
            except psycopg.OperationalError:
                continue


def torture(
    cycles: int,
    *,
    database: Any,
    store: Any,
    write: Write,
    read: Read,
    seed: int = 1,
    restore_every: int = RESTORE_EVERY,
) -> Found:
    """Back up under writes, damage in every way, and each so many cycles restore under writes;
    return what was found.
    """
    from operations import services

    found, chance = Found(), random.Random(seed)
    ways = list(DAMAGE)
    for cycle in range(1, cycles + 1):
        now = datetime.now(UTC)
        with Writer(database, write, first=cycle * 10_000_000) as writer:
            backup = services.make_backup(store=store, database=database, why="torture", by="", now=now, keep=3)
            if not backup.is_good:
                found.broken.append(f"cycle {cycle}: {backup.problems}")
                break
            found.equal += 1
            found.bytes = backup.bytes
            if cycle % restore_every == 0:
                done = services.restore_backup(store=store, database=database, name=backup.name, by="", now=now)
        found.acknowledged += len(writer.acknowledged)
        if cycle % restore_every == 0:
            found.exchanged += 2
            _check_nothing_lost(found, cycle, done, writer, database=database, store=store, read=read)
        for way in ways if cycle % restore_every == 0 else [ways[cycle % len(ways)]]:
            _damage_and_look(found, store.get(backup.name), way, chance)
    return found


def _check_nothing_lost(
    found: Found, cycle: int, done: Any, writer: Writer, *, database: Any, store: Any, read: Read
) -> None:
    """All that was acknowledged is in the restored plant, or in the backup of what was there before;
    restores that one.
    """
    from operations import services

    if done.safety is None:
        found.broken.append(f"cycle {cycle}: what was there before could not be backed up")
        return
    with database.connect() as opened:
        kept = read(opened)
    services.restore_backup(store=store, database=database, name=done.safety.name, by="", now=datetime.now(UTC))
    with database.connect() as opened:
        lost = writer.acknowledged - kept - read(opened)
    if lost:
        found.broken.append(f"cycle {cycle}: {len(lost)} of {len(writer.acknowledged)} acknowledged rows are lost")


def _damage_and_look(found: Found, backup: Any, way: str, chance: random.Random) -> None:
    from operations.store import problems_of_files

    files = {path: path.read_bytes() for path in backup.folder.iterdir()}
    DAMAGE[way](backup.folder, chance)
    if not problems_of_files(backup):
        found.broken.append(f"{way} was not noticed")
    found.damaged[way] += 1
    for path, content in files.items():
        path.write_bytes(content)
    if problems_of_files(backup):
        found.broken.append(f"{way}: the whole files are called damaged")


def _flip(name: str) -> Callable[[Path, random.Random], None]:
    def damage(folder: Path, chance: random.Random) -> None:
        content = bytearray((folder / name).read_bytes())
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        (folder / name).write_bytes(content)

    return damage


def _cut(name: str) -> Callable[[Path, random.Random], None]:
    def damage(folder: Path, chance: random.Random) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: chance.randrange(len(content))])

    return damage


def _longer(folder: Path, chance: random.Random) -> None:
    with (folder / "plant.dump").open("ab") as dump:
        dump.write(chance.randbytes(1 + chance.randrange(9000)))


def _hole(folder: Path, chance: random.Random) -> None:
    """Zeroes where there was something: a block that was never written."""
    content = bytearray((folder / "plant.dump").read_bytes())
    at = chance.randrange(len(content) - 64)
    hole = content[at : at + 4096]
    content[at : at + 4096] = bytes(len(hole))
    (folder / "plant.dump").write_bytes(content)


def _missing(name: str) -> Callable[[Path, random.Random], None]:
    def damage(folder: Path, _chance: random.Random) -> None:
        (folder / name).unlink()

    return damage


DAMAGE: dict[str, Callable[[Path, random.Random], None]] = {
    **{f"one bit of {name} flipped": _flip(name) for name in ("plant.dump", "manifest.json", "SHA256SUMS")},
    **{f"{name} cut off": _cut(name) for name in ("plant.dump", "manifest.json", "SHA256SUMS")},
    **{f"{name} missing": _missing(name) for name in ("plant.dump", "manifest.json", "SHA256SUMS")},
    "plant.dump longer": _longer,
    "a hole in plant.dump": _hole,
}
"""By name: what is done to a backup's folder."""


def _write_span(opened: Any, number: int) -> None:
    opened.execute("INSERT INTO core_changedspan (subject_id, changed_from) VALUES (%s, now())", [number])


def _read_spans(opened: Any) -> set[int]:
    return {number for (number,) in opened.execute("SELECT subject_id FROM core_changedspan").fetchall()}


def main() -> None:
    """Torture the whole plant's tables in a cluster of its own; print what came of it, fail when anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m torture.backups", description=__doc__)
    parser.add_argument("--cycles", type=int, default=CYCLES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if not asked.inside:
        with scratch_directory() as directory, cluster_in(directory) as cluster:
            again = [sys.executable, "-m", "torture.backups", "--inside", "--cycles", str(asked.cycles)]
            again += ["--seed", str(asked.seed)]
            environment = {**cluster.environment, "BACKUP_DIR": str(directory / "backups")}
            sys.exit(subprocess.run(again, cwd=PROJECT, env=environment, check=False).returncode)
    import django
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    from operations.databases import Database
    from operations.services import the_store

    call_command("migrate", verbosity=0)
    connections.close_all()
    started = time.monotonic()
    found = torture(
        asked.cycles,
        database=Database.of_the_plant(),
        store=the_store(),
        write=_write_span,
        read=_read_spans,
        seed=asked.seed,
    )
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, {time.monotonic() - started:.0f} s"
    )
    print("| damage | found |\n| --- | --- |")
    for name, count in found.damaged.items():
        print(f"| {name} | {count:,} |")
    print(
        f"backups under writes {asked.cycles:,}, restored equal {found.equal:,}, damaged {sum(found.damaged.values()):,},"
        f" put in place {found.exchanged:,}, acknowledged {found.acknowledged:,}, wrong {len(found.broken)}"
    )
    for broken in found.broken:
        print(f"  {broken}")
    sys.exit(bool(found.broken))


if __name__ == "__main__":
    main()
