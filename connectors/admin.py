"""Connectors, as an engineer sets them up: where machines speak, what their signals mean, and how the connection is."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from connectors.digitme2.admin import TabletAdmin
from connectors.doors import door_of
from connectors.forms import PREFIX, form_for
from connectors.health import connections
from connectors.models import Connector, SignalMapping, StateMap, StateMapEntry, Tablet, UnmappedSignal
from connectors.secrets import store_secret
from core.admin import MasterDataAdmin, ReadOnlyAdmin, RowInline, ScopedFilter, link
from operations import views as backups


class StateMapEntryInline(RowInline):
    model = StateMapEntry
    fields = ("position", "value", "reason")
    autocomplete_fields = ("reason",)
    show_change_link = False


@admin.register(StateMap)
class StateMapAdmin(MasterDataAdmin):
    list_display = ("name", "code", "description", "is_active")
    search_fields = ("code", "name")
    search_help_text = "Code or name"
    fields = ("code", "name", "description", "is_active")
    inlines = (StateMapEntryInline,)
    history_of = ("entries",)


class SignalMappingInline(RowInline):
    model = SignalMapping
    fields = ("signal", "tag", "machine", "state_map", "position")
    autocomplete_fields = ("tag", "machine", "state_map")
    show_change_link = False


@admin.register(Connector)
class ConnectorAdmin(MasterDataAdmin):
    list_display = ("name", "code", "protocol", "site", "address", "how_it_is", "is_active")
    list_filter = ("is_active", "protocol", ("site", ScopedFilter))
    list_select_related = ("site", "health")
    search_fields = ("code", "name", "address")
    search_help_text = "Code, name or address"
    autocomplete_fields = ("site",)
    inlines = (SignalMappingInline,)
    history_of = ("mappings",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[tuple[str | None, dict[str, Any]]]:
        general = ("code", "name"), ("site", "protocol"), "address", "is_active"
        if obj is None:
            hint = "Save it once; then come the options of its protocol and its signals."
            return [(None, {"fields": general, "description": hint})]
        options = [PREFIX + name for name in door_of(obj.protocol).options.base_fields]
        secret = ("username", "password", "forget_password", "secret_variable")
        return [
            (None, {"fields": general, "description": f"The address looks like {door_of(obj.protocol).address}."}),
            (f"{obj.get_protocol_display()}: options", {"fields": options}),
            ("Who we are to it", {"fields": secret}),
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, form=form_for(obj), **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Options and signals belong to the protocol: another one is another connector.
        return ("protocol",) if obj is not None else ()

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [] if obj is None else super().get_inlines(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.cleaned_data.get("forget_password"):
            store_secret(obj, "")
        elif form.cleaned_data.get("password"):
            store_secret(obj, form.cleaned_data["password"])

    @display(description="connection", label={"good": "success", "wait": "warning", "bad": "danger", "off": "info"})
    def how_it_is(self, connector: Connector) -> tuple[str, str]:
        (found,) = connections(Connector.objects.filter(pk=connector.pk), now=timezone.now())
        return found.level, found.words

    def get_urls(self) -> list[URLPattern]:
        health = path("health/", self.admin_site.admin_view(self.health_view), name="connectors_health")
        urls: list[URLPattern] = super().get_urls()
        return [health, *urls]

    def health_view(self, request: HttpRequest) -> HttpResponse:
        """Show how every connection is; the page asks again every few seconds."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Connections",
            "connections": connections(self.get_queryset(request), now=timezone.now())
            if self.has_view_permission(request)
            else [],
            "backups": backups.health() if backups.may(request) else None,
        }
        return TemplateResponse(request, "admin/connections.html", context, headers={"Refresh": "5"})


@admin.register(UnmappedSignal)
class UnmappedSignalAdmin(ReadOnlyAdmin):
    list_display = ("signal", "last_value", "last_received_at", "of_connector")
    list_filter = (("connector", ScopedFilter), ("last_received_at", RangeDateTimeFilter))
    list_select_related = ("connector",)
    search_fields = ("signal",)
    search_help_text = "Signal"

    @display(description="connector")
    def of_connector(self, unmapped: UnmappedSignal) -> Any:
        return link(unmapped.connector)


admin.site.register(Tablet, TabletAdmin)
