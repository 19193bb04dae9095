"""Guessing at a terminal is slow, wherever and however it is done, and learns nothing."""

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection

from core.errors import NotFound, TooManyAttempts
from labor.identification import PERSON, TERMINAL, hashed_pin, identify
from labor.models import Employee, IdentificationTally
from tests.factories import make_employee, make_site, make_user

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def cheap_hashes(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def site(db, cheap_hashes):
    return make_site()


@pytest.fixture
def ewa(site):
    return make_employee(site=site, code="1042", badge="B-1042", pin=hashed_pin("4711"))


@pytest.fixture
def terminal(site):
    return make_user("operator", site)


def attempt(site, terminal, now=NOW, **who):
    """Return what an attempt ends in: who it is, 'nobody', or the pause in seconds."""
    try:
        return identify(site=site, terminal=terminal, now=now, **who)
    except NotFound:
        return "nobody"
    except TooManyAttempts as refusal:
        return refusal.retry_after


def fail(times, site, terminal, **who):
    return [attempt(site, terminal, **{"code": "1042", "pin": "9999", **who}) for _ in range(times)]


def test_after_a_few_failures_even_the_right_pin_waits(site, ewa, terminal):
    assert fail(PERSON.free + 1, site, terminal) == ["nobody"] * (PERSON.free + 1)
    assert attempt(site, terminal, code="1042", pin="4711") == 30
    # Another terminal does not help.
    assert attempt(site, make_user("operator", site), code="1042", pin="4711") == 30
    assert attempt(site, terminal, now=NOW + timedelta(seconds=29), code="1042", pin="4711") == 1
    assert attempt(site, terminal, now=NOW + timedelta(seconds=30), code="1042", pin="4711") == ewa


def test_pauses_grow_up_to_a_longest(site, ewa, terminal):
    now, pauses = NOW, []
    for _ in range(PERSON.free):
        attempt(site, terminal, code="1042", pin="9999")
    for _ in range(9):
        assert attempt(site, make_user("operator", site), now=now, code="1042", pin="9999") == "nobody"
        pauses.append(attempt(site, terminal, now=now, code="1042", pin="4711"))
        now += timedelta(seconds=pauses[-1])
    assert pauses[:4] == [30, 60, 120, 240]
    assert pauses[-1] == PERSON.longest_pause.total_seconds()


def test_who_does_not_exist_is_answered_like_who_does(site, ewa, terminal):
    def answers(code):
        return [str(attempt(site, make_user("operator", site), code=code, pin="9999")) for _ in range(PERSON.free + 3)]

    assert answers("1042") == answers("no-such-number")


def test_right_pin_forgives_the_person(site, ewa, terminal):
    for _ in range(4):
        fail(PERSON.free - 1, site, make_user("operator", site))
        assert attempt(site, terminal, code="1042", pin="4711") == ewa


def test_badges_are_counted_by_terminal_and_an_own_badge_buys_no_guesses(site, ewa, terminal):
    for number in range(TERMINAL.free):
        assert attempt(site, terminal, badge=f"guess-{number}") == "nobody"
        assert attempt(site, terminal, badge="B-1042") == ewa
    assert attempt(site, terminal, badge="guess") == "nobody"
    assert attempt(site, terminal, badge="B-1042") == 30
    # The other terminals of the site go on.
    assert attempt(site, make_user("operator", site), badge="B-1042") == ewa


def test_terminal_of_a_busy_day_is_forgiven_as_time_goes_by(site, ewa, terminal):
    for number in range(200):
        now = NOW + number * TERMINAL.forgives_after
        assert attempt(site, terminal, now=now, badge="typo") == "nobody"
        assert attempt(site, terminal, now=now, badge="B-1042") == ewa


def test_spraying_one_pin_over_many_people_is_slow_too(site, terminal):
    for number in range(TERMINAL.free + 1):
        attempt(site, terminal, code=f"n-{number}", pin="4711")
    assert attempt(site, terminal, code="another", pin="4711") == 30


def test_failures_are_stored_and_numbers_are_not(site, ewa, terminal):
    fail(2, site, terminal)
    tallies = list(IdentificationTally.objects.order_by("subject"))
    assert [tally.failures for tally in tallies] == [2, 2]
    assert not any("1042" in tally.subject for tally in tallies)


@pytest.mark.django_db(transaction=True)
def test_guesses_made_at_once_count_all(cheap_hashes):
    site = make_site()
    make_employee(site=site, code="1042", pin=hashed_pin("4711"))
    terminals = [make_user("operator", site) for _ in range(12)]
    barrier, ends = Barrier(12), []

    def guess(terminal):
        barrier.wait()
        try:
            ends.append(attempt(site, terminal, code="1042", pin="9999"))
        finally:
            connection.close()

    threads = [Thread(target=guess, args=(terminal,)) for terminal in terminals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (ends.count("nobody"), ends.count(30)) == (PERSON.free + 1, 12 - PERSON.free - 1)
    assert Employee.objects.count() == 1


def test_rest_says_how_long_to_wait(client, site, ewa, terminal):
    client.force_login(terminal)
    body = {"site": site.code, "code": "1042", "pin": "9999"}
    for _ in range(PERSON.free + 1):
        assert client.post("/labor/clock-in/", body, content_type="application/json").status_code == 404
    refused = client.post("/labor/clock-in/", {**body, "pin": "4711"}, content_type="application/json")
    assert (refused.status_code, int(refused["Retry-After"]) > 0) == (429, True)
    assert "try again in" in refused.json()["pin"][0]
