"""What a scenario plays with: a database cluster, a plant in it, and servers that may be killed."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

PROJECT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
DATABASE = "torture"
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Plant:
    """Machines that a scenario's devices speak for, and the keys to send and to read."""

    device_key: str
    client_key: str
    session: str
    line: str
    machines: dict[str, int]

    @property
    def sender(self) -> dict[str, str]:
        """Return the headers of a device."""
        return {"Authorization": f"Api-Key {self.device_key}"}

    @property
    def reader(self) -> dict[str, str]:
        """Return the headers of a system that reads."""
        return {"Authorization": f"Api-Key {self.client_key}"}


class Cluster:
    """A PostgreSQL cluster of its own, in a directory of its own; nobody minds if it is killed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        inherited = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        self.environment = {
            **inherited,
            "MES_DATA_DIR": str(home),
            "DATABASE_NAME": DATABASE,
            "DJANGO_SETTINGS_MODULE": "mes_project.settings",
            "SECRET_KEY": "torture",
            "LOG_LEVEL": "WARNING",
            "PYTHONWARNINGS": "ignore",
        }
        # What servers say goes beside the data, so that the table stays readable.
        self.log = (home / "servers.log").open("ab")
        self.url = self._obey("url")

    def start(self) -> None:
        """Start it, first making it if it is not there; returns when it answers."""
        self._obey("start")

    def stop(self) -> None:
        """Stop it in an orderly way."""
        self._obey("stop")

    def crash(self) -> None:
        """End it as `pg_ctl stop -m immediate` does: no checkpoint, open connections cut,
        recovery at the next start.
        """
        pid = self.pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGQUIT)
        while Path(f"/proc/{pid}").exists():
            time.sleep(0.01)

    def pid(self) -> int | None:
        """Return the process id of the running postmaster; None when there is none."""
        try:
            pid = int((self.home / "data" / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None
        return pid if Path(f"/proc/{pid}").exists() else None

    def connect(self) -> psycopg.Connection[Any]:
        """Return a connection of the harness's own."""
        return psycopg.connect(self.url, autocommit=True)

    def logged(self) -> str:
        """Return what servers have said so far."""
        return Path(self.log.name).read_text(errors="replace")

    def plant(self, name: str, *, machines: int) -> Plant:
        """Bring the tables up to date and set up a line with its machines, tags and keys."""
        return Plant(**json.loads(self._python("torture.plant", name, str(machines)).splitlines()[-1]))

    def _obey(self, order: str) -> str:
        return self._python("core.embedded_postgres", order).strip()

    def _python(self, module: str, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{module} {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout


@contextmanager
def cluster_in(home: Path) -> Iterator[Cluster]:
    """Run a cluster in this directory until the block ends; whatever became of it, it is gone then."""
    home.chmod(0o711)
    cluster = Cluster(home)
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.crash()


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """Make a directory that other accounts may pass through, and remove it afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="torture-"))
    directory.chmod(0o711)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_listening(port: int) -> bool:
    """Say whether anybody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def server_arguments(port: int) -> list[str]:
    """Return uvicorn's arguments as the Procfile has them, on another port: what is tested is what is run."""
    (web,) = re.findall(r"^web: \S+/uvicorn (.*)$", (PROJECT / "Procfile").read_text(), flags=re.MULTILINE)
    arguments = shlex.split(web)
    arguments[arguments.index("--host") + 1] = HOST
    arguments[arguments.index("--port") + 1] = str(port)
    return [*arguments, "--log-level", "critical"]


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    address: str
    port: int
    pid: int

    def memory(self, name: str = "VmRSS") -> float:
        """Return its resident memory in MiB; `VmHWM` for the peak since `forget_peak`."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        (kibibytes,) = re.findall(rf"^{name}:\s+(\d+) kB$", status, flags=re.MULTILINE)
        return int(kibibytes) / 1024

    def forget_peak(self) -> None:
        """Let the peak of memory begin anew."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def open_files(self) -> dict[str, int]:
        """Return the regular files that it holds open, deleted ones included, and their sizes."""
        found = {}
        for entry in Path(f"/proc/{self.pid}/fd").iterdir():
            try:
                target, status = str(entry.readlink()), entry.stat()
            except FileNotFoundError:
                continue
            if stat.S_ISREG(status.st_mode):
                found[target] = status.st_size
        return found


@contextmanager
def server_on(cluster: Cluster, **environment: str) -> Iterator[Server]:
    """Run one server process on the cluster until the block ends."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", *server_arguments(port)],
        cwd=PROJECT,
        env={**cluster.environment, **environment},
        stdin=subprocess.DEVNULL,
        stdout=cluster.log,
        stderr=cluster.log,
    )
    server = Server(f"http://{HOST}:{port}", port, process.pid)
    try:
        await_health(server.address)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def await_health(address: str, *, seconds: float = _START_SECONDS) -> None:
    """Return once the server answers that all is well; raises RuntimeError when it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/healthz", timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.02)
    raise RuntimeError(f"The server did not answer in {seconds} s.")


class Nursery:
    """A process that has imported the whole system and forks servers from itself: each costs a fraction of a start."""

    def __init__(self, cluster: Cluster, port: int) -> None:
        self.port = port
        self._process = subprocess.Popen(
            [sys.executable, "-m", "torture.nursery", *server_arguments(port)],
            cwd=PROJECT,
            env=cluster.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=cluster.log,
            text=True,
        )

    def start(self) -> Server:
        """Fork a server; it listens a moment later."""
        return Server(f"http://{HOST}:{self.port}", self.port, int(self._order("start")))

    def kill(self) -> None:
        """Kill the server that was started last with SIGKILL; returns when it is dead."""
        self._order("kill")

    def close(self) -> None:
        """End the nursery and its server."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=15)

    def _order(self, word: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        if not answer:
            raise RuntimeError("The nursery has died.")
        return answer
