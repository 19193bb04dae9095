"""The hour-by-hour board of a line: target and what came out, the main loss, and a comment where it fell short."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from core.errors import DomainError
from core.exports import Table, export_table, format_of
from core.fact_api import fact_id, parse_fact_id
from core.intervals import floor_hour
from core.master_data import caller, site_id_of
from core.retention import Closed
from enterprise.models import Line
from oee.handover import comment_on_hour, comments_on, hours_to_comment
from oee.models import ClosingRule, HourComment
from oee.reason_times import ReasonTime, reason_times
from oee.scopes import representatives
from oee.selectors import HourRow, Report, shift_boards, target_quantity
from oee.stops import shown_category
from screens.asked_shift import AskedShift, line_named, shift_asked
from screens.reason_picker import reasons_by_id, words_of
from screens.table_files import refused_file, rounded_number, seconds, with_unit


class CommentForm(forms.Form):
    """What was in the way in an hour."""

    hour = forms.RegexField(r"^\d{1,18}-\d{1,18}\Z")
    text = forms.CharField(max_length=500, required=False)


@dataclass(frozen=True, slots=True)
class Loss:
    """What took the most of an hour's planned time."""

    name: str
    category: str
    duration: timedelta


@dataclass(frozen=True, slots=True)
class Row:
    """An hour on the board; `key` names it in forms."""

    start: datetime
    end: datetime
    key: str
    target: Fraction | None
    good: Fraction
    reject: Fraction
    oee: Fraction | None
    loss: Loss | None
    comments: Sequence[HourComment]
    is_current: bool
    wants_comment: bool

    @property
    def delta(self) -> Fraction | None:
        """Pieces ahead (positive) or behind."""
        return None if self.target is None else self.good - self.target

    @property
    def fill(self) -> int:
        """How much of the target is made, in percent up to 100."""
        return 0 if not self.target else min(100, int(self.good * 100 / self.target))


@dataclass(frozen=True, slots=True)
class Board:
    """A shift's hours with their sums."""

    rows: tuple[Row, ...]
    whole: Report

    @property
    def target(self) -> Fraction | None:
        """Of the shift so far."""
        return target_quantity(self.whole)

    @property
    def delta(self) -> Fraction | None:
        """Pieces ahead (positive) or behind."""
        return None if self.target is None else self.whole.sums.quantities.good - self.target


def board_of(asked: AskedShift, *, now: datetime) -> Board:
    """Return the hours of a shift of a line with their main losses and comments."""
    counted = representatives(list(asked.machines))
    whole, hours = shift_boards({asked.line.pk: counted}, asked.window, now=now)[asked.line.pk]
    try:
        times = reason_times(counted, asked.window, now=now, by_hour=True)
    except Closed:
        times = []
    return laid_out(asked.line, whole, hours, times, reasons_by_id(), now=now)


def laid_out(
    line: Line,
    whole: Report,
    hours: Sequence[HourRow],
    times: Iterable[ReasonTime],
    reasons: Mapping[int, Any],
    *,
    now: datetime,
) -> Board:
    """Return the board of a shift whose hours, and time in reasons by hour, are known."""
    comments = comments_on(line, (hour.window.start for hour in hours))
    missing = {hour.window.start for hour in hours_to_comment(hours, comments, now=now)}
    losses = main_losses(times, reasons)
    rows = (_row(line, hour, losses, comments, hour.window.start in missing, now=now) for hour in hours)
    return Board(tuple(rows), whole)


def _row(
    line: Line,
    hour: HourRow,
    losses: Mapping[datetime, Loss],
    comments: Mapping[datetime, Sequence[HourComment]],
    wants: bool,
    *,
    now: datetime,
) -> Row:
    quantities = hour.report.sums.quantities
    return Row(
        start=hour.window.start,
        end=hour.window.end,
        key=fact_id(line.pk, hour.window.start),
        target=hour.target,
        good=quantities.good,
        reject=quantities.scrap,
        oee=hour.report.kpis.oee_index,
        loss=losses.get(floor_hour(hour.window.start)),
        comments=comments.get(hour.window.start, ()),
        is_current=hour.window.covers(now),
        wants_comment=wants,
    )


def main_losses(times: Iterable[ReasonTime], reasons: Mapping[int, Any]) -> dict[datetime, Loss]:
    """Return what took the most planned time of each clock hour, all machines that stand for the line together."""
    hours: dict[datetime, dict[tuple[int | None, str], int]] = defaultdict(lambda: defaultdict(int))
    for row in times:
        hours[row.hour][row.reason_id, shown_category(row.category)] += row.microseconds
    losses = {}
    for hour, of_hour in hours.items():
        (reason_id, category), most = max(of_hour.items(), key=lambda item: (item[1], -(item[0][0] or 0)))
        losses[hour] = Loss(words_of(reason_id, category, reasons), category, timedelta(microseconds=most))
    return losses


@login_required
def hours(request: HttpRequest, code: str) -> HttpResponseBase:
    """Show the hours of a line's shift, or answer them as a file; a POST comments on one."""
    now = timezone.now()
    line = line_named(request, code)
    if not caller(request).may("view", "oee_record", site_id_of(line)):
        raise PermissionDenied
    asked = shift_asked(line, request.GET, now=now)
    if asked is None:
        return render(request, "screens/hours.html", {"line": line})
    may_comment = caller(request).may("add", "fact", site_id_of(line))
    refused, typed = "", {}
    if request.method == "POST":
        if not may_comment:
            raise PermissionDenied
        refused = say(request, line, now=now)
        if not refused:
            messages.success(request, gettext("Saved."))
            return redirect(f"{reverse('screens:hours', args=[line.code])}?{asked.query}")
        typed = {"hour": request.POST.get("hour", ""), "text": request.POST.get("text", "")[:500]}
    found = board_context(asked, now=now)
    if format_of(request):
        return export_table(request, _table(asked, found["board"])) if "board" in found else refused_file(found["gone"])
    rule = ClosingRule.objects.filter(site=line.area.site_id).first()
    context = {
        "line": line,
        "zone": line.area.site.zone,
        "asked": asked,
        "may_comment": may_comment,
        "is_forced": bool(rule and rule.needs_hour_comments),
        "refused": refused,
        "typed": typed,
        **found,
    }
    return render(request, "screens/hours.html", context, status=400 if refused else 200)


def _table(asked: AskedShift, board: Board) -> Table:
    zone = asked.line.area.site.zone
    header = (
        *(gettext("From"), gettext("To"), gettext("Target"), gettext("Good"), gettext("Difference"), gettext("Reject")),
        *(
            with_unit(gettext("OEE"), "%"),
            gettext("Main loss"),
            with_unit(gettext("Main loss"), "s"),
            gettext("Comment"),
        ),
    )
    rows = [
        (
            row.start.astimezone(zone),
            row.end.astimezone(zone),
            *(rounded_number(one, 3) for one in (row.target, row.good, row.delta, row.reject)),
            rounded_number(None if row.oee is None else row.oee * 100, 6),
            row.loss and row.loss.name,
            row.loss and seconds(row.loss.duration),
            row.comments[0].text if row.comments else "",
        )
        for row in board.rows
    ]
    about = f"{asked.line.name} {asked.status.date} {asked.status.name}"
    return Table(gettext("Hour by hour"), header, rows, len(rows), about)


def board_context(asked: AskedShift, *, now: datetime) -> dict[str, Any]:
    """Return the board, or why there is none any more."""
    try:
        return {"board": board_of(asked, now=now)}
    except Closed as refusal:
        return {"gone": refusal.message}


def say(request: HttpRequest, line: Line, *, now: datetime) -> str:
    """Comment on the hour that a form names; return why not, in words."""
    form = CommentForm(request.POST)
    if not form.is_valid():
        return gettext("Write at most 500 characters.")
    owner, at = parse_fact_id(form.cleaned_data["hour"])
    if owner != line.pk or not 1990 <= at.year <= 9000:
        return gettext("That is no hour of this line.")
    try:
        comment_on_hour(
            line=line, starts_at=at, text=form.cleaned_data["text"], author=caller(request), recorded_at=now
        )
    except DomainError as refusal:
        return refusal.message
    return ""
