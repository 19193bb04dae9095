"""People, as a supervisor sets them up, and their hours to look at."""

from typing import Any

from django import forms
from django.contrib import admin
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.widgets import UnfoldAdminPasswordWidget

from core.admin import MasterDataAdmin, MasterDataForm, ReadOnlyAdmin, RowInline, ScopedFilter, ScopedSearchFilter
from core.errors import Invalid
from labor.identification import hashed_pin
from labor.models import (
    Absence,
    Attendance,
    BreakRule,
    Certificate,
    Crew,
    CrewAssignment,
    Employee,
    EmploymentTerms,
    LaborEntry,
    LaborPolicy,
    Skill,
    SkillNeed,
)
from labor.resources import CrewResource, EmployeeResource, SkillResource


class EmployeeForm(MasterDataForm):
    """An employee, with a PIN that can be set and never be read."""

    new_pin = forms.CharField(
        label="PIN",
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password", "inputmode": "numeric"}),
        help_text="4 to 12 digits; leave it empty to keep the one there is.",
    )

    def clean_new_pin(self) -> str:
        """Refuse a PIN that is too easy to guess."""
        pin: str = self.cleaned_data["new_pin"]
        if pin:
            try:
                self.instance.pin = hashed_pin(pin)
            except Invalid as refusal:
                raise forms.ValidationError(refusal.message) from None
        return ""


class CertificateInline(RowInline):
    model = Certificate
    fields = ("skill", "valid_from", "valid_until", "reference")
    autocomplete_fields = ("skill",)


class AbsenceInline(RowInline):
    model = Absence
    fields = ("kind", "first_date", "last_date")


class TermsInline(RowInline):
    model = EmploymentTerms
    fields = ("valid_from", "valid_until", "hours_per_day", "hours_per_week", "hourly_rate")


@admin.register(Employee)
class EmployeeAdmin(MasterDataAdmin):
    form = EmployeeForm
    list_display = ("name", "code", "site", "crew", "is_active")
    list_filter = (("site", ScopedFilter), ("crew", ScopedFilter), "is_active")
    list_select_related = ("site", "crew")
    search_fields = ("code", "name", "badge")
    search_help_text = "Personnel number, name or badge"
    autocomplete_fields = ("site", "crew", "user")
    fieldsets = (
        (None, {"fields": ("site", ("code", "name"), ("crew", "hourly_rate"), "is_active")}),
        ("At a terminal", {"fields": (("badge", "new_pin"), "user")}),
    )
    inlines = (CertificateInline, AbsenceInline, TermsInline)
    resource_classes = [EmployeeResource]


class AssignmentInline(RowInline):
    model = CrewAssignment
    fields = ("shift", "line", "first_date", "last_date", "every_weeks")
    autocomplete_fields = ("shift", "line")


@admin.register(Crew)
class CrewAdmin(MasterDataAdmin):
    list_display = ("name", "code", "site", "is_active")
    list_filter = (("site", ScopedFilter), "is_active")
    list_select_related = ("site",)
    search_fields = ("code", "name")
    search_help_text = "Code or name"
    autocomplete_fields = ("site",)
    fields = ("site", "code", "name", "is_active")
    inlines = (AssignmentInline,)
    resource_classes = [CrewResource]


@admin.register(CrewAssignment)
class CrewAssignmentAdmin(MasterDataAdmin):
    list_display = ("crew", "shift", "line", "first_date", "last_date", "every_weeks")
    list_filter = (("crew", ScopedFilter), ("line", ScopedFilter))
    list_select_related = ("crew", "shift", "line")
    search_fields = ("crew__code", "crew__name", "shift__name")
    search_help_text = "Crew or shift"
    autocomplete_fields = ("crew", "shift", "line")
    fields = ("crew", ("shift", "line"), ("first_date", "last_date", "every_weeks"))


@admin.register(Skill)
class SkillAdmin(MasterDataAdmin):
    list_display = ("name", "code", "is_active")
    list_filter = ("is_active",)
    search_fields = ("code", "name")
    search_help_text = "Code or name"
    fields = ("code", "name", "is_active")
    resource_classes = [SkillResource]


@admin.register(SkillNeed)
class SkillNeedAdmin(MasterDataAdmin):
    list_display = ("skill", "line", "machine")
    list_filter = (("skill", ScopedFilter),)
    list_select_related = ("skill", "line", "machine")
    search_fields = ("skill__code", "skill__name", "line__code", "machine__code")
    search_help_text = "Skill, line or machine"
    autocomplete_fields = ("skill", "line", "machine")
    fieldsets = ((None, {"fields": ("skill", ("line", "machine")), "description": "Name either a line or a machine."}),)


class BreakRuleInline(RowInline):
    model = BreakRule
    fields = ("after_hours", "minutes")


@admin.register(LaborPolicy)
class LaborPolicyAdmin(MasterDataAdmin):
    list_display = ("site", "shows_persons")
    list_select_related = ("site",)
    search_fields = ("site__code", "site__name")
    search_help_text = "Site"
    autocomplete_fields = ("site",)
    fieldsets = (
        (None, {"fields": ("site", "shows_persons")}),
        ("Shared terminals", {"fields": (("terminal_timeout", "terminal_forgets"),)}),
        ("Overtime", {"fields": ("overtime_supplement", ("overtime_counts_from", "overtime_rounds_to"))}),
        ("Warnings", {"fields": (("longest_entry", "expiry_warning"),)}),
    )
    inlines = (BreakRuleInline,)


@admin.register(Absence)
class AbsenceAdmin(MasterDataAdmin):
    list_display = ("employee", "kind", "first_date", "last_date")
    list_filter = ("kind", ("employee__site", ScopedFilter))
    list_select_related = ("employee",)
    search_fields = ("employee__code", "employee__name")
    search_help_text = "Person"
    autocomplete_fields = ("employee",)
    fields = ("employee", "kind", ("first_date", "last_date"))


@admin.register(Attendance)
class AttendanceAdmin(ReadOnlyAdmin):
    list_display = ("employee", "started_at", "ended_at")
    list_filter = (("employee", ScopedSearchFilter), ("started_at", RangeDateTimeFilter))
    list_select_related = ("employee",)
    search_fields = ("employee__code", "employee__name")
    search_help_text = "Person"


@admin.register(LaborEntry)
class LaborEntryAdmin(ReadOnlyAdmin):
    list_display = ("employee", "kind", "work_order", "line", "machine", "started_at", "ended_at", "is_approved")
    list_filter = (
        "kind",
        ("employee", ScopedSearchFilter),
        ("line", ScopedSearchFilter),
        ("started_at", RangeDateTimeFilter),
    )
    list_select_related = ("employee", "work_order", "line", "machine")
    search_fields = ("employee__code", "employee__name", "work_order__order_number")
    search_help_text = "Person or order"

    @admin.display(boolean=True, description="approved")
    def is_approved(self, entry: Any) -> bool:
        return entry.approved_at is not None
