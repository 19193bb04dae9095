"""Pages of non-conformances: which there are, raising one, and what people decide and do about it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

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

from accounts.models import User
from core.exact import plain_number
from core.exports import export_list, format_of
from core.master_data import caller, in_scope
from core.uploads import picture_response
from enterprise.models import Machine, Site
from materials.models import Location, MaterialLot
from quality import corrective_actions, dispositions, nonconformances
from quality.models import (
    Cause,
    CorrectiveAction,
    DefectCode,
    Disposition,
    Inspection,
    InspectionDecision,
    NonConformance,
    Picture,
    Severity,
)
from quality.nonconformances import About
from quality.pictures import add_picture
from quality.serializers import NonConformanceSerializer
from screens.acts import Act, ActForm, KeyedForm, QuantityField, do_asked, make_new, offers
from screens.called import called
from screens.offering import offer
from screens.people_sites import sites_where
from workorders.models import WorkOrder

KIND = "nonconformance"
_Status = NonConformance.Status


def _seen(request: HttpRequest) -> QuerySet[NonConformance]:
    seen: QuerySet[NonConformance] = in_scope(NonConformance.objects.all(), request.user, NonConformance.site_paths)
    return seen


def _lines(rows: int = 3) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


def _day() -> forms.DateInput:
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


# --- raising one ---


class RaiseForm(KeyedForm):
    """What does not conform, and where it was found. Its thing is the sites where the reader may raise one."""

    site = forms.ModelChoiceField(Site.objects.none(), label=gettext_lazy("Site"), empty_label=None)
    title = forms.CharField(max_length=200, label=gettext_lazy("What does not conform"))
    description = forms.CharField(max_length=4000, required=False, widget=_lines(), label=gettext_lazy("What was seen"))
    severity = forms.ChoiceField(choices=Severity.choices, initial=Severity.MAJOR, label=gettext_lazy("Severity"))
    lot = forms.CharField(max_length=64, required=False, label=gettext_lazy("Lot"))
    work_order = forms.CharField(max_length=64, required=False, label=gettext_lazy("Order"))
    operation_code = forms.CharField(max_length=32, required=False, label=gettext_lazy("Operation"))
    machine = forms.CharField(max_length=64, required=False, label=gettext_lazy("Machine"))
    inspection = forms.ModelChoiceField(Inspection.objects.none(), required=False, widget=forms.HiddenInput)
    quantity = QuantityField(required=False, label=gettext_lazy("Quantity"))
    containment = forms.CharField(max_length=500, required=False, label=gettext_lazy("What was done at once"))
    is_contained = forms.BooleanField(required=False, initial=True, label=gettext_lazy("Contained: its lot is held"))

    def fill(self, thing: list[Site]) -> None:
        offer(self, site=Site.objects.filter(pk__in=[site.pk for site in thing]))
        offer(self, inspection=Inspection.objects.filter(site__in=thing))


def _raise(sites: list[Site], said: dict[str, Any], actor: User, now: datetime) -> NonConformance:
    site = said["site"]
    about = About(
        inspection=said.pop("inspection"),
        operation_code=said.pop("operation_code"),
        lot=called(MaterialLot, said.pop("lot"), site, field="lot"),
        work_order=called(WorkOrder, said.pop("work_order"), site, field="work_order"),
        machine=called(Machine, said.pop("machine"), site, field="machine"),
    )
    return nonconformances.raise_nonconformance(said=about, actor=actor, raised_at=now, **said)[0]


RAISE = Act(gettext_lazy("Raise it"), _raise, RaiseForm, needs="add")


# --- what is done about one ---


class FoundForm(ActForm):
    """What was found out, and how far it is."""

    status = forms.ChoiceField(label=gettext_lazy("Status"))
    cause = forms.ChoiceField(choices=[("", "–"), *Cause.choices], required=False, label=gettext_lazy("Cause"))
    root_cause = forms.CharField(max_length=4000, required=False, widget=_lines(), label=gettext_lazy("Root cause"))
    quantity = QuantityField(required=False, label=gettext_lazy("How much does not conform"))
    is_contained = forms.BooleanField(required=False, label=gettext_lazy("Contained"))
    containment = forms.CharField(max_length=500, required=False, label=gettext_lazy("What was done at once"))

    def fill(self, thing: NonConformance) -> None:
        next_ones = {thing.status, *nonconformances.NEXT[thing.status]}
        cast(forms.ChoiceField, self.fields["status"]).choices = [one for one in _Status.choices if one[0] in next_ones]
        told = {name: getattr(thing, name) for name in self.fields}
        if thing.quantity is not None:
            told["quantity"] = plain_number(thing.quantity)
        self.initial = {**told, **self.initial}


class DefectForm(KeyedForm):
    """A defect that was found, with a picture."""

    code = forms.ModelChoiceField(
        DefectCode.objects.filter(is_active=True).order_by("code"), label=gettext_lazy("Defect")
    )
    quantity = forms.IntegerField(min_value=1, initial=1, label=gettext_lazy("How many"))
    note = forms.CharField(max_length=1000, required=False, label=gettext_lazy("Note"))
    picture = forms.FileField(
        required=False, label=gettext_lazy("Picture"), widget=forms.FileInput(attrs={"accept": "image/*"})
    )


class PictureForm(ActForm):
    """A picture of it."""

    picture = forms.FileField(label=gettext_lazy("Picture"), widget=forms.FileInput(attrs={"accept": "image/*"}))


class DisposeForm(KeyedForm):
    """What becomes of a quantity."""

    kind = forms.ChoiceField(choices=InspectionDecision.Step.choices, label=gettext_lazy("What becomes of it"))
    quantity = QuantityField(label=gettext_lazy("Quantity"))
    from_location = forms.ModelChoiceField(
        Location.objects.none(), required=False, label=gettext_lazy("Where it lies"), empty_label="–"
    )
    counted_as = forms.ChoiceField(
        choices=[*Disposition.Counted.choices, ("", gettext_lazy("Not yet, or as what it becomes"))],
        initial=Disposition.Counted.GOOD,
        required=False,
        label=gettext_lazy("How its order counted it so far"),
    )
    reason = forms.CharField(max_length=500, label=gettext_lazy("Why"))

    def fill(self, thing: NonConformance) -> None:
        if dispositions.order_of(thing) is None:
            del self.fields["counted_as"]
        offer(self, from_location=Location.objects.filter(site=thing.site_id, is_active=True).order_by("name", "pk"))
        if thing.quantity is not None:
            rest = thing.quantity - dispositions.disposed_of(thing)
            self.initial = {"quantity": plain_number(rest), **self.initial}


class ActionForm(ActForm):
    """What is done so that it does not happen again."""

    kind = forms.ChoiceField(choices=CorrectiveAction.Kind.choices, label=gettext_lazy("Kind"))
    description = forms.CharField(max_length=4000, widget=_lines(), label=gettext_lazy("What is done"))
    owner = forms.ModelChoiceField(User.objects.none(), to_field_name="username", label=gettext_lazy("Owner"))
    due_date = forms.DateField(widget=_day(), label=gettext_lazy("Due"))
    check_date = forms.DateField(widget=_day(), label=gettext_lazy("Its effect is looked at from"))

    def fill(self, thing: NonConformance) -> None:
        offer(self, owner=User.objects.filter(is_active=True).order_by("username"))


class DoneForm(ActForm):
    """That an action was done."""

    action = forms.ModelChoiceField(CorrectiveAction.objects.none(), label=gettext_lazy("Action"), empty_label=None)
    note = forms.CharField(max_length=1000, required=False, label=gettext_lazy("Note"))

    def fill(self, thing: NonConformance) -> None:
        offer(self, action=thing.actions.filter(done_at__isnull=True))


class CheckForm(ActForm):
    """Whether an action had its effect."""

    action = forms.ModelChoiceField(CorrectiveAction.objects.none(), label=gettext_lazy("Action"), empty_label=None)
    verdict = forms.ChoiceField(choices=CorrectiveAction.Verdict.choices, label=gettext_lazy("Its effect"))
    note = forms.CharField(max_length=1000, required=False, label=gettext_lazy("What was seen"))

    def fill(self, thing: NonConformance) -> None:
        offer(self, action=thing.actions.filter(done_at__isnull=False, verdict=""))


def _found(ncr: NonConformance, said: dict[str, Any], actor: User, now: datetime) -> None:
    nonconformances.change_nonconformance(nonconformance=ncr, actor=actor, at=now, **said)


def _defect(ncr: NonConformance, said: dict[str, Any], actor: User, now: datetime) -> None:
    picture = said.pop("picture")
    about = About(
        work_order=ncr.work_order,
        operation_code=ncr.operation_code,
        machine=ncr.machine,
        product=ncr.product,
        lot=ncr.lot,
    )
    defect, _ = nonconformances.record_defect(
        site=ncr.site, said=about, nonconformance=ncr, actor=actor, detected_at=now, recorded_at=now, **said
    )
    if picture is not None:
        add_picture(content=picture.read(), actor=actor, recorded_at=now, defect=defect)


def _picture(ncr: NonConformance, said: dict[str, Any], actor: User, now: datetime) -> None:
    add_picture(content=said["picture"].read(), actor=actor, recorded_at=now, nonconformance=ncr)


def _dispose(ncr: NonConformance, said: dict[str, Any], actor: User, now: datetime) -> None:
    dispositions.dispose(nonconformance=ncr, actor=actor, decided_at=now, recorded_at=now, **said)


def _approve(ncr: NonConformance, said: dict[str, Any], actor: User, now: datetime) -> None:
    nonconformances.approve_nonconformance(nonconformance=ncr, actor=actor, approved_at=now)


def _add_action(ncr: NonConformance, said: dict[str, Any], actor: User, now: datetime) -> None:
    corrective_actions.add_action(nonconformance=ncr, **said)


def _finish_action(ncr: NonConformance, said: dict[str, Any], actor: User, now: datetime) -> None:
    corrective_actions.finish_action(actor=actor, done_at=now, **said)


def _check_action(ncr: NonConformance, said: dict[str, Any], actor: User, now: datetime) -> None:
    corrective_actions.check_action(actor=actor, checked_at=now, **said)


def _close(ncr: NonConformance, said: dict[str, Any], actor: User, now: datetime) -> None:
    nonconformances.close_nonconformance(nonconformance=ncr, actor=actor, closed_at=now)


def _is_open(ncr: NonConformance) -> bool:
    return ncr.status != _Status.CLOSED


def _while_open(also: Callable[[NonConformance], bool]) -> Callable[[NonConformance], bool]:
    return lambda ncr: _is_open(ncr) and also(ncr)


ACTS = {
    "found": Act(gettext_lazy("Note what was found out"), _found, FoundForm, is_offered=_is_open),
    "defect": Act(gettext_lazy("Record a defect"), _defect, DefectForm, needs="add", is_offered=_is_open),
    "picture": Act(gettext_lazy("Add a picture"), _picture, PictureForm, needs="add", is_offered=_is_open),
    "dispose": Act(gettext_lazy("Decide about a quantity"), _dispose, DisposeForm, is_offered=_is_open),
    "action": Act(gettext_lazy("Add an action"), _add_action, ActionForm, is_offered=_is_open),
    "done": Act(
        gettext_lazy("Say that an action was done"),
        _finish_action,
        DoneForm,
        needs="add",
        is_offered=_while_open(lambda ncr: ncr.actions.filter(done_at__isnull=True).exists()),
    ),
    "check": Act(
        gettext_lazy("Check an action's effect"),
        _check_action,
        CheckForm,
        is_offered=_while_open(lambda ncr: ncr.actions.filter(done_at__isnull=False, verdict="").exists()),
    ),
    "approve": Act(
        gettext_lazy("Approve what was decided"),
        _approve,
        is_offered=_while_open(lambda ncr: ncr.approved_by_id is None and ncr.dispositions.exists()),
    ),
    "close": Act(gettext_lazy("Close"), _close, is_offered=_is_open),
}


# --- the pages ---


@login_required
def ncr_list(request: HttpRequest) -> HttpResponseBase:
    """List non-conformances, the newest first; a POST raises one."""
    rows = _seen(request).select_related("lot", "work_order", "product")
    status = request.GET.get("status", "")
    if status in _Status.values:
        rows = rows.filter(status=status)
    if format_of(request):
        return export_list(request, rows.order_by("-id"), NonConformanceSerializer, name=gettext("Non-conformances"))
    page = Paginator(rows.order_by("-id"), 50).get_page(request.GET.get("page"))
    return render(request, "screens/ncrs.html", {"page": page, "choices": _Status.choices, "status": status})


@login_required
def ncr_new(request: HttpRequest) -> HttpResponse:
    """Raise one; the address may say of what: `?lot=`, `?work_order=`, `?machine=`, `?inspection=`."""
    raised, context = make_new(request, RAISE, sites_where(request, "add", KIND), kind=KIND)
    if raised is not None:
        return redirect("screens:ncr", raised.pk)
    return render(request, "screens/ncr_new.html", context, status=409 if context["refused"] else 200)


@login_required
def ncr_page(request: HttpRequest, ncr_id: int) -> HttpResponse:
    """Show a non-conformance with its decisions, actions and defects; a POST does one of what is allowed."""
    rows = _seen(request).select_related("site", "lot", "work_order", "product", "machine", "inspection__plan")
    ncr = get_object_or_404(rows, pk=ncr_id)
    if not caller(request).may("view", KIND, ncr.site_id):
        raise PermissionDenied
    refused = None
    if request.method == "POST":
        _made, refused = do_asked(request, ACTS, ncr, kind=KIND, site_id=ncr.site_id)
        if refused is None:
            return redirect("screens:ncr", ncr.pk)
    context = {
        "ncr": ncr,
        "today": timezone.localtime(timezone=ncr.site.zone).date(),
        "dispositions": ncr.dispositions.select_related("decided_by", "rework_order")[:100],
        "actions": ncr.actions.select_related("owner", "checked_by")[:100],
        "defects": ncr.defects.select_related("code").prefetch_related("pictures")[:100],
        "pictures": ncr.pictures.defer("content")[:100],
        "offers": offers(request, ACTS, ncr, kind=KIND, site_id=ncr.site_id, refused=refused),
        "refused": refused,
    }
    return render(request, "screens/ncr.html", context, status=409 if refused else 200)


@login_required
def picture(request: HttpRequest, picture_id: int) -> HttpResponse:
    """Show a picture of a result, a defect or a non-conformance."""
    found = get_object_or_404(in_scope(Picture.objects.all(), request.user, Picture.site_paths), pk=picture_id)
    return picture_response(found)
