"""Partners, as an administrator sets them up, and what became of what was sent to them."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.safestring import SafeString
from unfold.decorators import display

from accounts.models import User
from core.admin import DecisionAdmin, MasterDataAdmin, ReadOnlyAdmin, ScopedFilter, link
from core.models import OutboxMessage
from core.resources import refuse_without_right
from erp import delivering, services
from erp.models import Delivery, Partner
from erp.resources import PartnerResource
from erp.selectors import exchanges


@admin.register(Partner)
class PartnerAdmin(MasterDataAdmin):
    list_display = ("name", "code", "acts_as", "target_url", "last_contact", "failure", "is_active")
    list_select_related = ("user", "progress")
    search_fields = ("code", "name", "target_url")
    search_help_text = "Code, name or address"
    autocomplete_fields = ("user",)
    actions = ("make_secret",)
    resource_classes = [PartnerResource]
    fieldsets = (
        (None, {"fields": (("code", "name"), "user", "is_active")}),
        (
            "What it gets",
            {
                "fields": ("types", "target_url"),
                "description": "An address is sent signed webhooks: save it, then choose “Make a new signing secret” in the list.",
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        # An administrator of some sites looks after the systems whose accounts are of those only.
        return super().get_queryset(request).filter(user__in=self.visible_of(User, request).values("pk"))

    def get_urls(self) -> list[URLPattern]:
        page = path("integration/", self.admin_site.admin_view(self.integration_view), name="erp_integration")
        urls: list[URLPattern] = super().get_urls()
        return [page, *urls]

    def integration_view(self, request: HttpRequest) -> HttpResponse:
        """Show how the exchange with every partner goes; the page asks again every few seconds."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Integration",
            "exchanges": exchanges(self.get_queryset(request)) if self.has_view_permission(request) else [],
        }
        return TemplateResponse(request, "admin/integration.html", context, headers={"Refresh": "10"})

    @display(description="acts as")
    def acts_as(self, partner: Partner) -> str | SafeString:
        return link(partner.user)

    @display(description="last contact")
    def last_contact(self, partner: Partner) -> str:
        at = partner.progress.contact_at
        return f"{at:%Y-%m-%d %H:%M} UTC" if at else "never"

    @display(description="went wrong last")
    def failure(self, partner: Partner) -> str:
        return partner.progress.failure or "–"

    @admin.action(description="Make a new signing secret", permissions=["change"])
    def make_secret(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Make a secret for one partner and show it once, in the answer itself."""
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            self.message_user(request, "Choose one partner.", "error")
            return None
        refuse_without_right(request.user, chosen[0])
        context = {
            **self.admin_site.each_context(request),
            "title": "Signing secret made",
            "opts": self.opts,
            "made": chosen[0],
            "key": services.new_secret(partner=chosen[0], at=timezone.now()),
            "back": reverse("admin:erp_partner_changelist"),
            "is_secret": True,
        }
        response = TemplateResponse(request, "admin/key_created.html", context)
        add_never_cache_headers(response)
        return response


def _send_again(delivery: Delivery, actor: User, now: datetime) -> None:
    delivering.send_again(delivery=delivery, now=now)


def _leave_out(delivery: Delivery, actor: User, now: datetime) -> None:
    delivering.leave_out(delivery=delivery)


@admin.register(Delivery)
class DeliveryAdmin(DecisionAdmin):
    decisions = {
        "send_again": ("Send again", _send_again),
        "leave_out": ("Leave out, so that those of its key go on", _leave_out),
    }
    list_display = ("position", "partner", "of_message", "key", "status", "attempts", "next_attempt_at", "last_error")
    list_filter = ("status", ("partner", ScopedFilter))
    list_select_related = ("partner", "message")
    search_fields = ("key", "message__type")
    search_help_text = "Key or type"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(partner__in=self.visible_of(Partner, request).values("pk"))

    @display(description="message")
    def of_message(self, delivery: Delivery) -> str | SafeString:
        return link(delivery.message, delivery.message.type)


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    list_display = ("position", "type", "key", "occurred_at", "recorded_at", "uid")
    list_filter = ("type",)
    search_fields = ("key", "type", "uid")
    search_help_text = "Key, type or id"
    show_full_result_count = False
