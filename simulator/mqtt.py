"""A way to the MES by MQTT for devices that know the HTTP door: a request becomes a message,
its acknowledgement the answer.

A message is a batch as the device door takes it, with a number; the connector that listens says under `{topic}/ack`
what became of each item, after it is stored. What nobody acknowledged in time counts as not delivered, and is sent
again.
"""

import json
import threading
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
from paho.mqtt.client import Client as Paho
from paho.mqtt.client import MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

ANSWERED_WITHIN = 20.0
_CONNECTED_WITHIN = 5.0
PORT = 1883


class _Asked:
    """A message that waits for its acknowledgement."""

    def __init__(self) -> None:
        self.is_answered = threading.Event()
        self.answer = b""


class MqttLink:
    """A connection to a broker that several devices share. Thread-safe; it connects, and again, by itself."""

    def __init__(self, address: str) -> None:
        """Raise ValueError for what is no address of a broker."""
        parts = urlsplit(address)
        if parts.scheme != "mqtt" or not parts.hostname:
            raise ValueError(f"The broker's address must be like mqtt://127.0.0.1:1883, not {address!r}.")
        self._host, self._port = parts.hostname, parts.port or PORT
        self._asked: dict[str, _Asked] = {}
        self._topics: set[str] = set()
        self._is_connected = threading.Event()
        self._client = Paho(CallbackAPIVersion.VERSION2, client_id=f"simulated-{uuid4().hex[:12]}")
        self._client.on_connect = self._connected
        self._client.on_disconnect = lambda *_: self._is_connected.clear()
        self._client.on_message = self._heard
        self._is_started = False

    def ask(self, topic: str, items: list[Any]) -> bytes:
        """Publish items under a topic and return what became of them.

        Raises httpx.TransportError when nobody says so.
        """
        self._start()
        if not self._is_connected.wait(_CONNECTED_WITHIN):
            raise httpx.ConnectError("The broker does not answer.")
        if topic not in self._topics:
            self._topics.add(topic)
            self._client.subscribe(f"{topic}/ack", qos=1)
        number, asked = uuid4().hex, _Asked()
        self._asked[number] = asked
        try:
            self._client.publish(topic, json.dumps({"id": number, "items": items}), qos=1)
            if not asked.is_answered.wait(ANSWERED_WITHIN):
                raise httpx.ReadTimeout("Nobody acknowledged the message.")
            return asked.answer
        finally:
            self._asked.pop(number, None)

    def close(self) -> None:
        """Leave the broker."""
        if self._is_started:
            self._client.disconnect()
            self._client.loop_stop()

    def _start(self) -> None:
        if self._is_started:
            return
        self._is_started = True
        self._client.connect_async(self._host, self._port)
        self._client.loop_start()

    def _connected(self, client: Paho, *_: Any) -> None:
        for topic in self._topics:
            client.subscribe(f"{topic}/ack", qos=1)
        self._is_connected.set()

    def _heard(self, _client: Paho, _data: Any, message: MQTTMessage) -> None:
        try:
            number = json.loads(message.payload).get("id")
        except (ValueError, AttributeError):
            return
        asked = self._asked.get(str(number))
        if asked is not None:
            asked.answer = bytes(message.payload)
            asked.is_answered.set()


class MqttTransport(httpx.BaseTransport):
    """Carry one device's requests to the device door over MQTT, under its topic."""

    def __init__(self, link: MqttLink, topic: str) -> None:
        self._link, self._topic = link, topic

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the acknowledgement as the door's answer. Raises httpx.TransportError without one."""
        items = json.loads(request.read())["items"]
        return httpx.Response(200, content=self._link.ask(self._topic, items))
