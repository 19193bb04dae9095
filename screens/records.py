"""Pages of batch records: what needs eyes, what was signed, what the record contains, and the forms that sign."""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from accounts.signing import confirm
from batchrecords import services
from batchrecords.api import printed
from batchrecords.assembly import assemble, standing
from batchrecords.models import SEVERITIES, BatchRecord, Resolution, Signature
from batchrecords.pdf import local_time
from batchrecords.serializers import BatchRecordSerializer
from core.errors import DomainError
from core.exports import export_list, format_of
from core.master_data import caller, in_scope

SHOWN = 200
"""Rows of a section on the page; the PDF has all."""


class FilterForm(forms.Form):
    """Which records to list."""

    search = forms.CharField(max_length=100, required=False)
    status = forms.ChoiceField(choices=[("", gettext_lazy("Any status")), *BatchRecord.Status.choices], required=False)


class SignForm(forms.Form):
    """Both components, the meaning, and what was seen."""

    meaning = forms.ChoiceField(choices=Signature.Meaning.choices)
    username = forms.CharField(max_length=150)
    password = forms.CharField(max_length=500, strip=False)
    seen = forms.CharField(max_length=64)
    comment = forms.CharField(max_length=500, required=False)


class ResolveForm(forms.Form):
    """What was decided about a deviation."""

    key = forms.CharField(max_length=150)
    decision = forms.ChoiceField(choices=Resolution.Decision.choices)
    comment = forms.CharField(max_length=1000)


class NoteForm(forms.Form):
    """A deviation that somebody notes."""

    title = forms.CharField(max_length=200)
    severity = forms.ChoiceField(choices=SEVERITIES)
    detail = forms.CharField(max_length=4000, required=False)


def _records(request: HttpRequest) -> QuerySet[BatchRecord]:
    if not caller(request).may("view", "batch_record"):
        raise PermissionDenied
    records: QuerySet[BatchRecord] = in_scope(BatchRecord.objects.all(), request.user, BatchRecord.site_paths)
    return records.select_related(*services.WITH_PLACE)


@login_required
def record_list(request: HttpRequest) -> HttpResponseBase:
    """List records, the newest first."""
    form = FilterForm(request.GET or None)
    records = _records(request)
    if form.is_valid():
        asked = form.cleaned_data
        if search := asked.get("search"):
            records = records.filter(Q(number__icontains=search) | Q(work_order__order_number__icontains=search))
        if asked.get("status"):
            records = records.filter(status=asked["status"])
    if format_of(request):
        return export_list(request, records.order_by("-id"), BatchRecordSerializer, name=gettext("Batch records"))
    page = Paginator(records.order_by("-id"), 50).get_page(request.GET.get("page"))
    return render(request, "screens/records.html", {"page": page, "form": form})


@login_required
def record_page(request: HttpRequest, number: str) -> HttpResponse:
    """Show a record; a POST signs it, or notes or resolves a deviation."""
    record = get_object_or_404(_records(request), number=number)
    refused = ""
    if request.method == "POST":
        try:
            refused = _post(request, record)
        except DomainError as refusal:
            refused = refusal.message
        else:
            if not refused:
                return redirect("screens:record", record.number)
        record = get_object_or_404(_records(request), number=number)
    found = assemble(record, now=timezone.now())
    stands, person, site_id = standing(found), caller(request), record.site.pk
    meanings = [
        choice
        for choice in Signature.Meaning.choices
        if services.may_sign(person, record, choice[0]) and stands.holds(choice[0]) is None
    ]
    context: dict[str, Any] = {
        "record": record,
        "zone": record.site.zone,
        "found": found,
        "stands": stands,
        "signatures": [(one, local_time(one), one.pk in stands.holding) for one in stands.signatures],
        "resolved": [one for one in found.exceptions if not one.is_open],
        "sections": [
            (one.title, one.section.columns, one.section.rows[:SHOWN], max(0, len(one.section.rows) - SHOWN))
            for one in found.sections
        ],
        "differences": stands.differences[:SHOWN],
        "meanings": [] if record.status == BatchRecord.Status.REJECTED else meanings,
        "may_resolve": person.may("add", "batch_review", site_id) and person.pk not in found.workers,
        "may_note": person.may("add", "step_entry", site_id),
        "decisions": Resolution.Decision.choices,
        "severities": SEVERITIES,
        "refused": refused,
    }
    return render(request, "screens/record.html", context, status=409 if refused else 200)


def _post(request: HttpRequest, record: BatchRecord) -> str:
    """Do what the form asks for; return why not when it is not filled in well."""
    person, now, site_id = caller(request), timezone.now(), record.site.pk
    kinds: dict[str | None, type[forms.Form]] = {"sign": SignForm, "resolve": ResolveForm, "note": NoteForm}
    action = request.POST.get("action")
    if action not in kinds:
        return gettext("Choose what to do.")
    form = kinds[action](request.POST)
    if not form.is_valid():
        return gettext("Fill in: %(fields)s.") % {"fields": ", ".join(sorted(form.errors))}
    said = form.cleaned_data
    if action == "sign":
        if not services.may_sign(person, record, said["meaning"]):
            raise PermissionDenied
        identity = confirm(request=request, username=said.pop("username"), password=said.pop("password"), caller=person)
        services.sign(record=record, identity=identity, now=now, **said)
    elif action == "resolve":
        if not person.may("add", "batch_review", site_id):
            raise PermissionDenied
        services.resolve(record=record, actor=person, now=now, **said)
    else:
        if not person.may("add", "step_entry", site_id):
            raise PermissionDenied
        services.open_deviation(record=record, actor=person, now=now, **said)
    return ""


@login_required
def record_pdf(request: HttpRequest, number: str) -> HttpResponse:
    """Print a record."""
    return printed(get_object_or_404(_records(request), number=number), request)
