"""What can be made: units, products, revisions with their bill and routing, and how fast at best."""

from products.models.cost import MachineRate, ProductCost
from products.models.product import IdealRate, MaterialType, Product, ProductUnit, StockPolicy, ValidityRange
from products.models.revision import BillOfMaterialLine, ProductRevision
from products.models.routing import OperationDocument, OperationParameter, OperationTemplate, Routing, RoutingOperation
from products.models.unit import STANDARD_UNITS, UnitOfMeasure

__all__ = [
    "STANDARD_UNITS",
    "BillOfMaterialLine",
    "IdealRate",
    "MachineRate",
    "MaterialType",
    "OperationDocument",
    "OperationParameter",
    "OperationTemplate",
    "Product",
    "ProductCost",
    "ProductRevision",
    "ProductUnit",
    "Routing",
    "RoutingOperation",
    "StockPolicy",
    "UnitOfMeasure",
    "ValidityRange",
]
