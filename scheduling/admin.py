"""What a site decides about its schedule, in the admin."""

from django.contrib import admin

from core.admin import MasterDataAdmin
from scheduling.models import SchedulingPolicy


@admin.register(SchedulingPolicy)
class SchedulingPolicyAdmin(MasterDataAdmin):
    list_display = ("site", "start_tolerance", "end_tolerance")
    list_select_related = ("site",)
    search_fields = ("site__code", "site__name")
    search_help_text = "Site"
    autocomplete_fields = ("site",)
    fields = ("site", ("start_tolerance", "end_tolerance"))
