"""Backups of a database that is written to: each is restored and compared; damage is found; a restore loses nothing."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Conflict, NotFound
from operations import services
from operations.fingerprints import take
from operations.store import DUMP, MANIFEST, State, Store, seal
from operations.tests.small_plant import small_plant

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def plant():
    with small_plant() as made:
        yield made


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "backups")


def back_up(store, plant, *, at=AT, keep=30, why=services.ASKED):
    return services.make_backup(store=store, database=plant, why=why, by="ada", now=at, keep=keep)


def restore(store, plant, name, **options):
    return services.restore_backup(
        store=store, database=plant, name=name, by="ada", now=AT + timedelta(hours=1), **options
    )


def contents(plant):
    with plant.connect() as opened:
        return take(opened)


def flip(path, position=-100):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def test_what_is_damaged_is_called_so_and_never_restored(store, plant):
    backup = back_up(store, plant)
    dump, manifest = (backup.folder / DUMP).read_bytes(), (backup.folder / MANIFEST).read_bytes()
    before = contents(plant)
    flip(backup.folder / DUMP)
    with pytest.raises(Conflict, match="nothing was changed"):
        restore(store, plant, backup.name)
    assert contents(plant) == before
    assert store.get(backup.name).state is State.DAMAGED
    (backup.folder / DUMP).write_bytes(dump)
    # A file that was cut off is seen in the list already.
    (backup.folder / DUMP).write_bytes(dump[:-1])
    assert store.get(backup.name).problems == (f"plant.dump has {len(dump) - 1} bytes instead of {len(dump)}",)
    (backup.folder / DUMP).write_bytes(dump)
    # What was dumped is compared with the snapshot, not with itself.
    rows = b'"public.part":[500,'
    assert rows in manifest
    (backup.folder / MANIFEST).write_bytes(manifest.replace(rows, b'"public.part":[501,'))
    seal(backup.folder)
    found = services.verify_backup(store=store, database=plant, name=backup.name, now=AT, by="ada")
    assert found.problems == ("public.part has 500 rows instead of 501",)


def test_two_at_the_same_moment_are_two_and_the_newest_are_kept(store, plant):
    draft = store.folder / "x-20260301T000000-000000Z.partial"
    draft.mkdir(parents=True)
    found = []
    threads = [threading.Thread(target=lambda: found.append(back_up(store, plant))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {backup.name for backup in found} == {backup.name for backup in store.backups()}
    assert len({backup.name for backup in found}) == 2
    newest = back_up(store, plant, at=AT + timedelta(days=1), keep=2)
    assert [backup.name for backup in store.backups()] == [newest.name, max(backup.name for backup in found)]
    assert not draft.exists()


def test_a_name_that_leads_elsewhere_is_no_backup(store):
    for name in ("../etc", "", "a/b", "plant-20260302T080000-000000Z", "x" * 5000, "a\0b"):
        with pytest.raises(NotFound):
            store.get(name)


def test_automatic_backups_come_in_time_and_after_failures_later(store, plant):
    def due(at, every=timedelta(days=1)):
        return services.is_due(store=store, database=plant, now=at, every=every)

    assert not due(AT)  # an empty server
    with plant.connect() as opened:
        opened.execute("CREATE TABLE django_migrations (app text, name text, applied timestamptz)")
        opened.execute("INSERT INTO django_migrations VALUES ('core', '9999_of_tomorrow', %s)", [AT])
    assert not due(AT + timedelta(minutes=59))
    assert due(AT + timedelta(hours=1))
    assert not due(AT + timedelta(hours=1), every=timedelta())
    store.note(at=AT + timedelta(hours=1), who="", what="failed: no room")
    assert not due(AT + timedelta(hours=1, minutes=59))
    assert due(AT + timedelta(hours=2, minutes=1))
    first = back_up(store, plant, at=AT + timedelta(hours=3))
    assert not due(AT + timedelta(hours=26))
    assert due(AT + timedelta(hours=27))
    # It was made by a version that knows more than this one.
    with pytest.raises(Conflict, match="newer version"):
        restore(store, plant, first.name, known_migrations=services.known_migrations())
    # The one that nobody looked at for longest is read again.
    flip(first.folder / DUMP)
    assert store.last_good().name == first.name
    day_after = AT + timedelta(days=2)
    looked_at = services.recheck_one(store=store, now=day_after, older_than=timedelta(days=1))
    assert (looked_at.name, looked_at.state) == (first.name, State.DAMAGED)
    assert services.recheck_one(store=store, now=day_after, older_than=timedelta(days=1)) is None
    assert store.last_good() is None
