"""What the pages of people share: which site is looked at, on which day, and how times are written."""

from collections.abc import Mapping
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext

from core.master_data import caller, in_scope
from enterprise.models import Site

MINUTES = "%Y-%m-%dT%H:%M"
"""How a browser writes a moment in a form."""


def sites_where(request: HttpRequest, action: str, kind: str) -> list[Site]:
    """Return the active sites at which the person may do something. Raises PermissionDenied when there is none."""
    sites = in_scope(Site.objects.filter(is_active=True), request.user, Site.site_paths).order_by("name", "pk")
    found = [site for site in sites if caller(request).may(action, kind, site.pk)]
    if not found:
        raise PermissionDenied
    return found


def chosen_site(sites: list[Site], code: object) -> Site:
    """Return the site of a code, or the first."""
    return next((site for site in sites if site.code == code), sites[0])


def chosen_day(asked: Mapping[str, Any], name: str, site: Site) -> date:
    """Return the day that was asked for, or the site's today."""
    try:
        found = parse_date(str(asked.get(name, "")))
    except ValueError:
        found = None
    # The first and last days of the calendar have no day before or after them.
    if found is not None and 1970 <= found.year <= 9000:
        return found
    return timezone.now().astimezone(site.zone).date()


def duration(seconds: Fraction | None) -> str:
    """Return a time as hours and minutes, rounded to the minute."""
    if seconds is None:
        return gettext("unknown")
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02d}"


def moment_in(site: Site, text: str) -> datetime | None:
    """Return a wall-clock time of a site as it stands in a form; None when there is no such time on that day."""
    try:
        naive = datetime.strptime(text, MINUTES)  # noqa: DTZ007  # the site's zone follows
        local = naive.replace(tzinfo=site.zone)
        there_and_back = local.astimezone(timezone.get_default_timezone()).astimezone(site.zone)
    except (ValueError, OverflowError):
        return None
    return local if there_and_back.replace(tzinfo=None) == naive else None
