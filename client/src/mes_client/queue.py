"""The queue on disk: what has been put into it survives kill -9 and power loss until the server has answered for it.

One SQLite file in WAL mode with synchronous=FULL: `put` returns after the disk has it. Several processes may use one
file; a second small file, `<queue>.lock`, says which of them delivers.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mes_client.items import Item, microseconds, moment

# How long another process may hold the file before a call gives up.
BUSY_SECONDS = 30.0
# A last stamp that lies further ahead came from a clock that has been set back since.
_FURTHEST_AHEAD = timedelta(minutes=5) // timedelta(microseconds=1)

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS waiting (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, queued_at INTEGER NOT NULL, item TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS waiting_at ON waiting (at);
    CREATE TABLE IF NOT EXISTS refused (
        id INTEGER PRIMARY KEY AUTOINCREMENT, refused_at INTEGER NOT NULL, item TEXT NOT NULL,
        status TEXT NOT NULL, field TEXT NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS memory (
        id INTEGER PRIMARY KEY CHECK (id = 1), last_stamp INTEGER, delivered_at INTEGER,
        error TEXT NOT NULL DEFAULT '', error_at INTEGER, failing_since INTEGER, needs_person INTEGER NOT NULL DEFAULT 0
    );
    INSERT OR IGNORE INTO memory (id) VALUES (1);
"""


class QueueFull(Exception):
    """Nothing was written: the queue has reached `max_items`, or the disk is full."""


class QueueUnavailable(Exception):
    """Nothing was written: the queue's file cannot be opened or written; the message says why."""


@dataclass(frozen=True)
class Waiting:
    """An item in the queue, as the JSON that is sent."""

    id: int
    item: str


@dataclass(frozen=True)
class RefusedItem:
    """An item that the server did not store, and why.

    `status` is refused, conflict, quarantined or parked (too large).
    """

    item: str
    status: str
    field: str
    code: str
    message: str
    refused_at: datetime
    id: int = 0


@dataclass(frozen=True)
class Memory:
    """How delivering went, of whichever process did it."""

    delivered_at: datetime | None
    error: str
    error_at: datetime | None
    failing_since: datetime | None
    needs_person: bool


class Queue:
    """Items that wait in order, those that were refused, and how delivering goes. Threads may share one object."""

    def __init__(self, path: str | Path, *, max_items: int | None = None) -> None:
        """Open the queue, and make it when it is missing. Raises QueueUnavailable."""
        self.path = Path(path)
        self._max_items = max_items
        self._guard = threading.RLock()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _open(self.path, BUSY_SECONDS)
            try:
                _prepare(self._file)
                self._lock_file = _open(self.path.with_name(self.path.name + ".lock"), 0)
            except BaseException:
                self._file.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise QueueUnavailable(f"The queue {self.path} cannot be opened: {error}") from error

    def put(self, items: Iterable[Item], *, now: datetime) -> int:
        """Keep all the items, or none, and return how many; they are on the disk when this returns.

        Those without a time get `now`, or the microsecond after the last one so stamped when that is not earlier: the
        server knows a count by its tag and time, so no two may share theirs. Raises QueueFull or QueueUnavailable.
        """
        items = list(items)
        queued_at = microseconds(now)
        with self._transaction() as file:
            self._check_room(len(items))
            (last_stamp,) = file.execute("SELECT last_stamp FROM memory").fetchone()
            rows = []
            for item in items:
                at = item.at
                if at is None:
                    last_stamp = _next_stamp(last_stamp, queued_at)
                    at = moment(last_stamp)
                rows.append((microseconds(at), queued_at, item.written(at)))
            file.executemany("INSERT INTO waiting (at, queued_at, item) VALUES (?, ?, ?)", rows)
            file.execute("UPDATE memory SET last_stamp = ?", (last_stamp,))
        return len(items)

    def _check_room(self, more: int) -> None:
        if self._max_items is not None and len(self) + more > self._max_items:
            raise QueueFull(f"{len(self)} items wait, and {self._max_items} are allowed; nothing was kept.")

    def __len__(self) -> int:
        # Numbers are given in order and taken from the front, so there are no gaps, and nothing needs to be counted.
        first, last = self._one("SELECT (SELECT min(id) FROM waiting), (SELECT max(id) FROM waiting)")
        return 0 if first is None else int(last) - int(first) + 1

    def last_id(self) -> int:
        """Return the number of the item that was put last and still waits; 0 when none waits."""
        return int(self._one("SELECT coalesce(max(id), 0) FROM waiting")[0])

    def is_delivered(self, last_id: int) -> bool:
        """Say whether everything up to a number has left the queue."""
        return bool(self._one("SELECT NOT EXISTS (SELECT 1 FROM waiting WHERE id <= ?)", last_id)[0])

    def head(self, most: int, *, last_id: int) -> list[Waiting]:
        """Return the first items, in the order in which they were put, up to a number."""
        query = "SELECT id, item FROM waiting WHERE id <= ? ORDER BY id LIMIT ?"
        with self._guard:
            return [Waiting(*row) for row in self._file.execute(query, (last_id, most))]

    def settle(self, last_id: int, refused: Sequence[RefusedItem], *, now: datetime) -> None:
        """Forget the items up to a number, which the server has answered for, and keep those that it refused."""
        with self._transaction() as file:
            file.execute("DELETE FROM waiting WHERE id <= ?", (last_id,))
            file.executemany(
                "INSERT INTO refused (refused_at, item, status, field, code, message) VALUES (?, ?, ?, ?, ?, ?)",
                [(microseconds(r.refused_at), r.item, r.status, r.field, r.code, r.message) for r in refused],
            )
            file.execute("UPDATE memory SET delivered_at = ?, failing_since = NULL", (microseconds(now),))

    def note_failure(self, error: str, *, needs_person: bool, now: datetime) -> None:
        """Remember that a delivery failed, and since when they do."""
        at = microseconds(now)
        with self._transaction() as file:
            file.execute(
                "UPDATE memory SET error = ?, error_at = ?, needs_person = ?, failing_since = coalesce(failing_since, ?)",
                (error, at, needs_person, at),
            )

    def memory(self) -> Memory:
        """Return how delivering went."""
        delivered_at, error, error_at, failing_since, needs_person = self._one(
            "SELECT delivered_at, error, error_at, failing_since, needs_person FROM memory"
        )
        return Memory(
            _moment(delivered_at),
            error,
            _moment(error_at),
            _moment(failing_since),
            bool(needs_person and failing_since),
        )

    def oldest_waiting_at(self) -> datetime | None:
        """Return when the oldest of what waits happened."""
        return _moment(self._one("SELECT min(at) FROM waiting")[0])

    def waiting_since(self) -> datetime | None:
        """Return when the item at the front was put into the queue."""
        return _moment(self._one("SELECT (SELECT queued_at FROM waiting ORDER BY id LIMIT 1)")[0])

    def refused(self) -> list[RefusedItem]:
        """Return what the server refused, the first first."""
        query = "SELECT item, status, field, code, message, refused_at, id FROM refused ORDER BY id"
        with self._guard:
            rows = self._file.execute(query).fetchall()
        return [
            RefusedItem(item, status, field, code, message, moment(at), number)
            for item, status, field, code, message, at, number in rows
        ]

    def refused_length(self) -> int:
        """Return how many refused items are kept."""
        return int(self._one("SELECT count(*) FROM refused")[0])

    def forget_refused(self, last_id: int) -> None:
        """Drop the refused items up to the last one that a person has seen."""
        with self._transaction() as file:
            file.execute("DELETE FROM refused WHERE id <= ?", (last_id,))

    @contextmanager
    def delivering(self) -> Iterator[bool]:
        """Hold the right to deliver, if no other process or object holds it; yield whether this one does.

        A lock of the operating system, so a killed process gives it back.
        """
        try:
            self._lock_file.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            yield False
            return
        try:
            yield True
        finally:
            self._lock_file.execute("ROLLBACK")

    def close(self) -> None:
        """Close the files."""
        with self._guard:
            self._file.close()
            self._lock_file.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all or nothing; on the disk when it ends. Raises QueueFull or QueueUnavailable."""
        with self._guard:
            try:
                self._file.execute("BEGIN IMMEDIATE")
                try:
                    yield self._file
                    self._file.execute("COMMIT")
                except BaseException:
                    # A disk that is full has ended the transaction already.
                    if self._file.in_transaction:
                        self._file.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                if "is full" in str(error):
                    raise QueueFull(f"The disk of {self.path} is full; nothing was written.") from error
                raise QueueUnavailable(f"The queue {self.path} cannot be written: {error}") from error

    def _one(self, query: str, *values: int) -> Sequence[Any]:
        with self._guard:
            row: Sequence[Any] = self._file.execute(query, values).fetchone()
            return row


def _open(path: Path, busy_seconds: float) -> sqlite3.Connection:
    return sqlite3.connect(str(path), timeout=busy_seconds, isolation_level=None, check_same_thread=False)


def _prepare(file: sqlite3.Connection) -> None:
    file.execute("PRAGMA synchronous = FULL")
    deadline = time.monotonic() + BUSY_SECONDS
    # Two processes that make the file at once: the switch to WAL does not wait by itself.
    while not _is_prepared(file, last_try=time.monotonic() > deadline):
        time.sleep(0.01)


def _is_prepared(file: sqlite3.Connection, *, last_try: bool) -> bool:
    try:
        file.execute("PRAGMA journal_mode = WAL")
        file.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT")
    except sqlite3.OperationalError as error:
        if last_try or "locked" not in str(error):
            raise
        return False
    return True


def _next_stamp(last: int | None, now: int) -> int:
    return last + 1 if last is not None and now <= last <= now + _FURTHEST_AHEAD else now


def _moment(since_1970: int | None) -> datetime | None:
    return None if since_1970 is None else moment(since_1970)
