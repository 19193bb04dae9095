"""The admin's pages of backups: for who administers every site, and for nobody else."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import Role
from operations import services, views
from operations.databases import Database
from operations.store import DUMP, State
from tests.factories import make_site, make_user

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def store(settings, tmp_path):
    settings.BACKUP_DIR = tmp_path
    return services.the_store()


@pytest.fixture
def backup(store):
    """Put something there that looks like a backup."""
    with store.new("plant", AT) as folder:
        (folder / DUMP).write_bytes(b"dump")
        from operations.store import write_manifest

        write_manifest(folder, {"why": "asked for", "fingerprint": {"tables": {"public.a": [3, "1"]}}})
    (found,) = store.backups()
    return found


def entering(client, role, site=None):
    person = make_user(role, site=site, is_staff=True)
    client.force_login(person)
    return client


def addresses(backup):
    return {
        reverse("admin:backups"): "get",
        reverse("admin:backup_make"): "post",
        reverse("admin:backup_verify", args=[backup.name]): "post",
        reverse("admin:backup_download", args=[backup.name, DUMP]): "get",
        reverse("admin:backup_restore", args=[backup.name]): "post",
    }


def test_nobody_but_an_administrator_of_every_site_comes_near(client, backup):
    for url, method in addresses(backup).items():
        assert getattr(client, method)(url).status_code == 302, url  # to the log-in
    for role in Role.values:
        if role != Role.ADMIN:
            entering(client, role)
            for url, method in addresses(backup).items():
                assert getattr(client, method)(url).status_code in (302, 403), (role, url)
    entering(client, Role.ADMIN, site=make_site())
    for url, method in addresses(backup).items():
        assert getattr(client, method)(url).status_code in (302, 403), url
    assert "Backups" not in client.get(reverse("admin:index")).content.decode()


def test_list_shows_size_state_and_age_and_asking_gives_the_worker_a_job(client, backup, store):
    page = entering(client, Role.ADMIN).get(reverse("admin:backups")).content.decode()
    assert backup.name in page
    assert "Not verified" in page
    assert "There is no good backup" in page
    for _ in range(2):
        assert client.post(reverse("admin:backup_make")).status_code == 302
    assert ProcrastinateJob.objects.filter(task_name="operations.tasks.back_up_now").count() == 1
    store.note_check(backup, at=AT, problems=[], restored=True)
    assert "The last good backup is" in client.get(reverse("admin:backups")).content.decode()


def test_files_are_fetched_and_the_journal_tells_by_whom(client, backup, store):
    answer = entering(client, Role.ADMIN).get(reverse("admin:backup_download", args=[backup.name, DUMP]))
    assert b"".join(answer.streaming_content) == b"dump"
    assert backup.name in answer["Content-Disposition"]
    assert store.journal()[0]["what"] == "downloaded plant.dump"
    for name, file in ((backup.name, "checked.json"), (backup.name, ".."), ("plant-x", DUMP)):
        assert client.get(reverse("admin:backup_download", args=[name, file])).status_code == 404


def test_restore_starts_only_when_the_name_was_typed(client, backup, monkeypatch):
    started = []
    monkeypatch.setattr(views, "_start", lambda *arguments: started.append(arguments))
    url = reverse("admin:backup_restore", args=[backup.name])
    assert entering(client, Role.ADMIN).get(url).status_code == 200
    assert client.post(url, {"typed": "plant"}).status_code == 400
    assert client.post(url).status_code == 400
    with services.the_store().alone("a backup"):
        assert client.post(url, {"typed": backup.name}).status_code == 409
    assert started == []
    assert client.post(url, {"typed": backup.name}).status_code == 302
    assert [arguments[:4] for arguments in started] == [("restore_backup", backup.name, "--typed", backup.name)]
    assert client.post(reverse("admin:backup_restore", args=["plant-x"])).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_the_plants_own_database_is_backed_up_and_restored_equal_beside_it(store):
    """All tables, views, guards and partitions that the migrations make come back as they are."""
    made = services.make_backup(
        store=store, database=Database.of_the_plant(), why=services.ASKED, by="", now=AT, keep=30
    )
    assert made.state is State.GOOD, made.problems
    assert made.tables > 200
    assert services.is_due(
        store=store, database=Database.of_the_plant(), now=AT + timedelta(days=1), every=timedelta(1)
    )
