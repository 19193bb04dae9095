"""A receiver of the MES's webhooks with nothing but Python: each message has exactly one effect,
whatever is killed when.

    python erp_receiver.py --secret whsec_… --port 9000 --database received.sqlite3

The signature is checked first (Standard Webhooks). Then the message's id and its effect are written in one transaction:
the same id again finds itself there and changes nothing. Only then comes the answer. A kill before the commit leaves
nothing, and the MES sends again; a kill after it leaves both, and the repetition is recognised.
"""

import argparse
import base64
import hashlib
import hmac
import json
import sqlite3
import time
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOLERANCE = 300
"""Seconds by which the sender's clock may differ; older requests are replays."""
LARGEST = 1 << 20


def is_genuine(secret: str, headers: Message, content: bytes, now: float) -> bool:
    """Say whether a request was signed with our secret, lately."""
    sent_at, message_id = headers.get("webhook-timestamp", ""), headers.get("webhook-id", "")
    if not sent_at.isdigit() or abs(now - int(sent_at)) > TOLERANCE:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message_id}.{sent_at}.".encode() + content, hashlib.sha256).digest()
    ours = "v1," + base64.b64encode(digest).decode()
    return any(hmac.compare_digest(ours, theirs) for theirs in headers.get("webhook-signature", "").split())


def receive(database: sqlite3.Connection, message: dict[str, Any]) -> bool:
    """Book a message, unless it is booked already; say whether it was new."""
    with database:
        row = (message["id"], int(message["position"]), message["key"], message["type"], json.dumps(message["data"]))
        is_new = database.execute("INSERT OR IGNORE INTO received VALUES (?, ?, ?, ?, ?)", row).rowcount == 1
        if is_new:
            book(database, message)
    return is_new


def book(database: sqlite3.Connection, message: dict[str, Any]) -> None:
    """Do what a message means for this system, in the same transaction."""
    database.execute("UPDATE booked SET messages = messages + 1")


def connect(path: str) -> sqlite3.Connection:
    """Open the database; what is committed survives a power cut."""
    database = sqlite3.connect(path, timeout=30)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute(
        "CREATE TABLE IF NOT EXISTS received (id TEXT PRIMARY KEY, position INTEGER, key TEXT, type TEXT, data TEXT)"
    )
    database.execute("CREATE TABLE IF NOT EXISTS booked (messages INTEGER)")
    with database:
        database.execute("INSERT INTO booked SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM booked)")
    return database


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--database", default="received.sqlite3")
    asked = parser.parse_args()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            if length > LARGEST:
                self.close_connection = True
                return self.answer(413)
            content = self.rfile.read(length)
            if not is_genuine(asked.secret, self.headers, content, time.time()):
                return self.answer(401)
            database = connect(asked.database)
            try:
                receive(database, json.loads(content))
            finally:
                database.close()
            return self.answer(204)

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    connect(asked.database).close()
    ThreadingHTTPServer(("127.0.0.1", asked.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
