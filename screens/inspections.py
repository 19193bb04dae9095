"""Pages of inspections: beginning one, filling it in, and deciding about it."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from core.errors import DomainError
from core.master_data import caller, in_scope
from enterprise.models import Machine, Site
from materials.models import MaterialLot
from quality.judging import sheet_of_inspection
from quality.models import Characteristic, Gauge, Inspection, InspectionDecision, InspectionPlan, Result, SamplingRule
from quality.pictures import add_picture
from quality.results import Said, record_results
from quality.services import What, decide_inspection, finish_inspection, open_inspection
from screens.acts import Act, ActForm, KeyedForm, QuantityField, Refused, do_asked, make_new, offers
from screens.called import called
from screens.offering import offer
from screens.people_sites import sites_where
from screens.refusals import errors_in_words
from workorders.models import WorkOrder

KIND = "inspection"
MOST_CELLS = 400
"""So many boxes an inspection's form shows; larger samples are filled in over REST or by a gauge."""


def _seen(request: HttpRequest) -> Any:
    return in_scope(Inspection.objects.all(), request.user, Inspection.site_paths)


def _refuse_unless(request: HttpRequest, action: str, inspection: Inspection) -> None:
    if not caller(request).may(action, KIND, inspection.site_id):
        raise PermissionDenied


# --- beginning one ---


class BeginForm(KeyedForm):
    """By which plan, and of what. Its thing is the sites where the reader may begin one."""

    site = forms.ModelChoiceField(Site.objects.none(), label=gettext_lazy("Site"), empty_label=None)
    plan = forms.ModelChoiceField(InspectionPlan.objects.none(), label=gettext_lazy("Plan"))
    rule = forms.ModelChoiceField(SamplingRule.objects.all(), required=False, widget=forms.HiddenInput)
    lot = forms.CharField(max_length=64, required=False, label=gettext_lazy("Lot"))
    work_order = forms.CharField(max_length=64, required=False, label=gettext_lazy("Order"))
    operation_code = forms.CharField(max_length=32, required=False, label=gettext_lazy("Operation"))
    machine = forms.CharField(max_length=64, required=False, label=gettext_lazy("Machine"))
    serial = forms.CharField(max_length=64, required=False, label=gettext_lazy("Serial number"))
    lot_size = QuantityField(required=False, label=gettext_lazy("Size of the lot"))
    sample_size = forms.IntegerField(
        min_value=1, max_value=10_000, required=False, label=gettext_lazy("Units to inspect")
    )
    notes = forms.CharField(max_length=1000, required=False, label=gettext_lazy("Note"))

    def fill(self, thing: list[Site]) -> None:
        offer(self, site=Site.objects.filter(pk__in=[site.pk for site in thing]))
        released = InspectionPlan.objects.filter(status=InspectionPlan.Status.RELEASED)
        offer(self, plan=released.filter(Q(site=None) | Q(site__in=thing)).order_by("code", "-version"))


def _begin(sites: list[Site], said: dict[str, Any], actor: User, now: datetime) -> Inspection:
    site = said.pop("site")
    what = What(
        lot=called(MaterialLot, said.pop("lot"), site, field="lot"),
        work_order=called(WorkOrder, said.pop("work_order"), site, field="work_order"),
        machine=called(Machine, said.pop("machine"), site, field="machine"),
        operation_code=said.pop("operation_code"),
        serial=said.pop("serial"),
    )
    return open_inspection(what=what, actor=actor, opened_at=now, **said)[0]


BEGIN = Act(gettext_lazy("Begin"), _begin, BeginForm, needs="add")


@login_required
def inspection_new(request: HttpRequest) -> HttpResponse:
    """Begin an inspection; the address may say of what: `?plan=`, `?lot=`, `?work_order=`, `?machine=` and the rest."""
    begun, context = make_new(request, BEGIN, sites_where(request, "add", KIND), kind=KIND)
    if begun is not None:
        return redirect("screens:inspection", begun.pk)
    return render(request, "screens/inspection_new.html", context, status=409 if context["refused"] else 200)


# --- deciding about one ---


class DecideForm(ActForm):
    """What it came to, whatever its results say."""

    result = forms.ChoiceField(choices=Inspection.Outcome.choices, label=gettext_lazy("It came to"))
    disposition = forms.ChoiceField(
        choices=[("", "–"), *InspectionDecision.Step.choices],
        required=False,
        label=gettext_lazy("What becomes of it"),
    )
    reason = forms.CharField(max_length=500, label=gettext_lazy("Why"))


def _decide(inspection: Inspection, said: dict[str, Any], actor: User, now: datetime) -> None:
    decide_inspection(inspection=inspection, actor=actor, decided_at=now, **said)


ACTS = {
    "decide": Act(
        gettext_lazy("Decide about it"),
        _decide,
        DecideForm,
        is_offered=lambda inspection: inspection.status != Inspection.Status.OPEN,
    ),
}


# --- filling one in ---


class CellForm(ActForm):
    """One result, as it is typed."""

    characteristic = forms.ModelChoiceField(Characteristic.objects.none())
    sample = forms.IntegerField(min_value=1)
    value = forms.CharField(max_length=1000, required=False)
    gauge = forms.ModelChoiceField(Gauge.objects.none(), required=False)
    picture = forms.FileField(required=False)

    def fill(self, thing: Inspection) -> None:
        offer(self, characteristic=thing.plan.characteristics.all())


@login_required
def inspection_page(request: HttpRequest, inspection_id: int) -> HttpResponse:
    """Show an inspection; each result is a form of its own, so that what was recorded stays whatever happens next."""
    inspection = get_object_or_404(_seen(request).select_related("plan", "site"), pk=inspection_id)
    _refuse_unless(request, "view", inspection)
    gauges = Gauge.objects.filter(site=inspection.site_id, is_active=True).order_by("code")
    refused = ""
    typed: Any = {}
    unfit: Refused | None = None
    if "act" in request.POST:
        _made, unfit = do_asked(request, ACTS, inspection, kind=KIND, site_id=inspection.site_id)
        if unfit is None:
            return redirect("screens:inspection", inspection.pk)
        refused = unfit.message
    elif request.method == "POST":
        _refuse_unless(request, "add", inspection)
        try:
            if "finish" in request.POST:
                finish_inspection(inspection=inspection, actor=caller(request), finished_at=timezone.now())
            else:
                _record(request, inspection, gauges)
            return redirect("screens:inspection", inspection.pk)
        except DomainError as refusal:
            refused, typed = refusal.message, request.POST
    context = {
        "inspection": inspection,
        "rows": _rows(inspection),
        "gauges": gauges,
        "refused": refused,
        "typed": typed,
        "is_open": inspection.status == Inspection.Status.OPEN,
        "may_record": caller(request).may("add", "inspection", inspection.site_id),
        "decisions": inspection.decisions.select_related("decided_by")[:20],
        "offers": offers(request, ACTS, inspection, kind=KIND, site_id=inspection.site_id, refused=unfit),
    }
    return render(request, "screens/inspection.html", context, status=409 if refused else 200)


def _record(request: HttpRequest, inspection: Inspection, gauges: Any) -> None:
    form = CellForm(request.POST, request.FILES, thing=inspection)
    offer(form, gauge=gauges)
    if not form.is_valid():
        raise DomainError(errors_in_words(form))
    said, now = form.cleaned_data, timezone.now()
    of: Characteristic = said["characteristic"]
    (result, _), *_ = record_results(
        inspection=inspection,
        results=[
            Said(characteristic=of, sample=said["sample"], gauge=said["gauge"], occurred_at=now, **_content(of, said))
        ],
        actor=caller(request),
        recorded_at=now,
    )
    if said["picture"] is not None:
        add_picture(content=said["picture"].read(), actor=caller(request), recorded_at=now, result=result)


def _content(of: Characteristic, said: dict[str, Any]) -> dict[str, Any]:
    typed = said["value"].strip()
    if typed == Result.Verdict.NOT_APPLICABLE or of.kind == Characteristic.Kind.ATTRIBUTE:
        if typed not in Result.Verdict.values:
            raise DomainError(
                gettext("%(of)s: one of %(choices)s.") % {"of": of, "choices": ", ".join(Result.Verdict.values)}
            )
        return {"verdict": typed}
    if of.kind not in (Characteristic.Kind.VARIABLE, Characteristic.Kind.COUNT):
        return {"text": typed}
    try:
        # People write a comma where their language does.
        return {"value": Decimal(typed.replace(",", "."))}
    except ArithmeticError:
        raise DomainError(gettext("%(of)s: '%(typed)s' is no number.") % {"of": of, "typed": typed[:40]}) from None


def _rows(inspection: Inspection) -> list[tuple[Characteristic, list[tuple[int, Any]]]]:
    sheet = sheet_of_inspection(inspection)
    characteristics = list(inspection.plan.characteristics.select_related("unit"))
    shown = min(inspection.sample_size, max(1, MOST_CELLS // max(1, len(characteristics))))
    return [(of, [(n, sheet.get(of.pk, {}).get(n)) for n in range(1, shown + 1)]) for of in characteristics]
