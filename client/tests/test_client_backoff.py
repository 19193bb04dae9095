"""Waiting after failures."""

from random import Random

import pytest

from mes_client import Backoff
from mes_client.backoff import LONGEST_ASKED, SLOW


def waits(backoff, number, **failure):
    return [backoff.failed(0, **failure) for _ in range(number)]


def test_waits_grow_up_to_a_minute():
    found = waits(Backoff(random=Random(1)), 5_000)
    for wait, whole in zip(found, [0.5, 1, 2, 4, 8, 16, 32, *[60] * 4_993]):
        assert whole / 2 <= wait <= whole


def test_devices_that_failed_together_do_not_return_together():
    assert len({Backoff(random=Random(seed)).failed(0) for seed in range(100)}) == 100


def test_success_forgets_the_failures():
    backoff = Backoff()
    assert not backoff.succeeded()
    waits(backoff, 10)
    assert backoff.succeeded()
    assert backoff.is_due(0)
    assert backoff.failed(0) <= 0.5


@pytest.mark.parametrize("asked", [0, 5, 120])
def test_retry_after_is_never_undercut(asked):
    backoff = Backoff()
    wait = backoff.failed(100, asked=asked)
    assert wait >= asked
    assert not backoff.is_due(100 + asked - 0.001, hurry=True)
    assert backoff.is_due(100 + max(asked * 1.25, 0.5))


def test_server_that_asks_for_years_is_not_believed():
    assert Backoff().failed(0, asked=10**12) <= LONGEST_ASKED * 1.25


def test_who_is_in_a_hurry_skips_only_the_own_wait():
    backoff = Backoff()
    backoff.failed(0, slowly=True)
    assert not backoff.is_due(1)
    assert backoff.is_due(1, hurry=True)


def test_what_a_person_must_mend_is_retried_slowly():
    found = waits(Backoff(), 50, slowly=True)
    assert found[0] >= SLOW / 2
    assert max(found) <= 5 * SLOW
