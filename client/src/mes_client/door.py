"""The server's `POST /ingest/`: what it makes of a batch, and which of its answers say that the batch is handled."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

# Each item was stored, or was before, or is named with what is wrong with it.
_HANDLED = frozenset({200, 207, 422})
# A smaller batch may get through: 408 is a slow network, 500 may be the fault of one item.
_SMALLER_MAY_PASS = frozenset({408, 500})
_TAKEN = frozenset({"accepted", "duplicate"})


class TooLarge(Exception):
    """The server takes no body of this size."""


class NotTaken(Exception):
    """Nothing is known to be stored.

    `needs_person` when waiting alone will not help; `asked` is Retry-After in seconds.
    """

    def __init__(
        self, message: str, *, needs_person: bool = False, asked: float | None = None, smaller_may_pass: bool = False
    ) -> None:
        super().__init__(message)
        self.needs_person = needs_person
        self.asked = asked
        self.smaller_may_pass = smaller_may_pass


@dataclass(frozen=True)
class ItemAnswer:
    """What the server says of an item that it did not store."""

    index: int
    status: str
    field: str
    code: str
    message: str


@dataclass(frozen=True)
class Answer:
    """What became of a batch."""

    accepted: int
    duplicates: int
    refused: list[ItemAnswer]


class Door:
    """The way to one server with one device key, without a queue: for who can say everything again."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = 30.0,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Raise ValueError for an address or a key that cannot be one."""
        try:
            address = httpx.URL(url.rstrip("/") + "/ingest/")
        except (httpx.InvalidURL, TypeError, AttributeError) as error:
            raise ValueError(f"{url!r} is no address: {error}") from error
        if address.scheme not in {"http", "https"} or not address.host:
            raise ValueError(f"The address must be like https://mes.example.com, not {url!r}.")
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("The device key is empty, or has characters that no key has.")
        self._address = address
        self._headers = {"Authorization": f"Api-Key {key}", "Content-Type": "application/json"}
        self._timeout = timeout
        self._now = now
        self._transport = transport
        self._http: httpx.Client | None = None

    def send(self, items: Sequence[str]) -> Answer:
        """Send items, given as JSON, in one request. Raises TooLarge or NotTaken."""
        content = '{"items":[' + ",".join(items) + "]}"
        try:
            response = self._client().post(self._address, content=content.encode(), headers=self._headers)
        except httpx.HTTPError as error:
            raise NotTaken(f"No answer: {error or type(error).__name__}") from error
        except OSError as error:
            # The certificates that SSL_CERT_FILE names, for one, cannot be read.
            raise NotTaken(f"No connection can be made: {error}", needs_person=True) from error
        status = response.status_code
        if status in _HANDLED:
            return _read(response, len(items))
        message = f"HTTP {status}: {_detail(response)}"
        if status == 413:
            raise TooLarge(message)
        passes = status >= 500 or status in {408, 425, 429}
        raise NotTaken(
            message,
            needs_person=not passes,
            asked=_seconds(response.headers.get("retry-after", ""), self._now()),
            smaller_may_pass=status in _SMALLER_MAY_PASS,
        )

    def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def _client(self) -> httpx.Client:
        # Made when first needed: it reads all the certificates, which a process that only counts need not wait for.
        if self._http is None:
            timeout = httpx.Timeout(self._timeout, connect=min(self._timeout, 10.0))
            self._http = httpx.Client(timeout=timeout, transport=self._transport)
        return self._http


def _read(response: httpx.Response, sent: int) -> Answer:
    """Return what the answer says. Raises NotTaken unless it speaks of each item that was sent.

    A proxy's log-in page also comes with 200, and must not cost the batch.
    """
    try:
        outcome = response.json()
        items = [
            ItemAnswer(item["index"], str(item["status"]), *(str(item[name]) for name in ("field", "code", "message")))
            for item in outcome["items"]
        ]
        refused = [item for item in items if item.status not in _TAKEN]
        answer = Answer(outcome["accepted"], outcome["duplicates"], refused)
        is_whole = answer.accepted + answer.duplicates + outcome["refused"] == sent and outcome["refused"] == len(
            {item.index for item in refused if 0 <= item.index < sent}
        ) == len(refused)
    except (ValueError, KeyError, TypeError) as error:
        raise NotTaken(f"HTTP {response.status_code}, but not an MES's answer.", needs_person=True) from error
    if not is_whole:
        raise NotTaken(f"HTTP {response.status_code}, but the answer does not fit the {sent} items.", needs_person=True)
    return answer


def _detail(response: httpx.Response) -> str:
    try:
        said: Any = json.loads(response.content)["detail"]
    except (ValueError, KeyError, TypeError):
        said = response.text
    return str(said)[:300]


def _seconds(retry_after: str, now: datetime) -> float | None:
    """Return what Retry-After asks for, which is seconds or a date."""
    if retry_after.isascii() and retry_after.strip().isdigit():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except (TypeError, ValueError, IndexError):
        return None
    return max((until.replace(tzinfo=until.tzinfo or timezone.utc) - now).total_seconds(), 0.0)
