"""Pages of labels: batches that were printed, printing one, and printing a torn label again."""

import csv
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from core.errors import Invalid
from core.exports import export_list, format_of
from core.master_data import caller, in_scope
from enterprise.models import Site
from labels.models import Label, LabelBatch, LabelLayout
from labels.selectors import with_reprints
from labels.serializers import LabelBatchSerializer
from labels.services import MAX_LABELS, print_batch, reprint
from screens.acts import Act, KeyedForm, do_asked, make_new, offers
from screens.offering import offer
from screens.people_sites import sites_where

KIND = "label"
SHOWN = 200
"""Labels of a batch that its page lists; its files have all."""


class PrintForm(KeyedForm):
    """What is printed on which label: a series of codes, or codes as a table.

    Its thing is the sites where one may print.
    """

    site = forms.ModelChoiceField(Site.objects.none(), label=gettext_lazy("Site"), empty_label=None)
    layout = forms.ModelChoiceField(LabelLayout.objects.none(), label=gettext_lazy("Layout"), empty_label=None)
    begins = forms.CharField(max_length=60, required=False, label=gettext_lazy("Series: begins with"))
    first = forms.IntegerField(min_value=0, required=False, label=gettext_lazy("Series: first number"))
    digits = forms.IntegerField(min_value=1, max_value=18, initial=4, label=gettext_lazy("Series: digits"))
    count = forms.IntegerField(
        min_value=1, max_value=MAX_LABELS, required=False, label=gettext_lazy("Series: how many")
    )
    codes = forms.CharField(
        max_length=1_000_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        label=gettext_lazy("Or codes, one a line; or a table with a heading, as copied from a spreadsheet"),
    )

    def fill(self, thing: list[Site]) -> None:
        sites = [site.pk for site in thing]
        layouts = LabelLayout.objects.filter(is_active=True)
        offer(
            self,
            site=Site.objects.filter(pk__in=sites),
            layout=(layouts.filter(site=None) | layouts.filter(site__in=sites)).order_by("name", "pk"),
        )


def rows_of(said: dict[str, Any]) -> list[dict[str, str]]:
    """Return a row for each label that a form asks for. Raises Invalid where it names none."""
    if said["codes"].strip():
        return _table(said["codes"])
    if said["first"] is None or said["count"] is None:
        raise Invalid(gettext("Give codes, or the first number of a series and how many."), field="codes")
    numbers = range(said["first"], said["first"] + said["count"])
    return [{"code": f"{said['begins']}{number:0{said['digits']}d}"} for number in numbers]


def _table(text: str) -> list[dict[str, str]]:
    lines = [line for line in text.splitlines() if line.strip()]
    heading = lines[0]
    separator = next((one for one in "\t;," if one in heading), None)
    if separator is None:
        codes = lines[1:] if heading.strip() == "code" else lines
        return [{"code": code.strip()} for code in codes]
    names = [name.strip() for name in heading.split(separator)]
    if "code" not in names:
        raise Invalid(gettext("The heading names no column 'code'."), field="codes")
    rows = csv.reader(lines[1:], delimiter=separator)
    return [dict(zip(names, (cell.strip() for cell in row), strict=False)) for row in rows]


def _print(sites: list[Site], said: dict[str, Any], actor: User, now: datetime) -> LabelBatch:
    return print_batch(
        layout=said["layout"],
        site=said["site"],
        rows=rows_of(said),
        actor=actor,
        recorded_at=now,
        idempotency_key=said["idempotency_key"],
    ).batch


PRINT = Act(gettext_lazy("Print"), _print, PrintForm, needs="add")


class AgainForm(KeyedForm):
    """Which label is printed again, and why. Its thing is the batch."""

    code = forms.CharField(max_length=100, label=gettext_lazy("Code"))
    reason = forms.CharField(max_length=500, label=gettext_lazy("Why"))


def _again(batch: LabelBatch, said: dict[str, Any], actor: User, now: datetime) -> Label:
    label = batch.labels.filter(code=said.pop("code").strip()).first()
    if label is None:
        raise Invalid(gettext("This batch has no label of that code."), field="code")
    reprint(label=label, actor=actor, recorded_at=now, **said)
    return label


AGAIN = {"again": Act(gettext_lazy("Print a label again"), _again, AgainForm, needs="add")}


def _batches(request: HttpRequest) -> QuerySet[LabelBatch]:
    if not caller(request).may("view", KIND):
        raise PermissionDenied
    seen: QuerySet[LabelBatch] = in_scope(LabelBatch.objects.all(), request.user, LabelBatch.site_paths)
    return seen.select_related("layout", "site", "printed_by")


@login_required
def batch_list(request: HttpRequest) -> HttpResponseBase:
    """List batches of labels, the newest first."""
    batches = _batches(request).order_by("-id")
    if format_of(request):
        return export_list(request, batches, LabelBatchSerializer, name=gettext("Labels"))
    page = Paginator(batches, 50).get_page(request.GET.get("page"))
    context = {"page": page, "may_print": caller(request).may("add", KIND)}
    return render(request, "screens/label_batches.html", context)


@login_required
def batch_new(request: HttpRequest) -> HttpResponse:
    """Print labels."""
    made, context = make_new(request, PRINT, sites_where(request, "add", KIND), kind=KIND)
    if made is not None:
        return redirect("screens:label-batch", made.pk)
    return render(request, "screens/label_batch_new.html", context, status=409 if context["refused"] else 200)


@login_required
def batch_page(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Show a batch with its files; a POST says that a label is printed again, and answers that label."""
    batch = get_object_or_404(_batches(request), pk=batch_id)
    refused = None
    if request.method == "POST":
        label, refused = do_asked(request, AGAIN, batch, kind=KIND, site_id=batch.site_id)
        if refused is None:
            return redirect("label-png", label.pk)
    context = {
        "batch": batch,
        "labels": with_reprints(batch.labels.order_by("position"))[:SHOWN],
        "is_cut": batch.label_count > SHOWN,
        "offers": offers(request, AGAIN, batch, kind=KIND, site_id=batch.site_id, refused=refused),
        "refused": refused,
    }
    return render(request, "screens/label_batch.html", context, status=409 if refused else 200)
