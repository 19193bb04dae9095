"""Pages of changeovers: what people wrote down beside what was counted, and the approval."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from core.errors import DomainError
from core.exports import export_list, format_of
from core.master_data import caller, in_scope, site_id_of
from enterprise.models import Line
from oee.changeover_api import WITH_ALL, ChangeoverRecordSerializer, shown
from oee.changeover_records import beside_counts
from screens.offering import offer
from workorders.changeovers import approve_changeover
from workorders.models import Changeover


class FilterForm(forms.Form):
    """Which changeovers to list."""

    line = forms.ModelChoiceField(Line.objects.none(), required=False, empty_label=gettext_lazy("Any line"))
    kind = forms.ChoiceField(choices=[("", gettext_lazy("Any kind")), *Changeover.Kind.choices], required=False)
    open = forms.BooleanField(required=False, label=gettext_lazy("Only what nobody approved"))


def _records(request: HttpRequest) -> QuerySet[Changeover]:
    rows: QuerySet[Changeover] = in_scope(Changeover.objects.all(), request.user, Changeover.site_paths)
    return rows.select_related(*WITH_ALL).prefetch_related("phases")


class _Shown(ChangeoverRecordSerializer):
    """A changeover as REST has it, with what was counted of it."""

    def to_representation(self, instance: Changeover) -> dict[str, Any]:
        return shown([instance])[0]


@login_required
def changeover_list(request: HttpRequest) -> HttpResponseBase:
    """List changeovers, the newest first, target against what it took."""
    if not caller(request).may("view", "changeover"):
        raise PermissionDenied
    form = FilterForm(request.GET or None)
    offer(form, line=in_scope(Line.objects.filter(is_active=True), request.user, Line.site_paths))
    records = _records(request)
    if form.is_valid():
        asked = form.cleaned_data
        records = records.filter(**{name: asked[name] for name in ("line", "kind") if asked.get(name)})
        if asked.get("open"):
            records = records.filter(approved_at__isnull=True)
    records = records.order_by("-started_at", "-id")
    if format_of(request):
        return export_list(request, records, _Shown, name=gettext("Changeovers"))
    page = Paginator(records, 25).get_page(request.GET.get("page"))
    rows = [
        (told, minutes(told.target), minutes(told.duration), minutes(told.over_target))
        for told in beside_counts(list(page), now=timezone.now())
    ]
    return render(request, "screens/changeovers.html", {"page": page, "rows": rows, "form": form})


@login_required
def changeover_page(request: HttpRequest, changeover_id: int) -> HttpResponse:
    """Show a changeover: its phases, and what was counted of it; a POST approves it."""
    record = get_object_or_404(_records(request), pk=changeover_id)
    site_id = site_id_of(record)
    if not caller(request).may("view", "changeover", site_id):
        raise PermissionDenied
    may_approve = caller(request).may("change", "changeover", site_id)
    refused = ""
    if request.method == "POST":
        if not may_approve:
            raise PermissionDenied
        try:
            approve_changeover(changeover=record, actor=caller(request), approved_at=timezone.now())
        except DomainError as refusal:
            refused = refusal.message
        else:
            return redirect("screens:changeover", record.pk)
    (told,) = beside_counts([record], now=timezone.now())
    context = {
        "told": told,
        "record": record,
        "zone": record.line.area.site.zone,
        "target": minutes(told.target),
        "took": minutes(told.duration),
        "over": minutes(told.over_target),
        "counted_took": minutes(told.counted.duration) if told.counted else None,
        "phases": [
            (row, minutes(row.ended_at - row.started_at) if row.ended_at else None) for row in record.phases.all()
        ],
        "may_approve": may_approve and record.ended_at is not None and record.approved_at is None,
        "refused": refused,
    }
    return render(request, "screens/changeover.html", context, status=409 if refused else 200)


def minutes(duration: timedelta | None) -> Any:
    """Return a duration as people read it, in minutes and seconds; None stays unknown."""
    if duration is None:
        return None
    seconds = abs(duration) // timedelta(seconds=1)
    return f"{'−' if duration < timedelta() else ''}{seconds // 60}:{seconds % 60:02d}"
