from importlib import import_module

from django.apps import AppConfig


class MaterialsConfig(AppConfig):
    name = "materials"
    verbose_name = "Materials"

    def ready(self) -> None:
        """Let the services declare what follows from a change of master data, and what is known of orders."""
        for module in ("services", "lots", "planning", "automatic_backflush"):
            import_module(f"{self.name}.{module}")
