"""The simulator's page and REST: how simulated plants live, for engineers of their sites."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from simulator import diary
from simulator.diary import Delivered
from tests.factories import make_line, make_machine, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant():
    """Return a line of a plant whose simulation runs."""
    line, now = make_line(), timezone.now()
    simulation = diary.plan_life(site=line.area.site, seed=7, begins_at=now - timedelta(hours=3))
    diary.begin(simulation, at=now)
    diary.seen(simulation, at=now, simulated_at=now, delivered=[Delivered(line.code, 120, 5, 1, 9)])
    diary.note_hour(simulation, now - timedelta(hours=1), {"created": 4, "refused": 2}, is_done=True)
    machine = make_machine(line=line)
    script = [(machine.code, now + timedelta(hours=hours), 25, "SPINDLE", "Too warm") for hours in (1, -1)]
    assert diary.keep_faults(simulation, script, now=now) == 1
    assert diary.keep_faults(simulation, script, now=now) == 0
    return line


def test_engineers_see_what_was_sent_what_was_done_and_which_faults_come(plant, client):
    client.force_login(make_user("engineer", site=plant.area.site))
    said = client.get("/simulator/").content.decode()
    assert all(words in said for words in (plant.code, "120", "SPINDLE", "25 min", "yes"))
    (told,) = client.get("/simulation/").json()
    assert told["is_running"]
    assert told["lines"][0] | {"delivered_at": None} == {
        "line": plant.code,
        "delivered_at": None,
        "accepted": 120,
        "duplicates": 5,
        "refused": 1,
        "waiting": 9,
    }
    assert (told["hours"][0]["created"], told["hours"][0]["refused"]) == (4, 2)
    assert [fault["minutes"] for fault in told["faults"]] == [25]


def test_a_plant_that_nobody_hears_of_or_that_was_stopped_does_not_run(plant):
    simulation, now = plant.area.site.simulation, timezone.now()
    assert simulation.runs(now=now)
    assert not simulation.runs(now=now + timedelta(minutes=5))
    diary.stop(simulation, at=now)
    simulation.refresh_from_db()
    assert not simulation.runs(now=now)


def test_others_are_refused_and_another_sites_plant_is_not_there(plant, client):
    client.force_login(make_user("operator", site=plant.area.site))
    assert (client.get("/simulator/").status_code, client.get("/simulation/").status_code) == (403, 403)
    client.force_login(make_user("engineer", site=make_line().area.site))
    assert plant.code not in client.get("/simulator/").content.decode()
    assert client.get("/simulation/").json() == []
    assert APIClient().get("/simulation/").status_code == 401


def test_the_page_asks_no_more_for_more_lines(plant, client, django_assert_max_num_queries):
    client.force_login(make_user("engineer", site=plant.area.site))
    simulation, now = plant.area.site.simulation, timezone.now()
    lines = [make_line(area=plant.area).code for _ in range(5)]
    diary.seen(simulation, at=now, simulated_at=now, delivered=[Delivered(code, 1, 0, 0, 0) for code in lines])
    with django_assert_max_num_queries(20):
        client.get("/simulator/")
