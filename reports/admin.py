"""Workbooks are uploaded here, and their cells mapped, with what the file holds shown beside."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from core.admin import MasterDataAdmin, MasterDataForm, RowInline, ScopedFilter
from reports import selectors, sources
from reports.models import WorkbookMapping, WorkbookTemplate, WorkbookVersion
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
