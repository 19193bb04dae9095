"""Where, as an engineer sets it up: the plant from enterprise to machine, its shifts and its holidays."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from core.admin import MasterDataAdmin, MasterDataForm, RowInline, ScopedFilter, trail
from enterprise.models import Area, CalendarException, Enterprise, Line, Machine, Shift, ShiftBreak, Site, Weekday
from enterprise.resources import (
    AreaResource,
    CalendarExceptionResource,
    EnterpriseResource,
    LineResource,
    MachineResource,
    ShiftResource,
    SiteResource,
)

IDENTITY = ("code", "name", "is_active")


class SiteInline(RowInline):
    model = Site
    fields = (*IDENTITY, "time_zone", "locale")


class AreaInline(RowInline):
    model = Area
    fields = IDENTITY


class LineInline(RowInline):
    model = Line
    fields = (*IDENTITY, "oee_mode")


class MachineInline(RowInline):
    model = Machine
    fields = ("position", *IDENTITY, "is_constraint")


@admin.register(Enterprise)
class EnterpriseAdmin(MasterDataAdmin):
    counted = "sites"
    list_display = ("name", "code", "sites", "is_active")
    list_filter = ("is_active",)
    ordering = ("code",)
    search_fields = ("code", "name")
    search_help_text = "Code or name"
    fields = (*IDENTITY,)
    inlines = (SiteInline,)
    resource_classes = [EnterpriseResource]

    @display(description="sites", ordering="child_count")
    def sites(self, enterprise: Any) -> int:
        return int(enterprise.child_count)


@admin.register(Site)
class SiteAdmin(MasterDataAdmin):
    changes_the_past = True
    counted = "areas"
    list_display = ("name", "code", "belongs_to", "time_zone", "areas", "is_active")
    list_filter = ("is_active", ("enterprise", ScopedFilter))
    list_select_related = ("enterprise",)
    ordering = ("code",)
    search_fields = ("code", "name", "enterprise__name")
    search_help_text = "Code or name"
    fieldsets = (
        (None, {"fields": ("enterprise", *IDENTITY)}),
        ("Time, language and money", {"fields": ("time_zone", "locale", "currency")}),
    )
    inlines = (AreaInline,)
    resource_classes = [SiteResource]

    @display(description="where", ordering="enterprise__name")
    def belongs_to(self, site: Site) -> SafeString:
        return trail(site.enterprise)

    @display(description="areas", ordering="child_count")
    def areas(self, site: Any) -> int:
        return int(site.child_count)


@admin.register(Area)
class AreaAdmin(MasterDataAdmin):
    counted = "lines"
    list_display = ("name", "code", "belongs_to", "lines", "is_active")
    list_filter = ("is_active", ("site", ScopedFilter))
    list_select_related = ("site__enterprise",)
    ordering = ("code",)
    search_fields = ("code", "name", "site__name")
    search_help_text = "Code, name or site"
    autocomplete_fields = ("site",)
    fields = ("site", *IDENTITY)
    inlines = (LineInline,)
    resource_classes = [AreaResource]

    @display(description="where", ordering="site__name")
    def belongs_to(self, area: Area) -> SafeString:
        return trail(area.site)

    @display(description="lines", ordering="child_count")
    def lines(self, area: Any) -> int:
        return int(area.child_count)


@admin.register(Line)
class LineAdmin(MasterDataAdmin):
    counted = "machines"
    list_display = ("name", "code", "belongs_to", "machines", "oee_mode", "is_active")
    list_filter = ("is_active", ("area__site", ScopedFilter), ("area", ScopedFilter), "oee_mode")
    list_select_related = ("area__site",)
    ordering = ("code",)
    search_fields = ("code", "name", "area__name", "area__site__name")
    search_help_text = "Code, name, area or site"
    autocomplete_fields = ("area",)
    fieldsets = ((None, {"fields": ("area", *IDENTITY)}), ("OEE and downtime", {"fields": ("oee_mode", "buffer_time")}))
    inlines = (MachineInline,)
    resource_classes = [LineResource]

    @display(description="where", ordering="area__name")
    def belongs_to(self, line: Line) -> SafeString:
        return trail(line.area.site, line.area)

    @display(description="machines", ordering="child_count")
    def machines(self, line: Any) -> int:
        return int(line.child_count)

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        # A new line comes with a machine of its own; only then is there something to name or to add to.
        return super().get_inlines(request, obj) if obj is not None else []

    def response_add(self, request: HttpRequest, obj: Line, post_url_continue: str | None = None) -> HttpResponse:
        if "_addanother" in request.POST or "_popup" in request.POST:
            return cast(HttpResponse, super().response_add(request, obj, post_url_continue))
        messages.success(
            request, f"{obj} was added, with a machine of its own: name it below, or add the others of the line."
        )
        return HttpResponseRedirect(reverse("admin:enterprise_line_change", args=[obj.pk]))


@admin.register(Machine)
class MachineAdmin(MasterDataAdmin):
    changes_the_past = True
    list_display = ("name", "code", "belongs_to", "position", "pace", "is_active")
    list_filter = (
        "is_active",
        ("line__area__site", ScopedFilter),
        ("line__area", ScopedFilter),
        ("line", ScopedFilter),
        "is_constraint",
    )
    list_select_related = ("line__area__site",)
    search_fields = ("code", "name", "line__name", "line__code", "line__area__name")
    search_help_text = "Code, name, line or area"
    autocomplete_fields = ("line",)
    fieldsets = (
        (None, {"fields": ("line", *IDENTITY)}),
        ("On the line", {"fields": ("position", "is_constraint")}),
        ("Its signals", {"fields": ("no_signal_timeout",)}),
        (
            "Its stops",
            {"fields": ("stop_detection", ("stop_after", "run_after"), ("micro_stop_below", "slow_cycle_above"))},
        ),
        ("Money", {"fields": ("hourly_cost",)}),
    )
    resource_classes = [MachineResource]

    @display(description="where", ordering="line__name")
    def belongs_to(self, machine: Machine) -> SafeString:
        return trail(machine.line.area.site, machine.line.area, machine.line)

    @display(description="pace", label=True, ordering="is_constraint")
    def pace(self, machine: Machine) -> str | None:
        return "constraint" if machine.is_constraint else None


class ShiftForm(MasterDataForm):
    """A shift, with its weekdays as boxes to tick."""

    weekdays = forms.TypedMultipleChoiceField(
        choices=Weekday.choices,
        coerce=int,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(attrs={"class": "weekdays"}),
        error_messages={"required": "Tick at least one weekday."},
        help_text="The days on which it starts; a night shift belongs to the day it starts on.",
    )


class ShiftBreakInline(RowInline):
    model = ShiftBreak
    fields = ("name", "start_time", "end_time")
    tab = False
    show_change_link = False


LEVELS = ("site", "line", "machine")
LEVEL_RELATED = ("site", "line__area__site", "machine__line__area__site")
LEVEL_HELP = "Choose exactly one. The nearest to a machine wins: its own, else its line's, else its site's."


class CalendarAdmin(MasterDataAdmin):
    """What hangs on exactly one of site, line and machine."""

    changes_the_past = True
    list_select_related = LEVEL_RELATED
    autocomplete_fields = LEVELS

    @display(description="holds for")
    def place(self, entry: Any) -> SafeString:
        machine = entry.machine
        line = machine.line if machine else entry.line
        return trail(entry.site or line.area.site, line, machine)


@admin.register(Shift)
class ShiftAdmin(CalendarAdmin):
    form = ShiftForm
    list_display = ("name", "place", "hours", "days", "kind", "valid_from", "valid_until")
    list_filter = ("kind", ("site", ScopedFilter), ("line", ScopedFilter))
    search_fields = ("name", "site__name", "line__name", "machine__name")
    search_help_text = "Name or place"
    fieldsets = (
        ("Where", {"fields": LEVELS, "description": LEVEL_HELP}),
        ("When", {"fields": (("name", "kind"), ("start_time", "end_time"), "weekdays")}),
        (
            "Valid",
            {
                "fields": (("valid_from", "valid_until"),),
                "description": "Empty = always. An extra shift or overtime names its days.",
            },
        ),
    )
    inlines = (ShiftBreakInline,)
    history_of = ("breaks",)
    resource_classes = [ShiftResource]

    @display(description="hours (site's clock)", ordering="start_time")
    def hours(self, shift: Shift) -> str:
        overnight = " next day" if shift.end_time <= shift.start_time else ""
        return f"{shift.start_time:%H:%M}–{shift.end_time:%H:%M}{overnight}"

    @display(description="days")
    def days(self, shift: Shift) -> str:
        if len(shift.weekdays) == len(Weekday):
            return "every day"
        return " ".join(Weekday(day).label[:3] for day in sorted(shift.weekdays))


@admin.register(CalendarException)
class CalendarExceptionAdmin(CalendarAdmin):
    list_display = ("date", "name", "kind", "place")
    list_filter = ("kind", ("site", ScopedFilter), ("line", ScopedFilter))
    search_fields = ("name", "site__name", "line__name", "machine__name")
    search_help_text = "Name or place"
    fieldsets = (
        ("Where", {"fields": LEVELS, "description": LEVEL_HELP}),
        ("What", {"fields": (("date", "kind"), "name")}),
    )
    resource_classes = [CalendarExceptionResource]
