"""A month of ten machines fits into a page that is quick to send and to draw, with every hour's shares right."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from core.intervals import Interval
from downtime.services import NewState, record_states
from oee.scopes import every_machine_of
from oee.selectors import timelines
from oee.time_columns import columns_of, hour_columns
from screens.timelines import areas, length, position
from tests.factories import make_line, make_machine, make_reason, make_shift, make_user

pytestmark = pytest.mark.django_db
MOST_BYTES = 300_000
FIRST = datetime(2026, 2, 1, tzinfo=UTC)


def test_a_month_of_ten_machines_is_small_whatever_they_did(client):
    line = make_line()
    for name, begins in (("Night", 0), ("Morning", 8), ("Evening", 16)):
        make_shift(
            site=line.area.site, name=name, start_time=f"{begins:02d}:00", end_time=f"{(begins + 8) % 24:02d}:00"
        )
    kinds = [make_reason(), make_reason("unplanned"), make_reason("changeover"), make_reason("planned")]
    for place in range(10):
        machine = make_machine(line=line, position=place)
        states = [
            # Another state about every eight minutes, in a rhythm that is another one in every hour.
            NewState(
                machine.pk, FIRST + timedelta(seconds=487 * n + 13 * place), kinds[(n * n + n // 7 + place) % 4].pk
            )
            for n in range(30 * 86_400 // 487)
        ]
        record_states(states, recorded_at=timezone.now())
    client.force_login(make_user("supervisor", site=line.area.site))
    url = reverse("screens:timeline", args=[line.code], query={"span": "30d", "date": "2026-03-02"})
    client.get(url)
    began = time.perf_counter()
    answer = client.get(url)
    print(f"{(time.perf_counter() - began) * 1000:.0f} ms, {len(answer.content) / 1000:.0f} kB")
    assert len(answer.content) <= MOST_BYTES
    assert all(row.areas for row in answer.context["rows"])
    # Of a day of them, segments are drawn as columns only where there are too many.
    day = client.get(reverse("screens:timeline", args=[line.code], query={"span": "3d", "date": "2026-02-20"}))
    assert len(day.content) <= MOST_BYTES


def test_columns_add_up_to_what_the_segments_say():
    machine = make_machine()
    stands, runs = make_reason("unplanned"), make_reason()
    minutes = (0, 10, 75, 130, 131, 299)
    states = [
        NewState(machine.pk, FIRST + timedelta(minutes=m), (runs, stands)[n % 2].pk) for n, m in enumerate(minutes)
    ]
    record_states(states, recorded_at=timezone.now())
    window = Interval(FIRST, FIRST + timedelta(hours=6))
    machines, now = every_machine_of(machine.line), timezone.now()
    stored = hour_columns(machines, window, hours=1, now=now)[machine.pk]
    drawn = columns_of(timelines(machines, window, now=now)[machine.pk], window, 6)
    assert stored == drawn
    assert [sum(column.values()) for column in stored] == [3_600_000_000] * 6
    assert stored[1] == {"unplanned": 15 * 60_000_000, "running": 45 * 60_000_000}
    # What is still going on is in the columns, too.
    soon = FIRST + timedelta(hours=5, minutes=30)
    assert sum(hour_columns(machines, window, hours=1, now=soon)[machine.pk][5].values()) == 30 * 60_000_000


def test_a_column_is_drawn_by_where_it_differs():
    columns = [{"running": 3}, {"running": 3}, {"running": 1, "unplanned": 2}, {}]
    found = {area.category: area.path for area in areas(columns)}
    assert found == {"unplanned": "M0 30v-30h750v30h250V30z", "running": "M0 30v-30h500v20h250v10h250V30z"}


def test_positions_are_texts_without_commas():
    window = Interval(FIRST, FIRST + timedelta(hours=8))
    assert position(FIRST + timedelta(hours=1), window) == "125.00"
    assert length(FIRST, FIRST + timedelta(minutes=1), window) == "2.08"
