"""A database and a server for a measurement, thrown away afterwards."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

from django.db import connection
from psycopg import sql

HOST = "127.0.0.1"
_PROJECT = Path(__file__).resolve().parent.parent


def recreate(name: str, *, template: str = "template1") -> str:
    """Make a database beside the project's, in place of one of that name, as a copy of a template;
    return its address.
    """
    drop(name)
    _execute("CREATE DATABASE {} TEMPLATE {}", name, template)
    known = connection.settings_dict
    user, password = known["USER"], known.get("PASSWORD") or ""
    credentials = f"{user}:{quote(password)}" if password else user
    return f"postgres://{credentials}@{quote(known['HOST'], safe='')}:{known['PORT'] or 5432}/{name}"


def drop(name: str) -> None:
    """Drop a database, whoever is connected."""
    _execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _execute(statement: str, *names: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(*(sql.Identifier(name) for name in names)))


def serve(address: str) -> tuple["subprocess.Popen[bytes]", int]:
    """Start one server process on a database; return it with its port once it answers.

    Raises RuntimeError after 30 s.
    """
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "uvicorn", "mes_project.asgi:application"),
            *("--host", HOST, "--port", str(port)),
            *("--log-level", "error", "--no-access-log"),
            *("--http", "mes_project.http_protocol:ImpatientHttpProtocol"),
        ],
        cwd=_PROJECT,
        env={**os.environ, "DATABASE_URL": address},
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/healthz", timeout=5):
                return server, port
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    server.terminate()
    raise RuntimeError("The server did not answer in 30 s.")
