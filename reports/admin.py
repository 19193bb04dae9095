"""Workbooks are uploaded here, and their cells mapped; reports by e-mail are set up,
and what became of them is shown.
"""

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from accounts.models import User
from core.admin import DecisionAdmin, MasterDataAdmin, MasterDataForm, RowInline, ScopedFilter
from core.errors import Conflict
from reports import mailing, selectors, sources
from reports.kinds import KINDS
from reports.models import (
    ReportMail,
    ReportRecipient,
    ReportSubscription,
    WorkbookMapping,
    WorkbookTemplate,
    WorkbookVersion,
)
from reports.packages import BadWorkbook
from reports.services import add_version
from reports.workbooks import check


class WorkbookForm(MasterDataForm):
    """A template, with the file to take."""

    file = forms.FileField(
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".xlsx"}),
        help_text="The customer's workbook, .xlsx, at most 5 MB. Choose another one to make a new version; it has to have"
        " every cell that is mapped.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "source" in self.fields:
            self.fields["source"].widget = UnfoldAdminSelectWidget(choices=sources.choices())

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        upload = cleaned.get("file")
        if upload is None and self.instance.pk is None:
            self.add_error("file", "Choose the workbook.")
        if upload is not None:
            cleaned["content"] = upload.read()
            try:
                check(cleaned["content"], selectors.fields_of(self.instance.mappings.all()) if self.instance.pk else [])
            except BadWorkbook as problem:
                self.add_error("file", str(problem))
        return cleaned


class MappingInline(RowInline):
    model = WorkbookMapping
    fields = ("target", "path", "list_path", "row_step", "max_rows")
    show_change_link = False


class VersionInline(RowInline):
    model = WorkbookVersion
    fields = ("number", "file_name", "size", "uploaded_by", "recorded_at")
    readonly_fields = fields
    can_delete = False
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("content")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(WorkbookTemplate)
class WorkbookTemplateAdmin(MasterDataAdmin):
    form = WorkbookForm
    list_display = ("name", "code", "source", "site", "is_active")
    list_filter = ("source", ("site", ScopedFilter), "is_active")
    list_select_related = ("site",)
    search_fields = ("code", "name")
    search_help_text = "Code or name"
    autocomplete_fields = ("site",)
    readonly_fields = ("in_the_workbook", "in_a_record")
    fieldsets = (
        (None, {"fields": (("code", "name"), ("source", "site"), "is_active", "file")}),
        ("What can be mapped", {"fields": ("in_the_workbook", "in_a_record")}),
    )
    inlines = (MappingInline, VersionInline)
    history_of = ("mappings",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        upload = form.cleaned_data.get("file")
        if upload is not None:
            add_version(
                template=obj,
                content=form.cleaned_data["content"],
                file_name=str(upload.name),
                actor=request.user,
                recorded_at=timezone.now(),
            )

    @display(description="names and sheets of the workbook")
    def in_the_workbook(self, template: WorkbookTemplate) -> str | SafeString:
        if template._state.adding:
            return "Save it with its file; then they are shown here."
        try:
            places = selectors.places_of(template)
        except BadWorkbook as problem:
            return str(problem)
        return _listed(places) or "No file was uploaded yet."

    @display(description="fields of a record")
    def in_a_record(self, template: WorkbookTemplate) -> str | SafeString:
        if template.source not in sources.names():
            return "Save it; then they are shown here."
        return _listed(list(sources.get(template.source).fields.items()))


def _listed(pairs: list[tuple[str, str]]) -> SafeString:
    rows = format_html_join("", "<li><code>{}</code> {}</li>", pairs[:500])
    return format_html("<ul>{}</ul>", rows) if rows else SafeString("")


class SubscriptionForm(MasterDataForm):
    """A subscription: which report, of what, when, in which form."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [(kind.code, kind.name) for kind in KINDS.values() if kind.spans]
        for name, choices in (("report", kinds), ("language", settings.LANGUAGES)):
            if name in self.fields:
                self.fields[name].widget = UnfoldAdminSelectWidget(choices=choices)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        kind = KINDS.get(cleaned.get("report", ""))
        span = mailing.SPANS.get(cleaned.get("when", ""))
        if kind is not None and span is not None and span not in kind.spans:
            self.add_error("when", _("The %(report)s is not of such a time.") % {"report": str(kind.name).lower()})
        places = [name for name in ("machine", "line", "area") if cleaned.get(name)] or ["site"]
        if kind is not None and places[0] not in kind.places:
            self.add_error(
                places[0] if places[0] != "site" else "machine",
                _("The %(report)s is of: %(places)s.")
                % {"report": str(kind.name).lower(), "places": ", ".join(kind.places)},
            )
        return cleaned


class RecipientInline(RowInline):
    model = ReportRecipient
    fields = ("user", "role")
    autocomplete_fields = ("user",)
    show_change_link = False


@admin.register(ReportSubscription)
class ReportSubscriptionAdmin(MasterDataAdmin):
    form = SubscriptionForm
    list_display = ("name", "report", "site", "when", "last_sent", "is_active")
    list_filter = ("report", ("site", ScopedFilter), "when", "is_active")
    list_select_related = ("site",)
    search_fields = ("code", "name", "site__code", "site__name")
    search_help_text = "Code, name or site"
    autocomplete_fields = ("site", "area", "line", "machine")
    readonly_fields = ("who_gets_it",)
    inlines = (RecipientInline,)
    history_of = ("recipients",)
    fieldsets = (
        (None, {"fields": (("code", "name"), ("report", "is_active"))}),
        ("Of what", {"fields": (("site", "area"), ("line", "machine"))}),
        (
            "When",
            {
                "fields": (("when", "at"), ("weekday", "month_day"), ("delay_minutes", "active_from")),
                "description": "Times are those of the site.",
            },
        ),
        ("In which form", {"fields": (("as_pdf", "as_xlsx", "as_csv"), "language", "who_gets_it")}),
    )

    @display(description="who gets it now")
    def who_gets_it(self, subscription: ReportSubscription) -> str | SafeString:
        if subscription._state.adding:
            return "Save it with its recipients; then they are shown here."
        people = mailing.people_of(subscription)
        if not people:
            return "Nobody: choose people or roles with an e-mail address and the right to see the report at the site."
        return format_html_join("", "<div>{} ({})</div>", [(person, person.email) for person in people[:100]])

    @display(description="last sent")
    def last_sent(self, subscription: ReportSubscription) -> str:
        at: datetime | None = getattr(subscription, "newest_mail", None)
        return f"{at:%Y-%m-%d %H:%M} UTC" if at else "never"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        sent = models.Max("mails__sent_at", filter=models.Q(mails__status=ReportMail.Status.SENT))
        rows: models.QuerySet[Any] = super().get_queryset(request).annotate(newest_mail=sent)
        return rows


def _send_again(mail: ReportMail, actor: User, now: datetime) -> None:
    if not mailing.send_again(mails=[mail], now=now):
        raise Conflict("It was sent, or is being sent.")


@admin.register(ReportMail)
class ReportMailAdmin(DecisionAdmin):
    decisions = {"send_again": ("Send it (again)", _send_again)}
    list_display = ("due_at", "subscription", "occasion", "user", "status", "attempts", "sent_at", "last_error")
    list_filter = ("status", "subscription")
    list_select_related = ("subscription", "user")
    search_fields = ("subscription__name", "user__username", "occasion", "address", "message_id")
    search_help_text = "Subscription, person, occasion or address"


# Tasks are the clockwork; what people ask about are mails and files.
for _model in [model for model in admin.site._registry if model._meta.app_label == "procrastinate"]:
    admin.site.unregister(_model)
