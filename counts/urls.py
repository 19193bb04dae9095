"""Addresses of count types, tags and readings."""

from core.routers import Router
from counts import api

router = Router()
router.register("oee/count-type", api.CountTypeViewSet)
router.register("oee/count-tag", api.CountTagViewSet)
router.register("oee/count-history", api.CountHistoryViewSet)
urlpatterns = router.urls
