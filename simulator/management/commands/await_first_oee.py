"""Say when the first live OEE number is on a screen."""

import logging
import os
import re
import time
from importlib import import_module
from typing import Any

import httpx
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from enterprise.models import Line
from simulator.vistula import VISTULA

# How the pages say a line's OEE to those who do not see the ring; a dash while it is not known.
_OEE = re.compile(r'aria-label="(\d+(?:\.\d+)?) % OEE')


class Command(BaseCommand):
    """Look at the lines' live pages, as a person would, until one shows an OEE, and print how long that took."""

    help = "Wait until a line's live page shows an OEE; MES_DEMO_STARTED_AT (epoch seconds) says since when to count."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="The server; default %(default)s.")
        parser.add_argument("--timeout", type=float, default=300, help="Give up after so many seconds; default 300.")

    def handle(self, *args: Any, **options: Any) -> None:
        # One line for every look would be noise.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        began = float(os.environ.get("MES_DEMO_STARTED_AT") or time.time())
        gives_up_at = time.monotonic() + options["timeout"]
        session = _signed_in_session()
        # The line that works around the clock comes first.
        lines = [Line.objects.get(code=line.code) for line in VISTULA.lines]
        try:
            cookies = {settings.SESSION_COOKIE_NAME: session.session_key or ""}
            with httpx.Client(base_url=options["url"], cookies=cookies, timeout=10) as client:
                while (shown := _first_oee(client, lines)) is None:
                    if time.monotonic() > gives_up_at:
                        raise CommandError(f"No line showed an OEE within {options['timeout']:.0f} s.")
                    time.sleep(0.25)
        finally:
            session.delete()
        line, oee = shown
        self.stdout.write(
            self.style.SUCCESS(f"first live OEE: {line} {oee} %, after {time.time() - began:.1f} s since start")
        )


def _first_oee(client: httpx.Client, lines: list[Line]) -> tuple[Line, str] | None:
    for line in lines:
        try:
            page = client.get(f"/lines/{line.code}/")
        except httpx.TransportError:
            return None
        found = _OEE.search(page.text) if page.status_code == httpx.codes.OK else None
        # A line that stands at the start of its shift shows 0.0 for a while, which is right but no proof of anything.
        # And while older days are still on their way, a running counter's rise over their gap counts as one.
        if found is not None and 0 < float(found[1]) <= 100:
            return line, found[1]
    return None


def _signed_in_session() -> SessionBase:
    """Return a session of the demo's operator. It is made in the database: the password is not known here."""
    person = User.objects.filter(username=VISTULA.people[-1].username).first()
    if person is None:
        raise CommandError("There is no demo plant yet: run 'manage.py create_demo' first.")
    session: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.set_expiry(600)
    session.create()
    return session
