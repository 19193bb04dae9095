"""The ASGI entrance: Django's handler, the device door beside it, and the sockets of screens and devices."""

import gc
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mes_project.settings")

django_application = get_asgi_application()

# These read models and settings, so Django has to be set up first.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402

from connectors.digitme2.routing import DeviceSockets  # noqa: E402
from core.request_bodies import BodyLimit  # noqa: E402
from core.request_ids import RequestIds  # noqa: E402
from ingest.asgi import DeviceDoor  # noqa: E402
from live.routing import websocket_urlpatterns  # noqa: E402

pages = BodyLimit(django_application, limit=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
application = ProtocolTypeRouter(
    {
        "http": RequestIds(DeviceDoor(otherwise=pages)),
        "websocket": DeviceSockets(
            otherwise=AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))
        ),
    }
)

# What the start has made stays for good; the collector need not visit it again with every large delivery.
gc.collect()
gc.freeze()
