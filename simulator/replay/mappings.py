"""Find and load mapping files: small TOML files that say how logs of one kind become facts."""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings

from simulator.replay.batch_workbook import BatchWorkbookMapping, read_batch_workbook
from simulator.replay.event_log import EventLogMapping, read_event_log
from simulator.replay.fact_table import read_fact_table
from simulator.replay.log import Log, ReasonNeed, TagNeed, UnreadableLog
from simulator.replay.order_log import OrderLog, OrderLogMapping, read_order_log
from simulator.replay.work_log import WorkLogMapping, read_work_log


def mappings_folder() -> Path:
    """Return where mappings are kept that can be called by name."""
    return Path(settings.BASE_DIR) / "docs" / "mappings"


def read_log(path: Path, *, mapping: str, machine: str, time_zone: str) -> Log:
    """Return a log's facts for one machine, or for those that a work log names.

    `mapping` is a name or a path; empty for the documented CSV shape. `time_zone` wins over the mapping's. Raises
    UnreadableLog.
    """
    document: dict[str, Any] = _document(mapping) if mapping else {"kind": "fact-table"}
    zone = _zone(time_zone or document.get("time_zone", ""))
    try:
        match document.get("kind"):
            case "fact-table":
                return replace(
                    read_fact_table(path, zone),
                    reasons=tuple(ReasonNeed(**reason) for reason in document.get("reason", [])),
                    tags=tuple(TagNeed(**tag) for tag in document.get("tag", [])),
                )
            case "event-log":
                return read_event_log(path, EventLogMapping.parse(document, _required(zone)), machine=machine)
            case "batch-workbook":
                return read_batch_workbook(path, BatchWorkbookMapping.parse(document, _required(zone)), machine=machine)
            case "work-log":
                return read_work_log(path, WorkLogMapping.parse(document, _required(zone)))
            case kind:
                kinds = "fact-table, event-log, batch-workbook or work-log"
                raise UnreadableLog(f"The mapping's kind is {kind!r}: {kinds}.")
    except (KeyError, TypeError) as error:
        raise UnreadableLog(f"The mapping '{mapping}' is incomplete: {error}") from error


def read_orders(path: Path, *, mapping: str, time_zone: str) -> tuple[OrderLog, OrderLogMapping]:
    """Return what a work log says of orders, and how it was read. Raises UnreadableLog."""
    document = _document(mapping)
    try:
        parsed = OrderLogMapping.parse(document, _required(_zone(time_zone or document.get("time_zone", ""))))
    except (KeyError, TypeError) as error:
        raise UnreadableLog(f"The mapping '{mapping}' says nothing of orders, or is incomplete: {error}") from error
    return read_order_log(path, parsed), parsed


def _document(mapping: str) -> dict[str, Any]:
    named = mappings_folder() / f"{mapping}.toml"
    path = named if named.exists() else Path(mapping)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        known = ", ".join(sorted(file.stem for file in mappings_folder().glob("*.toml")))
        raise UnreadableLog(f"There is no mapping '{mapping}'; known by name: {known}.") from error
    except tomllib.TOMLDecodeError as error:
        raise UnreadableLog(f"{path} is not TOML: {error}") from error


def _zone(name: str) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UnreadableLog(f"'{name}' is no IANA time zone; write it like Europe/Warsaw.") from error


def _required(zone: ZoneInfo | None) -> ZoneInfo:
    if zone is None:
        raise UnreadableLog("The log's times have no zone: name it in the mapping (time_zone) or with --time-zone.")
    return zone
