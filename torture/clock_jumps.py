"""Let devices' clocks jump back and forth by hours, and facts arrive in any order."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from torture.devices import Key, Ledger
from torture.plant import MODULUS, REASONS
from torture.result import Result
from torture.verification import differences, report, stored_facts
from torture.world import Cluster, server_on

CYCLES, SMALL = 100, 3
ITEMS = 300
SPAN = timedelta(hours=36)
# Every microsecond of the window is in exactly one of these.
_PARTS = (
    *("actual_production_time", "actual_unit_setup_time", "actual_unit_delay_time"),
    *("planned_downtime", "unscheduled_time", "no_data_time"),
)


async def run(cluster: Cluster, cycles: int) -> Result:
    """Send each cycle's facts to two machines, in two orders of arrival: tables and reports must be equal."""
    result = Result("clock-jumps", cycles)
    plant = cluster.plant("clock", machines=2)
    one, other = plant.machines
    ledger = Ledger()
    jumps = negative = open_sums = unequal = 0
    begins = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=380)
    with server_on(cluster) as server:
        async with httpx.AsyncClient(base_url=server.address, timeout=60, headers=plant.sender) as client:
            for cycle in range(cycles):
                chance = random.Random(cycle)
                start = begins + cycle * timedelta(days=3)
                facts, jumped = _facts(chance, start)
                jumps += jumped
                for machine in (one, other):
                    await _send(client, machine, facts, ledger, chance)
                    chance.shuffle(facts)
                window = (start - timedelta(hours=1), start + SPAN + timedelta(hours=1))
                reports = [
                    await asyncio.to_thread(report, server, plant, plant.machines[machine], *window)
                    for machine in (one, other)
                ]
                for found in reports:
                    negative += _negative(found)
                    open_sums += not _closes(found, *window)
                unequal += _comparable(reports[0]) != _comparable(reports[1])
        rows, stored = await asyncio.to_thread(stored_facts, cluster, plant)
        result.acknowledged, result.stored = len(ledger.acknowledged), rows
        result.lost, result.duplicated = differences(ledger, rows, stored)
        unequal += len(_of(one, stored) ^ _of(other, stored))
    result.figures["clock jumps"] = f"{jumps:,}"
    result.figures["negative durations"] = str(negative)
    result.figures["sums that do not close"] = str(open_sums)
    result.figures["differences between orders of arrival"] = str(unequal)
    result.bound(not negative, f"{negative} durations are negative.")
    result.bound(not open_sums, f"{open_sums} reports have times that do not add up to their window.")
    result.bound(not unequal, f"{unequal} results depend on the order of arrival.")
    result.broken += ledger.wrong
    return result


def _facts(chance: random.Random, start: datetime) -> tuple[list[dict[str, Any]], int]:
    """Return what a device with a jumping clock reports, in its order, and how often the clock jumped."""
    facts: list[dict[str, Any]] = []
    seen: set[datetime] = set()
    at, counter, jumps = start + SPAN / 2, 0, 0
    for number in range(ITEMS):
        at += timedelta(milliseconds=chance.randrange(1, 60_000))
        if chance.random() < 0.1:
            at += timedelta(hours=chance.uniform(-12, 12))
            jumps += 1
        # Within the window, and at no moment twice: two facts of one moment would be a conflict.
        at = max(start, min(at, start + SPAN))
        while at in seen:
            at += timedelta(microseconds=1)
        seen.add(at)
        written = at.isoformat()
        match number % 3:
            case 0:
                facts.append({"kind": "delta", "at": written, "value": chance.randrange(9)})
            case 1:
                counter += chance.randrange(50)
                facts.append({"kind": "running", "at": written, "value": counter % MODULUS})
            case _:
                facts.append({"kind": "state", "at": written, "state": chance.choice(list(REASONS))})
    return facts, jumps


async def _send(
    client: httpx.AsyncClient, machine: str, facts: list[dict[str, Any]], ledger: Ledger, chance: random.Random
) -> None:
    items = []
    for fact in facts:
        values = {name: value for name, value in fact.items() if name != "kind"}
        owner = machine if fact["kind"] == "state" else f"{machine}/{fact['kind']}"
        items.append({"machine" if fact["kind"] == "state" else "tag": owner, **values})
        ledger.sent[owner, datetime.fromisoformat(fact["at"])] = fact.get("value", fact.get("state"))
    while items:
        size = min(len(items), chance.choice((1, 7, 50)))
        batch, items = items[:size], items[size:]
        answer = await client.post("/ingest/", json={"items": batch})
        if answer.status_code != 200 or answer.json()["accepted"] != size:
            ledger.note_wrong(f"{answer.status_code} {answer.text[:200]}")
            continue
        ledger.acknowledged.update(
            (item.get("tag") or item["machine"], datetime.fromisoformat(item["at"])) for item in batch
        )


def _of(machine: str, facts: dict[Key, Any]) -> set[tuple[str, datetime, Any]]:
    return {
        (owner.removeprefix(machine), at, value)
        for (owner, at), value in facts.items()
        if owner == machine or owner.startswith(f"{machine}/")
    }


def _negative(found: dict[str, Any]) -> int:
    durations = [found["elements"][name] for name in _PARTS] + [loss["seconds"] for loss in found["losses"]]
    return sum(duration < 0 for duration in durations)


def _closes(found: dict[str, Any], starts_at: datetime, ends_at: datetime) -> bool:
    """Whether the parts fill the window to the microsecond."""
    whole = (ends_at - starts_at) // timedelta(microseconds=1)
    return bool(sum(found["elements"][name] for name in _PARTS) == whole)


def _comparable(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in {"machines", "computed_at"}}
