"""An adapter is heard line by line, asked for signs of life, and unknown when it is gone."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from connectors.mtconnect import shdr
from connectors.mtconnect.options import AdapterOptions
from connectors.mtconnect.tests.peers import T0, Adapter, Caught, run_until, saying, setup_for, stamp
from connectors.translation import CountSignal, StateSignal, Translator


@pytest.fixture(autouse=True)
def _new_process():
    shdr.forget_pasts()


def make_setup(address: str, **options):
    translator = Translator(
        [StateSignal("exec", "M", 1, None), CountSignal("parts", "L/parts", True)], no_data="no-data"
    )
    return setup_for("shdr", address, translator, **options)


async def hear(adapter: Adapter, caught: Caught, match: str = r"ended|reset", **options) -> None:
    async with adapter.serving() as address:
        with pytest.raises(ConnectionError, match=match):
            await shdr.run(make_setup(address, **options), caught)
        await asyncio.wait_for(adapter.ended.wait(), 5)


async def test_lines_are_delivered_and_the_end_is_unknown_since_it_was_last_heard():
    caught, before = Caught(), datetime.now(UTC)
    await hear(saying(f"{T0}|exec|READY|parts|1", f"{stamp(5)}|exec|ACTIVE", "garbage", f"{stamp(6)}|parts|2"), caught)
    assert caught.states()[:2] == [("READY", "0"), ("ACTIVE", "5")]
    assert [item["value"] for item in caught.items if "tag" in item] == [1, 2]
    lost = caught.items[-1]
    assert (lost["state"], caught.is_connected, caught.tally.messages) == ("no-data", True, 4)
    assert before <= datetime.fromisoformat(lost["at"]) <= datetime.now(UTC)
    assert caught.tally.refused == 1


async def test_line_that_the_end_cut_off_is_not_believed():
    async def talk(reader, writer):
        writer.write(f"{T0}|parts|1\n{stamp(1)}|parts|1".encode())
        await writer.drain()

    caught = Caught()
    await hear(Adapter(talk), caught)
    assert len([item for item in caught.items if "tag" in item]) == 1


async def test_adapter_that_answers_is_asked_again_and_silence_ends_it():
    asked = []

    async def talk(reader, writer):
        for _ in range(3):
            asked.append(await reader.readline())
            writer.write(b"* PONG 100\n")
        await reader.readline()
        await reader.read()

    caught = Caught()
    await hear(Adapter(talk), caught, match="fell silent")
    assert asked == [b"* PING\n"] * 3


async def test_adapter_without_heartbeat_may_be_silent_for_as_long_as_was_chosen():
    heard = []

    async def talk(reader, writer):
        writer.write(f"{T0}|exec|READY\n".encode())
        heard.append(await reader.read())

    caught = Caught()
    await hear(Adapter(talk), caught, match="fell silent", silence=0.3, heartbeat_ms=150)
    assert heard == [b"* PING\n"]
    assert caught.states()[0] == ("READY", "0")
    assert "fell silent" in caught.items[-1]["detail"]


async def test_adapter_that_asks_is_answered():
    heard = []

    async def talk(reader, writer):
        writer.write(b"* PING\n")
        heard.extend([await reader.readline(), await reader.readline()])

    await hear(Adapter(talk), Caught(), heartbeat_ms=7000)
    assert sorted(heard) == [b"* PING\n", b"* PONG 7000\n"]


async def test_state_from_before_a_loss_holds_on_when_the_adapter_is_back():
    caught, adapter = Caught(), saying(f"{T0}|exec|ACTIVE")
    async with adapter.serving() as address:
        for _ in range(2):
            with pytest.raises(ConnectionError):
                await shdr.run(make_setup(address), caught)
    states = [(item["state"], item["at"]) for item in caught.items]
    assert [state for state, _ in states] == ["ACTIVE", "no-data", "ACTIVE", "ACTIVE", "no-data"]
    assert states[0] == states[2] == ("ACTIVE", stamp())
    lost, again = (datetime.fromisoformat(written) for _, written in (states[1], states[3]))
    assert again - lost == timedelta(microseconds=1)


async def test_adapter_that_cannot_be_reached_is_unknown_once():
    async with saying().serving() as address:
        pass
    caught = Caught()
    for _ in range(2):
        with pytest.raises(ConnectionError, match="cannot be reached"):
            await shdr.run(make_setup(address), caught)
    assert [item["state"] for item in caught.items] == ["no-data"]


async def test_long_lines_are_passed_over():
    caught = Caught()
    await hear(
        saying(f"{T0}|exec|READY", f"{stamp(1)}|exec|{'A' * 2000}", f"{stamp(2)}|exec|END"), caught, longest_line=1
    )
    assert caught.states()[:2] == [("READY", "0"), ("END", "2")]
    assert caught.tally.refused == 1


async def test_state_that_stays_is_confirmed():
    done = asyncio.Event()

    async def talk(reader, writer):
        began = datetime.now(UTC) - timedelta(seconds=10)
        writer.write(f"{began.isoformat()}|exec|READY\n".encode())
        while not done.is_set():
            await asyncio.sleep(0.1)
            writer.write(f"{datetime.now(UTC).isoformat()}|x|1\n".encode())
            if len(caught.items) > 1:
                done.set()

    caught = Caught()
    async with Adapter(talk).serving() as address:
        await run_until(shdr.run(make_setup(address, confirm=1), caught), done)
    assert [item["state"] for item in caught.items][:2] == ["READY", "READY"]


@pytest.mark.parametrize("address", ["", "host:port", "host:99999"])
async def test_address_that_is_none_is_named(address):
    with pytest.raises(ValueError, match="no address"):
        await shdr.run(make_setup(address), Caught())


def test_address_has_a_usual_port():
    assert shdr._address("adapter") == ("adapter", 7878)
    assert shdr._address("shdr://[::1]:9") == ("::1", 9)


def test_options_are_read_as_what_they_are():
    form = AdapterOptions(
        {**{name: field.initial for name, field in AdapterOptions.base_fields.items()}, "conditions": "a, b c"}
    )
    assert form.is_valid()
    assert form.cleaned_data["conditions"] == {"a", "b", "c"}
    assert not AdapterOptions({"time_zone": "Mars/Olympus"}).is_valid()
