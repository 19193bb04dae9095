"""Which loss of a line to attack first: what it cost over the last weeks in hours, OEE points and money,
and whether it grows.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from advice.findings import Finding, Found, Quiet, rounded, stored
from advice.models import Kind
from advice.own_log import known_window
from core.intervals import Interval
from downtime.selectors import all_reasons
from enterprise.models import Line, Machine, Site
from oee.engine.ledger import Ledger, ledger
from oee.kpi_elements import answer
from oee.pareto import By, gather
from oee.questions import Question
from oee.reason_times import ReasonTime
from oee.scopes import representatives_of

WEEKS = 4
BUSY_HOURS_NEEDED = 16
RECOVERED = Fraction(1, 2)
"""The part of a loss that attacking it is taken to win back."""
SMALLEST = Fraction(1, 100)
"""A loss that costs less of OEE is none to begin with."""
_WEEK = timedelta(days=7)
_REASONS_OF = {
    "stops": ("unplanned",),
    "waiting": ("unplanned",),
    "changeovers": ("changeover",),
    "micro_stops": ("micro_stop",),
}
# Nobody can attack what only tells that numbers are missing.
_NOT_ATTACKED = frozenset({"no_data_loss", "undetermined", "unrated", "not_told_apart"})


def losses_to_attack(site: Site, *, now: datetime) -> list[Found]:
    """Return each line's loss to attack first."""
    lines = list(Line.objects.filter(area__site=site, is_active=True).select_related("area__site").order_by("pk"))
    machines = representatives_of([line.pk for line in lines])
    return [_of_line(line, machines[line.pk], now=now) for line in lines if line.pk in machines]


def _of_line(line: Line, machines: list[Machine], *, now: datetime) -> Found:
    subject = f"loss line {line.pk}"
    window = known_window(machines, now=now, longest=WEEKS * _WEEK)
    if window is None:
        return Quiet(kind=Kind.LOSS, subject=subject, why="nothing_known", line=line)
    found = answer(Question(machines, window), now=now)
    times = found.times
    whole = ledger(found.report.sums, found.reasons)
    busy = float(whole.busy_seconds) / 3600
    if busy < BUSY_HOURS_NEEDED:
        facts = {"busy_hours": round(busy, 1), "needed": BUSY_HOURS_NEEDED}
        return Quiet(kind=Kind.LOSS, subject=subject, why="thin_busy", facts=facts, line=line)
    ranked = [one for one in whole.lines if one.oee_cost is not None and one.of.code not in _NOT_ATTACKED]
    ranked.sort(key=lambda one: (-one.seconds, one.of.code))
    first = ranked[0] if ranked else None
    if first is None or first.oee_cost is None or first.oee_cost < SMALLEST:
        return Quiet(kind=Kind.LOSS, subject=subject, why="no_loss", facts={"smallest": 1}, line=line)
    weeks = Fraction(int((window.end - window.start).total_seconds()), int(_WEEK.total_seconds()))
    hours = first.seconds / 3600 / weeks
    gain = hours * RECOVERED
    hourly = machines[0].hourly_cost if len(machines) == 1 else None
    evidence: dict[str, Any] = {
        "loss": first.of.code,
        "hours_per_week": round(float(hours), 2),
        "oee_points": round(float(first.oee_cost) * 100, 2),
        "busy_hours": round(busy, 1),
        "weeks": round(float(weeks), 2),
        "recovered": float(RECOVERED),
        "others": [
            {"loss": one.of.code, "hours_per_week": round(float(one.seconds / 3600 / weeks), 2)} for one in ranked[1:4]
        ],
        "reasons": _reasons(first.of.code, times, machines, weeks),
        "trend": _trend(first.of.code, machines, window, now=now),
        "links": [{"page": page, "line": line.code, **_days(window, line)} for page in ("waterfall", "pareto")],
    }
    return Finding(
        kind=Kind.LOSS,
        subject=f"{subject} {first.of.code}",
        evidence=evidence,
        says=(first.of.code, round(float(hours), 1), window.end.date().isoformat()),
        strength=stored(float(gain), 3),
        window=window,
        valid_until=now + _WEEK,
        line=line,
        machine=machines[0] if len(machines) == 1 else None,
        component=first.of.code,
        gain_hours=stored(float(gain), 3),
        gain_oee_points=stored(float(first.oee_cost * 100 * RECOVERED), 4),
        gain_money=None if hourly is None else rounded(float(gain) * float(hourly), 2),
    )


def _days(window: Interval, line: Line) -> dict[str, str]:
    zone = line.area.site.zone
    return {
        name: at.astimezone(zone).date().isoformat() for name, at in (("first", window.start), ("last", window.end))
    }


def _reasons(code: str, times: Iterable[ReasonTime], machines: list[Machine], weeks: Fraction) -> list[dict[str, Any]]:
    """Return the reasons that a loss is made of, the longest first."""
    categories = _REASONS_OF.get(code, ())
    reasons = all_reasons()
    waits = code == "waiting"
    chosen = [
        row
        for row in times
        if row.category.value in categories
        and (code not in ("stops", "waiting") or bool(row.reason_id and reasons[row.reason_id].waits_for) is waits)
    ]
    rows = gather(chosen, machines, by=By.REASON).rows[:3]
    return [
        {
            "reason": reasons[row.key].name if row.key is not None else "",
            "hours_per_week": round(row.duration.total_seconds() / 3600 / float(weeks), 2),
            "stops": row.occurrences,
        }
        for row in rows
    ]


def _trend(code: str, machines: list[Machine], window: Interval, *, now: datetime) -> list[float | None]:
    """Return the loss in percent of busy time in the first and in the second half of the window;
    None without busy time.
    """
    middle = window.start + (window.end - window.start) / 2
    found = []
    for half in (Interval(window.start, middle), Interval(middle, window.end)):
        part = answer(Question(machines, half), now=now)
        found.append(_percent(ledger(part.report.sums, part.reasons), code))
    return found


def _percent(of: Ledger, code: str) -> float | None:
    return round(float(of.of(code).seconds / of.busy_seconds) * 100, 2) if of.busy_seconds else None
