"""The watcher on a real folder and the real database."""

import asyncio
import json
import os
import shutil
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from connectors import services
from connectors.database import in_thread
from connectors.filedrop import positions, reading, watcher
from connectors.intake import Intake
from connectors.models import Connector, Protocol, SignalMapping, StateMap, StateMapEntry
from connectors.tests.live import close_writers, states, until, values
from counts.models import CountHistory
from downtime.models import StateHistory, StateReason
from ingest import directory
from ingest.group_commit import GroupCommit
from ingest.models import QuarantinedItem
from tests.factories import make_count_tag, make_machine, make_reason

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
FAST = {"poll_seconds": 0.02, "settle_seconds": 0.05}


@pytest.fixture
def machine():
    directory.reasons.forget()
    return make_machine()


@pytest.fixture
def tag(machine):
    return make_count_tag(machine=machine)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "drop").mkdir()
    return tmp_path / "drop"


@pytest.fixture
def connector(machine, folder):
    return Connector.objects.create(
        code="press", name="Press", site=machine.line.area.site, protocol=Protocol.FILE_DROP, address=str(folder)
    )


@pytest.fixture
def state_signal(connector, machine):
    """Map the signal "state" to the machine: R runs, S stands."""
    run, stop = make_reason(), make_reason(StateReason.Category.UNPLANNED)
    table = StateMap.objects.create(code="words", name="Words")
    for value, reason in (("R", run), ("S", stop)):
        StateMapEntry.objects.create(state_map=table, value=value, reason=reason)
    SignalMapping.objects.create(connector=connector, signal="state", machine=machine, state_map=table)
    return {"R": run.code, "S": stop.code}


class Watch:
    """One run of the watcher after another, each as a new process would do it."""

    def __init__(self, connector, **options):
        self.connector = connector
        self.options = options

    async def __aenter__(self):
        self.group_commit = GroupCommit()
        await self.start()
        return self

    async def start(self):
        self.connector.options = {**FAST, **self.options}
        setup = await in_thread(services.setup_of, self.connector)
        self.intake = Intake(self.group_commit, await in_thread(services.scope_of, self.connector))
        self.task = asyncio.create_task(watcher.run(setup, self.intake))

    async def kill(self):
        self.task.cancel()
        await asyncio.wait([self.task])

    async def until(self, condition):
        def holds():
            if self.task.done():
                self.task.result()
            return condition()

        return await until(holds)

    async def __aexit__(self, *error):
        await self.kill()
        await close_writers(self.group_commit)


def rows(tag, numbers):
    return "".join(f"{tag.tag_path},{(START + timedelta(seconds=n)).isoformat()},{n}\n" for n in numbers)


def state_rows(*changes):
    return "".join(f"{(START + timedelta(seconds=second)).isoformat()},{word}\n" for second, word in changes)


def append(path, text):
    with path.open("a", newline="") as out:
        out.write(text)


HEADER = "tag,at,value\n"


def test_whole_file_is_delivered_and_put_away(connector, tag, folder):
    async def scenario():
        async with Watch(connector) as watch:
            (folder / "a.tmp").write_text(HEADER + rows(tag, range(3)))
            (folder / "a.tmp").rename(folder / "a.csv")
            await watch.until((folder / "done" / "a.csv").exists)
            # The same name again is another file.
            (folder / "a.csv").write_text(HEADER + rows(tag, range(3, 5)).removesuffix("\n"))
            await watch.until((folder / "done" / "a-2.csv").exists)

    asyncio.run(scenario())
    assert values(tag) == [0, 1, 2, 3, 4]
    assert not list(folder.glob("*.csv"))
    assert not (folder / "failed").exists()


def test_delivered_file_may_be_deleted(connector, tag, folder):
    (folder / "a.jsonl").write_text(
        json.dumps({"tag": tag.tag_path, "at": "2026-03-02T08:00:00Z", "value": 7}) + "\n\n"
    )
    item = {"tag": tag.tag_path, "at": "2026-03-02T08:00:01Z", "value": 8}
    (folder / "b.json").write_text(json.dumps({"items": [item]}, indent=1))

    async def scenario():
        async with Watch(connector, after="delete") as watch:
            await watch.until(lambda: not list(folder.glob("[ab]*")))

    asyncio.run(scenario())
    assert values(tag) == [7, 8]


def test_unreadable_file_says_why(connector, folder):
    (folder / "a.csv").write_text("when,what\n1,2\n")
    (folder / "b.json").write_text('[\n{"tag": 1]')
    (folder / "empty.csv").write_text("")

    async def scenario():
        async with Watch(connector) as watch:
            await watch.until(lambda: len(list(folder.glob("failed/*"))) == 4 and (folder / "done/empty.csv").exists())
            assert watch.intake.tally.refused == 2

    asyncio.run(scenario())
    assert "line 1: The first line must name the columns" in (folder / "failed/a.csv.error.txt").read_text()
    assert "JSON" in (folder / "failed/b.json.error.txt").read_text()


def test_bad_lines_cost_only_themselves(connector, tag, folder):
    good = rows(tag, range(2))
    bad = f"{tag.tag_path},yesterday,1\nnobody,2026-03-02T08:00:00Z,1\n{tag.tag_path},2026-03-02T08:00:09Z,nan\nonly one\n"
    (folder / "a.csv").write_text(HEADER + good + bad + rows(tag, [2]))
    (folder / "b.csv").write_bytes(HEADER.encode() + b"\xff\xfe\n" + b"x" * 70_000 + b"\n" + rows(tag, [3]).encode())

    async def scenario():
        async with Watch(connector, after="delete") as watch:
            await watch.until(lambda: (folder / "done/a.csv").exists() and (folder / "done/b.csv").exists())
            assert watch.intake.tally.refused == 6

    asyncio.run(scenario())
    assert values(tag) == [0, 1, 2, 3]
    said = (folder / "done/a.csv.error.txt").read_text()
    assert said.startswith("3 lines are stored, 4 are not.")
    for line, why in ((4, "at: 'at' must be"), (5, "tag: This key knows no tag"), (6, "value:"), (7, "1 cells")):
        assert f"line {line}: {why}" in said or f"line {line}: The line has {why}" in said
    assert "line 3: The line is longer than 64 KB." in (folder / "done/b.csv.error.txt").read_text()
    kept = [json.loads(item.payload) for item in QuarantinedItem.objects.filter(message__startswith="Name a tag")]
    assert {(item["file"], item["row"]) for item in kept} == {("a.csv", 7), ("b.csv", 2), ("b.csv", 3)}


def test_file_that_is_being_written_waits(connector, tag, folder):
    async def scenario():
        async with Watch(connector, settle_seconds=0.4) as watch:
            path = folder / "a.csv"
            path.write_text(HEADER)
            for number in range(8):
                append(path, rows(tag, [number]))
                await asyncio.sleep(0.1)
                assert path.exists()
            await watch.until((folder / "done" / "a.csv").exists)

    asyncio.run(scenario())
    assert values(tag) == list(range(8))


def test_log_is_followed_while_it_grows_and_a_half_line_waits(connector, tag, folder):
    path = folder / "a.csv"

    async def scenario():
        async with Watch(connector, mode="follow") as watch:
            path.write_text(HEADER + rows(tag, [1]))
            await watch.until(lambda: values(tag) == [1])
            whole = rows(tag, [2])
            append(path, whole[:-3])
            await asyncio.sleep(0.2)
            assert await in_thread(values, tag) == [1]
            append(path, whole[-3:] + rows(tag, [3]))
            await watch.until(lambda: values(tag) == [1, 2, 3])
            assert watch.intake.tally.duplicates == 0

    asyncio.run(scenario())
    assert not QuarantinedItem.objects.exists()


def test_follower_goes_on_after_a_kill_without_loss_or_repetition(
    connector, state_signal, machine, folder, monkeypatch
):
    monkeypatch.setattr(reading, "BATCH_LINES", 7)
    path = folder / "a.log"
    # Every third second the state changes, sometimes twice within the second.
    changes = [(n // 2 * 3, "RS"[n % 2]) for n in range(300)]
    path.write_text("at,state\n" + state_rows(*changes[:150]))
    options = {"mode": "follow", "content": "columns", "patterns": "*.log"}

    async def scenario():
        async with Watch(connector, **options) as watch:
            for least in (5, 40, 80):
                await watch.until(lambda least=least: len(states(machine)) >= least)
                await watch.kill()
                await watch.start()
            append(path, state_rows(*changes[150:]))
            await watch.until(lambda: len(states(machine)) >= 300)
            await watch.kill()
            # A restart with everything read, and then with the positions of an earlier moment.
            saved = positions.path_of(folder, "press")
            await watch.start()
            await asyncio.sleep(0.2)
            await watch.kill()
            assert json.loads(saved.read_text())["files"][0]["offset"] == path.stat().st_size
            await watch.start()
            append(path, state_rows((900, "R")))
            await watch.until(lambda: len(states(machine)) >= 301)

    asyncio.run(scenario())
    assert states(machine) == [state_signal[word] for _, word in [*changes, (900, "R")]]
    assert not QuarantinedItem.objects.exists()


def test_kill_between_commit_and_position_repeats_nothing(connector, state_signal, machine, folder, monkeypatch):
    monkeypatch.setattr(reading, "BATCH_LINES", 2)
    path = folder / "a.csv"
    changes = [(0, "R"), (0, "S"), (0, "R"), (1, "R"), (1, "S"), (2, "S"), (2, "R")]
    path.write_text("at,state\n" + state_rows(*changes))
    saves = []

    def save(*arguments):
        # The second save of every run does not happen: the process dies before it.
        saves.append(arguments)
        if len(saves) % 2 == 0:
            raise KeyboardInterrupt("killed")
        real(*arguments)

    real = positions.save

    async def scenario():
        async with Watch(connector, content="columns") as watch:
            monkeypatch.setattr(positions, "save", lambda *arguments: save_or_die(*arguments))
            await asyncio.sleep(0)
            for _ in range(6):
                with suppress(Killed):
                    await watch.until((folder / "done" / "a.csv").exists)
                    return
                await watch.start()

    class Killed(Exception):
        pass

    def save_or_die(*arguments):
        try:
            save(*arguments)
        except KeyboardInterrupt:
            raise Killed from None

    asyncio.run(scenario())
    assert (folder / "done" / "a.csv").exists()
    assert states(machine) == [state_signal[word] for word in "RSRSR"]
    assert not QuarantinedItem.objects.exists()


def test_log_that_is_renamed_is_read_to_its_end(connector, tag, folder):
    path = folder / "a.csv"

    async def scenario():
        async with Watch(connector, mode="follow") as watch:
            path.write_text(HEADER + rows(tag, [1]))
            await watch.until(lambda: values(tag) == [1])
            # Rotated, while the writer still has the old file open, and its last line has no end.
            with path.open("a") as out:
                out.write(rows(tag, [2]))
                path.rename(folder / "a.csv.1")
                path.write_text(HEADER + rows(tag, [4]))
                out.write(rows(tag, [3]).rstrip("\n"))
            await watch.until(lambda: values(tag) == [1, 2, 3, 4])
            await watch.kill()
            # Rotated twice while nobody looked.
            append(path, rows(tag, [5]))
            (folder / "a.csv.1").rename(folder / "a.csv.3")
            path.rename(folder / "a.csv.2")
            (folder / "a.csv.1").write_text(HEADER + rows(tag, [6]))
            path.write_text(HEADER + rows(tag, [7]))
            await watch.start()
            await watch.until(lambda: values(tag) == [1, 2, 3, 4, 5, 6, 7])
            assert watch.intake.tally.duplicates == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("header_again", [True, False])
def test_log_that_is_copied_and_emptied_is_read_on(connector, tag, folder, header_again):
    path = folder / "a.csv"

    async def scenario():
        async with Watch(connector, mode="follow") as watch:
            path.write_text(HEADER + rows(tag, range(5)))
            await watch.until(lambda: values(tag) == [0, 1, 2, 3, 4])
            await watch.kill()
            # What came after the last look is only in the copy.
            append(path, rows(tag, [5]))
            shutil.copy(path, folder / "a.csv.1")
            os.truncate(path, 0)
            append(path, (HEADER if header_again else "") + rows(tag, range(6, 20)))
            await watch.start()
            await watch.until(lambda: values(tag) == list(range(20)))
            assert watch.intake.tally.duplicates == 0

    asyncio.run(scenario())
    assert not QuarantinedItem.objects.exists()


def test_signals_of_a_latin_log_in_local_time_are_translated(connector, machine, folder):
    tag = make_count_tag(machine=machine)
    run = make_reason()
    table = StateMap.objects.create(code="words", name="Words")
    StateMapEntry.objects.create(state_map=table, value="läuft", reason=run)
    SignalMapping.objects.create(connector=connector, signal="Zustand", machine=machine, state_map=table)
    SignalMapping.objects.create(connector=connector, signal="Stück", tag=tag)
    text = (
        "Zeit;Größe;Wert\n02.03.2026 09:00:00;Zustand;läuft\n02.03.2026 09:00:01;Stück;12,5\n02.03.2026 09:00:02;Öl;3\n"
    )
    (folder / "a.csv").write_bytes(text.encode("latin-1"))
    options = {
        "content": "signals",
        "encoding": "latin-1",
        "time_column": "Zeit",
        "time_format": "%d.%m.%Y %H:%M:%S",
        "time_zone": "Europe/Warsaw",
        "signal_column": "Größe",
        "value_column": "Wert",
        "decimal_comma": True,
    }

    async def scenario():
        async with Watch(connector, **options) as watch:
            await watch.until((folder / "done" / "a.csv").exists)

    asyncio.run(scenario())
    assert StateHistory.objects.get().occurred_at == START
    assert str(CountHistory.objects.get().value) == "12.500000"


def test_older_file_adds_to_history(connector, state_signal, machine, folder):
    async def scenario():
        async with Watch(connector, content="columns") as watch:
            (folder / "new.csv").write_text("at,state\n" + state_rows((60, "R")))
            await watch.until((folder / "done" / "new.csv").exists)
            (folder / "old.csv").write_text("at,state\n" + state_rows((0, "R"), (30, "S")))
            await watch.until((folder / "done" / "old.csv").exists)

    asyncio.run(scenario())
    assert states(machine) == [state_signal[word] for word in "RSR"]


def test_long_file_is_streamed_in_bounded_memory(connector, tag, folder):
    lines = 100_000
    with (folder / "a.csv").open("w") as out:
        out.write(HEADER)
        for number in range(lines):
            out.write(f"{tag.tag_path},{(START + timedelta(seconds=number)).isoformat()},{number % 10}\n")

    async def scenario():
        async with Watch(connector) as watch:
            await watch.until(lambda: CountHistory.objects.exists())
            tracemalloc.start()
            await watch.until((folder / "done" / "a.csv").exists)

    try:
        asyncio.run(scenario())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert CountHistory.objects.count() == lines
    assert peak < 40 * 1024 * 1024


def test_missing_folder_is_an_error(connector, folder):
    folder.rmdir()

    async def scenario():
        async with Watch(connector) as watch:
            with pytest.raises(FileNotFoundError):
                await watch.until(lambda: False)

    asyncio.run(scenario())


def test_damaged_positions_are_an_error_that_says_what_to_do(connector, folder):
    positions.path_of(folder, "press").write_text("{")

    async def scenario():
        async with Watch(connector) as watch:
            with pytest.raises(ValueError, match="delete it to have all files read anew"):
                await watch.until(lambda: False)

    asyncio.run(scenario())
