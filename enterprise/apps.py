from importlib import import_module

from django.apps import AppConfig


class EnterpriseConfig(AppConfig):
    name = "enterprise"
    verbose_name = "Where"

    def ready(self) -> None:
        """Let the services declare what follows from a change of master data."""
        import_module(f"{self.name}.services")
