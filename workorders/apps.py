from importlib import import_module

from django.apps import AppConfig


class WorkordersConfig(AppConfig):
    name = "workorders"
    verbose_name = "Work orders"

    def ready(self) -> None:
        """Let the services declare what follows from a change of master data."""
        for module in ("customers", "services", "demands", "placing"):
            import_module(f"{self.name}.{module}")
