"""Where people land after they log in: where their role works."""

from django.contrib.auth.decorators import login_required
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from core.master_data import caller, in_scope
from dashboards.models import Dashboard
from enterprise.models import Machine, Shift
from products.models import IdealRate

# Who has several roles lands where the first of them works.
PLACES: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"engineer", "admin"}), ""),
    (frozenset({"supervisor"}), "screens:supervise"),
    (frozenset({"erp"}), "screens:planner"),
    (frozenset({"quality"}), "screens:quality"),
    (frozenset({"operator"}), "screens:operate-choose"),
)
FIRST_STEPS, PLANT = "screens:first-steps", "screens:overview"


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the landing dashboard of the person's role, else to the page where the role works, else to the plant."""
    return redirect(home_of(request))


def home_of(request: HttpRequest) -> str:
    """Return the address of where a person lands."""
    roles = caller(request).roles_at(None)
    if caller(request).is_superuser:
        roles = roles | {"admin"}
    order = [(own & roles, view) for own, view in PLACES if own & roles]
    for own, view in order:
        board = _landing(request, own)
        if board is not None:
            return reverse("screens:dashboard", args=[board.code])
        if not view:
            view = PLANT if _plant_is_ready() else FIRST_STEPS
        return reverse(view)
    return reverse(PLANT)


def _landing(request: HttpRequest, roles: frozenset[str]) -> Dashboard | None:
    """Return the dashboard on which one of these roles lands; a site's own goes before everybody's."""
    boards = in_scope(Dashboard.objects.all(), request.user, Dashboard.site_paths)
    landing = boards.filter(Q(role__in=roles), is_active=True, is_landing=True)
    return landing.order_by(F("site").asc(nulls_last=True), "position", "code").first()


def _plant_is_ready() -> bool:
    """Say whether OEE can come of what is set up: machines, when they work, and how fast."""
    return Machine.objects.exists() and Shift.objects.exists() and IdealRate.objects.exists()
