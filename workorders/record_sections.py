"""What an order's record is made of: each app adds the section that it knows, without knowing who reads it.

An app declares a contributor when it is loaded (`contributes`); the batch record, far above, calls them all.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from core.audit_chain import written
from workorders.models import WorkOrder

CRITICAL, MAJOR, MINOR = "critical", "major", "minor"
SEVERITIES = (CRITICAL, MAJOR, MINOR)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a record that is not as it should be, and that somebody has to look at.

    `key` is its identity among the findings of the order, the same whenever the record is read.
    """

    key: str
    kind: str
    severity: str
    title: str
    detail: str = ""
    at: datetime | None = None


@dataclass(slots=True)
class Section:
    """A table of exact text, in an order that does not depend on the moment of reading.

    `workers` are the users whose work is in it: they do not judge it.
    """

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    workers: set[int] = field(default_factory=set)

    def add(self, *values: Any) -> None:
        """Append a row."""
        self.rows.append(tuple(text(value) for value in values))


Contributor = Callable[[WorkOrder, datetime], Section]


@dataclass(frozen=True, slots=True)
class Contribution:
    """Who writes which section."""

    position: int
    code: str
    title: str
    write: Contributor


_contributions: dict[str, Contribution] = {}


def contributes(code: str, title: str, position: int) -> Callable[[Contributor], Contributor]:
    """Declare the contributor of a section; it is called with the order and the moment of reading.

    What it returns may depend on that moment only by which facts there are by then.
    """

    def declare(contributor: Contributor) -> Contributor:
        _contributions[code] = Contribution(position, code, title, contributor)
        return contributor

    return declare


def contributions() -> Iterable[Contribution]:
    """Return the contributors in the order of their sections."""
    return sorted(_contributions.values(), key=lambda one: (one.position, one.code))


def text(value: Any) -> str:
    """Return a value as records show it: exact, "" when unknown, times in UTC."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, datetime | Decimal):
        return str(written(value))
    return str(value)
