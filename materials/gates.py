"""Who has a say before a lot is released. Higher floors, which know inspections, register their checks here."""

from collections.abc import Callable
from datetime import datetime

from materials.models import MaterialLot

Check = Callable[..., None]
"""Called with `lot` and `at` in the transaction of the release; raises Conflict, in an operator's words,
to refuse it.
"""

_checks: list[Check] = []


def before_release(check: Check) -> Check:
    """Declare a check that a lot must pass before it is released, or received as released."""
    if check not in _checks:
        _checks.append(check)
    return check


def refuse_release(lot: MaterialLot, *, at: datetime) -> None:
    """Raise Conflict when anything stands against releasing a lot."""
    for check in _checks:
        check(lot=lot, at=at)
