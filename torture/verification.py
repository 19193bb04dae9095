"""Compare what devices were told with what the tables and the reports say."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from torture.devices import STEP, Key, Ledger
from torture.result import Result
from torture.world import Cluster, Plant, Server

_FACTS = """
    SELECT tag_path, occurred_at, value::text FROM counts_counthistory
    JOIN counts_counttag tag ON tag.id = tag_id WHERE tag.machine_id = ANY(%(machines)s)
    UNION ALL
    SELECT machine.code, occurred_at, reason.code FROM downtime_statehistory
    JOIN enterprise_machine machine ON machine.id = machine_id
    JOIN downtime_statereason reason ON reason.id = reason_id WHERE machine_id = ANY(%(machines)s)
"""


def stored_facts(cluster: Cluster, plant: Plant) -> tuple[int, dict[Key, Any]]:
    """Return the number of rows of a plant, and the facts in them."""
    with cluster.connect() as connection:
        rows = connection.execute(_FACTS, {"machines": list(plant.machines.values())}).fetchall()
    facts = {(owner, at.astimezone(UTC)): value for owner, at, value in rows}
    return len(rows), facts


def verify(result: Result, cluster: Cluster, plant: Plant, ledger: Ledger, server: Server) -> None:
    """Fill in the row: what was acknowledged, what is stored, and how far they differ. The devices have finished.

    Lost: acknowledged and not there with its value, or pieces that the report lacks. Duplicated: rows beyond the
    distinct items sent, or pieces that the report has too many.
    """
    rows, facts = stored_facts(cluster, plant)
    result.acknowledged = len(ledger.acknowledged)
    result.stored = rows
    result.lost, result.duplicated = differences(ledger, rows, facts)
    missing, surplus = pieces_off(plant, ledger, server)
    result.lost += missing
    result.duplicated += surplus
    result.figures["pieces in the report"] = f"{sum(ledger.pieces.values()):,} as sent"
    if missing or surplus:
        result.figures["pieces in the report"] = f"{missing} missing, {surplus} too many"
    if ledger.called_stored_before:
        result.figures["new items answered 'duplicate'"] = f"{ledger.called_stored_before:,}"
    result.broken += [f"An answer was wrong: {said}" for said in ledger.wrong]


def differences(ledger: Ledger, rows: int, facts: dict[Key, Any]) -> tuple[int, int]:
    """Return how many acknowledged items are not stored as sent, and how many rows there are beyond those sent."""
    lost = sum(not _same(facts.get(key), ledger.sent[key]) for key in ledger.acknowledged)
    return lost, rows - len(facts) + len(facts.keys() - ledger.sent.keys())


def pieces_off(plant: Plant, ledger: Ledger, server: Server) -> tuple[int, int]:
    """Return how many pieces the report of each machine lacks, and how many it has too many, in total."""
    missing = surplus = Decimal(0)
    moments = [at for _, at in ledger.sent]
    window = (min(moments) - timedelta(hours=1), max(moments) + STEP)
    for machine, machine_id in plant.machines.items():
        reported = Decimal(report(server, plant, machine_id, *window)["elements"]["produced_quantity"])
        difference = reported - ledger.pieces[machine]
        if difference > 0:
            surplus += difference
        else:
            missing -= difference
    return int(missing), int(surplus)


def report(server: Server, plant: Plant, machine_id: int, starts_at: datetime, ends_at: datetime) -> Any:
    """Return a machine's OEE report over a window, as the API gives it."""
    answer = httpx.get(
        f"{server.address}/oee/report/",
        params={"machine": machine_id, "starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()},
        headers=plant.reader,
        timeout=120,
    )
    answer.raise_for_status()
    return answer.json()


def _same(stored: Any, sent: Any) -> bool:
    return bool(stored == sent if isinstance(sent, str) or stored is None else Decimal(stored) == sent)
