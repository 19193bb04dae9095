"""Days as addresses name them, and their time at a site."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.intervals import Interval
from workorders.placing import FIRST_YEAR, LAST_YEAR

FIRST, LAST = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 1, 1)


def day_in(text: str | None, otherwise: date) -> date:
    """Return the day that a parameter names, or another where it names none;
    within the years in which orders are planned.
    """
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        day = otherwise
    return min(max(day, FIRST), LAST)


def day_window(first: date, last: date, zone: ZoneInfo) -> Interval:
    """Return days of a site from midnight to midnight, the last one included."""
    start = datetime.combine(first, time(), tzinfo=zone)
    return Interval.utc(start, datetime.combine(last + timedelta(days=1), time(), tzinfo=zone))
