"""Read what an agent answers: MTConnectStreams and MTConnectError documents of any version. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from connectors.mtconnect.observations import UNAVAILABLE, Condition, Observation

OUT_OF_RANGE = "OUT_OF_RANGE"
_LEVELS = {"Normal", "Warning", "Fault", "Unavailable"}
_CATEGORIES = {"Samples", "Events", "Condition"}


class Unreadable(Exception):
    """The answer is no document of an agent; the message says why."""


class AgentError(Exception):
    """The agent answers with an error; `codes` are its error codes."""

    def __init__(self, codes: list[str], message: str) -> None:
        super().__init__(message)
        self.codes = codes


@dataclass(frozen=True, slots=True)
class Streams:
    """An answer to `current` or `sample`: its header, and its observations in the order of their sequence numbers.

    `created_at` is the agent's clock; `unreadable` counts observations without a data item id or a readable time.
    """

    instance_id: str
    first_sequence: int
    last_sequence: int
    next_sequence: int
    buffer_size: int | None
    created_at: datetime | None
    observations: list[Observation]
    unreadable: int = 0


def read_streams(body: bytes | bytearray) -> Streams:
    """Return an answer's content. Raises Unreadable, or AgentError when it is an MTConnectError document.

    The documents of the versions differ in their namespace only, so elements are known by their local names. Data sets
    and tables are left out: they have no one value.
    """
    try:
        root = ElementTree.fromstring(bytes(body), forbid_dtd=True)
    except DefusedXmlException:
        raise Unreadable("The answer has a document type or entities, which MTConnect documents never have.") from None
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise Unreadable(f"The answer is not XML: {error}") from None
    kind = _local(root)
    if kind == "MTConnectError":
        raise _error(root)
    header = next((child for child in root if _local(child) == "Header"), None)
    if kind != "MTConnectStreams" or header is None:
        raise Unreadable(f"The answer is a document '{kind[:64]}', not MTConnectStreams with a header.")
    written = list(_written(root))
    observations = [observation for element in written if (observation := _observation(*element)) is not None]
    first, following = _sequence(header, "firstSequence"), _sequence(header, "nextSequence")
    return Streams(
        instance_id=header.get("instanceId", ""),
        first_sequence=first,
        last_sequence=_sequence(header, "lastSequence", following - 1),
        next_sequence=following,
        buffer_size=_sequence(header, "bufferSize", 0) or None,
        created_at=moment(header.get("creationTime", "")),
        # Of those with one number, or none, the order of the document holds.
        observations=sorted(observations, key=lambda observation: observation.sequence),
        unreadable=len(written) - len(observations),
    )


def moment(written: str) -> datetime | None:
    """Return the moment that a timestamp names, UTC unless it says otherwise; None when it is no timestamp."""
    try:
        at = datetime.fromisoformat(written.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _error(root: Any) -> AgentError:
    errors = [element for element in root.iter() if isinstance(element.tag, str) and element.get("errorCode")]
    said = [f"{element.get('errorCode')}: {' '.join(element.itertext()).strip()}" for element in errors]
    return AgentError(
        [element.get("errorCode") for element in errors], "; ".join(said)[:300] or "an error without text"
    )


def _written(root: Any) -> Iterator[tuple[str, bool, Any]]:
    """Yield (device, whether it is a condition, element) of everything that has one value."""
    for device in root.iter():
        if _local(device) != "DeviceStream":
            continue
        name = device.get("name") or device.get("uuid") or ""
        for category in device.iter():
            if _local(category) not in _CATEGORIES:
                continue
            is_condition = _local(category) == "Condition"
            for element in category:
                if not _has_many_values(element):
                    yield name, is_condition, element


def _has_many_values(element: Any) -> bool:
    kind = _local(element)
    return not kind or kind.endswith(("DataSet", "Table")) or any(_local(child) == "Entry" for child in element)


def _observation(device: str, is_condition: bool, element: Any) -> Observation | None:
    at, item_id, sequence = (
        moment(element.get("timestamp", "")),
        element.get("dataItemId"),
        element.get("sequence", "0"),
    )
    kind = _local(element)
    if at is None or not item_id or not sequence.isascii() or not sequence.isdigit():
        return None
    text = " ".join("".join(element.itertext()).split()) if is_condition else (element.text or "").strip()
    condition, value = None, None if text == "UNAVAILABLE" else text
    if is_condition:
        if kind not in _LEVELS:
            return None
        code = element.get("conditionId") or element.get("nativeCode") or ""
        words = " ".join(filter(None, [element.get("nativeCode"), text]))
        condition, value = Condition(kind, code, words), None if kind == UNAVAILABLE else kind
    elif kind.endswith("TimeSeries") and value is not None:
        value = value.split()[-1] if value else None
    return Observation(device, item_id, element.get("name") or "", at, value, condition, int(sequence))


def _sequence(header: Any, name: str, otherwise: int | None = None) -> int:
    written = header.get(name, "")
    if written.isascii() and written.isdigit():
        return int(written)
    if otherwise is None:
        raise Unreadable(f"The header has no {name}.")
    return otherwise


def _local(element: Any) -> str:
    """Return an element's name without its namespace; comments and instructions have none."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
