"""The page of an operation's execution steps: what is asked for, what was entered, and the forms to enter it."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, cast

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.signing import Confirmed, confirm
from batchrecords.models import StepEntry, StepKind, StepTemplate
from batchrecords.steps import Answer, answered, enter_step
from core.master_data import caller, in_scope, site_id_of
from screens.acts import Act, ActForm, Offer, QuantityField, Refused, do_asked, offers
from workorders.models import Operation

KIND = "step_entry"


class ReadForm(ActForm):
    """What is read and confirmed; every other kind adds its answer. Its thing is the step."""

    comment = forms.CharField(max_length=1000, required=False, label=gettext_lazy("Comment"))


class NumberForm(ReadForm):
    """A number."""

    number = QuantityField(min_value=None, label=gettext_lazy("Number"))
    field_order = ("number", "comment")


class ChoiceForm(ReadForm):
    """One of several."""

    said = forms.ChoiceField(label=gettext_lazy("Choice"))
    field_order = ("said", "comment")

    def fill(self, thing: StepTemplate) -> None:
        cast(forms.ChoiceField, self.fields["said"]).choices = [(one, one) for one in thing.choices]


class TextForm(ReadForm):
    """Something written down."""

    said = forms.CharField(max_length=2000, label=gettext_lazy("Text"))
    field_order = ("said", "comment")


class TimeForm(ReadForm):
    """A time, in the site's zone."""

    time = forms.DateTimeField(
        label=gettext_lazy("Time"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    field_order = ("time", "comment")


class PhotoForm(ReadForm):
    """A photo."""

    photo = forms.FileField(
        label=gettext_lazy("Photo"),
        widget=forms.FileInput(attrs={"accept": "image/*", "capture": "environment"}),
    )
    field_order = ("photo", "comment")


class PersonForm(ReadForm):
    """A second person, with both components."""

    username = forms.CharField(max_length=150, label=gettext_lazy("User name of the second person"))
    password = forms.CharField(
        max_length=500,
        strip=False,
        label=gettext_lazy("Password of the second person"),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("username", "password", "comment")


_FORMS: dict[str, type[ReadForm]] = {
    StepKind.READ: ReadForm,
    StepKind.NUMBER: NumberForm,
    StepKind.CHOICE: ChoiceForm,
    StepKind.TEXT: TextForm,
    StepKind.TIME: TimeForm,
    StepKind.PHOTO: PhotoForm,
    StepKind.PERSON: PersonForm,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A step, what was entered last, and its form, None where the reader may not enter it."""

    template: StepTemplate
    last: StepEntry | None
    answer: str
    offer: Offer | None


def _enter(
    template: StepTemplate, said: dict[str, Any], actor: User, now: datetime, *, request: HttpRequest, of: Operation
) -> StepEntry:
    second: Confirmed | None = None
    if template.kind == StepKind.PERSON:
        second = confirm(request=request, username=said["username"], password=said["password"])
    photo = said["photo"].read() if "photo" in said else None
    return enter_step(
        operation=of,
        template=template,
        answer=Answer(said.get("number"), said.get("said", ""), said.get("time"), photo, second),
        actor=actor,
        occurred_at=now,
        comment=said["comment"],
        now=now,
    )


@login_required
def steps_page(request: HttpRequest, operation_id: int) -> HttpResponse:
    """Show the steps of an operation; a POST enters one. A mistake is entered again, and both stay."""
    rows = in_scope(Operation.objects.all(), request.user, Operation.site_paths)
    operation = get_object_or_404(rows.select_related("work_order__line__area__site"), pk=operation_id)
    site = operation.work_order.line.area.site
    if not caller(request).may("view", KIND, site_id_of(operation)):
        raise PermissionDenied
    templates = list(StepTemplate.objects.filter(operation=operation.template_id or 0).order_by("position", "id"))
    with timezone.override(site.zone):
        refused: Refused | None = None
        offered: dict[int, Offer | None] = {}
        for template in templates:
            name = f"step-{template.pk}"
            do = partial(_enter, request=request, of=operation)
            acts = {name: Act(gettext_lazy("Record"), do, _FORMS[template.kind], needs="add")}
            told: dict[str, Any] = {"kind": KIND, "site_id": site.pk}
            mine = None
            if request.POST.get("act") == name:
                _made, mine = do_asked(request, acts, template, **told)
                if mine is None:
                    return redirect(reverse("screens:steps", args=[operation.pk]) + f"#{name}")
                refused = mine
            offered[template.pk] = next(iter(offers(request, acts, template, **told, refused=mine)), None)
        last = {
            entry.template_id: entry
            for entry in StepEntry.objects.filter(operation=operation).defer("photo").order_by("id")
        }
        steps = []
        for template in templates:
            entry = last.get(template.pk)
            steps.append(Asked(template, entry, answered(entry) if entry else "", offered[template.pk]))
        context = {"operation": operation, "steps": steps, "refused": refused, "zone": site.zone}
        return render(request, "screens/steps.html", context, status=409 if refused else 200)
