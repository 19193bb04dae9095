"""How a site counts OEE, and the records that somebody asked for."""

from decimal import Decimal

from django.contrib import admin
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from core.admin import MasterDataAdmin, ReadOnlyAdmin, ScopedSearchFilter
from oee.models import OeePolicy, OeeRecord
from oee.resources import OeePolicyResource


def percent(ratio: Decimal | None) -> str:
    """Return a ratio as people read it; what is not known is said to be so."""
    return "not known" if ratio is None else f"{ratio * 100:.2f} %"


@admin.register(OeePolicy)
class OeePolicyAdmin(MasterDataAdmin):
    list_display = ("site", "target", "changeover", "overtime")
    list_filter = ("changeover", "overtime")
    list_select_related = ("site",)
    search_fields = ("site__code", "site__name")
    search_help_text = "Site"
    autocomplete_fields = ("site",)
    fieldsets = (
        (None, {"fields": ("site", "target_oee")}),
        ("Where published definitions differ", {"fields": ("changeover", "overtime")}),
    )
    resource_classes = [OeePolicyResource]

    @display(description="target", ordering="target_oee")
    def target(self, policy: OeePolicy) -> str:
        return f"{(policy.target_oee * 100).normalize():f} %"


@admin.register(OeeRecord)
class OeeRecordAdmin(ReadOnlyAdmin):
    list_display = ("of", "starts_at", "ends_at", "a", "p", "q", "o", "computed_at")
    list_filter = (
        ("line", ScopedSearchFilter),
        ("machine", ScopedSearchFilter),
        ("starts_at", RangeDateTimeFilter),
    )
    list_select_related = ("line", "machine")
    search_fields = ("line__name", "line__code", "machine__name", "machine__code")
    search_help_text = "Line or machine"

    @display(description="OEE of")
    def of(self, record: OeeRecord) -> str:
        return str(record.line or record.machine)

    @display(description="availability", ordering="availability")
    def a(self, record: OeeRecord) -> str:
        return percent(record.availability)

    @display(description="performance", ordering="performance")
    def p(self, record: OeeRecord) -> str:
        return percent(record.performance)

    @display(description="quality", ordering="quality")
    def q(self, record: OeeRecord) -> str:
        return percent(record.quality)

    @display(description="OEE", ordering="oee")
    def o(self, record: OeeRecord) -> str:
        return percent(record.oee)
