from importlib import import_module

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "reports"
    verbose_name = "Reports"

    def ready(self) -> None:
        """Let what this app knows of be reported."""
        for module in ("known_sources", "unit_sources", "quality_sources"):
            import_module(f"{self.name}.{module}")
