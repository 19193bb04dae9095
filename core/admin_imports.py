"""The admin's pages for bringing master data in and out: template, dry run with a preview, import, export."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, cast
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from import_export.admin import ImportExportMixin
from import_export.forms import ConfirmImportForm
from import_export.results import Result, RowResult
from import_export.tmp_storages import TempFolderStorage
from unfold.contrib.import_export.forms import ExportForm, ImportForm
from unfold.widgets import UnfoldAdminFileFieldWidget

from core import spreadsheets
from core.resources import MasterDataResource

FORMATS = [spreadsheets.CsvFormat, spreadsheets.XlsxFormat]
SUFFIXES = {".csv": "0", ".xlsx": "1"}
UPLOAD_SALT = "core.admin_imports.upload"
UPLOAD_AGE = 3600


class SpreadsheetForm(ImportForm):  # type: ignore[misc]
    """Take one file; its name says which format it has."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["format"].required = False
        self.fields["format"].widget = forms.HiddenInput()
        self.fields["import_file"].label = "File"
        self.fields["import_file"].help_text = "CSV (UTF-8) or Excel (.xlsx), at most 5 MB and 5,000 rows."
        self.fields["import_file"].widget = UnfoldAdminFileFieldWidget(attrs={"accept": ",".join(SUFFIXES)})

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        upload = cleaned.get("import_file")
        if upload is None:
            return cleaned
        suffix = os.path.splitext(upload.name)[1].lower()
        if suffix not in SUFFIXES:
            self.add_error("import_file", "Choose a file that ends in .csv or .xlsx.")
        elif upload.size > spreadsheets.MAX_UPLOAD_BYTES:
            self.add_error("import_file", "The file is larger than 5 MB; keep only the rows to import.")
        else:
            cleaned["format"] = SUFFIXES[suffix]
        return cleaned

    @property
    def media(self) -> forms.Media:
        # The library's script guesses the format in the browser; the server knows it.
        return forms.Media()


class SignedConfirmForm(ConfirmImportForm):  # type: ignore[misc]
    """Name the uploaded file by a signed word, so that nobody confirms a file that was not previewed."""

    def clean_import_file_name(self) -> str:
        try:
            name = signing.loads(self.cleaned_data["import_file_name"], salt=UPLOAD_SALT, max_age=UPLOAD_AGE)
        except signing.BadSignature as error:
            raise forms.ValidationError("The upload is too old; choose the file again.") from error
        return os.path.basename(str(name))


class UploadStorage(TempFolderStorage):  # type: ignore[misc]
    """Keep a file between its check and its import: an hour, where only this account reads it."""

    @property
    def directory(self) -> Path:
        """Where uploads wait."""
        return Path(settings.BASE_DIR) / "var" / "uploads"

    def get_full_path(self) -> str:
        return str(self.directory / self.name)

    def save(self, data: bytes) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for waiting in self.directory.iterdir():
            if waiting.stat().st_mtime < time.time() - UPLOAD_AGE:
                waiting.unlink(missing_ok=True)
        self.name = uuid4().hex
        Path(self.get_full_path()).write_bytes(data)


class ImportExportAdmin(ImportExportMixin):  # type: ignore[misc]
    """Let an admin class import and export its `resource_classes`, within the rights and sites of the person."""

    import_form_class = SpreadsheetForm
    confirm_form_class = SignedConfirmForm
    export_form_class = ExportForm
    tmp_storage_class = UploadStorage
    import_formats: ClassVar[list[Any]] = FORMATS
    export_formats: ClassVar[list[Any]] = FORMATS
    resource_classes: ClassVar[list[type[MasterDataResource]]] = []

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Whoever may both add and change; an import may do either."""
        return bool(self.resource_classes and self.has_add_permission(request) and self.has_change_permission(request))

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Whoever may look."""
        return bool(self.resource_classes and self.has_view_permission(request))

    def get_urls(self) -> list[Any]:
        app, model = self.get_model_info()
        template = path(
            "import/template.<str:suffix>",
            self.admin_site.admin_view(self.import_template),
            name=f"{app}_{model}_import_template",
        )
        return [template, *super().get_urls()]

    def import_template(self, request: HttpRequest, suffix: str) -> HttpResponse:
        """Answer an empty file with the right headers; in Excel a second sheet explains the columns."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        resource = self.resource_classes[0]
        name = f"{self.opts.model_name}-template.{suffix}"
        if suffix == "csv":
            return attachment(template_csv(resource).encode(), spreadsheets.CsvFormat.CONTENT_TYPE, name)
        if suffix == "xlsx":
            title = str(self.opts.verbose_name_plural).capitalize()
            return attachment(template_workbook(resource, title), spreadsheets.XlsxFormat.CONTENT_TYPE, name)
        raise Http404

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        return {"actor": request.user, "scope": lambda model: self.visible_of(model, request)}

    def get_export_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        return {}

    def get_import_context_data(self, **kwargs: Any) -> dict[str, Any]:
        app, model = self.get_model_info()
        return {
            "column_help": self.resource_classes[0].column_help(),
            "template_csv": reverse(f"admin:{app}_{model}_import_template", args=["csv"]),
            "template_xlsx": reverse(f"admin:{app}_{model}_import_template", args=["xlsx"]),
        }

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_confirm_form_initial(request, import_form)
        if "import_file_name" in initial:
            initial["import_file_name"] = signing.dumps(initial["import_file_name"], salt=UPLOAD_SALT)
        return initial

    def add_data_read_fail_error_to_form(self, form: forms.Form, e: Exception) -> None:
        if isinstance(e, spreadsheets.UnreadableFile):
            form.add_error("import_file", str(e))
        elif isinstance(e, UnicodeDecodeError):
            form.add_error("import_file", "The text is not UTF-8; save the file as 'CSV UTF-8'.")
        else:
            form.add_error("import_file", "The file cannot be read; start from the template.")

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            return cast(HttpResponse, super().process_import(request, **kwargs))
        except FileNotFoundError:
            return self._again(request, "The upload is gone; choose the file again.")

    def process_dataset(self, dataset: Any, form: Any, request: HttpRequest, **kwargs: Any) -> Result:
        # Between preview and confirmation others may have changed something; then nothing at all is imported.
        return super().process_dataset(dataset, form, request, **{**kwargs, "rollback_on_validation_errors": True})

    def process_result(self, result: Result, request: HttpRequest) -> HttpResponse:
        if result.has_errors() or result.has_validation_errors():
            return self._again(request, "Nothing was imported: something changed since the preview. Try again.")
        return cast(HttpResponse, super().process_result(result, request))

    def _again(self, request: HttpRequest, message: str) -> HttpResponse:
        messages.error(request, message)
        app, model = self.get_model_info()
        return HttpResponseRedirect(reverse(f"admin:{app}_{model}_import"))

    def add_success_message(self, result: Result, request: HttpRequest) -> None:
        counts = result.totals
        messages.success(
            request,
            f"Imported {self.opts.verbose_name_plural}: {counts[RowResult.IMPORT_TYPE_NEW]} new,"
            f" {counts[RowResult.IMPORT_TYPE_UPDATE]} changed, {counts[RowResult.IMPORT_TYPE_SKIP]} as they were.",
        )

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().import_action(request, **kwargs)
        if isinstance(response, TemplateResponse) and response.context_data is not None:
            response.context_data["title"] = f"Import {self.opts.verbose_name_plural}"
        return response

    def init_request_context_data(self, request: HttpRequest, form: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().init_request_context_data(request, form)
        context["title"] = f"Export {self.opts.verbose_name_plural}"
        return context


def attachment(content: bytes, content_type: str, name: str) -> HttpResponse:
    """Return a response that a browser saves as a file."""
    return HttpResponse(
        content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def template_csv(resource: type[MasterDataResource]) -> str:
    """Return the header line and an example that the import passes over."""
    columns = resource.column_names()
    example = [resource.examples.get(column, "") for column in columns]
    example[0] = f"{spreadsheets.COMMENT} {example[0]}"
    return spreadsheets.csv_text([columns, example])


def template_workbook(resource: type[MasterDataResource], title: str) -> bytes:
    """Return a workbook with an empty sheet to fill in, and one that explains its columns."""
    help_rows: list[Sequence[str]] = [("Column", "Needed", "Meaning", "Example"), *resource.column_help()]
    return spreadsheets.workbook({title: [resource.column_names()], "Columns": help_rows})
