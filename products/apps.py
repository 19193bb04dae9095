from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db import connection
from django.db.models.signals import post_migrate


class ProductsConfig(AppConfig):
    name = "products"
    verbose_name = "What"

    def ready(self) -> None:
        """Let the services declare what follows from a change of master data."""
        import_module(f"{self.name}.services")
        post_migrate.connect(add_standard_units, sender=self, dispatch_uid="products.standard_units")


def add_standard_units(**kwargs: Any) -> None:
    """Make the standard units after a migration and after a flush, as Django does with its own rows;
    products need them.
    """
    from products import services
    from products.models import UnitOfMeasure

    # Not while only the migrations of other apps have run.
    if UnitOfMeasure._meta.db_table in connection.introspection.table_names():
        services.add_standard_units()
