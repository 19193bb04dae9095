"""What people do on the page of one thing: each act has a form of its own, and one POST does one of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import User
from core.errors import DomainError
from core.master_data import caller
from screens.refusals import refusal_of


class QuantityField(forms.DecimalField):
    """So many, with up to six decimals; people write a comma where their language does."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("min_value", Decimal("0.000001"))
        options.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal"}))
        super().__init__(max_digits=18, decimal_places=6, **options)

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.replace(",", ".") if isinstance(value, str) else value)


class ActForm(forms.Form):
    """The form of an act on a thing."""

    def __init__(self, *args: Any, thing: Any, **options: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **options})
        self.fill(thing)

    def fill(self, thing: Any) -> None:
        """Say what there is to choose from, and what is filled in already."""


class KeyedForm(ActForm):
    """A form whose key makes a second click have no second effect."""

    idempotency_key = forms.RegexField(r"^[A-Za-z0-9._:-]{1,64}\Z", widget=forms.HiddenInput)


@dataclass(frozen=True, slots=True)
class Act:
    """Something that may be done: its words, its form, what it needs, when it is offered, and the service."""

    label: Any
    do: Callable[[Any, dict[str, Any], User, datetime], Any]
    """Of what, what was filled in, by whom, and when; returns what it made."""
    form: type[ActForm] = ActForm
    needs: str = "change"
    is_offered: Callable[[Any], bool] = lambda thing: True


@dataclass(frozen=True, slots=True)
class Refused:
    """Why an act was not done, and its form as it was filled in."""

    message: str
    name: str = ""
    form: ActForm | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """An act as the page shows it."""

    name: str
    label: Any
    form: ActForm
    is_refused: bool


def do_asked(
    request: HttpRequest, acts: Mapping[str, Act], thing: Any, *, kind: str, site_id: int | None
) -> tuple[Any, Refused | None]:
    """Do the act that was asked for, now; return what it made.

    Raises PermissionDenied where the caller may not do it.
    """
    name = request.POST.get("act", "")
    act = acts.get(name)
    if act is None:
        return None, Refused(gettext("Choose what to do."))
    if not caller(request).may(act.needs, kind, site_id):
        raise PermissionDenied
    form = act.form(request.POST, request.FILES, thing=thing, auto_id=f"{name}-%s")
    if not form.is_valid():
        return None, Refused(gettext("Not everything is filled in well."), name, form)
    try:
        return act.do(thing, form.cleaned_data, caller(request), timezone.now()), None
    except (DomainError, ValidationError) as refusal:
        return None, Refused(refusal_of(refusal).message, name, form)


def offers(
    request: HttpRequest,
    acts: Mapping[str, Act],
    thing: Any,
    *,
    kind: str,
    site_id: int | None,
    refused: Refused | None = None,
) -> list[Offer]:
    """Return what the reader may do with a thing as it is."""
    person, key = caller(request), uuid4().hex
    found = []
    for name, act in acts.items():
        if not act.is_offered(thing) or not person.may(act.needs, kind, site_id):
            continue
        again = refused.form if refused is not None and refused.name == name else None
        form = again or act.form(thing=thing, auto_id=f"{name}-%s", initial={"idempotency_key": key})
        found.append(Offer(name, act.label, form, again is not None))
    return found


def make_new(request: HttpRequest, act: Act, thing: Any, *, kind: str) -> tuple[Any, dict[str, Any]]:
    """Serve a page whose one act makes something: return what a POST made, or what the page shows.

    What the address says is filled in already.
    """
    acts = {"new": act}
    made, refused = (
        do_asked(request, acts, thing, kind=kind, site_id=None) if request.method == "POST" else (None, None)
    )
    found = offers(request, acts, thing, kind=kind, site_id=None, refused=refused)
    if not found:
        raise PermissionDenied
    form = found[0].form
    form.initial = {**form.initial, **{name: text for name, text in request.GET.items() if name in form.fields}}
    return made, {"offer": found[0], "refused": refused}
