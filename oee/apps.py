from django.apps import AppConfig


class OeeConfig(AppConfig):
    name = "oee"
    verbose_name = "OEE"
