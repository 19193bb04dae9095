"""Pages for people who bring files of the ERP in by hand."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from core.errors import Invalid
from core.master_data import caller
from core.spreadsheets import MAX_UPLOAD_BYTES
from erp import files, importing, senders

NAMES: dict[str, Promise] = {
    "customers": _("Customers"),
    "products": _("Products"),
    "orders": _("Orders"),
    "demands": _("Demand"),
    "stock": _("Stock"),
}
_TYPES = {"csv": files.CSV, "xlsx": files.XLSX}


def _offered(who: Any) -> dict[str, Promise]:
    return {name: words for name, words in NAMES.items() if who.may(*importing.KINDS[name].right)}


@login_required
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Offer the kinds that a person may write; take a file, and say what became of each of its rows."""
    offered = _offered(caller(request))
    if not offered:
        raise PermissionDenied
    chosen = request.POST.get("kind", "")
    context: dict[str, Any] = {"kinds": offered, "chosen": chosen, "most_megabytes": MAX_UPLOAD_BYTES // 2**20}
    status = 200
    if request.method == "POST":
        try:
            context["outcome"] = _take(request, chosen, offered)
            context["said"] = [(str(NAMES[kind]), counts) for kind, counts in context["outcome"].counts.items()]
        except Invalid as refusal:
            context["refused"], status = refusal, 422
    return render(request, "erp/upload.html", context, status=status)


def _take(request: HttpRequest, kind: str, offered: dict[str, Promise]) -> importing.Outcome:
    if kind not in offered:
        raise Invalid("Choose what is in the file.", field="kind")
    file: Any = request.FILES.get("file")
    if file is None:
        raise Invalid("Choose a file.", field="file")
    content_type = _TYPES.get(str(file.name).rpartition(".")[2].lower())
    if content_type is None:
        raise Invalid("Choose a file that ends in .csv or .xlsx.", field="file")
    if file.size > MAX_UPLOAD_BYTES:
        raise Invalid(f"The file is larger than {MAX_UPLOAD_BYTES // 2**20} MB; send it in parts.", field="file")
    rows, numbers = files.rows_of(file.read(), content_type, importing.KINDS[kind].shape)
    return importing.take({kind: rows}, by=senders.Person(request, timezone.now()), numbers=numbers)


@login_required
@require_GET
def template(request: HttpRequest, name: str) -> HttpResponse:
    """Return an empty file with the columns of a kind: `orders.csv`, `orders.xlsx`."""
    kind, _dot, suffix = name.partition(".")
    if kind not in _offered(caller(request)) or suffix not in _TYPES:
        raise Http404
    content = files.template_of(importing.KINDS[kind].shape, as_workbook=suffix == "xlsx")
    return HttpResponse(
        content,
        content_type=_TYPES[suffix],
        headers={"Content-Disposition": f'attachment; filename="{kind}.{suffix}"'},
    )
