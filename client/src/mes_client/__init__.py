"""Store and forward for devices: what a machine counts and does is kept on disk until the MES has answered for it."""

from mes_client.backoff import Backoff
from mes_client.client import Client, Status
from mes_client.door import Answer, Door, ItemAnswer, NotTaken, TooLarge
from mes_client.drain import Drained
from mes_client.queue import Queue, QueueFull, QueueUnavailable, RefusedItem

__all__ = [
    "Answer",
    "Backoff",
    "Client",
    "Door",
    "Drained",
    "ItemAnswer",
    "NotTaken",
    "Queue",
    "QueueFull",
    "QueueUnavailable",
    "RefusedItem",
    "Status",
    "TooLarge",
]
