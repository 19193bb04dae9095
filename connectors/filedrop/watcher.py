"""Watch a folder: deliver what files say, line by line, and remember how far that got only after the commit."""

import asyncio
import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from connectors.doors import Setup
from connectors.filedrop import positions
from connectors.filedrop.lines import Line, UnusableFile, shape_of
from connectors.filedrop.positions import MOST_BAD, HeardState, Position
from connectors.filedrop.reading import FileChanged, is_at, is_document, read_document, read_next
from connectors.intake import MOST_ITEMS, Intake
from connectors.translation import Item, text

DONE, FAILED = "done", "failed"
_JSON = (".json", ".jsonl", ".ndjson")
# How rotation renames a log: app.log.1, app.log.2026-03-01.
_ROTATED = re.compile(r"(?P<name>.+?)\.\d[\d._-]*")
# Moments this close are one for the translator, which tells the later one a little later.
_SAME = timedelta(milliseconds=1)


async def run(setup: Setup, intake: Intake) -> None:
    """Watch the folder until cancelled.

    Raises OSError for a folder that is not there, ValueError for damaged positions.

    A folder that cannot be reached says nothing about machines: what they write meanwhile comes later, with its time.
    """
    watcher = Watcher(setup, intake)
    await watcher.begin()
    while True:
        await watcher.look()
        await asyncio.sleep(setup.options["poll_seconds"])


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it was seen in the folder."""

    path: Path
    device: int
    inode: int
    size: int
    modified_ns: int

    @property
    def key(self) -> tuple[int, int]:
        """Return what stays the same when the file is renamed."""
        return self.device, self.inode


class Watcher:
    """One folder, and how far its files were read."""

    def __init__(self, setup: Setup, intake: Intake) -> None:
        options = setup.options
        self._folder = Path(setup.address)
        self._intake = intake
        self._translator = setup.translator
        self._shape = shape_of(options)
        self._patterns = options["patterns"].lower().split()
        self._follows = options["mode"] == "follow"
        self._deletes = options["after"] == "delete"
        self._settle: float = options["settle_seconds"]
        self._saved_at = positions.path_of(self._folder, setup.code)
        self._positions = positions.Positions()
        # Since when a file is as it is: path to (size, modified_ns, monotonic seconds).
        self._unchanged: dict[Path, tuple[int, int, float]] = {}
        # Files of no use, as they were then; they are read again when they change.
        self._unusable: dict[tuple[int, int], tuple[int, int]] = {}

    async def begin(self) -> None:
        """Take up where the last run ended: positions, and what was heard of each state."""
        self._positions = await asyncio.to_thread(positions.load, self._saved_at)
        heard = [(state.told_at, signal, state.value) for signal, state in self._positions.states.items()]
        for told_at, signal, value in sorted(heard):
            # It was told then; telling it the translator again only reminds it.
            self._translator.value(signal, value, told_at)
        self._translator.unmapped.clear()

    async def look(self) -> None:
        """Read what is new in the folder, the oldest file first."""
        found = await asyncio.to_thread(self._list)
        self._intake.connected()
        self._note_changes(found)
        known = {file.key for file in found}
        self._positions.files = {key: one for key, one in self._positions.files.items() if key in known}
        for file in await asyncio.to_thread(self._wanted, found):
            try:
                await (self._follow(file) if self._follows else self._take(file))
            except (FileChanged, FileNotFoundError):
                continue
            except PermissionError as error:
                self._intake.complain(f"{file.path.name}: {error.strerror}")

    def _list(self) -> list[Found]:
        found = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or not entry.is_file(follow_symlinks=False):
                    continue
                try:
                    status = os.stat(entry.path)
                except FileNotFoundError:
                    continue
                found.append(Found(Path(entry.path), status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns))
        # A log that a program empties after copying it may have the copy's time; the copy is older.
        return sorted(found, key=lambda file: (file.modified_ns, self._is_named(file.path.name), file.path.name))

    def _note_changes(self, found: Iterable[Found]) -> None:
        now, before, self._unchanged = time.monotonic(), self._unchanged, {}
        for file in found:
            size, modified_ns, since = before.get(file.path, (-1, 0, now))
            is_same = (size, modified_ns) == (file.size, file.modified_ns)
            self._unchanged[file.path] = file.size, file.modified_ns, since if is_same else now

    def _is_settled(self, file: Found) -> bool:
        return time.monotonic() - self._unchanged[file.path][2] >= self._settle

    def _is_named(self, name: str) -> bool:
        return any(fnmatch(name.lower(), pattern) for pattern in self._patterns)

    def _wanted(self, found: list[Found]) -> list[Found]:
        """Return the files to read, each with a position; forget positions in logs that were emptied."""
        wanted = []
        emptied: list[Position] = []
        for file in found:
            position = self._positions.files.get(file.key)
            if position is None or (position.size, position.modified_ns) == (file.size, file.modified_ns):
                continue
            if not is_at(file.path, position):
                emptied.append(self._positions.files.pop(file.key))
        last_read = {one.name: one.modified_ns for one in (*self._positions.files.values(), *emptied)}
        for file in found:
            if file.key in self._positions.files:
                wanted.append(file)
                continue
            rotated = _ROTATED.fullmatch(file.path.name) if self._follows else None
            is_rotated = (
                rotated is not None and last_read.get(rotated["name"], file.modified_ns + 1) <= file.modified_ns
            )
            if self._is_named(file.path.name) or is_rotated:
                self._positions.files[file.key] = self._first_position(file, emptied)
                wanted.append(file)
        return wanted

    def _first_position(self, file: Found, emptied: Iterable[Position]) -> Position:
        """Return where to begin: in a copy of a log that was then emptied, where that log was read to."""
        position = Position(file.path.name, file.device, file.inode)
        for old in emptied:
            if old.offset and old.inode != file.inode and is_at(file.path, old):
                position.offset, position.line, position.tail, position.header = (
                    old.offset,
                    old.line,
                    old.tail,
                    old.header,
                )
            elif old.inode == file.inode:
                position.inherited_header = old.header
        return position

    async def _follow(self, file: Found) -> None:
        """Read what was added to a log."""
        position = self._positions.files[file.key]
        # A log that was rotated away is final once nobody writes to it any more.
        is_final = not self._is_named(file.path.name) and self._is_settled(file)
        is_read = (position.size, position.modified_ns) == (file.size, file.modified_ns)
        if (is_read and not (is_final and position.offset < file.size)) or self._is_unusable(file):
            return
        try:
            await self._read(file, position, is_final=is_final)
        except UnusableFile as error:
            self._unusable[file.key] = file.size, file.modified_ns
            self._intake.complain(f"{file.path.name}, line {error.line}: {error}")
            return
        position.name, position.size, position.modified_ns = file.path.name, file.size, file.modified_ns
        await self._save()

    def _is_unusable(self, file: Found) -> bool:
        return self._unusable.get(file.key) == (file.size, file.modified_ns)

    async def _take(self, file: Found) -> None:
        """Read a whole file, once it is complete, and put it away."""
        if not self._is_settled(file):
            return
        position = self._positions.files[file.key]
        try:
            if file.path.suffix.lower() == ".json" and await asyncio.to_thread(is_document, file.path):
                await self._deliver(position, await asyncio.to_thread(read_document, file.path, self._shape))
            else:
                await self._read(file, position, is_final=True)
        except UnusableFile as error:
            position.note_bad(error.line, str(error))
            self._intake.tally.refused += 1
        await _undisturbed(self._put_away, file, position)
        await self._save()

    async def _read(self, file: Found, position: Position, *, is_final: bool) -> None:
        """Deliver a file from its position to its end, batch by batch."""
        is_json = file.path.suffix.lower() in _JSON or any(part in _JSON for part in file.path.suffixes)
        while True:
            batch = await asyncio.to_thread(
                read_next, file.path, position, self._shape, is_json=is_json, is_final=is_final
            )
            if batch.offset == position.offset:
                return
            await self._deliver(position, batch.lines)
            position.offset, position.line = batch.offset, batch.line
            position.tail, position.header = batch.tail, batch.header
            await self._save()

    async def _deliver(self, position: Position, lines: list[Line]) -> None:
        """Deliver lines and note which were not stored; returns after the commit."""
        if not lines:
            return
        self._intake.heard(len(lines))
        items: list[Item] = []
        origins: list[int] = []
        bad: dict[int, str] = {line.number: line.error for line in lines if line.error}
        room = max(0, MOST_BAD - position.refused)
        for line in lines:
            told = self._translated(line) if not line.error else []
            if line.error and room:
                # What cannot be read is kept like any other refused item: with where it stands and why.
                room -= 1
                told = [{"file": position.name, "row": line.number, "text": line.text[:500], "error": line.error}]
            elif line.error:
                self._intake.tally.refused += 1
            items += told
            origins += [line.number] * len(told)
        for start in range(0, len(items), MOST_ITEMS):
            outcome = await self._intake.deliver(items[start : start + MOST_ITEMS])
            for answer in outcome.items:
                if answer.status != "duplicate":
                    bad.setdefault(origins[start + answer.index], f"{answer.field}: {answer.message}")
        for number, why in sorted(bad.items()):
            position.note_bad(number, why)
        position.good += len(lines) - len(bad)
        if bad:
            number, why = next(iter(sorted(bad.items())))
            self._intake.complain(f"{position.name}, line {number}: {why}")

    def _translated(self, line: Line) -> list[Item]:
        items = list(line.items)
        states = self._positions.states
        for signal, value, at in line.signals:
            before = states.get(signal)
            is_historical = before is not None and at < before.at - _SAME
            told = self._translator.value(signal, value, at, is_historical=is_historical)
            items += told
            if is_historical or not self._translator.machines_of([signal]):
                continue
            if value is None:
                states.pop(signal, None)
                continue
            told_at = [datetime.fromisoformat(item["at"]) for item in told if "machine" in item]
            states[signal] = HeardState(
                value=text(value),
                at=at if before is None else max(before.at, at),
                told_at=told_at[-1] if told_at else at if before is None else before.told_at,
            )
        return items

    def _put_away(self, file: Found, position: Position) -> None:
        """Move or delete a file that was read; write down beside it what was not stored."""
        status = file.path.stat()
        if (status.st_ino, status.st_size, status.st_mtime_ns) != (file.inode, file.size, file.modified_ns):
            # Somebody went on writing; what is new is read when that has settled.
            return
        if self._deletes and not position.refused:
            file.path.unlink()
            del self._positions.files[file.key]
            return
        target = self._free_place(self._folder / (DONE if position.good or not position.refused else FAILED), file.path)
        if position.refused:
            target.with_name(f"{target.name}.error.txt").write_text(_complaint(position), encoding="utf-8")
        file.path.replace(target)
        del self._positions.files[file.key]

    def _free_place(self, folder: Path, path: Path) -> Path:
        folder.mkdir(exist_ok=True)
        target = folder / path.name
        number = 1
        while target.exists():
            number += 1
            target = folder / f"{path.stem}-{number}{path.suffix}"
        return target

    async def _save(self) -> None:
        await _undisturbed(positions.save, self._saved_at, self._positions)


async def _undisturbed(function: Callable[..., None], *arguments: Any) -> None:
    """Call a function in a thread and wait for its end even when cancelled: the next run must not meet it at work."""
    work = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


def _complaint(position: Position) -> str:
    lines = [f"{position.good} lines are stored, {position.refused} are not.", ""]
    lines += [f"line {number}: {why}" for number, why in position.bad]
    if position.refused > len(position.bad):
        lines.append(f"... and {position.refused - len(position.bad)} more")
    return "\n".join(lines) + "\n"
