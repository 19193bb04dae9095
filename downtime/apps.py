from django.apps import AppConfig


class DowntimeConfig(AppConfig):
    name = "downtime"
    verbose_name = "Downtime"
