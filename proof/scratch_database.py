"""A database that exists for one run of the proofs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_DATABASE = "MES_PROOF_DATABASE"


@contextmanager
def scratch_database(*, needed: bool) -> Iterator[None]:
    """Have a database that exists for this alone; its name is left in the environment for the processes."""
    if not needed:
        yield
        return
    connection = _django()
    from core import embedded_postgres

    if not os.environ.get("DATABASE_URL"):
        embedded_postgres.ensure_running()
    connection.settings_dict["TEST"]["NAME"] = f"proof_{os.getpid()}"
    before = connection.settings_dict["NAME"]
    os.environ[_DATABASE] = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    connection.close()
    try:
        yield
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)


def use_database() -> None:
    """Set this process up to work on the database that was made."""
    connection = _django()
    name = os.environ.get(_DATABASE)
    if name and connection.settings_dict["NAME"] != name:
        connection.close()
        connection.settings_dict["NAME"] = name


def _django() -> Any:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mes_project.settings")
    import django

    django.setup()
    from django.db import connection

    # One connection a process, ended with it.
    connection.settings_dict["OPTIONS"]["pool"] = False
    return connection
