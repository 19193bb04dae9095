from importlib import import_module

from django.apps import AppConfig


class MaintenanceConfig(AppConfig):
    name = "maintenance"
    verbose_name = "Maintenance"

    def ready(self) -> None:
        """Let the gate declare that no run begins on a machine that is down."""
        import_module(f"{self.name}.gates")
