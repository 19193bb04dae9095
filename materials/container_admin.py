"""Containers in the admin: the company prefix is set up, containers and their steps are looked up."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from core.admin import MasterDataAdmin, ReadOnlyAdmin, ScopedFilter, link
from core.exact import plain_number
from materials.container_models import Container, ContainerPolicy, ContainerStep
from materials.resources import ContainerPolicyResource


@admin.register(ContainerPolicy)
class ContainerPolicyAdmin(MasterDataAdmin):
    """By which company prefix SSCCs are made."""

    list_display = ("site", "gs1_company_prefix", "extension_digit")
    list_filter = (("site", ScopedFilter),)
    list_select_related = ("site",)
    search_fields = ("site__name", "gs1_company_prefix")
    autocomplete_fields = ("site",)
    fieldsets = ((None, {"fields": ("site", ("gs1_company_prefix", "extension_digit"))}),)
    resource_classes = [ContainerPolicyResource]


@admin.register(Container)
class ContainerAdmin(ReadOnlyAdmin):
    """Containers, to look up; people act on their pages."""

    list_display = ("code", "sscc", "kind", "status", "at_location", "inside_of", "on_page")
    list_filter = ("kind", "status", ("site", ScopedFilter), ("location", ScopedFilter))
    list_select_related = ("location", "parent")
    search_fields = ("code", "sscc", "contents__lot__number")
    search_help_text = "Code, SSCC or lot"

    @display(description="place", ordering="location__name")
    def at_location(self, container: Container) -> str | SafeString:
        return link(container.location)

    @display(description="lies in", ordering="parent__code")
    def inside_of(self, container: Container) -> str | SafeString:
        return link(container.parent)

    @display(description="contents, history")
    def on_page(self, container: Container) -> SafeString:
        return format_html('<a class="crumb" href="{}">Open</a>', reverse("screens:container", args=[container.pk]))


@admin.register(ContainerStep)
class ContainerStepAdmin(ReadOnlyAdmin):
    """What happened to containers, to look up."""

    list_display = ("occurred_at", "of_container", "kind", "what", "other", "performed_by")
    list_filter = ("kind", ("container__site", ScopedFilter), ("occurred_at", RangeDateTimeFilter))
    list_select_related = ("container", "product", "lot", "other", "performed_by")
    search_fields = ("container__code", "container__sscc", "lot__number", "recipient")
    search_help_text = "Container, lot or recipient"
    paginator = InfinitePaginator
    show_full_result_count = False

    @display(description="container", ordering="container__code")
    def of_container(self, step: ContainerStep) -> str | SafeString:
        return link(step.container)

    @display(description="what")
    def what(self, step: ContainerStep) -> str:
        if step.quantity is None:
            return step.recipient or "–"
        return f"{plain_number(step.quantity)} {step.unit} of {step.lot or step.product}"
