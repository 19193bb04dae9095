"""Addresses of the REST of workbooks and of files of lists."""

from core.routers import Router
from reports import api, export_api

router = Router()
router.register("reports/workbook", api.WorkbookTemplateViewSet)
router.register("reports/mapping", api.WorkbookMappingViewSet)
router.register("reports/export", export_api.ExportJobViewSet)
urlpatterns = [*router.urls]
