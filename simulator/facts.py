"""What devices say: the items of the ingestion interface, before they are written as JSON."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class StateFact:
    """A machine went into a state at a moment."""

    machine: str
    at: datetime
    state: str
    detail: str = ""

    def item(self) -> dict[str, Any]:
        """Return it as the ingestion interface takes it."""
        item = {"machine": self.machine, "at": iso(self.at), "state": self.state}
        return {**item, "detail": self.detail} if self.detail else item


@dataclass(frozen=True, slots=True)
class CountFact:
    """A counter reported a value at a moment: new pulses, or its reading."""

    tag: str
    at: datetime
    value: int | Decimal

    def item(self) -> dict[str, Any]:
        """Return it as the ingestion interface takes it; a fraction stays exact."""
        return {"tag": self.tag, "at": iso(self.at), "value": self.value}


@dataclass(frozen=True, slots=True)
class MeasureFact:
    """A gauge measured something at a moment."""

    measurement: str
    at: datetime
    value: Decimal

    def item(self) -> dict[str, Any]:
        """Return it as the ingestion interface takes it."""
        return {"measurement": self.measurement, "at": iso(self.at), "value": self.value}


Fact = StateFact | CountFact | MeasureFact


def iso(at: datetime) -> str:
    """Return a moment in UTC as ISO 8601 with Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
