"""Read a folder of files about machines that failed: errors, failures, maintenance, machines, telemetry (CSV,
also gzipped).

Files come from outside: what cannot be read is named with its file and line. Single bad rows are left out and counted;
a file of which more than one row in twenty is bad is refused, as is one that is too large.
"""

from __future__ import annotations

import csv
import gzip
from array import array
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import TextIOWrapper
from pathlib import Path

import numpy as np

from advice.engine.failure_log import FailureLog, Hours, MachineLog
from core.errors import Invalid

MOST_BYTES = 600_000_000
MOST_OF_A_LINE = 100_000
MOST_SIGNALS = 200
MOST_MACHINES = 5_000
MOST_HOURS = 20 * 366 * 24
MOST_MACHINE_HOURS = 10_000_000
_HOUR = timedelta(hours=1)


@dataclass(slots=True)
class Read:
    """A log, and what was left out of the files: words by file."""

    log: FailureLog
    left_out: list[str] = field(default_factory=list)
    measured: list[str] = field(default_factory=list)
    """The machines of which there are signals, and from when until when: the hours of the log."""
    measured_hours: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class _Row:
    at: datetime
    machine: str
    values: dict[str, str]


def read_folder(folder: Path) -> Read:
    """Read `PdM_errors.csv`, `PdM_failures.csv`, `PdM_maint.csv`, `PdM_machines.csv` and `PdM_telemetry*.csv[.gz]`.

    Machines and telemetry may be missing. Raises Invalid, naming the file, for what cannot be read.
    """
    if not folder.is_dir():
        raise Invalid(f"There is no folder {folder}.", field="folder")
    left_out: list[str] = []
    errors = _events(_one(folder, "errors"), "errorID", left_out)
    failures = _events(_one(folder, "failures"), "failure", left_out)
    renewals = _events(_one(folder, "maint"), "comp", left_out)
    traits = _traits(_one(folder, "machines", needed=False))
    telemetry = _read_telemetry(folder, left_out)
    sent = [datetime.fromtimestamp(at, UTC) for of in telemetry.values() for at in (min(of.seconds), max(of.seconds))]
    moments = [at for of in (*errors.values(), *failures.values()) for ats in of.values() for at in ats] + sent
    if not any(of_machine for of_machine in failures.values()):
        raise Invalid("The files tell of no failure.", field="folder")
    start = min(moments).replace(minute=0, second=0, microsecond=0)
    hours = int((max(moments) - start) / _HOUR) + 1
    names = sorted({*errors, *failures, *renewals, *traits, *telemetry})
    if len(names) > MOST_MACHINES or hours > MOST_HOURS or len(names) * hours > MOST_MACHINE_HOURS:
        raise Invalid(f"That is too much: {len(names)} machines over {hours} hours.", field="folder")
    signals = _signals(telemetry, start, hours, left_out)
    machines = {
        name: MachineLog(
            signals=signals.get(name, {}),
            events=_hours(errors.get(name, {}), start),
            failures=_hours(failures.get(name, {}), start),
            renewals=_hours(renewals.get(name, {}), start),
            kind=traits.get(name, ("", None))[0],
            age=traits.get(name, ("", None))[1],
        )
        for name in names
    }
    measured = sorted(signals)
    span = (0, 0)
    if sent:
        span = int((min(sent) - start) / _HOUR), int((max(sent) - start) / _HOUR) + 1
    return Read(FailureLog(start, hours, machines), left_out, measured, span)


def _one(folder: Path, what: str, *, needed: bool = True) -> Path | None:
    found = sorted({*folder.glob(f"*{what}*.csv"), *folder.glob(f"*{what}*.csv.gz")})
    if not found and needed:
        raise Invalid(f"There is no file of {what} (PdM_{what}.csv) in {folder}.", field="folder")
    return found[0] if found else None


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    if path.stat().st_size > MOST_BYTES:
        raise Invalid(f"{path.name} is too large.", field="folder")
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as packed:
            # A small file may hold a large one.
            text = TextIOWrapper(packed, encoding="utf-8-sig", newline="")
            reader = csv.DictReader(_bounded(text, path.name))
            needed = set() if "machines" in path.name else {"datetime", "machineID"}
            for missing in sorted(needed - set(reader.fieldnames or ())):
                raise Invalid(f"{path.name} has no column {missing}.", field="folder")
            for number, row in enumerate(reader, start=2):
                yield number, {str(name): value or "" for name, value in row.items() if isinstance(value, str | None)}
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise Invalid(f"{path.name} cannot be read: {error}", field="folder") from None


def _bounded(text: TextIOWrapper, name: str) -> Iterator[str]:
    read = 0
    while line := text.readline(MOST_OF_A_LINE + 1):
        read += len(line)
        if read > MOST_BYTES or len(line) > MOST_OF_A_LINE:
            raise Invalid(f"{name} is too large.", field="folder")
        yield line


def _rows(path: Path, needed: tuple[str, ...], left_out: list[str]) -> Iterator[_Row]:
    good = bad = first_bad = 0
    for number, values in _lines(path):
        for name in needed:
            if name not in values:
                raise Invalid(f"{path.name} has no column {name}.", field="folder")
        at = _moment(values.pop("datetime", ""))
        machine = values.pop("machineID", "").strip()
        if at is None or not machine or any(not values[name].strip() for name in needed):
            bad += 1
            first_bad = first_bad or number
            continue
        good += 1
        yield _Row(at, machine, values)
    if bad * 20 > good + bad:
        said = f"{path.name}: {bad} of {good + bad} rows cannot be read, the first in line {first_bad}."
        raise Invalid(said, field="folder")
    if bad:
        left_out.append(f"{path.name}: {bad} rows that cannot be read, the first in line {first_bad}")


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _events(path: Path | None, column: str, left_out: list[str]) -> dict[str, dict[str, list[datetime]]]:
    """Return moments by machine and name; the same twice is once."""
    found: dict[str, dict[str, set[datetime]]] = defaultdict(lambda: defaultdict(set))
    for row in _rows(path, (column,), left_out) if path else ():
        found[row.machine][row.values[column].strip()].add(row.at)
    return {machine: {name: sorted(ats) for name, ats in by.items()} for machine, by in found.items()}


def _traits(path: Path | None) -> dict[str, tuple[str, float | None]]:
    found = {}
    for _number, values in _lines(path) if path else ():
        age = _number_or_nan(values.get("age", ""))
        found[values.get("machineID", "").strip()] = values.get("model", "").strip(), None if np.isnan(age) else age
    return {machine: trait for machine, trait in found.items() if machine}


def _number_or_nan(text: str) -> float:
    try:
        figure = float(text)
    except ValueError:
        return float("nan")
    return figure if abs(figure) < 1e12 else float("nan")


def _hours(moments: dict[str, list[datetime]], start: datetime) -> dict[str, Hours]:
    return {name: np.array([(at - start) / _HOUR for at in ats]) for name, ats in moments.items()}


@dataclass(slots=True)
class _Telemetry:
    """What one machine sent: moments in seconds, and values by signal, NaN where one is unknown."""

    seconds: array[float] = field(default_factory=lambda: array("d"))
    values: dict[str, array[float]] = field(default_factory=dict)


def _read_telemetry(folder: Path, left_out: list[str]) -> dict[str, _Telemetry]:
    """Read all files of telemetry; a moment that was sent twice counts once, as it came first."""
    found: dict[str, _Telemetry] = defaultdict(_Telemetry)
    paths = sorted({*folder.glob("*telemetry*.csv"), *folder.glob("*telemetry*.csv.gz")})
    for path in paths:
        for row in _rows(path, (), left_out):
            of = found[row.machine]
            for name in row.values.keys() - of.values.keys():
                if len(of.values) >= MOST_SIGNALS:
                    raise Invalid(f"{path.name} has more than {MOST_SIGNALS} signals.", field="folder")
                of.values[name] = array("d", [float("nan")] * len(of.seconds))
            of.seconds.append(row.at.timestamp())
            for name, values in of.values.items():
                values.append(_number_or_nan(row.values.get(name, "")))
    return dict(found)


def _signals(
    telemetry: dict[str, _Telemetry], start: datetime, hours: int, left_out: list[str]
) -> dict[str, dict[str, Hours]]:
    """Return the mean of each hour; hours without a value are NaN."""
    found: dict[str, dict[str, Hours]] = {}
    twice = 0
    for machine, of in telemetry.items():
        seconds, first = np.unique(np.array(of.seconds), return_index=True)
        twice += len(of.seconds) - len(seconds)
        place = ((seconds - start.timestamp()) // 3600).astype(int)
        found[machine] = {}
        for name, every in of.values.items():
            values = np.array(every)[first]
            known = ~np.isnan(values)
            if known.any():
                sums = np.bincount(place[known], weights=values[known], minlength=hours)
                number = np.bincount(place[known], minlength=hours)
                with np.errstate(invalid="ignore"):
                    found[machine][name] = sums / number
    if twice:
        left_out.append(f"telemetry: {twice} rows of moments that were there before")
    return {machine: signals for machine, signals in found.items() if signals}


def cut(log: FailureLog, first: int, last: int) -> FailureLog:
    """Return the hours [first, last) of a log; of renewals those before, too."""

    def inside(at: Hours) -> Hours:
        return at[(at >= first) & (at < last)] - first

    machines = {
        name: MachineLog(
            signals={signal: values[first:last] for signal, values in one.signals.items()},
            events={event: inside(at) for event, at in one.events.items()},
            failures={component: inside(at) for component, at in one.failures.items()},
            renewals={component: at[at < last] - first for component, at in one.renewals.items()},
            kind=one.kind,
            age=one.age,
        )
        for name, one in log.machines.items()
    }
    return FailureLog(log.start + first * _HOUR, last - first, machines)
