"""Addresses of serial units."""

from django.urls import re_path

from core.routers import Router
from tracking import api

router = Router()
router.register("tracking/stage-form", api.StageFormViewSet)
router.register("tracking/stage-field", api.StageFieldViewSet)
router.register("tracking/unit", api.SerialUnitViewSet)
urlpatterns = [
    re_path(r"^tracking/first-pass-yield/?$", api.YieldView.as_view(), name="first-pass-yield"),
    *router.urls,
]
