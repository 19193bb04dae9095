"""Read an event log: a machine controller's list of what happened, turned into states by a mapping's rules.

A machine is in the state that its last program event led to, unless it is held: a hold covers that state until it is
released. Times are whole seconds, and a machine has one state at a moment, so of the events of one second the state
that they end in counts. A hold of 0 s therefore leaves no trace, and no duration is off by a fraction.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from simulator.facts import CountFact, Fact, StateFact
from simulator.replay.log import Log, ReasonNeed, TagNeed, UnreadableLog


@dataclass(frozen=True, slots=True)
class Rule:
    """What an event means: a new state, a hold set or released, an alarm, a finished piece; several at once if need be.

    A rule with a value holds only for events with that value.
    """

    event: str
    value: str | None = None
    state: str | None = None
    hold: bool | None = None
    is_alarm: bool = False
    counts: bool = False


@dataclass(frozen=True, slots=True)
class EventLogMapping:
    """How the files of one kind are written, and what their events mean.

    `reason_of` maps the states `running`, `idle` … to reason codes, and with them `hold`, `alarm_hold` and
    `end_of_log`. An alarm explains a hold that begins up to `alarm_lead` after it, or that it arises in.
    """

    encoding: str
    separator: str
    columns: tuple[str, ...]
    time_format: str
    zone: ZoneInfo
    initial_state: str
    alarm_lead: timedelta
    rules: tuple[Rule, ...]
    reasons: tuple[ReasonNeed, ...]
    reason_of: Mapping[str, str]
    count_suffix: str

    @classmethod
    def parse(cls, document: Mapping[str, Any], zone: ZoneInfo) -> "EventLogMapping":
        """Return a mapping from its TOML document. Raises KeyError or TypeError where that is incomplete."""
        file = document["file"]
        return cls(
            encoding=file["encoding"],
            separator=file["separator"],
            columns=tuple(file["columns"]),
            time_format=file["time_format"],
            zone=zone,
            initial_state=document["initial_state"],
            alarm_lead=timedelta(seconds=document["alarm_lead_seconds"]),
            rules=tuple(Rule(**rule) for rule in document["rule"]),
            reasons=tuple(ReasonNeed(**reason) for reason in document["reason"]),
            reason_of=document["reason_of"],
            count_suffix=document["count_suffix"],
        )


@dataclass(frozen=True, slots=True)
class _Event:
    at: datetime
    name: str
    value: str


@dataclass(slots=True)
class _Situation:
    """What is known of the machine after some of its events."""

    state: str
    is_held: bool = False
    alarm: str = ""
    """The alarm that explains the present hold."""
    last_alarm: tuple[datetime, str] | None = None

    def shown(self, reason_of: Mapping[str, str]) -> tuple[str, str]:
        """Return the reason and detail that hold now."""
        if not self.is_held:
            return reason_of[self.state], ""
        return (reason_of["alarm_hold"], self.alarm) if self.alarm else (reason_of["hold"], "")


def read_event_log(path: Path, mapping: EventLogMapping, *, machine: str) -> Log:
    """Return the facts of a file for one machine. Raises UnreadableLog with the line at fault."""
    events = sorted(_events(path, mapping), key=lambda event: event.at)
    if not events:
        raise UnreadableLog(f"{path} has no events.")
    tag = f"{machine}/{mapping.count_suffix}"
    facts = tuple(_facts(events, mapping, machine, tag))
    tags = (TagNeed(tag),) if any(rule.counts for rule in mapping.rules) else ()
    return Log(facts, reasons=mapping.reasons, tags=tags)


def _events(path: Path, mapping: EventLogMapping) -> Iterator[_Event]:
    try:
        with path.open(encoding=mapping.encoding, newline="") as file:
            # Quotes are plain characters in such logs; a field never spans lines.
            for number, row in enumerate(
                csv.reader(file, delimiter=mapping.separator, quoting=csv.QUOTE_NONE), start=1
            ):
                if row:
                    yield _event(dict(zip(mapping.columns, row, strict=False)), mapping, number)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableLog(f"{path}: {error}") from error


def _event(row: dict[str, str], mapping: EventLogMapping, number: int) -> _Event:
    try:
        local = datetime.strptime(row["time"], mapping.time_format)  # noqa: DTZ007 — the zone follows
        # An hour that comes twice when the clocks go back is taken as its first.
        return _Event(local.replace(tzinfo=mapping.zone).astimezone(UTC), row["event"], row.get("value", ""))
    except (KeyError, ValueError) as error:
        raise UnreadableLog(f"Line {number} does not fit the mapping: {error}") from error


def _facts(events: Iterable[_Event], mapping: EventLogMapping, machine: str, tag: str) -> Iterator[Fact]:
    now = _Situation(mapping.initial_state)
    told: tuple[str, str] | None = None
    at: datetime | None = None
    for at, of_second in groupby(events, key=lambda event: event.at):
        finished = _apply(list(of_second), now, mapping, at)
        if finished:
            yield CountFact(tag, at, finished)
        if now.shown(mapping.reason_of) != told:
            told = now.shown(mapping.reason_of)
            yield StateFact(machine, at, told[0], told[1])
    if at is not None:
        # What the machine did after the log ends, nobody knows.
        yield StateFact(machine, at + timedelta(seconds=1), mapping.reason_of["end_of_log"])


def _apply(events: list[_Event], now: _Situation, mapping: EventLogMapping, at: datetime) -> int:
    """Bring the situation to the end of a second; return how many pieces were finished in it."""
    finished, was_held = 0, now.is_held
    alarm_now = ""
    for event in events:
        for rule in mapping.rules:
            if rule.event != event.name or rule.value not in (None, event.value):
                continue
            now.state = rule.state or now.state
            now.is_held = now.is_held if rule.hold is None else rule.hold
            finished += rule.counts
            if rule.is_alarm:
                # The first alarm names the cause; those that follow from it come later.
                alarm_now = alarm_now or event.value
    if not now.is_held:
        now.alarm = ""
    elif not now.alarm:
        recent = now.last_alarm is not None and at - now.last_alarm[0] <= mapping.alarm_lead and not was_held
        now.alarm = alarm_now or (now.last_alarm[1] if recent and now.last_alarm else "")
    if alarm_now:
        now.last_alarm = (at, alarm_now)
    return finished
