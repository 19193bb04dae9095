"""Addresses of advice."""

from django.urls import re_path

from advice import api
from core.routers import Router

router = Router()
router.register("advice/recommendation", api.RecommendationViewSet)
router.register("advice/step", api.RecommendationStepViewSet)
router.register("advice/silence", api.SilenceViewSet)
router.register("advice/model", api.AdviceModelViewSet)
urlpatterns = [
    re_path(r"^advice/precision/?$", api.PrecisionView.as_view(), name="advice-precision"),
    *router.urls,
]
