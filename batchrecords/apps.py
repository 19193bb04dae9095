from django.apps import AppConfig


class BatchRecordsConfig(AppConfig):
    name = "batchrecords"
    verbose_name = "Batch records"

    def ready(self) -> None:
        from batchrecords import floor_sections, sections, steps  # noqa: F401
