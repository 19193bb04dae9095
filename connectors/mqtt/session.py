"""A persistent MQTT 5 session for an event loop: messages are acknowledged by whoever took them in, not on arrival."""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from paho.mqtt.client import MQTT_ERR_SUCCESS, Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

KEEPALIVE_SECONDS = 20
CONNECT_SECONDS = 15.0
# Messages that the broker sends ahead of our acknowledgements: its queue is the buffer, not our memory.
MOST_UNACKNOWLEDGED = 1000
DERIVED = ("mes", "derived")


class ConnectionLost(Exception):
    """The broker does not answer, or refused; the message says which."""


# paho has half of its types.
_properties: Any = Properties


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came."""

    topic: str
    payload: bytes
    qos: int
    mid: int
    is_retained: bool
    received_at: datetime
    is_derived: bool = False
    """Whether we published it ourselves, about the plant: it is no word of a device."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker is and who we are to it; `ca_file` and `is_encrypted` are about TLS."""

    host: str
    port: int
    is_encrypted: bool
    client_id: str
    username: str = ""
    secret: str = ""
    ca_file: str = ""

    @classmethod
    def at(cls, address: str, **more: Any) -> "Broker":
        """Return the broker at `host`, `host:port`, `mqtt://…` or `mqtts://…`. Raises ValueError."""
        parts = urlsplit(address if "://" in address else f"mqtt://{address}")
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError("The address of a broker is host:port, mqtt://host:port or mqtts://host:port.")
        is_encrypted = parts.scheme == "mqtts"
        return cls(parts.hostname, parts.port or (8883 if is_encrypted else 1883), is_encrypted, **more)


class Session:
    """One connection to a broker. Enter it to connect; leaving it disconnects and keeps the session at the broker.

    With `session_expiry` seconds the broker keeps what comes while we are away; 0 = it forgets.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        session_expiry: int = 0,
        will: tuple[str, bytes] | None = None,
    ) -> None:
        self._broker = broker
        self._expiry = session_expiry
        self._arrived: asyncio.Queue[Message | ConnectionLost] = asyncio.Queue()
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self.was_kept = False
        """Whether the broker still had the session of the connection before."""
        # A lost connection ends the session's use: the supervisor connects again, with a pause that grows.
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            protocol=MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        if broker.username:
            self._client.username_pw_set(broker.username, broker.secret)
        if broker.is_encrypted:
            self._client.tls_set_context(ssl.create_default_context(cafile=broker.ca_file or None))
        if will is not None:
            self._client.will_set(will[0], will[1], qos=1, retain=True)

    async def __aenter__(self) -> "Session":
        self._loop = asyncio.get_running_loop()
        self._connected: asyncio.Future[bool] = self._loop.create_future()
        client = self._client
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        properties = _properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = self._expiry
        properties.ReceiveMaximum = MOST_UNACKNOWLEDGED
        broker = self._broker
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.to_thread(
                    client.connect,
                    broker.host,
                    broker.port,
                    KEEPALIVE_SECONDS,
                    clean_start=self._expiry == 0,
                    properties=properties,
                )
                client.loop_start()
                self.was_kept = await self._connected
        except (OSError, TimeoutError, ValueError, ssl.SSLError) as error:
            await self._stop()
            reason = str(error) or "no answer"
            raise ConnectionLost(f"The broker {broker.host}:{broker.port} cannot be reached: {reason}") from None
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.disconnect()
        await self._stop()

    async def _stop(self) -> None:
        # Joins the network thread, which may be waiting for the socket.
        await asyncio.to_thread(self._client.loop_stop)

    async def subscribe(self, *topics: str, qos: int = 1) -> None:
        """Subscribe and wait until the broker granted it. Raises ConnectionLost when it refuses."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        result, mid = self._client.subscribe([(topic, SubscribeOptions(qos=qos)) for topic in topics])
        if result != MQTT_ERR_SUCCESS or mid is None:
            raise ConnectionLost("The broker went away while we subscribed.")
        self._answers[mid] = answer
        async with asyncio.timeout(CONNECT_SECONDS):
            codes = await answer
        refused = [f"{topic}: {code}" for topic, code in zip(topics, codes, strict=True) if code.is_failure]
        if refused:
            raise ConnectionLost(f"The broker refuses the subscription to {', '.join(refused)}")

    async def messages(self, most: int, *, patience: float | None = None) -> list[Message]:
        """Return what has arrived, at least one message and at most `most`, in order.

        Returns nothing after `patience` seconds without any. Raises ConnectionLost when the connection ended.
        """
        try:
            # Not `wait_for`, which may swallow a cancellation that meets an arrival.
            async with asyncio.timeout(patience):
                first = await self._arrived.get()
        except TimeoutError:
            return []
        if isinstance(first, ConnectionLost):
            raise first
        arrived = [first]
        while len(arrived) < most and not self._arrived.empty():
            following = self._arrived.get_nowait()
            if isinstance(following, ConnectionLost):
                # Said again on the next call: what came before it is whole.
                self._arrived.put_nowait(following)
                break
            arrived.append(following)
        return arrived

    def acknowledge(self, message: Message) -> None:
        """Tell the broker that a message is ours now."""
        if message.qos:
            self._client.ack(message.mid, message.qos)

    def unsubscribe(self, *topics: str) -> None:
        """Want no more of these topics."""
        self._client.unsubscribe(list(topics))

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, is_derived: bool = False
    ) -> None:
        """Send a message; it leaves with the network thread, in order.

        What is derived from the plant's facts is marked, so that nobody of us takes it for a fact.
        """
        properties: Any = None
        if is_derived:
            properties = _properties(PacketTypes.PUBLISH)
            properties.UserProperty = [DERIVED]
        self._client.publish(topic, payload, qos=qos, retain=retain, properties=properties)

    # --- called by the network thread ---

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            failure = ConnectionLost(f"The broker refuses the connection: {reason}")
            self._loop.call_soon_threadsafe(_settle, self._connected, None, failure)
        else:
            self._loop.call_soon_threadsafe(_settle, self._connected, flags.session_present, None)

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        lost = ConnectionLost(f"The connection to the broker ended: {reason}")
        self._loop.call_soon_threadsafe(self._lose, lost)

    def _lose(self, lost: ConnectionLost) -> None:
        self._arrived.put_nowait(lost)
        _settle(self._connected, None, lost)
        for answer in self._answers.values():
            _settle(answer, None, lost)

    def _on_message(self, client: Any, userdata: Any, message: Any) -> None:
        arrived = Message(
            message.topic,
            message.payload,
            message.qos,
            message.mid,
            bool(message.retain),
            datetime.now(UTC),
            DERIVED in getattr(message.properties, "UserProperty", ()),
        )
        self._loop.call_soon_threadsafe(self._arrived.put_nowait, arrived)

    def _on_subscribe(self, client: Any, userdata: Any, mid: int, codes: Any, properties: Any) -> None:
        self._loop.call_soon_threadsafe(self._granted, mid, codes)

    def _granted(self, mid: int, codes: Any) -> None:
        answer = self._answers.pop(mid, None)
        if answer is not None:
            _settle(answer, codes, None)


def _settle(future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
