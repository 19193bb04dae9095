"""The page of the simulator: how the simulated plants live. Engineers see it."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from core.master_data import caller, in_scope
from enterprise.models import Site
from simulator.selectors import plants_of


@login_required
def index(request: HttpRequest) -> HttpResponse:
    """Show each simulated plant of the reader's sites: does it run, what was sent, what its people did,
    what fails next.
    """
    reader = caller(request)
    sites = in_scope(Site.objects.all(), request.user, Site.site_paths)
    if not any(reader.may("view", "simulation", site.pk) for site in sites):
        raise PermissionDenied
    return render(request, "simulator/index.html", {"plants": plants_of(reader, now=timezone.now())})
