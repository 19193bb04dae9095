"""Tablets, as an engineer assigns them to machines."""

from typing import Any

from django.http import HttpRequest
from unfold.decorators import display

from connectors.models import Tablet
from core.admin import ScopedAdmin


class TabletAdmin(ScopedAdmin):
    """Tablets appear here when they first call; then each is given its machine."""

    list_display = ("name", "connector", "machine", "user", "since", "device_uuid")
    list_select_related = ("connector", "machine", "user")
    search_fields = ("name", "device_uuid", "machine__code", "machine__name")
    fields = ("name", "connector", "device_uuid", "machine")
    readonly_fields = ("connector", "device_uuid")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Tablet, form: Any, change: bool) -> None:
        # A log-in in the meantime stays.
        obj.save(update_fields=["name", "machine"])

    @display(description="logged in")
    def user(self, tablet: Tablet) -> Any:
        """Return who is logged in."""
        return tablet.user or "–"
