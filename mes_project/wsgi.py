"""The WSGI entrance, for tools that expect one: everything but the device door and the sockets."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mes_project.settings")

application = get_wsgi_application()
