"""Ask the database from an event loop."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import connection

Answer = TypeVar("Answer")


def in_thread(function: Callable[..., Answer], *args: Any, **kwargs: Any) -> Awaitable[Answer]:
    """Call what needs the database in a thread, and give its connection back."""

    def call() -> Answer:
        try:
            return function(*args, **kwargs)
        finally:
            connection.close()

    return sync_to_async(call, thread_sensitive=False)()
