from importlib import import_module

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "reports"
    verbose_name = "Reports"

    def ready(self) -> None:
        """Let what this app knows of be reported."""
        import_module(f"{self.name}.known_sources")
