from importlib import import_module

from django.apps import AppConfig


class QualityConfig(AppConfig):
    name = "quality"
    verbose_name = "Quality"

    def ready(self) -> None:
        """Let the services declare what they refuse, and what follows from a change of master data."""
        for module in ("services", "gates"):
            import_module(f"{self.name}.{module}")
