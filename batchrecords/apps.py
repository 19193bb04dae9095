from importlib import import_module

from django.apps import AppConfig


class BatchRecordsConfig(AppConfig):
    name = "batchrecords"
    verbose_name = "Batch records"

    def ready(self) -> None:
        """Let the sections of records, and what has to be done before an operation is finished, be declared."""
        for module in ("order", "floor", "material", "machine", "people", "change"):
            import_module(f"{self.name}.{module}_sections")
        import_module(f"{self.name}.steps")
