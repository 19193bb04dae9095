"""How far each file was read: kept on disk beside the files, and written whole or not at all."""

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

TAIL_BYTES = 256
MOST_BAD = 100


@dataclass(slots=True)
class Position:
    """How far one file was read. A file is known by its place on the disk, and by the bytes before the offset.

    `offset` in bytes, `line` lines; `tail` is a digest of the last bytes before the offset; `size` and `modified_ns`
    are the file's as it was read last. `bad` are (line, why) of the first lines that were not stored.
    """

    name: str
    device: int
    inode: int
    offset: int = 0
    line: int = 0
    tail: str = ""
    size: int = -1
    modified_ns: int = 0
    header: str | None = None
    inherited_header: str | None = None
    good: int = 0
    refused: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)

    def note_bad(self, line: int, why: str) -> None:
        """Count a line that was not stored."""
        self.refused += 1
        if len(self.bad) < MOST_BAD:
            self.bad.append((line, why))


@dataclass(frozen=True, slots=True)
class HeardState:
    """The last value of a state signal, its moment, and the moment at which a state was last told because of it."""

    value: str
    at: datetime
    told_at: datetime


@dataclass(slots=True)
class Positions:
    """All positions of a folder by (device, inode), and what was last heard of each state signal."""

    files: dict[tuple[int, int], Position] = field(default_factory=dict)
    states: dict[str, HeardState] = field(default_factory=dict)


def path_of(folder: Path, code: str) -> Path:
    """Return where a connector keeps its positions."""
    return folder / f".mes-position-{re.sub(r'[^A-Za-z0-9_-]', '_', code)}.json"


def load(path: Path) -> Positions:
    """Return what was saved last; nothing if nothing was. Raises ValueError for a file that is damaged."""
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
        files = [Position(**{**row, "bad": [tuple(bad) for bad in row["bad"]]}) for row in document["files"]]
        states = {
            signal: HeardState(value, datetime.fromisoformat(at), datetime.fromisoformat(told_at))
            for signal, (value, at, told_at) in document["states"].items()
        }
    except FileNotFoundError:
        return Positions()
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged; delete it to have all files read anew. ({error})") from error
    return Positions({(position.device, position.inode): position for position in files}, states)


def save(path: Path, positions: Positions) -> None:
    """Write the positions so that they survive a loss of power: the old ones or the new ones are there, never half."""
    document = {
        "files": [asdict(position) for position in positions.files.values()],
        "states": {
            signal: (state.value, state.at.isoformat(), state.told_at.isoformat())
            for signal, state in positions.states.items()
        },
    }
    fresh = path.with_suffix(".new")
    with fresh.open("w", encoding="utf-8") as out:
        json.dump(document, out)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def tail_digest(file: BinaryIO, offset: int) -> str:
    """Return the digest of the bytes before an offset, by which a file is known again."""
    start = max(0, offset - TAIL_BYTES)
    file.seek(start)
    return hashlib.sha256(file.read(offset - start)).hexdigest()
