"""Say who stands at a shared terminal, and make guessing slow: by what was guessed at, and where.

An attempt is counted before it is looked at and given back when it was right, so that attempts made at once count too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from accounts.models import User
from core.errors import Invalid, NotFound, TooManyAttempts
from enterprise.models import Site
from labor.models import Employee, IdentificationTally

_SHORTEST_PIN, _LONGEST_PIN = 4, 12
_FIRST_PAUSE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Limit:
    """How many failures are free, after how long one is forgiven, and the longest pause.

    Each pause is twice the last.
    """

    free: int
    forgives_after: timedelta
    longest_pause: timedelta


PERSON = Limit(5, timedelta(hours=2), timedelta(hours=1))
TERMINAL = Limit(20, timedelta(minutes=10), timedelta(minutes=15))


def hashed_pin(pin: str) -> str:
    """Return a PIN as it is stored. Raises Invalid for one that is too easy to guess."""
    if not (pin.isascii() and pin.isdigit() and _SHORTEST_PIN <= len(pin) <= _LONGEST_PIN):
        raise Invalid(f"A PIN has {_SHORTEST_PIN} to {_LONGEST_PIN} digits.", field="pin")
    if len(set(pin)) == 1 or pin in "01234567890123456789":
        raise Invalid("That PIN is the first that anybody tries; choose another.", field="pin")
    return make_password(pin)


def identify(
    *, site: Site, terminal: User | None, now: datetime, badge: str = "", code: str = "", pin: str = ""
) -> Employee:
    """Return who stands at a shared terminal: by badge or QR code, or by personnel number and PIN.

    `terminal` is the log-in of the terminal, `now` the server's time. Call it outside of a transaction: a failure has
    to be remembered. Raises NotFound for nobody, in the same words whatever was wrong, so that guessing learns nothing,
    and TooManyAttempts, also for what would be right, while the number or the terminal is blocked.
    """
    field = "badge" if badge else "pin"
    limits = {f"terminal:{terminal.pk if terminal else ''}": TERMINAL}
    if not badge:
        limits[f"code:{sha256(code.encode()).hexdigest()}"] = PERSON
    _count(site, limits, now, field)
    people = Employee.objects.filter(site=site, is_active=True)
    if badge:
        found = people.filter(badge=badge).first()
    else:
        found = people.filter(code=code).first()
        # Checked for nobody too, so that both take equally long.
        if not check_password(pin, found.pin if found and found.pin else make_password(None)):
            found = None
    if found is None:
        raise NotFound("Nobody is known by that.", field=field)
    _give_back(site, limits)
    return found


@transaction.atomic
def _count(site: Site, limits: dict[str, Limit], now: datetime, field: str) -> None:
    tallies = []
    # In one order, so that terminals never wait for each other in a circle.
    for subject, limit in sorted(limits.items()):
        IdentificationTally.objects.get_or_create(site=site, subject=subject, defaults={"counted_from": now})
        tally = IdentificationTally.objects.select_for_update().get(site=site, subject=subject)
        _forgive(tally, limit, now)
        tallies.append((tally, limit))
    until = max((tally.blocked_until for tally, _ in tallies if tally.blocked_until), default=now)
    if until > now:
        wait = -((now - until) // timedelta(seconds=1))
        raise TooManyAttempts(f"Too many failed attempts; try again in {_words(wait)}.", retry_after=wait, field=field)
    for tally, limit in tallies:
        tally.failures += 1
        over = tally.failures - limit.free
        # The exponent is bounded before the pause is, which would overflow.
        tally.blocked_until = (
            now + min(_FIRST_PAUSE * 2 ** min(over - 1, 12), limit.longest_pause) if over > 0 else None
        )
        tally.save()


def _forgive(tally: IdentificationTally, limit: Limit, now: datetime) -> None:
    """Forgive the failures of long ago, one for each stretch without regard to what happened meanwhile."""
    stretches = max((now - tally.counted_from) // limit.forgives_after, 0)
    tally.failures = max(tally.failures - stretches, 0)
    tally.counted_from = now if tally.failures == 0 else tally.counted_from + stretches * limit.forgives_after


@transaction.atomic
def _give_back(site: Site, limits: dict[str, Limit]) -> None:
    for subject, limit in sorted(limits.items()):
        tally = IdentificationTally.objects.select_for_update().filter(site=site, subject=subject).first()
        if tally is None:
            continue
        if limit is PERSON:
            tally.delete()
            continue
        # A badge of one's own must not buy a terminal new guesses: only this attempt is given back.
        tally.failures = max(tally.failures - 1, 0)
        if tally.failures <= limit.free:
            tally.blocked_until = None
        tally.save()


def _words(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{-(-seconds // 60)} min"
