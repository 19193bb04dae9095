"""Speak with a PostgreSQL server about whole databases: dump, restore, make, drop, exchange.

Nothing here asks Django's models: a restore also has to work where there are no tables yet.
"""

import os
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from dbbackup.db.postgresql import PG_OPTIONS_ENV_VARS, PgDumpBinaryConnector
from django.conf import settings
from django.db import connection
from psycopg import sql

from core import embedded_postgres
from core.errors import Conflict, DomainError

MAINTENANCE = ("postgres", "template1")
_EXCHANGE_SECONDS = 60


class NotDone(DomainError):
    """A program of PostgreSQL or the server refused; the message says what it said."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database on a server, as Django's settings name it."""

    name: str
    host: str = ""
    port: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_the_plant(cls) -> "Database":
        """Return the database that this process works on."""
        known = connection.settings_dict
        options = known.get("OPTIONS") or {}
        return cls(
            name=known["NAME"],
            host=known.get("HOST") or "",
            port=str(known.get("PORT") or ""),
            user=known.get("USER") or "",
            password=known.get("PASSWORD") or "",
            options={name: options[name] for name in PG_OPTIONS_ENV_VARS if options.get(name)},
        )

    def named(self, name: str) -> "Database":
        """Return another database of the same server."""
        return replace(self, name=name)

    def url(self) -> str:
        """Return its address in the form of `DATABASE_URL`."""
        credentials = quote(self.user, safe="") + (f":{quote(self.password, safe='')}" if self.password else "")
        query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in self.options.items())
        host = f"{quote(self.host, safe='')}{f':{self.port}' if self.port else ''}"
        return f"postgres://{credentials}@{host}/{quote(self.name, safe='')}{f'?{query}' if query else ''}"

    def connect(self) -> "psycopg.Connection[Any]":
        """Return a connection of its own, in autocommit."""
        known = {"host": self.host, "port": self.port, "user": self.user, "password": self.password, **self.options}
        given = {name: value for name, value in known.items() if value}
        return psycopg.connect(dbname=self.name, autocommit=True, application_name="mes operations", **given)


@contextmanager
def maintenance(database: Database) -> "Iterator[psycopg.Connection[Any]]":
    """Yield a connection to the server's own database, from which others are made, renamed and dropped."""
    refused: psycopg.OperationalError | None = None
    for name in MAINTENANCE:
        try:
            opened = database.named(name).connect()
        except psycopg.OperationalError as error:
            refused = error
            continue
        with opened:
            yield opened
        return
    raise NotDone(f"The server lets nobody into its maintenance database: {refused}") from refused


# --- the programs ----------------------------------------------------------------------------------------------------


def _major_of(program: Path) -> int | None:
    try:
        said = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", said)
    return int(found[1]) if found else None


def program(name: str, server_major: int) -> Path:
    """Return `pg_dump` or `pg_restore` of the server's version, or else of the next newer one there is.

    An older one cannot read what a newer server holds. Raises NotDone where there is none.
    """
    found = shutil.which(name)
    folders = [
        settings.POSTGRES_PROGRAMS and Path(settings.POSTGRES_PROGRAMS),
        Path(f"/usr/lib/postgresql/{server_major}/bin"),
        found and Path(found).parent,
        embedded_postgres.programs(),
    ]
    known = {folder / name: _major_of(folder / name) for folder in folders if folder}
    fitting = [(major, path) for path, major in known.items() if major is not None and major >= server_major]
    if not fitting:
        raise NotDone(f"There is no {name} of version {server_major} or newer; POSTGRES_PROGRAMS may name its folder.")
    return min(fitting, key=lambda one: one[0])[1]


class _Connector(PgDumpBinaryConnector):  # type: ignore[misc]
    """django-dbbackup's connector, for any database of the server, writing and reading files itself."""

    def __init__(self, database: Database, **attributes: Any) -> None:
        super().__init__(database_name="default", **attributes)
        self._settings = {
            "NAME": quote(database.name, safe=""),
            "HOST": database.host,
            "PORT": database.port,
            "USER": database.user,
            "PASSWORD": database.password,
            "OPTIONS": database.options,
        }

    def run_command(
        self, command: str, stdin: Any = None, env: dict[str, str] | None = None
    ) -> tuple[BytesIO, BytesIO]:
        """Run a program whose output is a file of its own; the connector's way leaves files open when one fails."""
        try:
            done = subprocess.run(
                shlex.split(command),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env={**os.environ, **(env or {})},
                check=False,
            )
        except OSError as error:
            raise NotDone(f"{shlex.split(command)[0]} could not be started: {error}") from error
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise NotDone(f"{Path(shlex.split(command)[0]).name} failed: {said[:1000]}")
        return BytesIO(done.stdout), BytesIO(done.stderr)


def major_version(opened: "psycopg.Connection[Any]") -> int:
    """Return the server's major version."""
    return opened.info.server_version // 10_000


def dump(database: Database, target: Path, *, snapshot: str, server_major: int) -> None:
    """Write all that a snapshot shows into a file in pg_dump's own format. Raises NotDone."""
    connector = _Connector(
        database,
        dump_cmd=shlex.quote(str(program("pg_dump", server_major))),
        dump_suffix=f"--no-password --snapshot={shlex.quote(snapshot)} --file={shlex.quote(str(target))}",
    )
    connector.create_dump()


def restore(source: Path, database: Database, *, without_grants: bool = False) -> None:
    """Fill an empty database from a file of pg_dump's own format. Raises NotDone at the first thing that fails."""
    with database.connect() as opened:
        major = major_version(opened)
    options = ["--no-password", "--exit-on-error", "--no-owner", "--jobs=2"]
    connector = _Connector(
        database,
        restore_cmd=shlex.quote(str(program("pg_restore", major))),
        pg_options=[*options, *(["--no-privileges"] if without_grants else [])],
        restore_suffix=shlex.quote(str(source)),
        # Nobody reads it before it is whole; what is whole is made durable by the checkpoint of the exchange.
        restore_env={"PGOPTIONS": "-c synchronous_commit=off -c maintenance_work_mem=128MB"},
        single_transaction=False,
        drop=False,
        if_exists=False,
    )
    connector.restore_dump(None)


# --- whole databases -------------------------------------------------------------------------------------------------


def create_like(database: Database, name: str) -> Database:
    """Make an empty database of the same encoding, order and settings as another one. Raises NotDone."""
    with maintenance(database) as opened:
        row = opened.execute("SELECT to_jsonb(d) FROM pg_database d WHERE datname = %s", [database.name]).fetchone()
        if row is None:
            raise NotDone(f"There is no database {database.name}.")
        known = row[0]
        parts = [
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {}").format(
                sql.Identifier(name), sql.Literal(_encoding(opened, known["encoding"]))
            ),
            sql.SQL("LC_COLLATE {} LC_CTYPE {}").format(
                sql.Literal(known["datcollate"]), sql.Literal(known["datctype"])
            ),
        ]
        provider, locale = known.get("datlocprovider", "c"), known.get("datlocale") or known.get("daticulocale")
        if provider in ("i", "b"):
            words = {"i": "LOCALE_PROVIDER icu ICU_LOCALE {}", "b": "LOCALE_PROVIDER builtin BUILTIN_LOCALE {}"}
            parts.append(sql.SQL(words[provider]).format(sql.Literal(locale)))
        try:
            opened.execute(sql.SQL(" ").join(parts))
        except psycopg.Error as error:
            raise NotDone(
                f"A database could not be made beside the plant's; its role needs CREATEDB. {error}"
            ) from error
        _copy_settings(opened, known["oid"], name)
    return database.named(name)


def _encoding(opened: "psycopg.Connection[Any]", number: int) -> str:
    row = opened.execute("SELECT pg_encoding_to_char(%s)", [number]).fetchone()
    assert row is not None
    return str(row[0])


def _copy_settings(opened: "psycopg.Connection[Any]", oid: int, name: str) -> None:
    """Give a database the settings (ALTER DATABASE … SET) of another one; they are in no dump of one database."""
    rows = opened.execute(
        "SELECT rolname, setconfig FROM pg_db_role_setting LEFT JOIN pg_roles r ON r.oid = setrole WHERE setdatabase = %s",
        [oid],
    ).fetchall()
    for role, configured in rows:
        for setting in configured:
            key, _, value = setting.partition("=")
            of = sql.SQL("ALTER DATABASE {}").format(sql.Identifier(name))
            if role is not None:
                of = sql.SQL("ALTER ROLE {} IN DATABASE {}").format(sql.Identifier(role), sql.Identifier(name))
            opened.execute(sql.SQL("{} SET {} TO {}").format(of, sql.Identifier(key), sql.Literal(value)))


def drop(database: Database) -> None:
    """Drop a database if it is there, whoever is connected."""
    with maintenance(database) as opened:
        opened.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database.name)))


def beside(database: Database, prefix: str) -> list[Database]:
    """Return the databases of the server whose names begin with a prefix."""
    with maintenance(database) as opened:
        rows = opened.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY 1", [prefix]
        ).fetchall()
    return [database.named(name) for (name,) in rows]


def exchange(database: Database, fresh: Database, kept: str) -> None:
    """Let a fresh database take another one's name; that one is called `kept` from then on.

    All or nothing, whatever dies meanwhile: both renames are one transaction. It holds the database's lock, so that
    nobody new comes in, while those who are in are cut off; they find the fresh one when they connect again. Raises
    Conflict when somebody could not be cut off.
    """
    done = threading.Event()
    with maintenance(database) as opened, maintenance(database) as other:
        opened.execute("CHECKPOINT" if _may_checkpoint(opened) else "SELECT 1")
        cutter = threading.Thread(target=_cut_off, args=(other, (database.name, fresh.name), done))
        cutter.start()
        try:
            with opened.transaction():
                opened.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(f"{_EXCHANGE_SECONDS}s")))
                for former, name in ((database.name, kept), (fresh.name, database.name)):
                    opened.execute(
                        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(former), sql.Identifier(name))
                    )
        except psycopg.Error as error:
            raise Conflict(f"The databases could not be exchanged, nothing was changed: {error}") from error
        finally:
            done.set()
            cutter.join()


def _may_checkpoint(opened: "psycopg.Connection[Any]") -> bool:
    row = opened.execute(
        "SELECT rolsuper OR pg_has_role('pg_checkpoint', 'MEMBER') FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    return bool(row and row[0])


def _cut_off(opened: "psycopg.Connection[Any]", names: tuple[str, str], done: threading.Event) -> None:
    """End every connection to some databases, over and over: who came in before the lock may still be at the door."""
    while not done.wait(0.05):
        opened.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = ANY(%s) AND backend_type = 'client backend'",
            [list(names)],
        )
