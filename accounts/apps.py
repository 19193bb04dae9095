from importlib import import_module

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Who"

    def ready(self) -> None:
        """Let the API documentation know how callers say who they are, and note log-ins without a line of history."""
        import_module("accounts.schema")
        services = import_module("accounts.services")
        # A limit that cannot be read is refused at the start, not at the first request.
        import_module("accounts.throttling").limiter()
        user_logged_in.disconnect(dispatch_uid="update_last_login")
        user_logged_in.connect(services.note_log_in, dispatch_uid="accounts.note_log_in")
