"""What can be made, and how fast at best, as spreadsheets."""

from typing import Any

from django.db import models
from import_export.fields import Field

from core import master_data
from core.cells import as_text
from core.errors import DomainError
from core.resources import MasterDataResource, ReferenceWidget
from products.models import (
    BillOfMaterialLine,
    IdealRate,
    MachineRate,
    Product,
    ProductCost,
    ProductRevision,
    ProductUnit,
    Routing,
    RoutingOperation,
    UnitOfMeasure,
)


class UnitOfMeasureResource(MasterDataResource):
    """Units of measure by code."""

    examples = {
        "code": "cwt",
        "name": "hundredweight",
        "dimension": "mass",
        "numerator": "45359237",
        "denominator": "1000000",
        "is_active": "yes",
    }

    class Meta(MasterDataResource.Meta):
        model = UnitOfMeasure
        fields = ("code", "name", "dimension", "numerator", "denominator", "is_active")
        import_id_fields = ("code",)


class ProductResource(MasterDataResource):
    """Products by code."""

    examples = {"code": "COLA-05", "name": "Cola 0.5 l", "unit": "pcs", "planned_scrap": "0.01", "is_active": "yes"}

    class Meta(MasterDataResource.Meta):
        model = Product
        fields = (
            *("code", "name", "unit", "micro_stop_below", "slow_cycle_above", "planned_scrap", "balance_tolerance"),
            *("over_tolerance", "under_tolerance"),
            *("material_type", "stock_policy", "lot_controlled", "shelf_life_days", "gtin", "is_active"),
        )
        import_id_fields = ("code",)


class ProductUnitResource(MasterDataResource):
    """Units of products by product and unit."""

    examples = {"product": "COLA-05", "quantity": "1", "unit": "case", "base_quantity": "12"}

    class Meta(MasterDataResource.Meta):
        model = ProductUnit
        fields = ("product", "quantity", "unit", "base_quantity")
        import_id_fields = ("product", "unit")


class ProductRevisionResource(MasterDataResource):
    """Drafts of revisions by product and code; they are released one by one."""

    examples = {"product": "COLA-05", "code": "A", "name": "First recipe", "base_quantity": "1000"}

    class Meta(MasterDataResource.Meta):
        model = ProductRevision
        fields = ("product", "code", "name", "base_quantity")
        import_id_fields = ("product", "code")


def product_column(path: str) -> Field:
    """Return the column of the product that a row leads to; on import it only says whose revision is meant."""
    widget = ReferenceWidget(ProductRevision._meta.get_field("product"))
    return Field(attribute=path, column_name="product", widget=widget, readonly=True)


class RevisionWidget(ReferenceWidget):
    """Translate the code of a revision, with the code of its product in the column before."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        product, code = as_text(row.get("product") or ""), as_text(value or "")
        found = ProductRevision.objects.filter(product__code=product, code=code).first()
        if found is None:
            raise ValueError(f"There is no revision '{code}' of a product '{product}'; import revisions first.")
        return found


class RoutingWidget(ReferenceWidget):
    """Translate the code of a routing of the row's revision; one that is not there yet is made."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        revision = RevisionWidget(self.model_field, key="code").clean(row.get("revision"), row)
        code = as_text(value or "main")
        routings = Routing.objects.filter(revision=revision)
        found = routings.filter(code=code).first()
        if found is not None:
            return found
        try:
            return master_data.save(
                Routing(revision=revision, code=code, is_default=not routings.filter(is_default=True).exists())
            )
        except DomainError as refusal:
            raise ValueError(refusal.message) from None


class BillOfMaterialResource(MasterDataResource):
    """Lines of bills by product, revision and position."""

    product = product_column("revision__product")
    revision = Field(
        attribute="revision",
        column_name="revision",
        widget=RevisionWidget(BillOfMaterialLine._meta.get_field("revision"), key="code"),
    )
    examples = {
        "product": "COLA-05",
        "revision": "A",
        "position": "10",
        "component": "SYRUP",
        "kind": "component",
        "quantity": "80",
        "unit": "l",
        "scrap_factor": "0.02",
        "operation_code": "MIX",
    }

    class Meta(MasterDataResource.Meta):
        model = BillOfMaterialLine
        fields = (
            *("product", "revision", "position", "component", "kind", "quantity", "unit"),
            *("scrap_factor", "operation_code", "is_phantom"),
        )
        import_id_fields = ("product", "revision", "position")

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().select_related("revision__product", "component", "unit")


class RevisionCodeField(Field):  # type: ignore[misc]
    """The revision's code, which only says on import where the row's routing is."""

    def clean(self, row: Any, **kwargs: Any) -> Any:
        return RevisionWidget(Routing._meta.get_field("revision"), key="code").clean(row.get("revision"), row)


class RoutingResource(MasterDataResource):
    """Operations of routings by product, revision, routing and sequence; a routing comes with its first operation."""

    product = product_column("routing__revision__product")
    revision = RevisionCodeField(
        attribute="routing__revision",
        column_name="revision",
        widget=RevisionWidget(Routing._meta.get_field("revision"), key="code"),
        readonly=True,
    )
    routing = Field(
        attribute="routing",
        column_name="routing",
        widget=RoutingWidget(RoutingOperation._meta.get_field("routing"), key="code"),
    )
    examples = {
        "product": "COLA-05",
        "revision": "A",
        "routing": "main",
        "sequence": "10",
        "code": "MIX",
        "name": "Mix",
        "machine": "L1-MIXER",
        "setup_time": "600",
        "run_time_per_unit": "0.5",
        "counts_for_output": "no",
    }

    class Meta(MasterDataResource.Meta):
        model = RoutingOperation
        fields = ("product", "revision", "routing", *RoutingOperation.COPIED)
        import_id_fields = ("product", "revision", "routing", "sequence")

    def get_queryset(self) -> models.QuerySet[Any]:
        related = ("routing__revision__product", "line", "machine", "machine_class")
        return super().get_queryset().select_related(*related)


class IdealRateResource(MasterDataResource):
    """Ideal rates by product, machine and first moment."""

    examples = {
        "product": "COLA-05",
        "machine": "L1-FILLER",
        "value": "0.15",
        "unit": "s/pc",
        "valid_from": "2026-01-01T00:00:00+01:00",
    }

    class Meta(MasterDataResource.Meta):
        model = IdealRate
        fields = ("product", "machine", "value", "unit", "valid_from", "valid_until")
        import_id_fields = ("product", "machine", "valid_from")


class ProductCostResource(MasterDataResource):
    """Standard costs by product, site and first moment."""

    examples = {"product": "SUGAR", "site": "KRK", "cost": "0.85", "valid_from": "2026-01-01T00:00:00+01:00"}

    class Meta(MasterDataResource.Meta):
        model = ProductCost
        fields = ("product", "site", "cost", "valid_from", "valid_until")
        import_id_fields = ("product", "site", "valid_from")


class MachineRateResource(MasterDataResource):
    """Hourly rates by line or machine, and first moment."""

    examples = {
        "line": "L1",
        "overhead_per_hour": "45",
        "labour_per_hour": "28",
        "valid_from": "2026-01-01T00:00:00+01:00",
    }

    class Meta(MasterDataResource.Meta):
        model = MachineRate
        fields = ("line", "machine", "overhead_per_hour", "labour_per_hour", "valid_from", "valid_until")
        import_id_fields = ("line", "machine", "valid_from")
