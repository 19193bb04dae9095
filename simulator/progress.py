"""What the simulated devices remember over a restart: how far each line has delivered, and its counters' readings."""

import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path


@dataclass(slots=True)
class LineProgress:
    """How far a line has delivered.

    Everything before `from_day` is delivered, and of later days those in `delivered_days`. Of the day on which the
    devices were last live, everything up to `until` is. `readings` are the running counters' at `from_day`'s start.
    """

    from_day: date
    readings: dict[str, int] = field(default_factory=dict)
    delivered_days: set[date] = field(default_factory=set)
    until: datetime | None = None

    def is_delivered(self, day: date) -> bool:
        """Say whether a whole day is delivered."""
        return day < self.from_day or day in self.delivered_days

    def day_is_delivered(self, day: date, readings_after: dict[date, dict[str, int]]) -> None:
        """Note that a whole day is delivered, and forget days that no later start needs."""
        self.delivered_days.add(day)
        while self.from_day in self.delivered_days and self.from_day in readings_after:
            self.delivered_days.discard(self.from_day)
            self.readings = readings_after[self.from_day]
            self.from_day += timedelta(days=1)


class ProgressFile:
    """Keep the lines' progress in a file, as long as plant and seed stay the same."""

    def __init__(self, path: Path, *, plant_id: str, seed: int) -> None:
        self._path = path
        self._head = {"plant": plant_id, "seed": seed}

    def read(self) -> dict[str, LineProgress]:
        """Return what was kept, by line code; nothing if it belongs to another plant or seed."""
        if not self._path.exists():
            return {}
        kept = json.loads(self._path.read_text())
        if {name: kept.get(name) for name in self._head} != self._head:
            return {}
        return {
            code: LineProgress(
                from_day=date.fromisoformat(line["from_day"]),
                readings=dict(line["readings"]),
                delivered_days={date.fromisoformat(day) for day in line["delivered_days"]},
                until=datetime.fromisoformat(line["until"]) if line["until"] else None,
            )
            for code, line in kept["lines"].items()
        }

    def write(self, lines: dict[str, LineProgress]) -> None:
        """Keep the lines' progress; a crash leaves either the old file or the new one."""
        kept = {
            **self._head,
            "lines": {
                code: {
                    "from_day": line.from_day.isoformat(),
                    "readings": line.readings,
                    "delivered_days": sorted(day.isoformat() for day in line.delivered_days),
                    "until": line.until.isoformat() if line.until else None,
                }
                for code, line in lines.items()
            },
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(kept, indent=1))
        draft.replace(self._path)
