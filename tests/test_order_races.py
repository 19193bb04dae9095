"""Contrary wishes at the same moment: one wins, on the real database with real threads."""

import pytest

from torture.order_races import SMALL, race

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_contrary_steps_one_wins_and_the_history_has_a_row_for_each():
    found = race(SMALL)
    assert found.broken == []
    assert sum(found.run.values()) == SMALL
    assert found.refused >= SMALL // 2
