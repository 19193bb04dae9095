"""Be a Sparkplug B host application: say that we are there, follow the edge nodes, ask those that we lost track of."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from connectors.doors import Setup
from connectors.intake import Intake
from connectors.mqtt.session import Broker, ConnectionLost, Message, Session
from connectors.sparkplug.host import Consequence, Host, Incoming, Lost, Rebirth, Stale, Values
from connectors.sparkplug.payloads import Unreadable, read, rebirth_request
from connectors.translation import Item

NAMESPACE = "spBv1.0"
MOST_AT_ONCE = 500
LOOK_SECONDS = 0.25


async def run(setup: Setup, intake: Intake) -> None:
    """Connect as a host application and follow the edge nodes until the connection ends."""
    options = setup.options
    broker = Broker.at(
        setup.address,
        client_id=options["client_id"] or f"mes-{setup.code}",
        username=setup.username,
        secret=setup.secret,
        ca_file=options["ca_file"],
    )
    state_topic = f"{NAMESPACE}/STATE/{options['host_id']}"
    since = datetime.now(UTC)
    follower = _Follower(setup, intake, state_topic, since)
    # tck-id-host-topic-phid-death-…: the will carries the time of the birth that it ends.
    async with Session(broker, will=(state_topic, _state(online=False, at=since))) as session:
        await session.subscribe(state_topic, f"{NAMESPACE}/{options['group'] or '+'}/#")
        session.publish(state_topic, _state(online=True, at=since), retain=True)
        follower.ask_mapped_nodes(session)
        intake.connected()
        try:
            while True:
                messages = await session.messages(MOST_AT_ONCE, patience=LOOK_SECONDS)
                await follower.take(messages, session)
        except ConnectionLost as lost:
            # Data of Sparkplug is sent once: what comes while we are away is gone.
            await follower.lose_all(str(lost))
            raise
        finally:
            session.publish(state_topic, _state(online=False, at=datetime.now(UTC)), retain=True)


class _Follower:
    """Turns the consequences of messages into items, gaps and commands."""

    def __init__(self, setup: Setup, intake: Intake, state_topic: str, since: datetime) -> None:
        self._setup = setup
        self._intake = intake
        self._translator = setup.translator
        self._deltas = frozenset(setup.translator.deltas)
        self._host = Host(
            reorder_timeout=timedelta(seconds=setup.options["reorder_seconds"]),
            deaths_count_behind=setup.options["deaths_count_behind"],
        )
        self._state_topic = state_topic
        self._since = since
        self._heard_at = since
        self._confirmed_at = since

    async def take(self, messages: Iterable[Message], session: Session) -> None:
        """Store what messages say and do what follows; without messages, look at what is overdue."""
        consequences: list[Consequence] = []
        for message in messages:
            self._intake.heard()
            self._heard_at = message.received_at
            if message.topic.startswith(f"{NAMESPACE}/STATE/"):
                self._defend_state(message, session)
            else:
                consequences += self._incoming(message)
            session.acknowledge(message)
        now = datetime.now(UTC)
        consequences += self._host.give_up_waiting(now)
        await self._follow(consequences, session)
        await self._confirm(now)

    def _incoming(self, message: Message) -> Iterable[Consequence]:
        parts = message.topic.split("/")
        if len(parts) not in (4, 5) or parts[0] != NAMESPACE:
            return ()
        try:
            content = read(message.payload)
        except Unreadable as error:
            self._intake.complain(f"{message.topic}: {error}")
            return ()
        device = parts[4] if len(parts) == 5 else ""
        return list(self._host.take(Incoming(parts[2], parts[1], parts[3], device, content, message.received_at)))

    async def _follow(self, consequences: Iterable[Consequence], session: Session | None) -> None:
        items: list[Item] = []
        for consequence in consequences:
            if isinstance(consequence, Values):
                items += self._items(consequence)
            elif isinstance(consequence, Stale):
                machines = self._machines(consequence.prefix)
                items += self._translator.unknown(machines, consequence.at, cause=consequence.cause)
            elif isinstance(consequence, Lost):
                machines = self._machines(consequence.prefix)
                await self._intake.gap(machines, consequence.since, consequence.until, cause=consequence.cause)
            elif session is not None:
                self._ask(consequence, session)
        if items:
            await self._intake.deliver(items)

    def _items(self, values: Values) -> list[Item]:
        # A birth repeats the last value; new pieces are only what data messages bring.
        said = [(s, value) for s, value in values.values if not (values.is_birth and s in self._deltas)]
        return self._translator.values(said, values.at, is_historical=values.is_historical)

    def _machines(self, prefix: str) -> list[str]:
        return self._translator.machines_of(s for s in self._translator.signals if s.startswith(prefix))

    def _ask(self, rebirth: Rebirth, session: Session) -> None:
        topic = f"{NAMESPACE}/{rebirth.group}/NCMD/{rebirth.node}"
        session.publish(topic, rebirth_request(datetime.now(UTC)), qos=0)

    def ask_mapped_nodes(self, session: Session) -> None:
        """Ask the nodes that are mapped for their births: those were sent before we listened."""
        for node in {tuple(s.split("/")[:2]) for s in self._translator.signals if s.count("/") >= 2}:
            self._ask(Rebirth(*node), session)

    def _defend_state(self, message: Message, session: Session) -> None:
        """Say again that we are online when somebody, such as our own late will, said the opposite."""
        if message.topic != self._state_topic:
            return
        try:
            is_online = bool(json.loads(message.payload)["online"])
        except (ValueError, TypeError, KeyError):
            is_online = False
        if not is_online:
            session.publish(self._state_topic, _state(online=True, at=self._since), retain=True)

    async def _confirm(self, now: datetime) -> None:
        every = self._setup.options["confirm_seconds"]
        if every and now - self._confirmed_at >= timedelta(seconds=every):
            self._confirmed_at = now
            items = self._translator.confirm(self._translator.machines, now)
            if items:
                await self._intake.deliver(items)

    async def lose_all(self, cause: str) -> None:
        """Say that nothing is known any more, from the last message on."""
        await self._follow(self._host.lose_all(self._heard_at, cause), None)


def _state(*, online: bool, at: datetime) -> bytes:
    return json.dumps({"online": online, "timestamp": int(at.timestamp() * 1000)}).encode()
