"""The tables of a DigitME2 connector: what the numbers of its devices stand for. Text in, look-ups out; no database."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

UP, DOWN, CLOSED, OVERTIME = 1, 2, 3, 4
"""The activity codes whose numbers DigitME2 fixes."""

Network = IPv4Network | IPv6Network


class Workflow(StrEnum):
    """Which screens a tablet shows."""

    DEFAULT = "default"
    PAUSABLE = "pausable"
    RUNNING_TOTAL = "running_total"


class JobInput(StrEnum):
    """What a tablet asks for when a job starts."""

    SECONDS = "cycle_time_seconds"
    MINUTES = "cycle_time_minutes"
    HOURS = "cycle_time_hours"
    PER_SECOND = "parts_per_second"
    PER_MINUTE = "parts_per_minute"
    PER_HOUR = "parts_per_hour"
    PLANNED = "planned_qty_minutes"
    NONE = "no_cycle_time"


class Authentication(StrEnum):
    """How a caller shows that it may call."""

    KEY = "key"
    ADDRESS = "address"
    OPEN = "open"


class Unreadable(ValueError):
    """A table has a line that says nothing; the message names it."""


@dataclass(frozen=True, slots=True)
class MachineRow:
    """One machine of the table: its number there, its code here, and what its tablet shows."""

    number: int
    code: str
    workflow: Workflow
    job_input: JobInput


@dataclass(frozen=True, slots=True)
class Settings:
    """A connector's options, read."""

    authentication: Authentication
    networks: tuple[Network, ...]
    machines: Mapping[int, MachineRow]
    reasons: Mapping[int, str]
    users: Mapping[int, str]
    up_needs_job: bool
    start_code: int
    several_sessions: bool
    target_quantity: int

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "Settings":
        """Return complete options, read. Raises Unreadable."""
        machines = machine_table(options["machine_ids"], options["workflow"], options["job_input"])
        return cls(
            authentication=Authentication(options["authentication"]),
            networks=networks(options["addresses"]),
            machines=machines,
            reasons=number_table(options["activity_codes"]),
            users=number_table(options["user_ids"]),
            up_needs_job=options["up_needs_job"],
            start_code=options["start_code"],
            several_sessions=options["several_sessions"],
            target_quantity=options["target_quantity"],
        )

    def number_of_machine(self, code: str) -> int | None:
        """Return what the devices call a machine."""
        return next((row.number for row in self.machines.values() if row.code == code), None)

    def covers(self, address: str) -> bool:
        """Say whether an address is in one of the listed networks; what is no address is in none."""
        try:
            found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return any(found in network for network in self.networks if network.version == found.version)


def networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a list, separated by blanks, commas or lines. Raises Unreadable."""
    found = []
    for word in text.replace(",", " ").split():
        try:
            found.append(ip_network(word, strict=False))
        except ValueError:
            raise Unreadable(f"'{word}' is no address and no network; write 10.1.2.3 or 10.1.2.0/24.") from None
    return tuple(found)


def number_table(text: str) -> dict[int, str]:
    """Return a table of lines `number = word`. Raises Unreadable."""
    table = {}
    for number, words in _lines(text):
        if len(words) != 1:
            raise Unreadable(f"After '{number} =' stands one word, not {len(words)}.")
        if number in table:
            raise Unreadable(f"The number {number} stands there twice.")
        table[number] = words[0]
    return table


def machine_table(text: str, workflow: str, job_input: str) -> dict[int, MachineRow]:
    """Return a table of lines `number = code [workflow] [what a job start asks for]`. Raises Unreadable."""
    table: dict[int, MachineRow] = {}
    for number, (code, *more) in _lines(text):
        chosen = {"workflow": workflow, "job_input": job_input}
        for word in more:
            if word in list(Workflow):
                chosen["workflow"] = word
            elif word in list(JobInput):
                chosen["job_input"] = word
            else:
                known = ", ".join([*Workflow, *JobInput])
                raise Unreadable(f"'{word}' after '{number} = {code}' is none of {known}.")
        if number in table:
            raise Unreadable(f"The number {number} stands there twice.")
        if any(row.code == code for row in table.values()):
            raise Unreadable(f"The machine '{code}' stands there twice.")
        table[number] = MachineRow(number, code, Workflow(chosen["workflow"]), JobInput(chosen["job_input"]))
    return table


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for line in text.splitlines():
        said = line.partition("#")[0].strip()
        if not said:
            continue
        number, equals, rest = said.partition("=")
        words = rest.split()
        if not equals or not words or not (number.strip().isascii() and number.strip().isdigit()):
            raise Unreadable(f"'{said}' is not written as number = code.")
        if len(number.strip()) > 9:
            raise Unreadable(f"The number {number.strip()} is too long.")
        yield int(number), words
