"""Addresses of labels."""

from django.urls import re_path

from core.routers import Router
from labels import api

router = Router()
router.register("labels/layout", api.LabelLayoutViewSet)
router.register("labels/batch", api.LabelBatchViewSet)
router.register("labels/label", api.LabelViewSet)
urlpatterns = [
    *router.urls,
    re_path(r"^labels/decode/?$", api.DecodeView.as_view(), name="labels-decode"),
]
