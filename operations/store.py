"""Keep backups in a directory: what lies in it is the list, so that a restore does not turn the list back.

Each backup is a directory of its name, which appears whole or not at all: `plant.dump` (pg_dump's own format),
`manifest.json` (when, why, of what, and the fingerprint of what was dumped), `SHA256SUMS` (for `sha256sum --check`),
and what was found later: `checked.json`, `copied.json`.
"""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from core.errors import Conflict, NotFound

DUMP, MANIFEST, SUMS, CHECKED, COPIED = "plant.dump", "manifest.json", "SHA256SUMS", "checked.json", "copied.json"
FORMAT = 1
_NAME = re.compile(r"[A-Za-z0-9_]+-\d{8}T\d{6}-\d{6}Z\Z")
_PARTIAL = ".partial"
_JOURNAL_BYTES = 256 * 1024
BAD_KEPT = 3


class State(StrEnum):
    """What is known of a backup."""

    GOOD = "good"
    """It was restored and compared, and its files have their sizes still."""
    UNVERIFIED = "unverified"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup as it lies in the store."""

    name: str
    folder: Path
    made_at: datetime
    state: State
    problems: tuple[str, ...] = ()
    bytes: int = 0
    rows: int | None = None
    tables: int | None = None
    why: str = ""
    by: str = ""
    checked_at: datetime | None = None
    """When its files were last read and compared with their checksums."""
    restored_at: datetime | None = None
    """When it was last restored beside the plant and compared."""
    copied_at: datetime | None = None
    copy_problem: str = ""

    @property
    def dump(self) -> Path:
        return self.folder / DUMP

    @property
    def is_good(self) -> bool:
        return self.state is State.GOOD


class Store:
    """A directory of backups. Whoever changes it holds its lock; whoever reads needs none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make the directory, for nobody else's eyes."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    # --- reading ---

    def backups(self) -> list[Backup]:
        """Return all backups, the newest first; also those whose files are missing or damaged."""
        if not self.folder.is_dir():
            return []
        found = [_read(each) for each in self.folder.iterdir() if each.is_dir() and _NAME.fullmatch(each.name)]
        return sorted(found, key=lambda backup: (backup.made_at, backup.name), reverse=True)

    def get(self, name: str) -> Backup:
        """Return a backup by its name. Raises NotFound."""
        if not is_name(name) or not (self.folder / name).is_dir():
            raise NotFound(f"There is no backup {name[:100]}.", field="name")
        return _read(self.folder / name)

    def last_good(self) -> Backup | None:
        """Return the newest backup that was restored and compared."""
        return next((backup for backup in self.backups() if backup.is_good), None)

    # --- writing ---

    @contextmanager
    def alone(self, doing: str, *, wait: bool = True) -> Iterator[None]:
        """Hold the store until the block ends, and tell readers what for.

        Without `wait`, raises Conflict while somebody else holds it. A process that dies lets go of it.
        """
        self.prepare()
        with (self.folder / ".lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                raise Conflict(f"Wait until this is done: {self.doing() or 'another backup'}.") from None
            _write_json(self.folder / ".doing.json", {"doing": doing, "pid": os.getpid()})
            try:
                yield
            finally:
                (self.folder / ".doing.json").unlink(missing_ok=True)

    def doing(self) -> str:
        """Return what whoever holds the store is about; nothing when nobody does."""
        try:
            with (self.folder / ".lock").open("a+") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return str(_read_json(self.folder / ".doing.json").get("doing") or "something else")
        except OSError:
            return ""
        return ""

    @contextmanager
    def new(self, label: str, at: datetime) -> Iterator[Path]:
        """Yield an empty directory that becomes a backup when the block ends well; its name is nobody else's."""
        self.prepare()
        at = at.astimezone(UTC)
        while True:
            name = f"{re.sub(r'[^A-Za-z0-9_]', '_', label)}-{at:%Y%m%dT%H%M%S-%f}Z"
            draft, final = self.folder / (name + _PARTIAL), self.folder / name
            if not final.exists():
                try:
                    draft.mkdir(mode=0o700)
                    break
                except FileExistsError:
                    pass
            at += timedelta(microseconds=1)
        try:
            yield draft
            seal(draft)
            draft.rename(final)
            _sync(self.folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise

    def note_check(self, backup: Backup, *, at: datetime, problems: list[str], restored: bool) -> Backup:
        """Keep what looking at a backup found; returns the backup as it is known now."""
        known = _read_json(backup.folder / CHECKED)
        known |= {"at": at.isoformat(), "good": not problems, "problems": problems[:20]}
        if restored:
            known["restored_at"] = at.isoformat()
        elif problems:
            known.pop("restored_at", None)
        _write_json(backup.folder / CHECKED, known)
        return _read(backup.folder)

    def note_copy(self, backup: Backup, *, at: datetime, problem: str = "") -> None:
        """Keep whether the copy elsewhere was made."""
        _write_json(backup.folder / COPIED, {"at": at.isoformat(), "problem": problem})

    def tidy(self, keep: int) -> list[str]:
        """Delete what is more than the newest `keep` good ones, all but a few others, and drafts; return the names.

        Only whoever holds the store may: any draft then is one that a dead process left.
        """
        for draft in self.folder.glob("*" + _PARTIAL):
            shutil.rmtree(draft, ignore_errors=True)
        backups = self.backups()
        gone = [backup for backup in backups if backup.is_good][max(keep, 1) :]
        gone += [backup for backup in backups if not backup.is_good][BAD_KEPT:]
        for backup in gone:
            doomed = backup.folder.with_name(backup.name + _PARTIAL)
            backup.folder.rename(doomed)
            shutil.rmtree(doomed)
        return [backup.name for backup in gone]

    # --- the journal ---

    def note(self, *, at: datetime, who: str, what: str, name: str = "") -> None:
        """Write down what was done with backups; the last 256 KiB are kept."""
        self.prepare()
        path = self.folder / "journal.jsonl"
        if path.exists() and path.stat().st_size > _JOURNAL_BYTES:
            path.replace(self.folder / "journal.old.jsonl")
        line = json.dumps({"at": at.isoformat(), "who": who, "what": what, "name": name})
        with path.open("a") as journal:
            journal.write(line + "\n")

    def journal(self, most: int = 20) -> list[dict[str, Any]]:
        """Return the last entries of the journal, the newest first."""
        found: list[dict[str, Any]] = []
        for name in ("journal.old.jsonl", "journal.jsonl"):
            path = self.folder / name
            for line in path.read_text(errors="replace").splitlines() if path.exists() else ():
                try:
                    entry = json.loads(line)
                    found.append({**entry, "at": datetime.fromisoformat(entry["at"])})
                except (ValueError, KeyError, TypeError):
                    continue
        return found[: -most - 1 : -1]


def is_name(name: str) -> bool:
    """Say whether a backup may be called so."""
    return _NAME.fullmatch(name) is not None


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    summed = sha256()
    with path.open("rb") as file:
        while piece := file.read(2**20):
            summed.update(piece)
    return summed.hexdigest()


def problems_of_files(backup: Backup) -> list[str]:
    """Read a backup's files whole; return what is missing or is not what was written. None = they are intact."""
    try:
        lines = (backup.folder / SUMS).read_text().splitlines()
        wanted = {name: summed for summed, _, name in (line.partition("  ") for line in lines)}
    except (OSError, UnicodeDecodeError):
        return [f"{SUMS} is missing or damaged"]
    said = []
    for name in (DUMP, MANIFEST):
        path = backup.folder / name
        if not path.is_file():
            said.append(f"{name} is missing")
        elif digest(path) != wanted.get(name):
            said.append(f"{name} is not what was written")
    return said


def manifest_of(backup: Backup) -> dict[str, Any]:
    """Return what was written down when a backup was made; empty when it cannot be read."""
    return _read_json(backup.folder / MANIFEST)


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Put the manifest beside the dump."""
    _write_json(folder / MANIFEST, {"format": FORMAT, "bytes": (folder / DUMP).stat().st_size, **manifest})


def seal(folder: Path) -> None:
    """Write the checksums of a backup's files, and see that all of them are on the disk."""
    lines = [f"{digest(folder / name)}  {name}\n" for name in (DUMP, MANIFEST)]
    (folder / SUMS).write_text("".join(lines))
    for name in (DUMP, MANIFEST, SUMS):
        (folder / name).chmod(0o600)
        _sync(folder / name)
    _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(folder: Path) -> Backup:
    manifest, checked, copied = (_read_json(folder / name) for name in (MANIFEST, CHECKED, COPIED))
    stamp = folder.name.rpartition("-")[0].rpartition("-")[2] + "-" + folder.name.rpartition("-")[2].rstrip("Z")
    dump = folder / DUMP
    size = dump.stat().st_size if dump.is_file() else 0
    problems = [str(problem) for problem in checked.get("problems") or ()]
    if not dump.is_file():
        problems = [f"{DUMP} is missing"]
    elif not manifest or not (folder / SUMS).is_file():
        problems = [f"{MANIFEST} or {SUMS} is missing or damaged"]
    elif size != manifest.get("bytes"):
        problems = [f"{DUMP} has {size} bytes instead of {manifest.get('bytes')}"]
    good = checked.get("good") is True and "restored_at" in checked
    tables = manifest.get("fingerprint", {}).get("tables", {}) if manifest else {}
    return Backup(
        name=folder.name,
        folder=folder,
        made_at=datetime.strptime(stamp, "%Y%m%dT%H%M%S-%f").replace(tzinfo=UTC),
        state=State.DAMAGED if problems else State.GOOD if good else State.UNVERIFIED,
        problems=tuple(problems),
        bytes=size,
        rows=sum(rows for rows, _ in tables.values()) if manifest else None,
        tables=len(tables) if manifest else None,
        why=str(manifest.get("why", "")),
        by=str(manifest.get("by", "")),
        checked_at=_moment(checked.get("at")),
        restored_at=_moment(checked.get("restored_at")),
        copied_at=None if copied.get("problem") else _moment(copied.get("at")),
        copy_problem=str(copied.get("problem", "")),
    )


def _moment(written: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(written)
    except (TypeError, ValueError):
        return None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_json(path: Path, content: dict[str, Any]) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(content, separators=(",", ":")))
    draft.chmod(0o600)
    _sync(draft)
    draft.replace(path)
