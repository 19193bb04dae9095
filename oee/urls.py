"""Addresses of OEE."""

from django.urls import re_path

from core.routers import Router
from oee import api

router = Router()
router.register("oee/policy", api.OeePolicyViewSet)
router.register("oee", api.OeeRecordViewSet)
urlpatterns = [re_path(r"^oee/report/?$", api.OeeReportView.as_view(), name="oee-report"), *router.urls]
