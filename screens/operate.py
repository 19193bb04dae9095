"""The operator's terminal: one machine, one job, one screen.

What it shows; what it does is in `screens.operate_entries`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast
from uuid import uuid4

from csp.decorators import csp_update
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from andon.selectors import call_types, open_calls
from andon.services import AFTER
from batchrecords.steps import missing_steps
from core.exact import decimal_text, plain_number
from core.intervals import Interval, floor_hour
from core.master_data import caller, in_scope, site_id_of
from core.names import sorted_for_reader
from downtime.models import StateHistory, StateReason
from downtime.selectors import reasons_to_choose
from enterprise.models import Line, Machine
from execution.dispatching import Dispatched, dispatch
from execution.models import ProductionReport
from execution.selectors import pieces_per_unit, policies_of, progress_of, scrap_reasons
from live.selectors import current_shifts, machine_status
from live.status import LineStatus
from materials.models import Stock
from materials.selectors import used_by_orders
from oee.histories import load_histories, tags_of
from oee.stops import Stop, stops_of
from products.models import OperationDocument
from quality.charting import charts_at_machine, unanswered
from quality.models import ControlChart, Signal
from quality.selectors import due
from screens.operate_entries import take
from screens.operate_shown import AskedStop, Job, Winning
from screens.operate_words import PAD, words
from screens.refusals import Refusal
from screens.shared_terminal import Terminal
from workorders.models import Operation, OrderMaterial, WorkOrder

COOKIE = "operate"
_YEAR = 365 * 24 * 3600
JOBS_SHOWN = 12
STOPS_ASKED = 3
MOST_ALARMS = 100
LOOK_BACK = timedelta(hours=16)
"""How far back stops are asked about: this shift and the one before. Older ones are the supervisor's."""
FAVOURITES_SINCE = timedelta(days=30)
FAVOURITES, MOST_REASONS = 6, 25
DOCUMENTS_SHOWN, CHECKS_SHOWN, LOTS_SHOWN = 30, 20, 40
_COUNTED = Operation.CountingSource
SCANNING = {"script-src": ["'wasm-unsafe-eval'"]}
"""The reader of codes is WebAssembly; nothing else may be compiled."""


def _may_compile(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a page's policy allow what the reader of codes needs."""
    return cast(Callable[..., HttpResponse], csp_update(SCANNING)(cast(Any, view)))


def machines_of(request: HttpRequest) -> Any:
    """Return the machines that the person may see, with line, area and site."""
    machines = in_scope(Machine.objects.filter(is_active=True), request.user, Machine.site_paths)
    return machines.select_related("line__area__site")


def machine_of(request: HttpRequest, code: str) -> Machine:
    """Return a machine by its code; 404 for another site's, 403 without the right to see its work."""
    machine: Machine = get_object_or_404(machines_of(request), code=code)
    if not caller(request).may("view", "execution", site_id_of(machine)):
        raise PermissionDenied
    return machine


@login_required
@never_cache
@require_safe
def choose(request: HttpRequest) -> HttpResponse:
    """Choose the machine that this tablet stands at; it is remembered. `?again` asks anew."""
    machines = list(machines_of(request).order_by("line__area__name", "line__name", "position", "id")[:500])
    chosen = request.GET.get("machine")
    line = request.GET.get("line")
    if line and not chosen:
        # A line stands for its constraint, as everywhere.
        of_line = [machine for machine in machines if machine.line.code == line]
        chosen = next((m.code for m in of_line if m.is_constraint), of_line[0].code if of_line else None)
    remembered = None if "again" in request.GET else request.COOKIES.get(COOKIE)
    code = chosen or remembered
    if code and any(machine.code == code for machine in machines):
        response = redirect("screens:operate", code)
        response.set_cookie(
            COOKIE, code, max_age=_YEAR, httponly=True, samesite="Lax", secure=request.is_secure(), path="/operate/"
        )
        return response
    lines: dict[Line, list[Machine]] = {}
    for machine in machines:
        lines.setdefault(machine.line, []).append(machine)
    return render(request, "screens/operate_choose.html", {"lines": list(lines.items())})


@_may_compile
@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def operate(request: HttpRequest, code: str) -> HttpResponse:
    """Show one machine's job; a POST is an entry of a form, for browsers in which no script runs."""
    machine, now = machine_of(request, code), timezone.now()
    at = Terminal.of(request, machine.line.area.site, now)
    refusal = None
    if request.method == "POST":
        refusal = take(at, machine)
        if refusal is None:
            return redirect(f"{reverse('screens:operate', args=[machine.code])}{_job_asked(request)}")
    response = render(
        request,
        "screens/operate.html",
        {**_context(at, machine), "refusal": refusal, "typed": request.POST if refusal else {}},
        status=refusal.status if refusal else 200,
    )
    response["Permissions-Policy"] = "camera=(self)"
    # By it the service worker knows whose page it keeps for when there is no network.
    response["X-Shell-User"] = str(caller(request).pk)
    if isinstance(refusal, Refusal) and refusal.retry_after:
        response["Retry-After"] = str(refusal.retry_after)
    return response


def _job_asked(request: HttpRequest) -> str:
    asked = request.GET.get("operation", "")
    return f"?operation={asked}" if asked.isdecimal() and len(asked) < 19 else ""


def _context(at: Terminal, machine: Machine) -> dict[str, Any]:
    request, now = at.request, at.now
    employee = at.person()
    user, site = caller(request), machine.line.area.site
    kinds = ("execution", "fact", "andon", "labor", "material", "maintenance")
    may = {kind: user.may("add", kind, site.pk) for kind in kinds}
    works, _all = dispatch(machine, now=now, employee=employee, limit=JOBS_SHOWN)
    job = _by_runs(_chosen(works, machine, request.GET.get("operation", "")), now)
    alarms = _alarms(machine, user, now)
    shift, window = current_shifts([machine], now=now)[machine.pk], Interval(now - LOOK_BACK, now)
    back = floor_hour(min(shift.start, window.start))
    histories = load_histories([machine], Interval(back, now), now=now)
    status = machine_status(machine, shift, now=now, histories=histories)
    stops = stops_of([machine], window, now=now, histories=histories)
    asking = [stop for stop in reversed(stops) if stop.asks_for_a_reason]
    reasons = reasons_to_choose(machine, user, since=now - FAVOURITES_SINCE)
    standing = stops[-1] if stops and stops[-1].end is None else None
    return {
        "machine": machine,
        "site": site,
        "zone": site.zone,
        "now": now,
        "may": may,
        "employee": employee,
        "forget_after": at.policy.terminal_timeout if employee else None,
        "forgets": at.policy.terminal_forgets,
        "job": job,
        "others": [work for work in works if job is None or work.operation.pk != job.operation.pk],
        "status": status,
        "state": status.machines[0],
        "winning": _winning(machine, status, now),
        "asked": [_asked(stop) for stop in asking if stop.end is not None][:STOPS_ASKED],
        "asked_more": max(len([stop for stop in asking if stop.end is not None]) - STOPS_ASKED, 0),
        "standing": _asked(standing) if standing is not None and standing.is_unexplained else None,
        "is_standing": standing is not None,
        "favourites": reasons[:FAVOURITES],
        "reasons": reasons[:MOST_REASONS],
        "more_reasons": reasons[MOST_REASONS:],
        "runs_again": _runs_again(machine, standing),
        "scrap_reasons": sorted_for_reader(scrap_reasons()),
        "hand_counter": any(policy.hand_counters for policy in policies_of([site.pk]).values()),
        "call_types": call_types(),
        "calls": [(one, AFTER[one.call.status], uuid4().hex) for one in open_calls(now=now, machine_ids=[machine.pk])],
        "alarm": alarms[0] if alarms else None,
        "more_alarms": len(alarms) - 1,
        "words": words(),
        "pad": PAD,
        "keys": {name: uuid4().hex for name in ("step", "report", "stop", "call", "load", "run")},
    }


def _alarms(machine: Machine, user: User, now: datetime) -> list[Signal]:
    """Return the rules that the machine's control charts broke lately and that nobody explained, the newest first."""
    if not user.may("view", "quality_setup", machine.line.area.site_id):
        return []
    charts = ControlChart.objects.filter(machine=machine, is_active=True)
    signals = unanswered(charts).filter(point_at__gte=now - LOOK_BACK, point_at__lte=now)
    return list(signals.select_related("chart")[:MOST_ALARMS])


def _chosen(works: Sequence[Dispatched], machine: Machine, asked: str) -> Job | None:
    """Return the job that was asked for; else what runs at the machine, what was begun and paused, what comes next."""

    def here(work: Dispatched) -> bool:
        return any(run.machine_id == machine.pk for run in work.runs)

    wanted = next((work for work in works if str(work.operation.pk) == asked), None)
    ranks = (here, lambda work: work.is_paused and work.is_ready, lambda work: work.is_ready and not work.is_running)
    found = wanted or next((work for rank in ranks for work in works if rank(work)), works[0] if works else None)
    return None if found is None else _job(found, here(found))


def _job(work: Dispatched, is_here: bool) -> Job:
    operation, progress = work.operation, work.progress
    order, source = operation.work_order, operation.counting_source
    status = (
        "held"
        if operation.status == Operation.Status.ON_HOLD
        else "running"
        if is_here
        else "paused"
        if work.is_paused
        else "waiting"
    )
    good = progress.made.good
    return Job(
        work=work,
        status=status,
        target=_short(progress.target),
        good=_short(good),
        scrap=_short(progress.made.scrap),
        unit=str(order.unit_id or (order.product.unit_id if order.product else "")),
        percent=_percent(good, progress.target),
        reports=source != _COUNTED.MACHINE,
        reports_good=source == _COUNTED.OPERATOR,
    )


def _by_runs(job: Job | None, now: datetime) -> Job | None:
    """Return the job with what the line made of its order, while it makes it and nobody works on its operations."""
    order = None if job is None or job.status != "waiting" else job.operation.work_order
    if job is None or order is None or order.status != WorkOrder.Status.IN_PROGRESS:
        return job
    progress = progress_of([order], now=now)[order.pk]
    if progress.source != "runs":
        return job
    return replace(
        job,
        target=_short(progress.target),
        good=_short(progress.made.good),
        scrap=_short(progress.made.scrap),
        percent=_percent(progress.made.good, progress.target),
        is_of_line=True,
    )


def _percent(good: Fraction | None, target: Fraction) -> int | None:
    return None if good is None or not target else max(0, min(100, int(good * 100 / target)))


def _short(value: Fraction | None) -> str:
    text = decimal_text(value)
    return "–" if text is None else text.rstrip("0").rstrip(".")


def _winning(machine: Machine, status: LineStatus, now: datetime) -> Winning:
    """Return the shift's pieces: counted ones, or, at a machine without counters, what people reported there."""
    if any(tag.is_active for tag in tags_of([machine.pk])[machine.pk]):
        return Winning(status.good, status.target)
    window = {"occurred_at__gte": status.shift.start, "occurred_at__lt": min(status.shift.end, now)}
    rows = (
        ProductionReport.objects.filter(machine=machine, **window)
        .order_by()
        .values("operation__work_order", "factor_numerator", "factor_denominator")
        .annotate(pieces=Sum("good"))
    )
    found, orders = Fraction(0), []
    for row in rows:
        factor = Fraction(int(row["factor_numerator"]), int(row["factor_denominator"]))
        orders.append((row["operation__work_order"], Fraction(row["pieces"]) * factor))
    if orders:
        by_id = WorkOrder.objects.select_related("product__unit", "unit").in_bulk([order_id for order_id, _n in orders])
        found = sum((pieces * pieces_per_unit(by_id[order_id]) for order_id, pieces in orders), Fraction(0))
    return Winning(found, status.target)


def _asked(stop: Stop) -> AskedStop:
    return AskedStop(stop, stop.start.isoformat(), stop.end.isoformat() if stop.end else "", uuid4().hex)


def _runs_again(machine: Machine, standing: Stop | None) -> StateReason | None:
    """Return the reason that says "running", where a person said that the machine stands:
    no device will take it back.
    """
    if standing is None:
        return None
    last = (
        StateHistory.objects.filter(machine=machine).order_by("-occurred_at").values_list("source", flat=True).first()
    )
    if not (last or "").startswith("user:"):
        return None
    running = StateReason.objects.without_tree_fields().filter(category=StateReason.Category.RUNNING, is_active=True)
    found: StateReason | None = running.order_by("position", "code").first()
    return found


@_may_compile
@login_required
@never_cache
@require_safe
def beside(request: HttpRequest, code: str) -> HttpResponse:
    """Show what belongs to a machine's job: checks that are due, materials to load, instructions."""
    machine, now = machine_of(request, code), timezone.now()
    asked = request.GET.get("operation", "")
    operations: Any = in_scope(Operation.objects.all(), request.user, Operation.site_paths).select_related(
        "work_order__line__area__site", "work_order__product__unit", "work_order__unit", "machine"
    )
    operation = get_object_or_404(operations, pk=int(asked)) if asked.isdecimal() and len(asked) < 19 else None
    context: dict[str, Any] = {"machine": machine, "operation": operation, "zone": machine.line.area.site.zone}
    if caller(request).may("view", "quality_setup", machine.line.area.site_id):
        context["charts"] = charts_at_machine(machine.pk)
    if operation is not None:
        user, site_id = caller(request), site_id_of(operation)
        steps = missing_steps(operation) if user.may("view", "batch_record", site_id) else []
        checks = due(operation=operation, machine=machine, now=now) if user.may("view", "inspection", site_id) else []
        context |= {
            "steps": steps[:CHECKS_SHOWN],
            "checks": checks[:CHECKS_SHOWN],
            "materials": _materials(operation, machine),
            "documents": _documents(operation),
            "parameters": list(operation.parameters.all()[:CHECKS_SHOWN]),
        }
    return render(request, "screens/operate_beside.html", context)


@dataclass(frozen=True, slots=True)
class Needed:
    """A material of the job: how much is needed, used, and lies beside the line."""

    material: OrderMaterial
    required: str
    used: str
    beside: str
    is_complete: bool


def _materials(operation: Operation, machine: Machine) -> list[Needed]:
    rows = [
        row
        for row in operation.work_order.materials.filter(quantity_required__gt=0).select_related("product")
        if row.operation_id in (None, operation.pk)
    ][:LOTS_SHOWN]
    if not rows:
        return []
    used = used_by_orders([operation.work_order_id])
    there: dict[int, Decimal] = dict(
        Stock.objects.filter(location__line=machine.line_id, product__in=[row.product_id for row in rows])
        .order_by()
        .values("product")
        .annotate(total=Sum("quantity"))
        .values_list("product", "total")
    )
    found = []
    for row in rows:
        so_far = used.get((operation.work_order_id, row.product_id), Decimal(0))
        found.append(
            Needed(
                row,
                plain_number(row.quantity_required),
                plain_number(so_far),
                plain_number(there.get(row.product_id, Decimal(0))),
                so_far >= row.quantity_required,
            )
        )
    return found


def _documents(operation: Operation) -> list[OperationDocument]:
    if operation.template_id is None:
        return []
    return list(OperationDocument.objects.filter(operation=operation.template_id).defer("content")[:DOCUMENTS_SHOWN])
