"""The hand-over of a line's shift: its balance, what is open, notes, the review, and the signature that closes it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from core.errors import Conflict, DomainError
from core.master_data import caller, site_id_of
from core.retention import Closed
from enterprise.models import Line
from labor.board import MISSING, THERE, shift_board
from materials.models import LotStatus, MaterialLot
from oee import handover as services
from oee.closing import close_shift, closing_of
from oee.handover import Balance, balance_among, notes_of, review_of
from oee.models import ClosingRule
from oee.stops import shown_category
from quality.models import NonConformance
from screens.asked_shift import AskedShift, line_named, shift_asked
from screens.board_calls import open_calls
from screens.hours import laid_out, say
from screens.reason_picker import reasons_by_id, words_of
from screens.timeline import stop_address
from workorders.models import Run, WorkOrder

MOST_LISTED = 20


class NoteForm(forms.Form):
    """What the next shift should know."""

    text = forms.CharField(max_length=1000)


class CloseForm(forms.Form):
    """The last word before the signature."""

    comment = forms.CharField(max_length=500, required=False)


class ReviewForm(forms.Form):
    """That the balance was looked at, and which."""

    seen = forms.RegexField(r"^[0-9a-f]{64}\Z")
    reviewed = forms.BooleanField()


@login_required
def handover(request: HttpRequest, code: str) -> HttpResponse:
    """Show the hand-over of a shift; a POST notes something, comments an hour,
    reviews the balance or closes the shift.
    """
    now = timezone.now()
    line = line_named(request, code)
    if not caller(request).may("view", "closing", site_id_of(line)):
        raise PermissionDenied
    asked = shift_asked(line, request.GET, now=now)
    if asked is None:
        return render(request, "screens/handover.html", {"line": line})
    refused, status = "", 200
    if request.method == "POST":
        refused, status = _act(request, line, asked, now=now)
        if not refused:
            return redirect(f"{reverse('screens:handover', args=[line.code])}?{asked.query}")
    context = {
        "line": line,
        "zone": line.area.site.zone,
        "asked": asked,
        "refused": refused,
        "typed": {name: request.POST.get(name, "")[:1000] for name in ("action", "text", "comment", "hour")},
        **_context(request, line, asked, now=now),
    }
    return render(request, "screens/handover.html", context, status=status)


def _context(request: HttpRequest, line: Line, asked: AskedShift, *, now: datetime) -> dict[str, Any]:
    may = {name: caller(request).may(*right, site_id_of(line)) for name, right in _RIGHTS.items()}
    if asked.status.shift_id is None:
        return {"may": may}
    shift = asked.occurrence
    closing = closing_of(line, asked.status.shift_id, asked.status.date)
    try:
        balance = balance_among(asked.machines, asked.window, now=now)
    except Closed as refusal:
        return {"gone": refusal.message, "may": may, "closing": closing}
    rule = ClosingRule.objects.filter(site=line.area.site_id).first()
    reasons = reasons_by_id()
    board = laid_out(line, balance.report, balance.hours, balance.times, reasons, now=now)
    wanting = sum(row.wants_comment for row in board.rows)
    is_forced = bool(rule and rule.needs_hour_comments)
    review = review_of(line, shift, balance) if shift else None
    return {
        "board": board,
        "may": may,
        "may_comment": may["note"],
        "balance": balance,
        "losses": _losses(balance, reasons),
        "stops": _stops(balance, asked),
        "review": review,
        "closing": closing,
        "is_forced": is_forced,
        "wanting": wanting,
        "is_ready": review is not None and not (is_forced and wanting),
        "notes": notes_of(line, shift) if shift else [],
        "notes_before": notes_of(line, asked.before) if asked.before else [],
        "calls": open_calls(line_ids=[line.pk], now=now),
        "calls_address": reverse("screens:andon-calls"),
        "orders": _orders(line, asked, now=now),
        **_holds(line, asked, now=now),
        **_people(request, line, asked, now=now),
    }


_RIGHTS = {"note": ("add", "fact"), "review": ("add", "closing"), "close": ("add", "closing")}


def _losses(balance: Balance, reasons: Mapping[int, Any]) -> list[dict[str, Any]]:
    losses = balance.losses
    longest = losses[0].duration if losses else None
    return [
        {
            "name": words_of(loss.reason_id, shown_category(loss.category), reasons),
            "category": shown_category(loss.category),
            "duration": loss.duration,
            "occurrences": loss.occurrences,
            "share": int(loss.duration / longest * 100) if longest else 0,
        }
        for loss in losses
    ]


def _stops(balance: Balance, asked: AskedShift) -> list[dict[str, Any]] | None:
    if balance.stops is None:
        return None
    machines = {machine.pk: machine for machine in asked.machines}
    return [
        {"machine": machines[stop.machine_id], "stop": stop, "url": stop_address(machines[stop.machine_id], stop.start)}
        for stop in balance.stops
    ]


def _orders(line: Line, asked: AskedShift, *, now: datetime) -> list[Any]:
    """Return the orders that were made in the shift or are to go on, those that run first."""
    in_shift = Run.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=asked.window.start),
        line=line,
        started_at__lt=min(asked.window.end, now),
    )
    orders = WorkOrder.objects.filter(
        Q(pk__in=in_shift.values("work_order")) | Q(line=line, status__in=("in_progress", "on_hold"))
    )
    return list(orders.select_related("product").order_by("-status", "due_at", "id")[:MOST_LISTED])


def _holds(line: Line, asked: AskedShift, *, now: datetime) -> dict[str, Any]:
    """Return what quality holds: open non-conformances of the line, and its orders' lots that wait or are blocked."""
    nonconformances = NonConformance.objects.exclude(status=NonConformance.Status.CLOSED).filter(
        Q(machine__line=line) | Q(work_order__line=line)
    )
    lots = MaterialLot.objects.filter(work_order__line=line, status__in=(LotStatus.HOLD, LotStatus.QUARANTINE))
    found = list(nonconformances.order_by("-id")[:MOST_LISTED])
    held = list(lots.select_related("product").order_by("-id")[:MOST_LISTED])
    return {"nonconformances": found, "lots": held, "held": len(found) + len(held)}


def _people(request: HttpRequest, line: Line, asked: AskedShift, *, now: datetime) -> dict[str, Any]:
    """Return who was planned and who was there, for those who may see people."""
    if not caller(request).may("view", "employee", site_id_of(line)):
        return {"people": None}
    board = shift_board(line.area.site, asked.status.date, now=now, line=line)
    crews = [one for one in board.shifts if one.planned.occurrence.shift_id == asked.status.shift_id] or [
        one
        for one in board.shifts
        if one.planned.occurrence.start < asked.window.end and asked.window.start < one.planned.occurrence.end
    ]
    return {
        "people": {
            "there": sum(one.count(THERE, "left") for one in crews),
            "planned": sum(len(one.people) for one in crews),
            "missing": [person.employee for one in crews for person in one.people if person.state == MISSING],
        }
    }


def _act(request: HttpRequest, line: Line, asked: AskedShift, *, now: datetime) -> tuple[str, int]:
    """Do what a form asks for; return why not, in words, with a status."""
    action = request.POST.get("action", "")
    needed = {"comment": "note"}.get(action, action)
    if needed not in _RIGHTS:
        return gettext("That is nothing to do here."), 400
    if not caller(request).may(*_RIGHTS[needed], site_id_of(line)):
        raise PermissionDenied
    if action == "comment":
        refused = say(request, line, now=now)
        return refused, 400 if refused else 200
    if asked.status.shift_id is None:
        return gettext("There is no shift to hand over."), 409
    shift: dict[str, Any] = {"shift_id": asked.status.shift_id, "shift_date": asked.status.date}
    try:
        if action == "note":
            note = NoteForm(request.POST)
            if not note.is_valid():
                return gettext("Write what the next shift should know, in at most 1000 characters."), 400
            services.leave_note(
                line=line, **shift, text=note.cleaned_data["text"], author=caller(request), recorded_at=now
            )
        elif action == "review":
            review = ReviewForm(request.POST)
            if not review.is_valid():
                return gettext("Tick that you looked at the balance."), 400
            services.review_shift(
                line=line, **shift, actor=caller(request), recorded_at=now, seen=review.cleaned_data["seen"]
            )
        else:
            close = CloseForm(request.POST)
            if not close.is_valid():
                return gettext("Write at most 500 characters."), 400
            close_shift(place=line, **shift, actor=caller(request), now=now, is_handover=True, **close.cleaned_data)
    except DomainError as refusal:
        return refusal.message, 409 if isinstance(refusal, Conflict) else 400
    messages.success(request, gettext("Saved.") if action != "close" else gettext("The shift is handed over."))
    return "", 200
