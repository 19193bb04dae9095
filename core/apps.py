from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "Core"

    def ready(self) -> None:
        """Let plug-ins declare what they want to hear: the module `hooks` of any app."""
        autodiscover_modules("hooks")
