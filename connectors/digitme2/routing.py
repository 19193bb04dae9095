"""The addresses of the devices' sockets, and the way to them."""

from collections.abc import Awaitable, Callable
from typing import Any

from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import re_path

from connectors.digitme2.consumers import ActivityConsumer, TabletConsumer

Application = Callable[[Any, Any, Any], Awaitable[None]]
PATHS = ("/api/activity-updates", "/api/input-device-updates")
websocket_urlpatterns: list[Any] = [
    re_path(r"^api/activity-updates/?$", ActivityConsumer.as_asgi()),
    re_path(r"^api/input-device-updates/?$", TabletConsumer.as_asgi()),
]


class DeviceSockets:
    """Answer devices' sockets, and pass the others on.

    Devices name no origin. A browser always does, and only pages of our own hosts may open a socket from it.
    """

    def __init__(self, otherwise: Application) -> None:
        self._otherwise = otherwise
        self._devices = URLRouter(websocket_urlpatterns)
        self._pages = AllowedHostsOriginValidator(self._devices)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", "")).rstrip("/")
        if path not in PATHS:
            await self._otherwise(scope, receive, send)
        elif any(name == b"origin" for name, _ in scope["headers"]):
            await self._pages(scope, receive, send)
        else:
            await self._devices(scope, receive, send)
