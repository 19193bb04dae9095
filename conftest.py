"""What every test stands on: a PostgreSQL of our own, unless DATABASE_URL names a server."""

import os

import pytest

from core import embedded_postgres


def pytest_configure(config: pytest.Config) -> None:
    """Start the database before Django looks for it."""
    if not os.environ.get("DATABASE_URL"):
        embedded_postgres.ensure_running()


@pytest.fixture(autouse=True)
def _plain_static_files(settings):
    """Serve static files as they are, without collecting them first."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.WHITENOISE_AUTOREFRESH = True
