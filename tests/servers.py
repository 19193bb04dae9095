"""Real servers for tests: the system under uvicorn, on the test's database."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from django.conf import settings
from django.db import connection

PROJECT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def database_url() -> str:
    """Return the address of the database that the test runs on."""
    parameters = connection.settings_dict
    host, name = parameters["HOST"], parameters["NAME"]
    user, password = parameters["USER"], parameters.get("PASSWORD") or ""
    if host.startswith("/"):
        return f"postgres://{user}@{host.replace('/', '%2F')}:{parameters['PORT'] or 5432}/{name}"
    return f"postgres://{user}:{password}@{host}:{parameters['PORT'] or 5432}/{name}"


@contextmanager
def running_server(*, server: str = "uvicorn", port: int | None = None, **environment: str) -> Iterator[str]:
    """Run the system until the block ends; yield its address."""
    port = port or free_port()
    commands = {
        "uvicorn": [
            *("-m", "uvicorn", "mes_project.asgi:application", "--port", str(port), "--log-level", "warning"),
            *("--http", "mes_project.http_protocol:ImpatientHttpProtocol"),
        ],
        "daphne": ["-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "-v", "0", "mes_project.asgi:application"],
    }
    process = subprocess.Popen(
        [sys.executable, *commands[server]],
        cwd=PROJECT,
        env={**os.environ, "DATABASE_URL": database_url(), "SECRET_KEY": settings.SECRET_KEY, **environment},
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _await(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=15)


_shared = ExitStack()
_shared_address = ""


def shared_server() -> str:
    """Return the address of the server that the tests of this process share; it starts with the first of them.

    For tests of what people see. A test of the server itself, or with an environment of its own, starts its own.
    """
    global _shared_address
    if not _shared_address:
        _shared_address = _shared.enter_context(running_server())
    return _shared_address


def end_shared() -> None:
    global _shared_address
    _shared.close()
    _shared_address = ""


def _await(address: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"The server ended with {process.returncode}.")
        try:
            if httpx.get(f"{address}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("The server did not answer in 60 s.")
