from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Who"

    def ready(self) -> None:
        """Let the API documentation know how callers say who they are."""
        import_module("accounts.schema")
