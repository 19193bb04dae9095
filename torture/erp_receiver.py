"""Kill the receiver of webhooks, and the worker that sends them, at random: each message has exactly one effect.

The receiver is the example of the documentation, a process of its own with a database of its own. A killed worker is
one that claimed a message, perhaps sent it, and never noted what became of it.
"""

import argparse
import os
import platform
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from torture.world import PROJECT, cluster_in, scratch_directory

CYCLES, SMALL = 1000, 4
RECEIVER = PROJECT / "docs" / "examples" / "erp_receiver.py"
_KEYS, _EACH = 5, 12


@dataclass(slots=True)
class Found:
    """What came of it."""

    written: int = 0
    rolled_back: int = 0
    receiver_kills: int = 0
    worker_kills: int = 0
    arrived: int = 0
    effects: int = 0
    by_hand: int = 0
    broken: list[str] = field(default_factory=list)


def kill_receivers(cycles: int, *, seed: int = 1) -> Found:
    """Write messages, deliver them, kill the receiver in each cycle and a worker in every third; then compare.

    Needs Django, and a database that nobody else uses.
    """
    from django.conf import settings
    from django.db import connection

    from accounts.models import Membership, User
    from core import master_data
    from erp import delivering, services
    from erp.models import Delivery, Partner

    chance, found = random.Random(seed), Found()
    with TemporaryDirectory() as directory, _free_port() as port:
        address, database = f"http://127.0.0.1:{port}", Path(directory) / "received.sqlite3"
        settings.WEBHOOK_TARGETS, settings.WEBHOOK_NETWORKS = [address], ["127.0.0.0/8"]
        user = User.objects.create(username="torture-erp")
        Membership.objects.create(user=user, role="erp")
        partner = master_data.save(Partner(code="torture", name="Torture", user=user, target_url=f"{address}/"))
        secret = services.new_secret(partner=partner, at=datetime.now(UTC))

        def work() -> None:
            try:
                delivering.deliver_to(Partner.objects.select_related("user").get(pk=partner.pk), clock=_now)
            finally:
                connection.close()

        def start() -> "subprocess.Popen[bytes]":
            command = [sys.executable, str(RECEIVER), "--secret", secret, "--port", str(port)]
            process = subprocess.Popen([*command, "--database", str(database)])
            _await(port, process)
            return process

        receiver = start()
        try:
            for cycle in range(cycles):
                _write(chance, found, cycle)
                if cycle % 3 == 2:
                    _lose_a_worker(partner, chance)
                    found.worker_kills += 1
                worker = Thread(target=work)
                worker.start()
                time.sleep(chance.uniform(0, 0.6))
                receiver.send_signal(signal.SIGKILL)
                receiver.wait()
                found.receiver_kills += 1
                worker.join()
                found.by_hand += _let_time_pass()
                receiver = start()
            for _ in range(30):
                work()
                found.by_hand += _let_time_pass()
                if not Delivery.objects.filter(status__in=delivering.OPEN).exists():
                    break
        finally:
            receiver.kill()
            receiver.wait()
        _compare(found, database)
    return found


def _write(chance: random.Random, found: Found, cycle: int) -> None:
    from django.db import transaction

    from core import outbox
    from core.outbox import Message

    now = datetime.now(UTC)
    for number in range(_EACH):
        is_kept = chance.random() > 0.1
        with transaction.atomic():
            outbox.report(
                Message(
                    type="order.confirmed",
                    key=f"order/{chance.randrange(_KEYS)}",
                    site_id=None,
                    occurred_at=now,
                    recorded_at=now,
                    data={"cycle": cycle, "number": number},
                )
            )
            transaction.set_rollback(not is_kept)
        found.written += is_kept
        found.rolled_back += not is_kept


def _now() -> datetime:
    return datetime.now(UTC)


def _let_time_pass() -> int:
    """Let pauses end, and the claims of the dead, as if days had passed; signatures keep the real time.

    What was given up is sent again, as an administrator does; return how many.
    """
    from django.db.models import F

    from erp.delivering import OPEN, send_again
    from erp.models import Delivery

    day = timedelta(days=2)
    Delivery.objects.filter(status__in=OPEN).update(
        next_attempt_at=F("next_attempt_at") - day, claimed_at=F("claimed_at") - day
    )
    given_up = list(Delivery.objects.filter(status=Delivery.Status.DEAD))
    for delivery in given_up:
        send_again(delivery=delivery, now=_now() - day)
    return len(given_up)


def _lose_a_worker(partner: Any, chance: random.Random) -> None:
    """Leave what a killed worker leaves: a claim, and a message that was sent, or was not."""
    from core import outbox
    from erp import delivering

    outbox.number_new()
    delivering.plan(partner, now=_now())
    claimed = delivering.claim_next(partner, now=_now())
    if claimed is not None and chance.random() < 0.7:
        with delivering.connections() as pool:
            delivering.send(pool, partner, claimed, now=datetime.now(UTC))


def _compare(found: Found, path: Path) -> None:
    from core.models import OutboxMessage

    with sqlite3.connect(path) as database:
        rows = database.execute("SELECT id, position, key FROM received ORDER BY rowid").fetchall()
        (found.effects,) = database.execute("SELECT messages FROM booked").fetchone()
    database.close()
    expected = {str(uid): position for uid, position in OutboxMessage.objects.values_list("uid", "position")}
    found.arrived = len(rows)
    got = {uid for uid, _, _ in rows}
    last: dict[str, int] = {}
    for uid, position, key in rows:
        if position < last.get(key, 0):
            found.broken.append(f"{uid} of {key} came after a later one")
        last[key] = position
    if found.effects != len(rows):
        found.broken.append(f"{found.effects} effects of {len(rows)} messages")
    if set(expected) != got:
        found.broken.append(f"{len(set(expected) - got)} never arrived, {len(got - set(expected))} were never written")
    if len(expected) != found.written:
        found.broken.append(f"{len(expected)} messages, {found.written} were committed")


@contextmanager
def _free_port() -> Iterator[int]:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    yield port


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.01)
    raise AssertionError("The receiver did not start.")


def main() -> None:
    """Run it in a cluster of its own, print what came of it, and fail when something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m torture.erp_receiver", description=__doc__)
    parser.add_argument("--cycles", type=int, default=CYCLES)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if not asked.inside:
        with scratch_directory() as directory, cluster_in(directory) as cluster:
            again = [sys.executable, "-m", "torture.erp_receiver", "--inside", "--cycles", str(asked.cycles)]
            sys.exit(subprocess.run(again, cwd=PROJECT, env=cluster.environment, check=False).returncode)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    started = time.monotonic()
    found = kill_receivers(asked.cycles)
    took = time.monotonic() - started
    print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, {took:.0f} s")
    print("| kills of the receiver | of a worker | committed | rolled back | arrived | effects | wrong |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    figures = (
        *(found.receiver_kills, found.worker_kills, found.written, found.rolled_back),
        *(found.arrived, found.effects, len(found.broken)),
    )
    print(f"| {' | '.join(f'{figure:,}' for figure in figures)} |")
    print(f"{found.by_hand} given up in between, and sent again by hand.")
    for broken in found.broken[:50]:
        print(f"  {broken}")
    sys.exit(bool(found.broken))


if __name__ == "__main__":
    main()
