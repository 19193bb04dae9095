"""A window cut into equal columns, with what machines' time comes to in each:
for drawing what is narrower than a pixel.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from core.intervals import HOUR, Interval, ceil_hour, floor_hour, microseconds
from enterprise.models import Machine
from oee.engine import Calendar, Category, Segment
from oee.hours import bring_up_to_date, whole_hours
from oee.selectors import timelines
from oee.stops import shown_category

Columns = list[dict[str, int]]
"""For each column of a window the microseconds in each category; what nobody knows yet is in none."""

_NAMES = ("running", "unplanned", "planned", "changeover", "not_scheduled", "no_data")


def shown_as(segment: Segment) -> str:
    """Return the category that a segment is shown as: a stop is one however short,
    and outside the shifts it is no loss.
    """
    if segment.calendar is not Calendar.SCHEDULED and segment.category is not Category.RUNNING:
        return Category.NOT_SCHEDULED.value
    return shown_category(segment.category)


def columns_of(segments: Iterable[Segment], window: Interval, count: int) -> Columns:
    """Return so many equal columns of a window with what segments, in order of time, come to in each, exact."""
    columns: Columns = [{} for _ in range(count)]
    edges = [window.start + timedelta(microseconds=window.microseconds * n // count) for n in range(count + 1)]
    for segment in segments:
        start, end = max(segment.start, window.start), min(segment.end, window.end)
        place = bisect_right(edges, start) - 1
        while start < end:
            until = min(end, edges[place + 1])
            _add(columns[place], shown_as(segment), microseconds(until - start))
            start, place = until, place + 1
    return columns


def hour_columns(machines: Sequence[Machine], window: Interval, *, hours: int, now: datetime) -> dict[int, Columns]:
    """Return columns of so many hours of a window for each machine, by its id: stored hours,
    and the newest from the facts.

    The window is widened to full hours. Line, area and site of the machines are read.
    """
    wide = Interval(floor_hour(window.start), ceil_hour(window.end))
    count = -(-wide.microseconds // microseconds(hours * HOUR))
    found: dict[int, Columns] = {machine.pk: [{} for _ in range(count)] for machine in machines}
    whole = whole_hours(wide, machines, now=now)
    if whole is not None:
        ids = [machine.pk for machine in machines]
        bring_up_to_date(ids, whole)
        _add_stored(found, ids, wide, whole, hours)
    since = whole.end if whole else wide.start
    if since < min(now, wide.end):
        for machine_id, segments in timelines(machines, Interval(since, wide.end), now=now).items():
            for segment in segments:
                at = segment.start
                while at < segment.end:
                    place = (at - wide.start) // (hours * HOUR)
                    until = min(segment.end, wide.start + (place + 1) * hours * HOUR)
                    _add(found[machine_id][place], shown_as(segment), microseconds(until - at))
                    at = until
    return found


def _add_stored(found: dict[int, Columns], ids: list[int], wide: Interval, whole: Interval, hours: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT machine_id, floor(extract(epoch FROM starts_at - %s) / %s)::int, calendar = 'scheduled',
                sum(running), sum(unplanned + micro_stop), sum(planned), sum(changeover), sum(not_scheduled), sum(no_data)
            FROM oee_hourslice WHERE machine_id = ANY(%s) AND starts_at >= %s AND starts_at < %s GROUP BY 1, 2, 3
            """,
            [wide.start, hours * 3600, ids, whole.start, whole.end],
        )
        rows: list[Any] = cursor.fetchall()
    for machine_id, place, in_shift, *sums in rows:
        for name, value in zip(_NAMES, sums, strict=True):
            _add(found[machine_id][place], name if in_shift or name == "running" else "not_scheduled", int(value))


def _add(column: dict[str, int], category: str, value: int) -> None:
    if value:
        column[category] = column.get(category, 0) + value
