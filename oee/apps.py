from importlib import import_module

from django.apps import AppConfig


class OeeConfig(AppConfig):
    name = "oee"
    verbose_name = "OEE"

    def ready(self) -> None:
        """Tell lower floors what only this one knows."""
        import_module("oee.closing_touches")
        import_module("oee.quality_outside").tell_quality()
