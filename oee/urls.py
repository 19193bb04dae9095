"""Addresses of OEE."""

from django.urls import re_path

from core.routers import Router
from oee import api, kpi_api

router = Router()
router.register("oee/policy", api.OeePolicyViewSet)
router.register("oee", api.OeeRecordViewSet)
urlpatterns = [
    re_path(r"^oee/report/?$", api.OeeReportView.as_view(), name="oee-report"),
    re_path(r"^oee/kpi/?$", kpi_api.KpiCatalogueView.as_view(), name="kpi-catalogue"),
    re_path(r"^oee/kpis/?$", kpi_api.KpiValuesView.as_view(), name="kpi-values"),
    *router.urls,
]
