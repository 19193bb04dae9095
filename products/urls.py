"""Addresses of products and ideal rates."""

from core.routers import Router
from products import api

router = Router()
router.register("product", api.ProductViewSet)
router.register("ideal-rate", api.IdealRateViewSet)
urlpatterns = router.urls
