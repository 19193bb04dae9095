"""Pages of advice: what to do first and why, what was decided, and how often that came true."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from advice import services
from advice.models import Recommendation
from advice.selectors import MOST_OPEN, open_now, precisions, seen_by, silences_for, to_judge
from advice.serializers import RecommendationSerializer
from advice.services import Decided
from advice.wording import headline, links, reasons, silence
from core.exports import export_list, format_of
from core.master_data import caller
from screens.acts import Act, KeyedForm, QuantityField, Refused, do_asked, offers
from screens.people_sites import sites_where

KIND = "advice"
PAGE = 30
_Status = Recommendation.Status


class _Told:
    """A recommendation with its words."""

    def __init__(self, of: Recommendation) -> None:
        self.of, self.headline, self.reasons, self.links = of, headline(of), reasons(of), links(of)


@login_required
def advice_list(request: HttpRequest) -> HttpResponseBase:
    """Show what waits for a decision, what gains most first; what was accepted; where nothing can be said;
    and what came true.
    """
    sites_where(request, "view", KIND)
    now = timezone.now()
    seen = seen_by(request.user)
    if format_of(request):
        rows = seen.select_related("line", "machine", "model").order_by("-id")
        return export_list(request, rows, RecommendationSerializer, name=gettext("Advice"))
    waiting = open_now(seen, now=now)
    over = seen.exclude(pk__in=waiting.values("pk")).order_by("-id")
    page = Paginator(over, PAGE).get_page(request.GET.get("page"))
    context = {
        "open": [_Told(one) for one in waiting[:MOST_OPEN]],
        "accepted": [_Told(one) for one in to_judge(seen)[:MOST_OPEN]],
        "precisions": precisions(seen),
        "silences": [(one, silence(one)) for one in silences_for(request.user)[:MOST_OPEN]],
        "page": page,
        "history": [_Told(one) for one in page],
    }
    return render(request, "screens/advice.html", context)


# --- one of them ---


class NoteForm(KeyedForm):
    """What somebody says with it."""

    note = forms.CharField(max_length=480, required=False, label=_("Note"))


class AcceptForm(NoteForm):
    """Accepting may ask for maintenance."""

    make_order = forms.BooleanField(required=False, label=_("Ask for maintenance of the machine"))

    def fill(self, thing: Recommendation) -> None:
        if thing.machine is None:
            del self.fields["make_order"]


class WhyForm(KeyedForm):
    """A rejection needs a reason."""

    note = forms.CharField(max_length=480, label=_("Why"))


class OutcomeForm(NoteForm):
    """What came of it."""

    came_true = forms.TypedChoiceField(
        choices=[("yes", _("It was right")), ("no", _("It was wrong"))],
        coerce=lambda said: said == "yes",
        label=_("What came of it"),
    )
    gained_hours = QuantityField(min_value=Decimal(-100_000), required=False, label=_("Gained (h)"))


def _decided(said: dict[str, Any], actor: User, now: datetime) -> Decided:
    return Decided(at=now, actor=actor, note=said.pop("note"), idempotency_key=said.pop("idempotency_key"))


def _accept(one: Recommendation, said: dict[str, Any], actor: User, now: datetime) -> Any:
    wants = bool(said.pop("make_order", False))
    if wants and not actor.may("add", "maintenance", one.site_id):
        raise PermissionDenied
    return services.accept(recommendation=one, decided=_decided(said, actor, now), make_order=wants)


def _reject(one: Recommendation, said: dict[str, Any], actor: User, now: datetime) -> Any:
    return services.reject(recommendation=one, decided=_decided(said, actor, now))


def _outcome(one: Recommendation, said: dict[str, Any], actor: User, now: datetime) -> Any:
    return services.tell_outcome(recommendation=one, decided=_decided(said, actor, now), **said)


def _waits(one: Recommendation) -> bool:
    return one.status == _Status.OPEN and one.valid_until > timezone.now()


ACTS: dict[str, Act] = {
    "accept": Act(_("Accept"), _accept, AcceptForm, is_offered=_waits),
    "reject": Act(_("Reject"), _reject, WhyForm, is_offered=_waits),
    "outcome": Act(_("Say what came of it"), _outcome, OutcomeForm, is_offered=lambda one: not _waits(one)),
}


@login_required
def recommendation_page(request: HttpRequest, recommendation_id: int) -> HttpResponse:
    """Show a recommendation with what backs it and what was said about it; a POST decides."""
    one = get_object_or_404(seen_by(request.user).select_related("line__area__site"), pk=recommendation_id)
    if not caller(request).may("view", KIND, one.site_id):
        raise PermissionDenied
    refused: Refused | None = None
    if request.method == "POST":
        _made, refused = do_asked(request, ACTS, one, kind=KIND, site_id=one.site_id)
        if refused is None:
            return redirect("screens:recommendation", one.pk)
    context = {
        "one": _Told(one),
        "zone": one.site.zone,
        "refused": refused,
        "offers": offers(request, ACTS, one, kind=KIND, site_id=one.site_id, refused=refused),
        "steps": one.steps.select_related("recorded_by").order_by("id"),
    }
    return render(request, "screens/recommendation.html", context, status=400 if refused else 200)
