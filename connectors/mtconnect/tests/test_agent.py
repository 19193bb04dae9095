"""An agent is followed from its current state on, through overruns, restarts and lost connections."""

import asyncio

import pytest

from connectors.mtconnect import agent
from connectors.mtconnect.tests.peers import Agent, Caught, at, error_document, run_until, setup_for, stamp
from connectors.translation import CountSignal, StateSignal, Translator


@pytest.fixture(autouse=True)
def _new_process():
    agent.forget_places()


def make_translator() -> Translator:
    return Translator([StateSignal("exec", "M", 1, None), CountSignal("parts", "L/parts", True)], no_data="no-data")


def make_agent(**overrides) -> Agent:
    peer = Agent(**overrides)
    peer.add("exec", "READY", stamp(1))
    peer.add("parts", "5", stamp(2), element="PartCount")
    return peer


async def follow(address: str, intake: Caught, done: asyncio.Event, **options) -> None:
    options = {"interval": 0.02, "timeout": 2, **options}
    await run_until(agent.run(setup_for("mtconnect", address, make_translator(), **options), intake), done)


def feeding(peer: Agent, *steps) -> None:
    """Let an agent do one step whenever its client has everything."""
    waiting = list(steps)
    peer.caught_up.clear()

    def feed() -> bool:
        if waiting:
            waiting.pop(0)()
            return True
        return False

    peer.feed = feed


async def test_current_state_is_told_and_then_every_change():
    peer, caught = make_agent(), Caught()
    feeding(
        peer,
        lambda: peer.add("exec", "ACTIVE", stamp(3)),
        lambda: peer.add("parts", "6", stamp(4), element="PartCount"),
        lambda: peer.add("exec", "UNAVAILABLE", stamp(5)),
    )
    async with peer.serving() as address:
        await follow(address, caught, peer.caught_up)
    assert caught.states() == [("READY", "1"), ("ACTIVE", "3"), ("no-data", "5")]
    assert [(item["at"], item["value"]) for item in caught.items if "tag" in item] == [(stamp(2), 5), (stamp(4), 6)]
    assert caught.is_connected
    assert peer.requests[:2] == ["/current", "/sample?from=3&count=1000"]


async def test_many_observations_are_fetched_piece_by_piece_without_pauses():
    peer, caught = make_agent(), Caught()

    def many() -> None:
        for number in range(100):
            peer.add("exec", f"S{number}", stamp(10 + number))

    feeding(peer, many)
    async with peer.serving() as address:
        await follow(address, caught, peer.caught_up, count=7, interval=0.5)
    assert caught.states()[1:] == [(f"S{number}", str(10 + number)) for number in range(100)]


async def test_device_and_path_are_asked_for():
    peer, caught = make_agent(), Caught()
    async with peer.serving() as address:
        await follow(f"{address}/mill/", caught, peer.caught_up, path="//Path")
    assert peer.requests[0] == "/mill/current?path=%2F%2FPath"
    assert "path=" in peer.requests[1]


async def test_overrun_is_a_gap_and_the_rest_of_the_buffer_is_told():
    peer, caught = make_agent(buffer_size=10), Caught()

    def overrun() -> None:
        for number in range(30):
            peer.add("exec", f"S{number}", stamp(10 + number))

    feeding(peer, overrun, lambda: peer.add("exec", "END", stamp(60)))
    async with peer.serving() as address:
        await follow(address, caught, peer.caught_up)
    ((machines, start, end, cause),) = caught.gaps
    assert (machines, start, end) == (["M"], at(2), at(30))
    assert "20 observations" in cause
    assert caught.states() == [
        ("READY", "1"), ("no-data", "30"), ("S20", "30"), *((f"S{n}", str(10 + n)) for n in range(21, 30)), ("END", "60")
    ]  # fmt: skip
    assert [item["value"] for item in caught.items if "tag" in item] == [5, 5]


async def test_state_that_held_through_an_overrun_holds_after_it():
    peer, caught = make_agent(buffer_size=10), Caught()
    feeding(peer, lambda: [peer.add("x", str(n), stamp(10 + n), element="Position") for n in range(30)])
    async with peer.serving() as address:
        await follow(address, caught, peer.caught_up)
    assert caught.states() == [("READY", "1"), ("no-data", "30"), ("READY", "1"), ("READY", "30")]


async def test_overrun_that_an_agent_does_not_call_an_error_is_seen():
    peer, caught = make_agent(buffer_size=10), Caught()

    def overrun() -> None:
        for number in range(30):
            peer.add("exec", f"S{number}", stamp(10 + number))
        peer.answers = [lambda: (200, peer.sample(peer.first_sequence, 100))]

    feeding(peer, overrun)
    async with peer.serving() as address:
        await follow(address, caught, peer.caught_up)
    assert len(caught.gaps) == 1


async def test_restarted_agent_is_unknown_until_it_says_what_is():
    peer, caught = make_agent(), Caught()

    def restart() -> None:
        peer.restart()
        peer.add("exec", "ACTIVE", stamp(20))

    feeding(peer, restart)
    async with peer.serving() as address:
        await follow(address, caught, peer.caught_up)
    assert caught.states() == [("READY", "1"), ("no-data", "2"), ("ACTIVE", "20")]


async def test_restart_with_higher_numbers_is_seen_by_the_instance():
    peer, caught = make_agent(), Caught()

    def restart() -> None:
        peer.restart()
        for number in range(5):
            peer.add("exec", f"S{number}", stamp(20 + number))

    feeding(peer, restart)
    async with peer.serving() as address:
        await follow(address, caught, peer.caught_up)
    assert caught.states() == [("READY", "1"), ("no-data", "2"), ("S4", "24")]


async def test_lost_connection_is_unknown_and_what_was_missed_comes_later():
    peer, caught = make_agent(), Caught()
    peer.add("exec", "ACTIVE", stamp(3))
    peer.now = stamp(10)
    feeding(peer)
    async with peer.serving() as address:
        await follow(address, caught, peer.caught_up)
    with pytest.raises(ConnectionError, match=address):
        await follow(address, caught, asyncio.Event())
    with pytest.raises(ConnectionError):
        await follow(address, caught, asyncio.Event())
    assert caught.states() == [("ACTIVE", "3"), ("no-data", "10")]

    peer.add("exec", "FEED_HOLD", stamp(15))
    peer.add("exec", "ACTIVE", stamp(16))
    peer.add("parts", "6", stamp(17), element="PartCount")
    feeding(peer)
    caught.items.clear()
    async with peer.serving(int(address.rpartition(":")[2])) as address:
        await follow(address, caught, peer.caught_up)
    assert caught.states() == [("ACTIVE", "3"), ("ACTIVE", "10"), ("FEED_HOLD", "15"), ("ACTIVE", "16")]
    assert [item["value"] for item in caught.items if "tag" in item] == [6]


async def test_agent_that_was_restarted_while_away_is_taken_up_anew():
    peer, caught = make_agent(), Caught()
    feeding(peer)
    async with peer.serving() as address:
        await follow(address, caught, peer.caught_up)
    with pytest.raises(ConnectionError):
        await follow(address, caught, asyncio.Event())
    peer.restart()
    peer.add("exec", "ACTIVE", stamp(0))
    feeding(peer)
    async with peer.serving(int(address.rpartition(":")[2])) as address:
        await follow(address, caught, peer.caught_up)
    assert caught.states() == [("READY", "1"), ("no-data", "2"), ("ACTIVE", "0"), ("ACTIVE", "2")]


async def test_agent_that_refuses_the_number_to_come_is_no_error():
    peer, caught = make_agent(), Caught()
    feeding(peer)
    peer.answers = [lambda: (200, peer.current()), lambda: (404, error_document("OUT_OF_RANGE", "too large"))]
    async with peer.serving() as address:
        await follow(address, caught, peer.caught_up)
    assert caught.states() == [("READY", "1")]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, error_document("INVALID_XPATH", "no such path"), "INVALID_XPATH: no such path"),
        (500, b"oops", "HTTP 500"),
        (200, b"<html>Hello</html>", "'html'"),
        (200, b"<a", "not XML"),
        (200, b"<a>" + b" " * 1_100_000 + b"</a>", "longer than 1 MB"),
    ],
)
async def test_agent_that_does_not_answer_properly_is_an_error_and_unknown(status, body, said):
    peer, caught = make_agent(), Caught()
    peer.answers = [lambda: (200, peer.current()), lambda: (status, body)]
    async with peer.serving() as address:
        with pytest.raises(ConnectionError, match=said):
            await follow(address, caught, asyncio.Event(), largest_document=1)
    assert caught.states() == [("READY", "1"), ("no-data", "2")]
    assert said in caught.items[-1]["detail"]


async def test_out_of_range_for_another_reason_is_an_error():
    peer, caught = make_agent(), Caught()
    peer.answers = [lambda: (200, peer.current()), lambda: (200, error_document("OUT_OF_RANGE", "'count' is odd"))]

    def busy() -> tuple[int, bytes]:
        peer.add("exec", "ACTIVE", stamp(3))
        return 200, peer.current()

    peer.answers.append(busy)
    async with peer.serving() as address:
        with pytest.raises(ConnectionError, match="'count' is odd"):
            await follow(address, caught, asyncio.Event())


async def test_count_is_never_more_than_the_buffer():
    peer, caught = make_agent(buffer_size=50), Caught()
    async with peer.serving() as address:
        await follow(address, caught, peer.caught_up)
    assert peer.requests[1].endswith("count=50")


async def test_state_that_stays_is_confirmed():
    peer, caught = make_agent(), Caught()
    done = asyncio.Event()

    def later() -> bool:
        peer.now = stamp(100)
        if len(caught.states()) > 1:
            done.set()
        return False

    peer.feed = later
    async with peer.serving() as address:
        await follow(address, caught, done, confirm=1)
    assert caught.states() == [("READY", "1"), ("READY", "98")]


async def test_observation_that_cannot_be_read_is_counted_and_costs_no_other():
    peer, caught = make_agent(), Caught()
    peer.add("exec", "ACTIVE", "someday")
    peer.now = stamp(3)
    async with peer.serving() as address:
        await follow(address, caught, peer.caught_up)
    assert caught.tally.refused == 1
    assert [item["value"] for item in caught.items if "tag" in item] == [5]


@pytest.mark.parametrize("address", ["ftp://agent", "http://", "http://agent:port", ""])
async def test_address_that_is_none_is_named(address):
    with pytest.raises(ValueError, match="no address"):
        await agent.run(setup_for("mtconnect", address, make_translator()), Caught())


async def test_password_goes_with_every_request():
    heard = []

    async def serve(reader, writer):
        heard.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        setup = setup_for("mtconnect", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", make_translator())
        with pytest.raises(ConnectionError):
            await agent.run(
                type(setup)(setup.code, setup.address, "me", "secret", setup.options, setup.translator), Caught()
            )
    assert "authorization: basic bwu6c2vjcmv0" in heard[0]
