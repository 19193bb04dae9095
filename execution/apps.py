from importlib import import_module

from django.apps import AppConfig


class ExecutionConfig(AppConfig):
    name = "execution"
    verbose_name = "Work on the floor"

    def ready(self) -> None:
        """Let the selectors declare that they know what an order made, and have booked what units make."""
        for module in ("selectors", "units"):
            import_module(f"{self.name}.{module}")
