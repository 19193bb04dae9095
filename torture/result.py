"""What a scenario found out, as a row of a table."""

from collections.abc import Sequence
from dataclasses import dataclass, field

HEADINGS = ("scenario", "cycles", "acknowledged", "stored", "lost", "duplicated", "other figures")


@dataclass(slots=True)
class Result:
    """One scenario's figures. `broken` says in words which bound was not kept; it and any loss mean failure."""

    scenario: str
    cycles: int
    acknowledged: int = 0
    stored: int = 0
    lost: int = 0
    duplicated: int = 0
    figures: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    @property
    def has_failed(self) -> bool:
        """Whether something acknowledged was lost or counted twice, or a bound was not kept."""
        return bool(self.lost or self.duplicated or self.broken)

    def bound(self, kept: bool, otherwise: str) -> None:
        """Note a bound that was not kept."""
        if not kept:
            self.broken.append(otherwise)

    def cells(self) -> list[str]:
        """Return the row's cells."""
        numbers = (self.cycles, self.acknowledged, self.stored, self.lost, self.duplicated)
        figures = "; ".join(f"{name} {value}" for name, value in self.figures.items())
        return [self.scenario, *(f"{number:,}" for number in numbers), figures]


def table(results: Sequence[Result]) -> str:
    """Return the results as a Markdown table."""
    rows = [list(HEADINGS), ["---"] * len(HEADINGS), *(result.cells() for result in results)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of the values lies; 0 when there are none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
