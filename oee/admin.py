"""How a site counts OEE, and the records that somebody asked for."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from accounts.models import User
from core.admin import DecisionAdmin, MasterDataAdmin, ReadOnlyAdmin, ScopedFilter, ScopedSearchFilter, trail
from core.exact import plain_number
from core.models import Retention
from counts.models import CounterEvent
from counts.services import explain_step, void_reading
from oee import closing_admin as closing_admin  # registers the admin of closed shifts
from oee import handover_admin as handover_admin  # and that of the hand-over
from oee.engine.catalogue import ELEMENTS
from oee.kpis import kpi_problem
from oee.models import CounterStep, CustomKpi, OeePolicy, OeeRecord
from oee.resources import CustomKpiResource, OeePolicyResource
from oee.services import find_counter_steps


def percent(ratio: Decimal | None) -> str:
    """Return a ratio as people read it; what is not known is said to be so."""
    return "not known" if ratio is None else f"{ratio * 100:.2f} %"


@admin.register(OeePolicy)
class OeePolicyAdmin(MasterDataAdmin):
    list_display = ("site", "valid_from", "target", "changeover", "overtime", "breaks", "micro_stops", "no_data")
    list_filter = (("site", ScopedFilter), "changeover", "overtime", "breaks", "micro_stops", "no_data")
    list_select_related = ("site",)
    search_fields = ("site__code", "site__name")
    search_help_text = "Site"
    autocomplete_fields = ("site",)
    fieldsets = (
        (
            None,
            {
                "fields": (("site", "valid_from"), "target_oee"),
                "description": "To change what counts from a day on, add a policy from that day; the past keeps its own.",
            },
        ),
        (
            "Where published definitions differ",
            {
                "fields": (
                    *("changeover", "micro_stops", "breaks", "overtime", "no_data"),
                    ("startup_rejects", "startup_minutes"),
                )
            },
        ),
    )
    resource_classes = [OeePolicyResource]

    @display(description="target", ordering="target_oee")
    def target(self, policy: OeePolicy) -> str:
        return f"{plain_number(policy.target_oee * 100)} %"


ELEMENT_LIST = format_html(
    '<details class="column-help element-list"><summary>The elements that a formula may name</summary>'
    '<table class="history"><thead><tr><th>Code</th><th>Element</th><th>Unit</th><th>Meaning</th></tr></thead>'
    "<tbody>{}</tbody></table></details>",
    format_html_join(
        "",
        "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>",
        ((element.code, element.name, element.unit, element.meaning) for element in ELEMENTS.values()),
    ),
)


@admin.register(CustomKpi)
class CustomKpiAdmin(MasterDataAdmin):
    list_display = ("name", "code", "written", "unit", "better", "where", "is_active")
    list_filter = ("is_active", "unit", ("site", ScopedFilter))
    list_select_related = ("site",)
    ordering = ("code",)
    search_fields = ("code", "name", "formula")
    search_help_text = "Code, name or formula"
    autocomplete_fields = ("site",)
    fieldsets = (
        (None, {"fields": (("code", "name"), "meaning", "is_active")}),
        (
            "Formula",
            {
                "fields": ("formula", "unit", "better", "target"),
                "description": format_html(
                    "For example <code>APT / CT</code>. An element that is not known makes the KPI unknown,"
                    " and so does a division by zero. {}",
                    ELEMENT_LIST,
                ),
            },
        ),
        ("Where", {"fields": ("site",)}),
    )
    resource_classes = [CustomKpiResource]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Not narrowed by the way to a site alone: what holds at all sites is for everybody to see.
        queryset: QuerySet[Any] = CustomKpi.objects.visible_to(request.user)
        return queryset.order_by(*self.ordering)

    @display(description="formula", ordering="formula")
    def written(self, kpi: CustomKpi) -> SafeString:
        problem = kpi_problem(kpi)
        flag = format_html(' <span class="health health-bad">{}</span>', problem) if problem else ""
        return format_html("<code>{}</code>{}", kpi.formula, flag)

    @display(description="holds at", ordering="site__name")
    def where(self, kpi: CustomKpi) -> str:
        return str(kpi.site or "all sites")


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


@admin.register(Retention)
class RetentionAdmin(MasterDataAdmin):
    list_display = ("keeps", "closed_until")
    fields = ("keep_months", "closed")
    readonly_fields = ("closed",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_add_permission(request) and not Retention.objects.exists()

    @display(description="raw facts")
    def keeps(self, retention: Retention) -> str:
        return str(retention)

    @display(description="closed until")
    def closed(self, retention: Retention) -> str:
        if retention.closed_until is None:
            return "Nothing was thrown away yet."
        return f"{retention.closed_until:%Y-%m-%d %H:%M} UTC: hours before are final, their raw facts are gone."


def _explain(kind: CounterEvent.Kind) -> Callable[[CounterStep, User, datetime], None]:
    def decide(step: CounterStep, actor: User, now: datetime) -> None:
        comment = f"Explained in the list of counter steps: {kind.label}"
        explain_step(tag=step.tag, at=step.occurred_at, kind=kind, comment=comment, actor=actor, recorded_at=now)

    return decide


def _void(step: CounterStep, actor: User, now: datetime) -> None:
    comment = "Found wrong in the list of counter steps"
    void_reading(tag=step.tag, occurred_at=step.occurred_at, comment=comment, actor=actor, recorded_at=now)


@admin.register(CounterStep)
class CounterStepAdmin(DecisionAdmin):
    list_display = ("occurred_at", "of_tag", "read", "verdict", "counted", "before_at")
    list_filter = ("verdict", ("tag", ScopedSearchFilter), ("occurred_at", RangeDateTimeFilter))
    list_select_related = ("tag", "machine__line")
    search_fields = ("tag__tag_path", "machine__name")
    search_help_text = "Tag or machine"
    decisions = {
        "rolled_over": ("It rolled over", _explain(CounterEvent.Kind.ROLLOVER)),
        "was_reset": ("It was reset: count from zero, or by the tag's policy", _explain(CounterEvent.Kind.RESET)),
        "was_replaced": ("It was replaced: count nothing", _explain(CounterEvent.Kind.REPLACED)),
        "was_genuine": ("The rise was real: count it", _explain(CounterEvent.Kind.GENUINE)),
        "void": ("The reading is wrong: void it", _void),
    }

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "GET":
            find_counter_steps(now=timezone.now())
        view: HttpResponse = super().changelist_view(request, extra_context)
        return view

    @display(description="counter")
    def of_tag(self, step: CounterStep) -> SafeString:
        return trail(step.machine.line, step.machine, step.tag)

    @display(description="reading")
    def read(self, step: CounterStep) -> str:
        return f"{plain_number(step.value_before)} → {plain_number(step.value)}"

    @display(description="pulses counted")
    def counted(self, step: CounterStep) -> str:
        return plain_number(step.pulses)
