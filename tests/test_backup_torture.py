"""Backups while others write, damage of every kind, restores while others write: nothing is lost, nothing is missed."""

import psycopg
import pytest

from operations.store import Store
from operations.tests.small_plant import small_plant
from torture.backups import DAMAGE, torture

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant():
    with small_plant() as made:
        yield made


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "backups")


def test_backups_under_writes_are_equal_damage_is_found_and_restores_lose_nothing(store, plant):
    found = torture(
        2,
        database=plant,
        store=store,
        write=lambda opened, number: opened.execute("INSERT INTO part (code) VALUES (%s)", [number]),
        read=lambda opened: {
            int(code) for (code,) in opened.execute("SELECT code FROM part WHERE code NOT LIKE 'p%'").fetchall()
        },
        restore_every=2,
    )
    assert found.broken == []
    assert (found.equal, found.exchanged, len(found.damaged)) == (2, 2, len(DAMAGE))
    with plant.connect() as opened:
        # Counters go on after what was given out, and guards guard.
        opened.execute("INSERT INTO part (code) VALUES ('next')")
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            opened.execute("DELETE FROM fact")
