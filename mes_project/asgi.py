"""The ASGI entrance: Django's handler, the device door beside it, and the sockets of screens and devices."""

import gc
import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mes_project.settings")


def _assembled() -> Any:
    """Set Django up, and put all that answers together; what is imported here reads models and settings."""
    django_application = get_asgi_application()

    from channels.auth import AuthMiddlewareStack
    from channels.routing import ProtocolTypeRouter, URLRouter
    from channels.security.websocket import AllowedHostsOriginValidator
    from django.conf import settings

    from connectors.digitme2.routing import DeviceSockets
    from core.request_bodies import BodyLimit
    from core.request_ids import RequestIds
    from ingest.asgi import DeviceDoor
    from live.routing import websocket_urlpatterns

    pages = BodyLimit(django_application, limit=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    sockets = AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))
    return ProtocolTypeRouter(
        {"http": RequestIds(DeviceDoor(otherwise=pages)), "websocket": DeviceSockets(otherwise=sockets)}
    )


application = _assembled()

# What the start has made stays for good; the collector need not visit it again with every large delivery.
gc.collect()
gc.freeze()
