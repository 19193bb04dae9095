from importlib import import_module

from django.apps import AppConfig


class TrackingConfig(AppConfig):
    name = "tracking"
    verbose_name = "Serial units"

    def ready(self) -> None:
        """Let the services declare what follows from a change, and who knows what an order made."""
        import_module(f"{self.name}.stage_forms")
        import_module(f"{self.name}.progress")
