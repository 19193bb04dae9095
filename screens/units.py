"""Pages of serial units: the tracker and one unit; `screens.stations` has what is done at a station.

Each field saves on its own (static/js/stage.js), so that a lost connection loses nothing; without a script a form sends
what was changed. Every form carries a key, so that one sent twice has one effect.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from core.errors import Conflict, DomainError, Invalid
from core.exports import export_list, format_of
from core.master_data import caller
from core.uploads import picture_response
from enterprise.models import Machine
from products.models import Product
from screens.offering import offer
from screens.people_sites import chosen_site, sites_where
from screens.refusals import Refusal, refusal_of
from tracking import assembling, records, selectors, services
from tracking.derivation import Known, know
from tracking.models import STAGE_STATES, UNIT_STATUSES, SerialUnit, StagePhoto, UnitStage
from tracking.serializers import SerialUnitSerializer
from tracking.services import By, Entry
from tracking.state import DONE, StageState
from tracking.wording import what_is_due

DAYS = 7
MOST_HISTORY = 300
OVERALL = {
    "not_started": gettext_lazy("Not started"),
    "in_process": gettext_lazy("In process"),
    "qc_issues": gettext_lazy("QC issues"),
    "ready": gettext_lazy("Ready to dispatch"),
    "built_in": gettext_lazy("Built in"),
    "on_hold": gettext_lazy("On hold"),
    "scrapped": gettext_lazy("Scrapped"),
    "dispatched": gettext_lazy("Dispatched"),
}
TONES = {
    "ok": "good",
    "as_is": "fair",
    "not_ok": "poor",
    "processing": "now",
    "ready": "good",
    "built_in": "good",
    "dispatched": "good",
    "qc_issues": "poor",
    "scrapped": "poor",
    "on_hold": "fair",
    "in_process": "now",
}
STATE_WORDS = dict(STAGE_STATES)


def stage_words(state: str) -> str:
    """Say how a stage stands; the tracker's columns have "0" where none has begun."""
    if state == StageState.OPEN:
        return gettext("Not started")
    return gettext("processing") if state == StageState.PROCESSING else str(STATE_WORDS[state])


class TrackerForm(forms.Form):
    """Which units to list."""

    search = forms.CharField(max_length=100, required=False)
    product = forms.ModelChoiceField(Product.objects.none(), required=False, empty_label=gettext_lazy("Any product"))
    status = forms.ChoiceField(
        choices=[
            ("", gettext_lazy("Any status")),
            ("qc_issues", gettext_lazy("QC issues")),
            ("ready", gettext_lazy("Ready to dispatch")),
            *(choice for choice in UNIT_STATUSES),
        ],
        required=False,
    )
    stage = forms.CharField(max_length=32, required=False)
    stage_state = forms.ChoiceField(choices=[("", gettext_lazy("Any state")), *STAGE_STATES], required=False)


def _cells(unit: SerialUnit, columns: list[tuple[str, str]]) -> list[tuple[str, str, bool]]:
    """Return for each column the stage's state in words, its tone, and whether it is due."""
    by_code = {stage.code: stage for stage in unit.stages.all()}
    cells = []
    for code, _ in columns:
        stage = by_code.get(code)
        if stage is None:
            cells.append(("", "", False))
            continue
        round_ = f" ({stage.round})" if stage.round > 1 else ""
        words = gettext("processing") if stage.state == StageState.PROCESSING else STATE_WORDS[stage.state]
        cells.append((words + round_, TONES.get(stage.state, ""), stage.is_due))
    return cells


def _columns(units: list[SerialUnit]) -> list[tuple[str, str]]:
    found: dict[str, tuple[int, str]] = {}
    for unit in units:
        for stage in unit.stages.all():
            found.setdefault(stage.code, (stage.sequence, stage.name))
    return [(code, name) for code, (_, name) in sorted(found.items(), key=lambda item: (item[1][0], item[0]))]


@login_required
@require_GET
def unit_list(request: HttpRequest) -> HttpResponseBase:
    """Show units against their stages, and planned against actual per order and per day."""
    sites = sites_where(request, "view", "unit")
    site = chosen_site(sites, request.GET.get("site"))
    form = TrackerForm(request.GET or None)
    tracked = SerialUnit.objects.filter(site=site).values("product")
    offer(form, product=Product.objects.filter(pk__in=tracked))
    asked = form.cleaned_data if form.is_valid() else {}
    tracked_units = selectors.tracker(caller(request), **asked).filter(site=site)
    if format_of(request):
        return export_list(request, tracked_units, SerialUnitSerializer, name=gettext("Serial units"))
    page = Paginator(tracked_units, 50).get_page(request.GET.get("page"))
    units = list(page)
    columns = _columns(units)
    today = timezone.now().astimezone(site.zone).date()
    context = {
        "sites": sites,
        "site": site,
        "zone": site.zone,
        "form": form,
        "page": page,
        "columns": columns,
        "rows": [
            (unit, status, OVERALL[status], TONES.get(status, ""), _cells(unit, columns))
            for unit, status in ((unit, selectors.overall(unit)) for unit in units)
        ],
        "orders": [row for row in selectors.order_progress(caller(request)) if row.order.line.area.site_id == site.pk],
        "days": selectors.day_progress(site, [today - timedelta(days=back) for back in range(DAYS)]),
    }
    return render(request, "screens/units.html", context)


# --- one unit ---


def seen_unit(request: HttpRequest, unit_id: int) -> SerialUnit:
    """Return a unit that the caller may see, or raise Http404."""
    units = selectors.units_seen_by(request.user).select_related(
        "product", "order", "site", "parent", "replaces", "created_by"
    )
    return get_object_or_404(units, pk=unit_id)


def _rights(request: HttpRequest, unit: SerialUnit) -> dict[str, bool]:
    may = caller(request).may
    return {
        "may_fill": may("add", "unit", unit.site_id),
        "may_correct": may("change", "unit", unit.site_id),
        "may_check": may("add", "unit_check", unit.site_id),
    }


def said_of(error: DomainError | ValidationError | PermissionDenied) -> Refusal:
    """Return why something was refused, as a page says it."""
    if isinstance(error, PermissionDenied):
        return Refusal(str(error) or gettext("Your role at this site does not allow this."), 403)
    return refusal_of(error)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def unit_page(request: HttpRequest, unit_id: int) -> HttpResponse:
    """Show a unit with its stages, values, parts and history; a POST fills in, decides, or changes parts."""
    unit = seen_unit(request, unit_id)
    refusal = None
    if request.method == "POST":
        try:
            said = _act(request, unit)
        except (DomainError, ValidationError, PermissionDenied) as error:
            refusal = said_of(error)
        else:
            messages.success(request, said)
            return redirect("screens:unit", unit.pk)
        unit = seen_unit(request, unit_id)
    known = know(unit)
    history = records.history_of(unit)
    status = selectors.overall(unit)
    context = {
        **form_context(request, known, known.due, refusal),
        "status": status,
        "status_words": OVERALL[status],
        "status_tone": TONES.get(status, ""),
        "stages": [_stage_row(known, stage) for stage in known.stages],
        "parts": records.flat(records.as_built(unit)),
        "used_in": records.where_used(unit),
        "history": history[:MOST_HISTORY],
        "more_history": max(0, len(history) - MOST_HISTORY),
        "replaced_by": SerialUnit.objects.filter(replaces=unit).first(),
        "begun": [stage for stage in known.stages if known.state.stages[stage.pk].state != StageState.OPEN],
        "not_ok": [stage for stage in known.stages if known.state.stages[stage.pk].state == StageState.NOT_OK],
    }
    return render(request, "screens/unit.html", context, status=refusal.status if refusal else 200)


def _stage_row(known: Known, stage: UnitStage) -> dict[str, Any]:
    now = known.state.stages[stage.pk]
    return {
        "stage": stage,
        "state": stage_words(now.state),
        "tone": TONES.get(now.state, ""),
        "round": now.round,
        "is_due": known.state.due == stage.pk,
        "started_at": now.started_at,
        "done_at": now.done_at,
        "values": [
            (value, records.shown(value.field.kind, value.value) if value.value is not None else "")
            for value in selectors.values_of(known, stage)
        ],
        "correctable": now.state in DONE,
    }


def form_context(
    request: HttpRequest, known: Known, stage: UnitStage | None, refusal: Refusal | None
) -> dict[str, Any]:
    """Return what the form of a stage shows; with a refusal, what was typed."""
    unit, rights = known.unit, _rights(request, known.unit)
    typed = request.POST if refusal else {}
    is_open = known.state.status not in ("on_hold", "scrapped", "dispatched")
    rows = []
    for value in selectors.values_of(known, stage) if stage is not None and is_open else ():
        quality_only = value.field.filled_by == "quality"
        rows.append(
            {
                "value": value,
                "shown": typed.get(f"f:{value.name}", value.value or ""),
                "was": value.value or "",
                "is_mine": not quality_only or rights["may_check"],
                "options": _options(value.field),
            }
        )
    return {
        "unit": unit,
        "zone": unit.site.zone,
        "words": what_is_due(known),
        "is_open": is_open,
        "due": stage if is_open else None,
        "due_state": known.state.stages[stage.pk].state if stage is not None else "",
        "fields": rows,
        "refusal": refusal,
        "key": str(uuid4()),
        **rights,
    }


def _options(field: Any) -> list[tuple[str, str]]:
    if field.kind == "ok_nok":
        return [("ok", "OK"), ("not_ok", gettext("NOT OK")), ("na", gettext("N/A"))]
    return [(choice, choice) for choice in field.choices]


def _may(request: HttpRequest, unit: SerialUnit, action: str, kind: str = "unit") -> None:
    if not caller(request).may(action, kind, unit.site_id):
        raise PermissionDenied(gettext("Your role at this site does not allow this."))


def _act(request: HttpRequest, unit: SerialUnit) -> str:
    """Do what a form of the unit's page asks for; return what to say."""
    post = request.POST
    do = post.get("do", "")
    by = By(caller(request), timezone.now(), post.get("key", "")[:80], post.get("reason", "")[:500])
    stage = post.get("stage", "")

    decisions: dict[str, tuple[str, str, Callable[[], Any], str]] = {
        "rework": (
            "change",
            "unit",
            lambda: services.send_to_rework(unit=unit, to_stage=stage, by=by),
            gettext("Sent to rework."),
        ),
        "use_as_is": (
            "add",
            "unit_check",
            lambda: services.use_as_is(unit=unit, stage=stage, by=by),
            gettext("Used as is."),
        ),
        "hold": ("add", "unit", lambda: services.hold(unit=unit, by=by), gettext("Put on hold.")),
        "release": ("change", "unit", lambda: services.release(unit=unit, by=by), gettext("Released.")),
        "scrap": (
            "change",
            "unit",
            lambda: services.scrap(unit=unit, by=by, replacement=post.get("replacement", "")),
            gettext("Scrapped."),
        ),
        "dispatch": ("add", "unit", lambda: services.dispatch(unit=unit, by=by), gettext("Dispatched.")),
        "correct": ("add", "unit", lambda: _correct(request, unit), gettext("Corrected.")),
        "part": ("add", "unit", lambda: _change_part(request, unit, by), gettext("The part is changed.")),
    }
    if do in ("save", "complete"):
        return fill_in(request, unit, None)
    if do not in decisions:
        raise Invalid(gettext("That is not known here."))
    action, kind, act, said = decisions[do]
    _may(request, unit, action, kind)
    act()
    return said


def _correct(request: HttpRequest, unit: SerialUnit) -> None:
    field, _, position = request.POST.get("field", "").partition("@")
    entry = Entry(
        field,
        request.POST.get("value", "").strip() or None,
        request.POST.get("key", "")[:80],
        position,
        reason=request.POST.get("reason", ""),
    )
    services.enter(
        unit=unit,
        stage=request.POST.get("stage", ""),
        entries=[entry],
        actor=caller(request),
        recorded_at=timezone.now(),
    )


def _change_part(request: HttpRequest, unit: SerialUnit, by: By) -> None:
    position, serial = request.POST.get("position", "").strip(), request.POST.get("serial", "").strip()
    common: dict[str, Any] = {
        "parent": unit,
        "position": position,
        "actor": by.actor,
        "at": by.at,
        "idempotency_key": by.key,
    }
    if not serial:
        assembling.remove(reason=by.reason, **common)
        return
    found = list(selectors.units_seen_by(request.user).filter(serial=serial, site=unit.site)[:2])
    if len(found) != 1:
        words = gettext("%(serial)s is several units here.") if found else gettext("%(serial)s is no unit here.")
        raise Conflict(words % {"serial": serial[:100]}, field="serial")
    if SerialUnit.objects.filter(parent=unit, parent_position=position).exists():
        assembling.replace_part(child=found[0], reason=by.reason, **common)
    else:
        assembling.assemble(child=found[0], **common)


def fill_in(request: HttpRequest, unit: SerialUnit, station: Machine | None) -> str:
    """Save what a form changed, and complete the stage if asked; return what comes next."""
    _may(request, unit, "add")
    post, now = request.POST, timezone.now()
    stage, key = post.get("stage", ""), post.get("key", "")[:40]
    entries = []
    for name in post:
        if not name.startswith("f:") or post[name].strip() == post.get(f"w:{name[2:]}", ""):
            continue
        field, _, position = name[2:].partition("@")
        entries.append(
            Entry(field, post[name].strip() or None, _key(key, name), position, reason=post.get("reason", ""))
        )
    for name, file in request.FILES.items():
        field, _, position = name[2:].partition("@")
        kept = services.keep_photo(unit=unit, content=file.read(), actor=caller(request), at=now)  # type: ignore[union-attr]
        entries.append(Entry(field, str(kept.pk), _key(key, name), position, reason=post.get("reason", "")))
    known = know(unit)
    if entries:
        known = services.enter(
            unit=unit, stage=stage, entries=entries, actor=caller(request), recorded_at=now, station=station
        )
    by_code = {row.code: known.state.stages[row.pk].state for row in known.stages}
    if post.get("do") == "complete" and by_code.get(stage) not in DONE:
        by = By(caller(request), now, key)
        known = services.complete_stage(unit=unit, stage=stage, by=by, station=station)
    return gettext("Saved. %(what_is_due)s") % {"what_is_due": what_is_due(known)}


def _key(form_key: str, name: str) -> str:
    # A form's key and the field's name; both are short, and the same form sent twice says the same.
    return f"{form_key}-{name[2:]}"[:80]


@login_required
@require_GET
def unit_photo(request: HttpRequest, unit_id: int, photo_id: int) -> HttpResponse:
    """Show a picture of a unit."""
    return picture_response(get_object_or_404(StagePhoto, unit=seen_unit(request, unit_id), pk=photo_id))
