"""Read what an adapter writes: SHDR, lines of fields between pipes. Pure: no socket, the clock is an argument.

After the MTConnect institute's "Adapter Agent Protocol" and its C++ agent. SHDR itself does not say whether a key is a
condition, a message or a plain value; where the shape of the line does not show it either, `Shapes` names them.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from connectors.mtconnect.observations import LEVELS, UNAVAILABLE, Condition, Observation

# A field in quotes may hold pipes, each behind a backslash; what is not properly quoted is taken as it stands.
_FIELD = re.compile(r'"((?:[^"\\|]|\\\|)*)"[ \t]*(?=\||$)|([^|]*)')
_RELATIVE = re.compile(r"[+-]?\d+(\.\d*)?$")
_COMMAND = re.compile(r"\*\s*(PING|PONG)\b\s*(\d{1,9})?", re.IGNORECASE)
_MULTILINE = "--multiline--"
# An asset that does not end within so many lines has lost its end.
_LONGEST_ASSET = 10_000
_QUALIFIERS = {"", "HIGH", "LOW"}
_LEVEL_WORDS = {**{level.upper(): level for level in LEVELS}, "UNAVAILABLE": UNAVAILABLE}
_SHORTEST_HEARTBEAT_MS = 100


class Malformed(Exception):
    """A line that is no SHDR; the message says why."""


class Splitter:
    """Cut a stream of bytes into lines; a line longer than `longest` bytes is passed over and counted."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._rest = b""
        self._is_too_long = False
        self.too_long = 0

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that these bytes complete, without their ends. What is no UTF-8 is replaced."""
        *complete, self._rest = (self._rest + data).split(b"\n")
        lines = []
        for line in complete:
            if self._is_too_long or len(line) > self._longest:
                self.too_long += 1
                self._is_too_long = False
            else:
                lines.append(line.decode("utf-8", "replace").rstrip("\r"))
        if len(self._rest) > self._longest:
            self._is_too_long, self._rest = True, b""
        return lines


def split_fields(line: str) -> list[str]:
    """Return a line's fields without the blanks around them."""
    fields, position = [], 0
    while True:
        match = _FIELD.match(line, position)
        assert match is not None  # the second half of the pattern matches anything, even nothing
        quoted, plain = match.groups()
        fields.append((plain if quoted is None else quoted.replace("\\|", "|")).strip())
        position = match.end() + 1
        if position > len(line):
            return fields


@dataclass(slots=True)
class Moments:
    """Turn the first field of lines into moments.

    A number is milliseconds since the adapter's own beginning; the first one that comes is taken to be `now`. A time
    without a zone is in `zone`, and of an hour that clocks repeat in the first.
    """

    zone: tzinfo
    _beginning: datetime | None = None

    def of(self, written: str, now: datetime) -> datetime:
        """Return the moment; an empty one is `now`. Raises Malformed."""
        written = written.partition("@")[0].strip()
        if not written:
            return now
        try:
            if _RELATIVE.match(written):
                since = timedelta(milliseconds=float(written))
                self._beginning = self._beginning or now - since
                return self._beginning + since
            at = datetime.fromisoformat(written)
            return (at.replace(tzinfo=self.zone) if at.tzinfo is None else at).astimezone(UTC)
        except (ValueError, OverflowError):
            raise Malformed(f"'{written[:64]}' is no timestamp.") from None


class Shapes(NamedTuple):
    """Keys whose data items have more fields than one."""

    conditions: frozenset[str] = frozenset()
    messages: frozenset[str] = frozenset()
    time_series: frozenset[str] = frozenset()


class Reading(NamedTuple):
    """A key with its value (None = unavailable)."""

    key: str
    value: str | None
    condition: Condition | None = None


def read_fields(fields: list[str], shapes: Shapes) -> list[Reading]:
    """Return what the fields behind the timestamp say. Raises Malformed when that is nothing.

    A line may be one condition (key|level|code|severity|qualifier|text), one message (key|code|text), or any number of
    key|value. Data behind an asset's command are not read.
    """
    if fields[0] not in shapes.conditions and _looks_like_condition(fields):
        return [_condition(fields[0], fields[1:6])]
    if len(fields) == 3 and all(fields) and not shapes.time_series.intersection(fields):
        return [Reading(fields[0], _known(fields[2]))]
    readings: list[Reading] = []
    position = 0
    while position < len(fields):
        key = fields[position]
        if key.startswith("@"):
            return readings
        width = _width(key, shapes)
        rest = fields[position + 1 : position + 1 + width]
        position += 1 + width
        # A pipe at the end of a line is a key without a name; a key at the end has lost its value.
        if key and rest:
            readings.append(_reading(key, rest, shapes))
    if not readings:
        raise Malformed("There is no key with a value.")
    return readings


def _width(key: str, shapes: Shapes) -> int:
    if key in shapes.conditions:
        return 5
    if key in shapes.time_series:
        return 3
    return 2 if key in shapes.messages else 1


def _reading(key: str, rest: list[str], shapes: Shapes) -> Reading:
    if key in shapes.conditions:
        return _condition(key, rest)
    if key in shapes.time_series:
        values = rest[2].split() if len(rest) == 3 else []
        return Reading(key, _known(values[-1]) if values else None)
    return Reading(key, _known(rest[-1]))


def _looks_like_condition(fields: list[str]) -> bool:
    # Three pairs have a key where a condition has its qualifier, so that it tells them apart.
    return len(fields) >= 6 and fields[1].upper() in _LEVEL_WORDS and fields[4].upper() in _QUALIFIERS


def _condition(key: str, rest: list[str]) -> Reading:
    level = _LEVEL_WORDS.get(rest[0].upper())
    if level is None:
        raise Malformed(f"'{rest[0][:64]}' is no level of the condition '{key[:64]}'.")
    code, text = (rest[1] if len(rest) > 1 else ""), (rest[4] if len(rest) > 4 else "")
    words = " ".join(filter(None, [code, text]))
    return Reading(key, None if level == UNAVAILABLE else level, Condition(level, code, words))


def _known(value: str) -> str | None:
    return None if value.upper() == "UNAVAILABLE" else value


@dataclass(slots=True)
class Lines:
    """Read one connection's lines in their order.

    `heartbeat_ms` is the period that the adapter last named in a PONG (0 = it named none, None = it never answered);
    `pings` counts what the adapter asked and nobody answered yet; `malformed` counts lines passed over.
    """

    moments: Moments
    shapes: Shapes
    device: str = ""
    heartbeat_ms: int | None = None
    pings: int = 0
    malformed: int = 0
    _asset_ends: str = ""
    _asset_lines: int = field(default=0)

    def read(self, line: str, now: datetime) -> list[Observation]:
        """Return the observations of a line; none for a command, a piece of an asset, and what is malformed."""
        if self._asset_ends:
            self._pass_over(line)
            return []
        if line.startswith("*"):
            self._command(line)
            return []
        if not line.strip():
            return []
        first, _, rest = line.partition("|")
        try:
            at = self.moments.of(first, now)
            fields = split_fields(rest)
            if fields[-1].startswith(_MULTILINE):
                self._asset_ends, self._asset_lines = fields[-1], 0
                return []
            readings = read_fields(fields, self.shapes)
        except Malformed:
            self.malformed += 1
            return []
        return [found for reading in readings if (found := self._observation(reading, at)) is not None]

    def _observation(self, reading: Reading, at: datetime) -> Observation | None:
        device, colon, key = reading.key.partition(":")
        if not colon:
            return Observation("", reading.key, "", at, reading.value, reading.condition)
        if self.device and device != self.device:
            return None
        return Observation("", f"{device}/{key}", key, at, reading.value, reading.condition)

    def _pass_over(self, line: str) -> None:
        self._asset_lines += 1
        if line.strip() == self._asset_ends:
            self._asset_ends = ""
        elif self._asset_lines >= _LONGEST_ASSET:
            self._asset_ends = ""
            self.malformed += 1

    def _command(self, line: str) -> None:
        match = _COMMAND.match(line)
        if match is None:
            return
        if match[1].upper() == "PING":
            self.pings += 1
        else:
            self.heartbeat_ms = max(int(match[2]), _SHORTEST_HEARTBEAT_MS) if match[2] else 0
