"""The command line `mes-client`: 0 when it went well, 1 when it did not, 2 for what was asked wrongly."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TextIO

from mes_client.client import STUCK_AFTER, Client, Status, status_of
from mes_client.items import EVENTS, Item, count_item, event_item, read_item, read_time, state_item
from mes_client.queue import Queue, QueueFull, QueueUnavailable


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (QueueFull, QueueUnavailable) as error:
        return _say(1, str(error))
    except (ValueError, TypeError, OSError) as error:
        return _say(2, str(error))


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--queue", default=os.environ.get("MES_QUEUE"), help="The queue's file; MES_QUEUE.")
    server = argparse.ArgumentParser(add_help=False)
    server.add_argument("--url", default=os.environ.get("MES_URL"), help="The server; MES_URL.")
    server.add_argument("--key", default=os.environ.get("MES_KEY"), help="The device key; MES_KEY hides it from ps.")
    stamped = argparse.ArgumentParser(add_help=False)
    stamped.add_argument("--at", type=_time, help="When it was, like 2026-03-01T08:00:00Z; now by default.")
    stamped.add_argument("--max-items", type=int, help="Refuse to keep more than so many; by default the disk's room.")

    parser = argparse.ArgumentParser(prog="mes-client", description="Keep what a device says, and deliver it.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    count = commands.add_parser("count", parents=[shared, stamped], help="keep a count")
    count.add_argument("tag")
    count.add_argument("value", type=_number)
    count.set_defaults(run=lambda o: _keep(o, [count_item(o.tag, o.value, o.at)]))

    state = commands.add_parser("state", parents=[shared, stamped], help="keep a machine's state")
    state.add_argument("machine")
    state.add_argument("state")
    state.add_argument("--line", action="store_true", help="MACHINE is a line: its constraint machine is meant.")
    state.add_argument("--detail", default="", help="An alarm's text.")
    state.set_defaults(run=_state)

    event = commands.add_parser("event", parents=[shared, stamped], help="keep what happened to a running counter")
    event.add_argument("tag")
    event.add_argument("event", choices=EVENTS)
    event.add_argument("value", type=_number, nargs="?", help="From which a counter went on after a reset.")
    event.set_defaults(run=lambda o: _keep(o, [event_item(o.tag, o.event, o.value, o.at)]))

    lines = commands.add_parser("import", parents=[shared], help="keep a file of items, one JSON object to a line")
    lines.add_argument("file", help="The file; - for the standard input.")
    lines.add_argument("--max-items", type=int, help=argparse.SUPPRESS)
    lines.set_defaults(run=_import)

    drain = commands.add_parser("drain", parents=[shared, server], help="deliver what waits")
    drain.add_argument("--forever", action="store_true", help="Go on until stopped (Ctrl-C, SIGTERM).")
    drain.add_argument("--batch-size", type=int, default=500, help="Items to a request; default %(default)s.")
    drain.set_defaults(run=_drain)

    status = commands.add_parser("status", parents=[shared], help="say how the queue is doing; 1 when it is stuck")
    status.add_argument("--json", action="store_true", help="As JSON.")
    minutes = STUCK_AFTER // timedelta(minutes=1)
    status.add_argument("--stuck-after", type=float, default=minutes, help="Minutes; default %(default)s.")
    status.set_defaults(run=_status)

    refused = commands.add_parser("refused", parents=[shared], help="list what the server did not store, and why")
    refused.add_argument("--forget", action="store_true", help="Drop it after that.")
    refused.set_defaults(run=_refused)
    return parser


def _keep(options: argparse.Namespace, items: Sequence[Item]) -> int:
    queue = Queue(_setting(options, "queue"), max_items=options.max_items)
    try:
        queue.put(items, now=datetime.now(timezone.utc))
    finally:
        queue.close()
    return 0


def _state(options: argparse.Namespace) -> int:
    machine, line = (None, options.machine) if options.line else (options.machine, None)
    return _keep(options, [state_item(machine, options.state, options.detail, options.at, line=line)])


def _import(options: argparse.Namespace) -> int:
    if options.file == "-":
        items = _read_items(sys.stdin, "the standard input")
    else:
        with open(options.file, encoding="utf-8-sig") as file:
            items = _read_items(file, options.file)
    _keep(options, items)
    print(f"{len(items)} items kept")
    return 0


def _read_items(file: TextIO, name: str) -> list[Item]:
    """Return the items of a file; a line that is none is named, and nothing is kept."""
    items = []
    for number, line in enumerate(file, start=1):
        if line.strip():
            try:
                items.append(read_item(line))
            except ValueError as error:
                raise ValueError(f"{name}, line {number}: {error} Nothing was kept.") from error
    return items


def _drain(options: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # One line for each request would hide what matters.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    client = Client(
        *(_setting(options, name) for name in ("url", "key", "queue")),
        batch_size=options.batch_size,
        background=options.forever,
    )
    if options.forever:
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        stop.wait()
        client.close()
        return 0
    try:
        drained, waiting = client.drain_once(), client.queue_length()
    finally:
        client.close(timeout=0)
    if drained.is_elsewhere:
        return _say(0, f"Another process is delivering this queue; {waiting} items wait.")
    print(f"{drained}; {waiting} wait")
    return 1 if drained.error else 0


def _status(options: argparse.Namespace) -> int:
    queue = _existing(options)
    try:
        status = status_of(
            queue, now=datetime.now(timezone.utc), stuck_after=timedelta(minutes=float(options.stuck_after))
        )
    finally:
        queue.close()
    if options.json:
        print(json.dumps(asdict(status), default=lambda at: at.isoformat()))
    else:
        _print(status)
    return 1 if status.is_stuck else 0


def _print(status: Status) -> None:
    def when(at: datetime | None) -> str:
        return "never" if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")

    print(f"waiting         {status.waiting}")
    if status.oldest_waiting_at is not None:
        print(f"oldest          {when(status.oldest_waiting_at)}")
    print(f"last delivered  {when(status.delivered_at)}")
    print(f"refused         {status.refused}")
    if status.last_error:
        over = "" if status.failing_since else ", over since"
        print(f"last error      {status.last_error} ({when(status.last_error_at)}{over})")
    print(f"stuck           {'yes' if status.is_stuck else 'no'}")


def _refused(options: argparse.Namespace) -> int:
    queue = _existing(options)
    try:
        refused = queue.refused()
        for item in refused:
            print(json.dumps({**asdict(item), "refused_at": item.refused_at.isoformat()}, ensure_ascii=False))
        if options.forget and refused:
            queue.forget_refused(refused[-1].id)
    finally:
        queue.close()
    return 0


def _existing(options: argparse.Namespace) -> Queue:
    path = Path(_setting(options, "queue"))
    # An empty queue that was just made would say that all is well, wherever a mistyped path leads.
    if not path.exists():
        raise ValueError(f"There is no queue at {path}.")
    return Queue(path)


def _setting(options: argparse.Namespace, name: str) -> Any:
    value = getattr(options, name)
    if not value:
        raise ValueError(f"Say --{name}, or set MES_{name.upper()}.")
    return value


def _time(text: str) -> datetime:
    try:
        return read_time(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _number(text: str) -> int | Decimal:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise argparse.ArgumentTypeError(f"{text} is no number") from error


def _say(code: int, message: str) -> int:
    print(f"mes-client: {message}", file=sys.stderr)
    return code
