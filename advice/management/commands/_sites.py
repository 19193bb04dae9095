"""Which sites a command is about."""

from django.core.management.base import CommandError

from enterprise.models import Site


def sites_called(code: str | None) -> list[Site]:
    """Return the active site of a code, or all. Raises CommandError for one that there is not."""
    sites = Site.objects.filter(is_active=True).order_by("pk")
    found = list(sites.filter(code=code) if code else sites)
    if code and not found:
        raise CommandError(f"There is no active site {code}.")
    return found
