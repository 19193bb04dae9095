"""What every test stands on: a PostgreSQL of our own, unless DATABASE_URL names a server."""

import gc
import os
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from django.db import connection
from django.utils import translation

from core import embedded_postgres
from tests import clean_database, servers, template_database

# On a busy machine, examples are slow to make; how long a test may take is not what any of them is about.
hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("busy")
# Asked before each process gives the tests' database a name of its own: they all copy the one that was made beforehand.
TEMPLATE = template_database.name()


def pytest_configure(config: pytest.Config) -> None:
    """Start the database before Django looks for it.

    The test process takes connections without the pool: threads of its own end without giving theirs back. The servers
    that tests start have the pool.
    """
    settings.DATABASES["default"]["OPTIONS"]["pool"] = False
    if not os.environ.get("DATABASE_URL"):
        embedded_postgres.ensure_running()


def pytest_collection_finish() -> None:
    """Let the collector leave what was imported alone, and come less often: it would take a tenth of the time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the one test that mostly waits, for minutes, then with those of the whole: short ones fill the end."""
    whole = Path(__file__).parent / "tests"
    items.sort(key=lambda item: (item.path.name != "test_torture.py", item.path.parent != whole))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, django_db_blocker):
    """Let each process copy its database from a template instead of migrating it."""
    with django_db_blocker.unblock():
        template_database.ensure(TEMPLATE)
    settings.DATABASES["default"]["TEST"]["TEMPLATE"] = TEMPLATE


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Remember how the database begins; at the end, end what a test's server, socket or browser left open."""
    with django_db_blocker.unblock():
        clean_database.do_not_wait_for_the_disk()
        clean_database.remember()
    yield
    servers.end_shared()
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(autouse=True)
def _plain_static_files(settings):
    """Serve static files as they are, without collecting them first."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(autouse=True)
def _language_of_nobody():
    """Forget the language of the last reader: a request of the test client speaks it in the test's own thread."""
    translation.deactivate()
