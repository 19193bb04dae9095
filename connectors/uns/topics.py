"""What stands under which topic, worked out from what the screens show. Exact: numbers are decimal text in JSON."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from django.utils import translation

from core.outbox import moment
from enterprise.models import Line
from live.selectors import line_statuses
from live.status import LineStatus, MachineStatus

RATIO_DIGITS, PIECE_DIGITS = 4, 3
GOOD, UNCERTAIN, BAD = "good", "uncertain", "bad"


@dataclass(frozen=True, slots=True)
class Value:
    """What a topic says, as JSON: the value, how far it is to be trusted, and more words about it."""

    json: str
    quality: str
    more: tuple[tuple[str, str], ...] = ()

    def payload(self, at: datetime) -> bytes:
        """Return the message that says it."""
        words = "".join(f", {json.dumps(name)}: {said}" for name, said in self.more)
        return (f'{{"timestamp": "{moment(at)}", "value": {self.json}, "quality": "{self.quality}"{words}}}').encode()


def lines_of(site_id: int) -> dict[int, str]:
    """Return the active lines of a site, each with its path: enterprise/site/area/line."""
    lines = Line.objects.filter(area__site=site_id, is_active=True).select_related("area__site__enterprise")
    return {
        line.pk: "/".join((line.area.site.enterprise.code, line.area.site.code, line.area.code, line.code))
        for line in lines
    }


def values_of(paths: Mapping[int, str], line_ids: Iterable[int], *, now: datetime) -> dict[int, dict[str, Value]]:
    """Return by line what its topics say; of a line without machines nothing."""
    statuses = line_statuses([line_id for line_id in line_ids if line_id in paths], now=now)
    # Names are those of the plant, not of any reader's language.
    with translation.override("en"):
        return {line_id: _of_line(paths[line_id], status) for line_id, status in statuses.items()}


def _of_line(path: str, status: LineStatus) -> dict[str, Value]:
    kpis, order = status.kpis, status.order
    trusted = UNCERTAIN if kpis.ideal_rate_suspect or (kpis.coverage is not None and kpis.coverage < 1) else GOOD
    ratios = {
        "oee": kpis.oee_index,
        "availability": kpis.availability,
        "performance": kpis.effectiveness,
        "quality": kpis.quality_ratio,
        "coverage": kpis.coverage,
    }
    found = {f"{path}/{name}": _number(ratio, RATIO_DIGITS, trusted) for name, ratio in ratios.items()}
    for name, pieces in (("good", status.good), ("reject", status.reject), ("target", status.target)):
        found[f"{path}/{name}"] = _number(pieces, PIECE_DIGITS, GOOD)
    found[f"{path}/shift"] = _text(str(status.shift.name), start=status.shift.start, end=status.shift.end)
    found[f"{path}/order"] = (
        Value("null", GOOD)
        if order is None
        else Value(
            json.dumps(order.number),
            GOOD,
            (
                ("product", json.dumps(str(order.product))),
                ("unit", json.dumps(str(order.unit))),
                ("target", _plain(order.target, PIECE_DIGITS)),
                ("good", "null" if order.good is None else _plain(order.good, PIECE_DIGITS)),
            ),
        )
    )
    for machine in status.machines:
        found[f"{path}/{machine.code}/state"] = _state(machine)
    return found


def _state(machine: MachineStatus) -> Value:
    quality = BAD if machine.category == "no_data" else GOOD
    since = json.dumps(moment(machine.since)) if machine.since else "null"
    return Value(json.dumps(machine.category), quality, (("reason", json.dumps(str(machine.state))), ("since", since)))


def _text(text: str, **moments: datetime) -> Value:
    return Value(json.dumps(text), GOOD, tuple((name, json.dumps(moment(at))) for name, at in moments.items()))


def _number(value: Fraction | None, digits: int, quality: str) -> Value:
    return Value("null", BAD) if value is None else Value(_plain(value, digits), quality)


def _plain(value: Fraction, digits: int) -> str:
    whole, part = divmod(abs(round(value * 10**digits)), 10**digits)
    text = f"{whole}.{part:0{digits}d}".rstrip("0").rstrip(".")
    return f"-{text}" if value < 0 and text != "0" else text
