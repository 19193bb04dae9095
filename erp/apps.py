from importlib import import_module

from django.apps import AppConfig


class ErpConfig(AppConfig):
    name = "erp"
    verbose_name = "ERP and other systems"

    def ready(self) -> None:
        """Check partners before they are written, and let messages be sent after their commit."""
        for module in ("services", "tasks"):
            import_module(f"{self.name}.{module}")
