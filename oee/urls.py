"""Addresses of OEE, and of the stops that it derives."""

from django.urls import re_path

from core.routers import Router
from oee import api, stop_api

router = Router()
router.register("oee/policy", api.OeePolicyViewSet)
router.register("oee", api.OeeRecordViewSet)
router.register("downtime/stop", stop_api.StopViewSet, basename="stop")
urlpatterns = [re_path(r"^oee/report/?$", api.OeeReportView.as_view(), name="oee-report"), *router.urls]
