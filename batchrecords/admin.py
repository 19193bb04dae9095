"""Batch records in the admin: policies and steps are set up here; records, signatures and the trail are looked at."""

from django.contrib import admin

from accounts.models import AuditEntry
from batchrecords.models import (
    BatchRecord,
    Deviation,
    Resolution,
    Signature,
    SigningPolicy,
    StepEntry,
    StepTemplate,
)
from core.admin import MasterDataAdmin, ReadOnlyAdmin


@admin.register(SigningPolicy)
class SigningPolicyAdmin(MasterDataAdmin):
    list_display = (
        *("site", "reviewer_may_have_prepared", "approver_may_have_signed", "releaser_may_have_approved"),
        "stop_minutes",
    )
    list_select_related = ("site",)
    search_fields = ("site__code", "site__name")
    search_help_text = "Site"
    autocomplete_fields = ("site",)


@admin.register(StepTemplate)
class StepTemplateAdmin(MasterDataAdmin):
    list_display = ("code", "operation", "position", "kind", "prompt", "is_required", "is_critical")
    list_filter = ("kind", "is_required", "is_critical")
    list_select_related = ("operation__routing__revision__product",)
    search_fields = ("code", "prompt", "operation__code")
    search_help_text = "Step, prompt or operation"
    autocomplete_fields = ("operation",)


@admin.register(BatchRecord)
class BatchRecordAdmin(ReadOnlyAdmin):
    list_display = ("number", "work_order", "lot", "status", "requirement", "opened_at")
    list_filter = ("status", "requirement")
    list_select_related = ("work_order", "lot")
    search_fields = ("number", "work_order__order_number", "lot__number")
    search_help_text = "Record, order or lot"


@admin.register(Signature)
class SignatureAdmin(ReadOnlyAdmin):
    list_display = ("signed_at", "record", "printed_name", "meaning", "revision", "content_hash")
    list_filter = ("meaning",)
    list_select_related = ("record",)
    search_fields = ("record__number", "printed_name")
    search_help_text = "Record or name"


@admin.register(Deviation)
class DeviationAdmin(ReadOnlyAdmin):
    list_display = ("opened_at", "record", "severity", "title", "opened_by")
    list_filter = ("severity",)
    list_select_related = ("record", "opened_by")
    search_fields = ("record__number", "title")
    search_help_text = "Record or title"


@admin.register(Resolution)
class ResolutionAdmin(ReadOnlyAdmin):
    list_display = ("resolved_at", "record", "key", "decision", "comment", "resolved_name")
    list_filter = ("decision",)
    list_select_related = ("record",)
    search_fields = ("record__number", "comment")
    search_help_text = "Record or comment"


@admin.register(StepEntry)
class StepEntryAdmin(ReadOnlyAdmin):
    list_display = ("occurred_at", "operation", "template", "number", "said", "is_within", "entered_name")
    list_filter = ("is_within",)
    list_select_related = ("operation", "template__operation")
    search_fields = ("operation__work_order__order_number", "template__code")
    search_help_text = "Order or step"
    exclude = ("photo",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "site", "sequence", "actor_name", "action", "subject")
    list_filter = ("action",)
    list_select_related = ("site",)
    search_fields = ("subject", "actor_name", "action")
    search_help_text = "Subject, person or action"
