"""Follow an MTConnect agent: everything once with `current`, then every observation by its sequence number."""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx

from connectors.doors import Setup
from connectors.intake import Intake
from connectors.mtconnect.documents import OUT_OF_RANGE, AgentError, Streams, Unreadable, read_streams
from connectors.mtconnect.observations import Latest
from connectors.mtconnect.telling import Teller

_MEGABYTE = 1_000_000

logger = logging.getLogger(__name__)
# It reports every request; an agent is asked once a second, for years.
logging.getLogger("httpx").setLevel(logging.WARNING)


@dataclass(slots=True)
class Place:
    """How far an agent was followed. `heard_at` is the moment until which everything was heard, by the agent's clock;
    `lost_at` says of which machines it was told since when that nothing is known.
    """

    heard_at: datetime
    instance_id: str = ""
    next_sequence: int = 0
    latest: Latest = field(default_factory=Latest)
    lost_at: dict[str, datetime] = field(default_factory=dict)


# A connection that failed is started anew with nothing but its set-up. While the process lives it goes on where it
# was, so that nothing is lost which the agent still holds.
_places: dict[tuple[str, str], Place] = {}


def forget_places() -> None:
    """Begin with every agent as a new process does."""
    _places.clear()


async def run(setup: Setup, intake: Intake) -> None:
    """Follow an agent until cancelled. Raises ConnectionError when it cannot be reached or read, after having told
    that nothing is known of its machines since its last answer, and ValueError for an address that is none.
    """
    address = _address(setup.address)
    auth = httpx.BasicAuth(setup.username, setup.secret) if setup.username else None
    headers = {"Accept": "text/xml, application/xml", "Accept-Encoding": "identity"}
    # An agent stands in the plant's network, never behind the office's proxy.
    async with httpx.AsyncClient(
        auth=auth, headers=headers, timeout=setup.options["timeout"], trust_env=False
    ) as client:
        follower = _Follower(setup, intake, partial(_ask, client, address, setup.options["largest_document"]))
        try:
            await follower.follow()
        except (httpx.HTTPError, Unreadable, AgentError) as error:
            cause = str(error) or type(error).__name__
            await follower.lose(f"The agent cannot be asked: {cause}")
            raise ConnectionError(f"{address}: {cause}") from error


def _address(written: str) -> str:
    address = (written if "://" in written else f"http://{written}").rstrip("/")
    try:
        parts = urlsplit(address)
        # Looking at the port is what reads it.
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return address
    except ValueError:
        pass
    raise ValueError(f"'{written}' is no address of an agent; write http://host:5000 or http://host:5000/device.")


async def _ask(client: httpx.AsyncClient, address: str, megabytes: int, request: str, **parameters: Any) -> Streams:
    """Return an answer of the agent. Raises httpx.HTTPError, Unreadable, AgentError."""
    body = bytearray()
    async with client.stream("GET", f"{address}/{request}", params=parameters) as response:
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > megabytes * _MEGABYTE:
                raise Unreadable(f"The answer is longer than {megabytes} MB; it is refused.")
    try:
        # Reading a long document must not hold up the other connections.
        return await asyncio.to_thread(read_streams, body)
    except Unreadable:
        # Errors of agents come as documents, with whatever status; others, of proxies and the like, as anything.
        if response.is_success:
            raise
        raise Unreadable(f"The answer is HTTP {response.status_code} {response.reason_phrase}.") from None


class _Follower:
    """One attempt at following an agent; `ask` puts a request to it."""

    def __init__(self, setup: Setup, intake: Intake, ask: Any) -> None:
        self._code = setup.code
        self._options = setup.options
        self._translator = setup.translator
        self._intake = intake
        self._ask = ask
        key = (setup.code, setup.address)
        # Of an agent that never answered nothing is known from the first attempt on.
        self._place = _places.setdefault(key, Place(heard_at=datetime.now(UTC)))
        self._teller = Teller(setup.translator, self._place.latest, self._place.lost_at)
        self._count: int = setup.options["count"]
        self._only = {"path": setup.options["path"]} if setup.options["path"] else {}

    async def follow(self) -> None:
        """Take everything up, or go on where the last attempt ended; then follow."""
        if self._place.instance_id:
            await self._go_on()
        else:
            await self._begin(await self._current())
        clock = asyncio.get_running_loop().time
        confirmed = clock()
        while True:
            has_more = await self._step()
            if clock() - confirmed >= self._options["confirm"]:
                confirmed = clock()
                await self._intake.deliver(self._teller.confirm(self._place.heard_at))
            if not has_more:
                await asyncio.sleep(self._options["interval"])

    async def lose(self, cause: str) -> None:
        """Tell that nothing is known of the machines since the agent's last answer; once for each loss."""
        if self._place.lost_at.keys() >= set(self._translator.machines):
            return
        items, since = self._teller.lose(self._place.heard_at, cause=cause)
        await self._intake.deliver(items)
        self._place.lost_at = {**since, **self._place.lost_at}

    async def _begin(self, current: Streams) -> None:
        """Take up what the agent knows now, and go on from there."""
        self._place.latest.restart()
        self._teller = Teller(self._translator, self._place.latest, self._place.lost_at)
        await self._intake.deliver(self._teller.snapshot(current.observations))
        self._arrived(current, current.next_sequence)

    async def _go_on(self) -> None:
        """Go on after a lost connection: what held then holds on until the first observation that was missed."""
        answer = await self._sample()
        if answer is None:
            return
        known = self._place.latest.observations()
        await self._intake.deliver(self._teller.snapshot(known, only_states=True))
        await self._take(answer)

    async def _step(self) -> bool:
        """Fetch and deliver what comes next; return whether there is more."""
        answer = await self._sample()
        return True if answer is None else await self._take(answer)

    async def _take(self, answer: Streams) -> bool:
        await self._intake.deliver(self._teller.tell(answer.observations, answer.created_at))
        self._arrived(answer, answer.next_sequence)
        return answer.next_sequence <= answer.last_sequence

    def _arrived(self, answer: Streams, following: int) -> None:
        place = self._place
        place.instance_id, place.next_sequence = answer.instance_id, following
        if following > answer.last_sequence:
            place.heard_at = answer.created_at or datetime.now(UTC)
        elif answer.observations:
            place.heard_at = answer.observations[-1].at
        place.lost_at = {}
        if answer.buffer_size is not None:
            self._count = min(self._options["count"], answer.buffer_size)
        self._intake.connected()
        self._intake.heard(len(answer.observations))
        if answer.unreadable:
            self._intake.tally.refused += answer.unreadable
            logger.warning("Connector %s: %d observations have no id or no time", self._code, answer.unreadable)

    async def _current(self) -> Streams:
        answer: Streams = await self._ask("current", **self._only)
        return answer

    async def _sample(self) -> Streams | None:
        """Return what comes next; None when it could not be had, and the place is another one now."""
        wanted = self._place.next_sequence
        try:
            answer: Streams = await self._ask("sample", **{"from": wanted, "count": self._count}, **self._only)
        except AgentError as error:
            if OUT_OF_RANGE not in error.codes:
                raise
            return await self._elsewhere(await self._current(), error)
        if answer.instance_id != self._place.instance_id or answer.next_sequence < wanted:
            await self._restarted(await self._current())
            return None
        if answer.first_sequence > wanted:
            await self._overrun(await self._current())
            return None
        return answer

    async def _elsewhere(self, current: Streams, error: AgentError) -> Streams | None:
        """Find out why the wanted sequence number is out of the agent's range."""
        wanted = self._place.next_sequence
        if current.instance_id != self._place.instance_id or current.next_sequence < wanted:
            await self._restarted(current)
        elif current.first_sequence > wanted:
            await self._overrun(current)
        elif current.next_sequence == wanted:
            # Some agents refuse a number that is yet to come.
            return Streams(
                current.instance_id, current.first_sequence, wanted - 1, wanted, None, current.created_at, []
            )
        else:
            raise error
        return None

    async def _restarted(self, current: Streams) -> None:
        """The agent started anew and has forgotten all: nothing is known from its last answer until its new one."""
        await self.lose("The agent was restarted.")
        await self._begin(current)

    async def _overrun(self, current: Streams) -> None:
        """The agent's buffer has lost observations: say which time is missing, and go on with the first one it holds.

        What changed last before that observation holds at its moment; the rest is unknown until it is observed.
        """
        first = current.first_sequence
        try:
            answer: Streams = await self._ask("sample", **{"from": first, "count": 1}, **self._only)
            oldest = answer.observations
        except AgentError:
            oldest = []
        known = [observation for observation in current.observations if observation.sequence < first]
        held = oldest or [observation for observation in current.observations if observation.sequence >= first]
        begins_at = held[0].at if held else current.created_at or datetime.now(UTC)
        cause = f"The agent's buffer overran: {first - self._place.next_sequence} observations are lost."
        await self._intake.gap(self._translator.machines, self._known_until(begins_at), begins_at, cause=cause)
        items, since = self._teller.lose(begins_at, cause=cause)
        await self._intake.deliver(items)
        self._place.latest.restart()
        self._teller = Teller(self._translator, self._place.latest, since)
        await self._intake.deliver(self._teller.snapshot(known))
        self._arrived(current, first)
        self._place.heard_at = begins_at

    def _known_until(self, begins_at: datetime) -> datetime:
        """Return the moment until which everything was heard: the last answer or, when the agent's clock is another
        than its devices', the last observation.
        """
        if self._place.heard_at < begins_at:
            return self._place.heard_at
        return max((observation.at for observation in self._place.latest.observations()), default=begins_at)
