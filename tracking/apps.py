from importlib import import_module

from django.apps import AppConfig


class TrackingConfig(AppConfig):
    name = "tracking"
    verbose_name = "Serial units"

    def ready(self) -> None:
        """Let the services declare what follows from a change, who knows what an order made,
        and their part of records.
        """
        for module in ("stage_forms", "progress", "record_sections", "packing"):
            import_module(f"{self.name}.{module}")
