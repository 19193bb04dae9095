from importlib import import_module

from django.apps import AppConfig


class ExecutionConfig(AppConfig):
    name = "execution"
    verbose_name = "Work on the floor"

    def ready(self) -> None:
        """Let the services declare what follows from a change of master data, and what units make be booked."""
        for module in ("services", "units"):
            import_module(f"{self.name}.{module}")
