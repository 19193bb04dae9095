"""Addresses of workbooks."""

from core.routers import Router
from reports import api

router = Router()
router.register("reports/workbook", api.WorkbookTemplateViewSet)
router.register("reports/mapping", api.WorkbookMappingViewSet)
urlpatterns = [*router.urls]
