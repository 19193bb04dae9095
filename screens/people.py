"""Pages of people: the shift board, the approval of hours, and efficiency."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext

from core.errors import Conflict, DomainError, Invalid, NotFound
from core.exports import Table, export_list, export_table, format_of
from core.intervals import Interval
from core.master_data import caller
from core.reader import number, said
from enterprise.models import Line, Shift, Site
from labor import corrections
from labor.approval import to_approve
from labor.board import ABSENT, LEFT, MISSING, THERE, Board, shift_board
from labor.crew_plan import day_of
from labor.efficiency import BY, SMALLEST_GROUP, Efficiency, Group, efficiency
from labor.models import Attendance, Crew, LaborEntry
from labor.serializers import LaborEntrySerializer
from screens.closed_shifts import percent
from screens.people_sites import MINUTES, chosen_day, chosen_site, duration, moment_in, sites_where
from screens.refusals import refusal_of
from screens.table_files import rounded_number, with_unit

LONGEST_DAYS = 100


@login_required
def people(request: HttpRequest) -> HttpResponseBase:
    """Show a day's shift board: who should be there, who is, and what is wrong. As a file, too."""
    sites = sites_where(request, "view", "labor")
    site = chosen_site(sites, request.GET.get("site"))
    day = chosen_day(request.GET, "date", site)
    lines = list(Line.objects.filter(area__site=site, is_active=True).order_by("name", "pk"))
    shifts = list(
        Shift.objects.filter(crew_assignments__crew__site=site).distinct().order_by("start_time", "name", "pk")
    )
    line = next((line for line in lines if line.code == request.GET.get("line")), None)
    shift = next((shift for shift in shifts if str(shift.pk) == request.GET.get("shift")), None)
    board = shift_board(site, day, now=timezone.now(), line=line, shift=shift)
    if format_of(request):
        return export_table(request, _board_table(board))
    context = {
        "sites": sites,
        "site": site,
        "zone": site.zone,
        "day": day,
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
        "lines": lines,
        "line": line,
        "shifts": shifts,
        "shift": shift,
        "board": board,
        "boards": [
            (
                one,
                [
                    (gettext("there"), one.count(THERE)),
                    (gettext("missing"), one.count(MISSING)),
                    (gettext("absent"), one.count(ABSENT)),
                    (gettext("left"), one.count(LEFT)),
                ],
            )
            for one in board.shifts
        ],
        "tells_kind": caller(request).may("view", "employee", site.pk),
        "may_approve": caller(request).may("change", "labor", site.pk),
    }
    return render(request, "screens/people.html", context)


def _board_table(board: Board) -> Table:
    header = (
        *(gettext("Shift"), gettext("From"), gettext("To"), gettext("Crew"), gettext("Person"), gettext("Code")),
        *(gettext("State"), gettext("Came"), gettext("Left"), gettext("Certificates missing")),
    )
    zone = board.site.zone
    planned = [
        (one.planned.occurrence.name, one.planned.occurrence.start, one.planned.occurrence.end,
         one.planned.assignment.crew.name, person)
        for one in board.shifts
        for person in one.people
    ]  # fmt: skip
    rows = [
        (
            shift,
            *(at and at.astimezone(zone) for at in (start, end)),
            crew,
            *(person.employee.name, person.employee.code, said(person.state)),
            *(at and at.astimezone(zone) for at in (person.came_at, person.left_at)),
            ", ".join(skill.name for skill in person.skills_missing),
        )
        for shift, start, end, crew, person in [*planned, *(("", None, None, "", one) for one in board.unplanned)]
    ]
    return Table(gettext("People"), header, rows, len(rows), f"{board.site.name} {board.date}")


class CorrectForm(forms.Form):
    """What an entry or an attendance should say, and why."""

    seen = forms.IntegerField(min_value=0, max_value=2**62)
    reason = forms.CharField(max_length=100)
    started_at = forms.CharField(max_length=16)
    ended_at = forms.CharField(max_length=16, required=False)
    good = forms.DecimalField(max_digits=18, decimal_places=6, min_value=0, required=False)
    scrap = forms.DecimalField(max_digits=18, decimal_places=6, min_value=0, required=False)


@login_required
def approval(request: HttpRequest) -> HttpResponseBase:
    """Show a day's hours to approve, with what is odd; a POST approves those chosen, or corrects one."""
    sites = sites_where(request, "change", "labor")
    asked = request.POST if request.method == "POST" else request.GET
    site = chosen_site(sites, asked.get("site"))
    day = chosen_day(asked, "date", site)
    crews = list(Crew.objects.filter(site=site, is_active=True).order_by("name", "pk"))
    crew = next((crew for crew in crews if crew.code == asked.get("crew")), None)
    refusal = None
    if request.method == "POST":
        try:
            messages.success(request, _approve_or_correct(request, site))
        except (DomainError, ValidationError) as error:
            refusal = refusal_of(error)
        else:
            query = f"?site={site.code}&date={day}" + (f"&crew={crew.code}" if crew else "")
            return redirect(f"{request.path}{query}")
    found = to_approve(site, day, now=timezone.now(), crew=crew)
    if format_of(request):
        entries = [pending.entry for pending in found.pending]
        return export_list(request, entries, LaborEntrySerializer, name=gettext("Approve hours"))
    page = Paginator(found.pending, 50).get_page(request.GET.get("page"))
    seen = corrections.versions_of([pending.entry for pending in page])
    attendances_seen = corrections.versions_of(found.not_ended)
    context = {
        "sites": sites,
        "site": site,
        "zone": site.zone,
        "day": day,
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
        "crews": crews,
        "crew": crew,
        "page": page,
        "rows": [
            {
                "pending": pending,
                "entry": pending.entry,
                "seen": seen[pending.entry.pk],
                "good": number(pending.entry.quantity_produced),
                "scrap": number(pending.entry.quantity_rejected),
                "started": _local(pending.entry.started_at, site),
                "ended": _local(pending.entry.ended_at, site),
                "is_own": pending.entry.employee.user_id == caller(request).pk,
            }
            for pending in page
        ],
        "not_ended": [
            (attendance, attendances_seen[attendance.pk], _local(attendance.started_at, site))
            for attendance in found.not_ended
        ],
        "is_cut": found.is_cut,
        "refusal": refusal,
    }
    return render(request, "screens/labor_approval.html", context, status=refusal.status if refusal else 200)


def _local(at: datetime | None, site: Site) -> str:
    return at.astimezone(site.zone).strftime(MINUTES) if at else ""


def _approve_or_correct(request: HttpRequest, site: Site) -> str:
    action = request.POST.get("do")
    if action == "approve":
        ids = {int(pk) for pk in request.POST.getlist("entry") if pk.isascii() and pk.isdigit() and len(pk) < 19}
        entries = list(LaborEntry.objects.filter(pk__in=ids, employee__site=site).select_related("employee"))
        if not entries:
            raise Invalid(gettext("Choose what to approve."))
        count = corrections.approve(entries=entries, actor=caller(request), at=timezone.now())
        return gettext("Approved: %(count)s.") % {"count": count}
    if action in ("correct", "clock_out"):
        _correct(request, site, LaborEntry if action == "correct" else Attendance)
        return gettext("Corrected.")
    raise Invalid(gettext("Choose what to do."))


def _correct(request: HttpRequest, site: Site, model: type[LaborEntry] | type[Attendance]) -> None:
    form, pk = CorrectForm(request.POST), request.POST.get("thing", "")
    if not form.is_valid():
        raise Invalid(gettext("Say from when to when, how many, and why, in up to 100 characters."))
    said = form.cleaned_data
    usable = pk.isascii() and pk.isdigit() and len(pk) < 19
    mine = model._default_manager.filter(employee__site=site).select_related("employee")
    thing = mine.filter(pk=int(pk)).first() if usable else None
    if thing is None:
        raise NotFound(gettext("That does not exist."))
    changes: dict[str, Any] = {}
    for name in ("started_at", "ended_at"):
        stored = getattr(thing, name)
        # A time that was not touched keeps its seconds.
        if said[name] and said[name] != _local(stored, site):
            changes[name] = moment_in(site, said[name])
            if changes[name] is None:
                raise Invalid(
                    gettext("There is no such time at %(site)s: %(name)s.") % {"site": site, "name": said[name]}
                )
            if changes[name] > timezone.now():
                raise Invalid(gettext("That is in the future."))
    actor = caller(request)
    if isinstance(thing, LaborEntry):
        for name, field in (("good", "quantity_produced"), ("scrap", "quantity_rejected")):
            if said[name] is not None:
                changes[field] = said[name]
        corrections.correct_entry(entry=thing, actor=actor, reason=said["reason"], seen=said["seen"], **changes)
    else:
        if not changes:
            raise Conflict(gettext("Nothing was changed."))
        corrections.correct_attendance(
            attendance=thing, actor=actor, reason=said["reason"], seen=said["seen"], **changes
        )


@login_required
def labor_efficiency(request: HttpRequest) -> HttpResponseBase:
    """Show worker and labour efficiency by crew, line, order, shift or person. As a file, too."""
    sites = sites_where(request, "view", "labor")
    site = chosen_site(sites, request.GET.get("site"))
    last = chosen_day(request.GET, "last", site)
    first = min(chosen_day(request.GET, "first", site), last)
    first = max(first, last - timedelta(days=LONGEST_DAYS - 1))
    by = request.GET.get("by", "crew")
    by = by if by in BY else "crew"
    window = Interval(day_of(first, site.zone).start, day_of(last, site.zone).end)
    found = efficiency(site, window, by=by, viewer_id=caller(request).pk, now=timezone.now())
    if format_of(request):
        table = _efficiency_table(found, by, site)
        return export_table(request, replace(table, about=f"{site.name} {first} {last}"))
    context = {
        "sites": sites,
        "site": site,
        "first": first,
        "last": last,
        "by": by,
        "choices": [(by, said(by)) for by in BY],
        "all": None if found.all is None else _row(found.all),
        "rows": [_row(group) for group in found.groups],
        "hidden": found.hidden,
        "smallest": SMALLEST_GROUP,
    }
    return render(request, "screens/labor_efficiency.html", context)


def _efficiency_table(found: Efficiency, by: str, site: Site) -> Table:
    """Return what the page shows: groups that are hidden there are not in it either."""
    header = (
        *(
            capfirst(said(by)),
            gettext("People"),
            with_unit(gettext("Attendance"), "s"),
            with_unit(gettext("Breaks"), "s"),
        ),
        *(
            with_unit(gettext("On orders"), "s"),
            with_unit(gettext("Worker efficiency"), "%"),
            with_unit(gettext("Labour efficiency"), "%"),
        ),
    )
    named = [(str(one.thing) if one.thing else gettext("none"), one) for one in found.groups]
    if found.all is not None:
        named.append((gettext("All of %(site)s") % {"site": site.name}, found.all))
    rows = []
    for name, group in named:
        hours = group.hours
        there = [rounded_number(one if group.has_attendance else None, 6) for one in (hours.attendance, hours.breaks)]
        worker = hours.worker_efficiency if group.has_attendance else None
        shares = [None if one is None else rounded_number(one * 100, 6) for one in (worker, hours.labor_efficiency)]
        rows.append((name, len(group.people), *there, rounded_number(hours.on_orders, 6), *shares))
    return Table(gettext("Efficiency of labour"), header, rows, len(rows))


def _row(group: Group) -> dict[str, Any]:
    hours = group.hours
    return {
        "name": str(group.thing) if group.thing else gettext("none"),
        "people": len(group.people),
        "attendance": duration(hours.attendance) if group.has_attendance else "",
        "breaks": duration(hours.breaks) if group.has_attendance else "",
        "on_orders": duration(hours.on_orders),
        "worker": _percent(hours.worker_efficiency) if group.has_attendance else "",
        "labor": _percent(hours.labor_efficiency),
    }


def _percent(ratio: Fraction | None) -> str:
    return percent(None if ratio is None else Decimal(ratio.numerator) / Decimal(ratio.denominator))
