from django.apps import AppConfig


class IngestConfig(AppConfig):
    name = "ingest"
    verbose_name = "Ingestion"

    def ready(self) -> None:
        from ingest.open_points import open_items
        from oee.open_points import add_source

        add_source(open_items)
