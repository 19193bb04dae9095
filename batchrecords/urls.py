"""Addresses of batch records."""

from batchrecords import api
from core.routers import Router

router = Router()
router.register("batch-record/signing-policy", api.SigningPolicyViewSet)
router.register("batch-record/step-template", api.StepTemplateViewSet)
router.register("batch-record/step-entry", api.StepEntryViewSet)
router.register("batch-record", api.BatchRecordViewSet)
urlpatterns = router.urls
