"""The documented receiver, killed at random while messages are sent to it: each message has exactly one effect."""

import pytest

from torture.erp_receiver import SMALL, kill_receivers

pytestmark = pytest.mark.django_db(transaction=True)


def test_receiver_that_is_killed_ends_with_exactly_one_of_each(settings):
    settings.WEBHOOK_TARGETS = settings.WEBHOOK_NETWORKS = []
    found = kill_receivers(SMALL)
    assert found.broken == []
    assert (found.receiver_kills, found.arrived, found.effects) == (SMALL, found.written, found.written)
