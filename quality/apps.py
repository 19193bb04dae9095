from importlib import import_module

from django.apps import AppConfig


class QualityConfig(AppConfig):
    name = "quality"
    verbose_name = "Quality"

    def ready(self) -> None:
        """Let the services declare what they refuse, what follows from a change of master data,
        and their part of records.
        """
        for module in ("planning", "gates", "dispositions", "record_sections"):
            import_module(f"{self.name}.{module}")
