"""Read the next lines of a file from a position on: bounded, whole lines only. Blocking; called in a thread."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from connectors.filedrop.lines import (
    Line,
    Shape,
    UnusableFile,
    check_columns,
    columns_of,
    read_csv_line,
    read_json_document,
    read_json_line,
)
from connectors.filedrop.positions import Position, tail_digest

BATCH_LINES = 2_000
BATCH_BYTES = 2 * 1024 * 1024
MAX_LINE_BYTES = 64 * 1024
MAX_DOCUMENT_BYTES = 16 * 1024 * 1024


class FileChanged(Exception):
    """The file is not the one that was looked at; look again."""


@dataclass(slots=True)
class Batch:
    """Lines that were read, and where the next ones begin. No lines = there is nothing more, for now."""

    lines: list[Line]
    offset: int
    line: int
    tail: str
    header: str | None


def is_at(path: Path, position: Position) -> bool:
    """Say whether a file is the one of the position and goes on where it ends: not truncated, not written anew."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        return size >= position.offset and (not position.offset or tail_digest(file, position.offset) == position.tail)


def is_document(path: Path) -> bool:
    """Say whether a .json file is one document, not JSON lines. Raises UnusableFile when it is too large for that."""
    with path.open("rb") as file:
        start = file.readline(MAX_LINE_BYTES).removeprefix(b"\xef\xbb\xbf").strip()
        size = os.fstat(file.fileno()).st_size
    # One object a line closes its brace in the line that opens it.
    if start.startswith(b"{") and start.endswith(b"}") and b'"items"' not in start:
        return False
    if not start.startswith((b"{", b"[")):
        return False
    if size > MAX_DOCUMENT_BYTES:
        raise UnusableFile(f"A JSON document is at most {MAX_DOCUMENT_BYTES // 1024**2} MB; write one object a line.")
    return True


def read_document(path: Path, shape: Shape) -> list[Line]:
    """Return what the objects of a JSON document say. Raises UnusableFile."""
    return read_json_document(path.read_bytes(), shape)


def read_next(path: Path, position: Position, shape: Shape, *, is_json: bool, is_final: bool) -> Batch:
    """Return the next lines. A last line without its end is left for later unless the file is final.

    Raises UnusableFile, and FileChanged when another file is there by now.
    """
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if (status.st_dev, status.st_ino) != (position.device, position.inode):
            raise FileChanged
        batch = Batch([], position.offset, position.line, position.tail, position.header)
        file.seek(position.offset)
        parse = None
        while len(batch.lines) < BATCH_LINES and batch.offset - position.offset < BATCH_BYTES:
            raw, length = _next_line(file, is_final=is_final)
            if not length:
                break
            batch.offset += length
            batch.line += 1
            if raw is None:
                batch.lines.append(Line(batch.line, error=f"The line is longer than {MAX_LINE_BYTES // 1024} KB."))
                continue
            if parse is None:
                parse, is_header = _parser(raw, position, batch, shape, is_json=is_json)
                if is_header:
                    continue
            line = parse(raw, batch.line)
            if line.error or line.items or line.signals:
                batch.lines.append(line)
        if batch.offset != position.offset:
            batch.tail = tail_digest(file, batch.offset)
    return batch


def _next_line(file: BinaryIO, *, is_final: bool) -> tuple[bytes | None, int]:
    """Return the next line and its length; (None, length) of one that is too long; length 0 when none is complete."""
    raw = file.readline(MAX_LINE_BYTES)
    if raw.endswith(b"\n") or (raw and is_final and len(raw) < MAX_LINE_BYTES):
        return raw, len(raw)
    if len(raw) < MAX_LINE_BYTES:
        return b"", 0
    length, is_ended = len(raw), False
    while not is_ended and (more := file.readline(MAX_LINE_BYTES)):
        length, is_ended = length + len(more), more.endswith(b"\n")
    return (None, length) if is_ended or is_final else (b"", 0)


def _parser(
    raw: bytes, position: Position, batch: Batch, shape: Shape, *, is_json: bool
) -> tuple[Callable[[bytes, int], Line], bool]:
    """Return how to read the lines of a file, and whether the one at hand only names the columns."""
    if is_json:
        return lambda raw, number: read_json_line(raw, number, shape), False
    if shape.columns:
        check_columns(shape.columns, shape)
        return lambda raw, number: read_csv_line(raw, number, shape.columns, shape.delimiter, shape), False
    is_header = False
    if batch.header is None:
        try:
            text = raw.decode(shape.encoding).removeprefix("\ufeff").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise UnusableFile(f"The first line is not {shape.encoding}: {error.reason}.") from None
        try:
            columns_of(text, shape)
            batch.header, is_header = text, True
        except UnusableFile:
            # A log that was emptied by another program may go on without its first line.
            if position.inherited_header is None:
                raise
            batch.header = position.inherited_header
    header = batch.header
    columns = columns_of(header, shape)
    delimiter = shape.delimiter or max(",;\t|", key=header.count)
    return lambda raw, number: read_csv_line(raw, number, columns, delimiter, shape), is_header
