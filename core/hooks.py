"""Let plug-ins hear what happened, after it is committed (docs/hooks.md).

What is reported to other systems (`core.outbox`) is announced here once as well, and a few things besides that only
concern this installation. A plug-in that fails is logged; the change it heard of stands.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db import transaction
from django.dispatch import Signal

if TYPE_CHECKING:
    from core.outbox import Message

happened = Signal()
"""Sent after the commit with `message` (`core.outbox.Message`); its type is the sender.

`on` is the simpler way to it.
"""

Receiver = Callable[["Message"], None]

logger = logging.getLogger(__name__)
_known: list[tuple[str, Receiver]] = []


def on(pattern: str) -> Callable[[Receiver], Receiver]:
    """Declare a function that is called with each message of a type (`run.ended`), of a group (`run.*`),
    or with all (`*`).

    It runs in the process and thread of the change, after the commit and before the answer: hand long work to a queue.
    """

    def declare(receiver: Receiver) -> Receiver:
        _known.append((pattern, receiver))
        return receiver

    return declare


def forget(receiver: Receiver) -> None:
    """Call a function no more."""
    _known[:] = [(pattern, known) for pattern, known in _known if known != receiver]


def matches(pattern: str, type_: str) -> bool:
    """Say whether a type is the one, or of the group, that a pattern names."""
    return pattern in ("*", type_) or (pattern.endswith(".*") and type_.startswith(pattern[:-1]))


def is_heard(*types: str) -> bool:
    """Say whether anybody would hear of one of these types."""
    return happened.has_listeners() or any(matches(pattern, type_) for pattern, _ in _known for type_ in types)


def tell(*messages: "Message") -> None:
    """Announce what happened once the current transaction is committed; nothing where it is rolled back."""
    heard = [message for message in messages if is_heard(message.type)]
    if heard:
        transaction.on_commit(lambda: _send(heard), robust=True)


def _send(messages: list["Message"]) -> None:
    for message in messages:
        # The framework's own logger tells of receivers that fail.
        happened.send_robust(sender=message.type, message=message)
        for pattern, receiver in _known:
            if matches(pattern, message.type):
                _call(receiver, message)


def _call(receiver: Receiver, message: "Message") -> None:
    try:
        receiver(message)
    except Exception:
        # Whatever a plug-in stumbles over: neither the change nor the other plug-ins suffer from it.
        logger.exception("A plug-in failed at %s %s", message.type, message.key)
