"""Addresses of what can be made."""

from core.routers import Router
from products import api

router = Router()
router.register("unit-of-measure", api.UnitOfMeasureViewSet)
router.register("product", api.ProductViewSet)
router.register("product-unit", api.ProductUnitViewSet)
router.register("product-revision", api.ProductRevisionViewSet)
router.register("bill-of-material", api.BillOfMaterialViewSet)
router.register("routing", api.RoutingViewSet)
router.register("routing-operation", api.RoutingOperationViewSet)
router.register("operation-parameter", api.OperationParameterViewSet)
router.register("operation-document", api.OperationDocumentViewSet)
router.register("ideal-rate", api.IdealRateViewSet)
router.register("product-cost", api.ProductCostViewSet)
router.register("machine-rate", api.MachineRateViewSet)
urlpatterns = router.urls
