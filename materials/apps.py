from importlib import import_module

from django.apps import AppConfig


class MaterialsConfig(AppConfig):
    name = "materials"
    verbose_name = "Materials"

    def ready(self) -> None:
        """Let the services declare what follows from a change of master data."""
        import_module(f"{self.name}.services")
