"""The admin's first page: what a new plant still needs, what was changed lately, what waits for a person."""

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import admin
from django.db import models
from django.db.models import Value
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from accounts.models import DeviceKey, Membership, User
from core.master_data import in_scope, sees_every_site
from counts.models import CountTag, CountType
from downtime.models import StateReason
from enterprise.models import Area, Enterprise, Line, Machine, Shift, Site
from ingest.models import QuarantinedItem
from products.models import IdealRate, Product

RECENT = 8


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a plant needs before its OEE means something."""

    title: str
    why: str
    model: type[models.Model]
    done: bool
    url: str


# In the order in which each needs the one before.
STEPS: tuple[tuple[str, str, type[models.Model], dict[str, Any]], ...] = (
    ("Enterprise", "The organisation that owns the sites.", Enterprise, {}),
    ("Site", "One plant, with its time zone and language.", Site, {}),
    ("Area", "A hall or department of the site.", Area, {}),
    ("Line", "It comes with a machine of its own.", Line, {}),
    ("Machine", "What reports states and counts.", Machine, {}),
    ("Shift", "When the site is meant to work; without it no time is planned.", Shift, {}),
    ("Product", "What is made.", Product, {}),
    ("Ideal rate", "How fast a machine makes it at best; performance needs it.", IdealRate, {}),
    ("Count type", "At least one for good pieces.", CountType, {"role": CountType.Role.GOOD}),
    ("Count tag", "The counter of a machine, as its device calls it.", CountTag, {}),
    ("Reason for running", "The state that counts as production.", StateReason, {"category": "running"}),
    ("Reason for stops", "Why a machine stands.", StateReason, {"category": "unplanned"}),
    ("Person with a role", "Who may see and do what at which site.", Membership, {}),
    ("Device key", "With it the first machine reports.", DeviceKey, {"revoked": False}),
)


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the context of the first page with the steps, the last changes and the quarantine."""
    steps = [_step(request, *step) for step in STEPS]
    open_items = _visible(request, QuarantinedItem).filter(resolution=QuarantinedItem.Resolution.OPEN)
    may_see_quarantine = admin.site._registry[QuarantinedItem].has_view_permission(request)
    return {
        **context,
        "title": "Overview",
        "steps": steps,
        "steps_done": sum(step.done for step in steps),
        "next_step": next((step for step in steps if not step.done), None),
        "changes": last_changes(request),
        "quarantine": list(open_items.select_related("site")[:RECENT]) if may_see_quarantine else [],
    }


def _visible(request: HttpRequest, model: type[models.Model]) -> models.QuerySet[Any]:
    return admin.site._registry[model].get_queryset(request)


def _step(request: HttpRequest, title: str, why: str, model: type[models.Model], wanted: dict[str, Any]) -> Step:
    page = User if model is Membership else model
    if model is Membership:
        things = in_scope(Membership.objects.all(), request.user, Membership.site_paths)
    else:
        things = _visible(request, model)
    done = things.filter(**wanted).exists()
    may_add = admin.site._registry[page].has_add_permission(request)
    name = f"admin:{page._meta.app_label}_{page._meta.model_name}"
    return Step(title, why, model, done, reverse(f"{name}_changelist" if done or not may_add else f"{name}_add"))


@dataclass(frozen=True, slots=True)
class Changed:
    """One entry of some thing's history."""

    entry: Any
    kind: str
    url: str


def last_changes(request: HttpRequest) -> list[Changed]:
    """Return the newest entries of all histories that the person may look into."""
    histories = {
        model._meta.label: model
        for model, model_admin in admin.site._registry.items()
        if hasattr(model, "history") and model_admin.has_view_permission(request)
    }
    newest = [_newest(request, label, model) for label, model in histories.items()]
    if not newest:
        return []
    found = newest[0].union(*newest[1:], all=True).order_by("-history_date")[:RECENT]
    ids: dict[str, list[int]] = {}
    for label, history_id, _ in found:
        ids.setdefault(label, []).append(history_id)
    entries = [
        Changed(entry, str(histories[label]._meta.verbose_name), _history_url(histories[label], entry))
        for label, chosen in ids.items()
        for entry in cast(Any, histories[label]).history.filter(pk__in=chosen).select_related("history_user")
    ]
    return sorted(entries, key=lambda change: (change.entry.history_date, change.entry.pk), reverse=True)


def _newest(request: HttpRequest, label: str, model: Any) -> models.QuerySet[Any, Any]:
    history = model.history.all()
    if not sees_every_site(request.user):
        history = history.filter(**{f"{model._meta.pk.attname}__in": _visible(request, model).values("pk")})
    chosen: models.QuerySet[Any, Any] = history.order_by("-history_date").values_list(
        Value(label), "history_id", "history_date"
    )[:RECENT]
    return chosen


def _history_url(model: type[models.Model], entry: Any) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_history"
    try:
        return reverse(name, args=[getattr(entry, cast(Any, model._meta.pk).attname)])
    except NoReverseMatch:
        return ""
