"""Addresses of materials."""

from django.urls import re_path

from core.routers import Router
from materials import api, lot_api, planning_api, question_api

router = Router()
router.register("material/location", api.LocationViewSet)
router.register("material/picking-policy", api.PickingPolicyViewSet)
router.register("material/backflush-policy", api.BackflushPolicyViewSet)
router.register("material/lot", lot_api.LotViewSet)
router.register("material/transaction", api.TransactionViewSet)
router.register("material/stock", api.StockViewSet)
urlpatterns = [
    *router.urls,
    re_path(r"^material/scan/?$", question_api.ScanView.as_view(), name="material-scan"),
    re_path(r"^material/pick/?$", question_api.PickView.as_view(), name="material-pick"),
    re_path(r"^material/balance/?$", question_api.BalanceView.as_view(), name="material-balance"),
    re_path(r"^material/backflush/?$", api.BackflushView.as_view(), name="material-backflush"),
    re_path(r"^workorder/generate/?$", planning_api.GenerateView.as_view(), name="workorder-generate"),
]
