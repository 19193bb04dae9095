#!/usr/bin/env python
"""Run a management command, with a database under it."""

import os
import sys

from core import embedded_postgres


def main() -> None:
    """Start our own PostgreSQL unless a server is named, then obey the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mes_project.settings")
    from django.conf import settings
    from django.core.management import execute_from_command_line

    if not settings.DATABASE_URL:
        embedded_postgres.ensure_running()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
