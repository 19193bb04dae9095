"""Lots, places, stock and the ledger, for whoever sets up and whoever looks a thing up."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateFilter, RangeDateTimeFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from core.admin import MasterDataAdmin, ReadOnlyAdmin, RowInline, ScopedFilter, ScopedSearchFilter, link, trail
from core.exact import plain_number
from materials.container_admin import ContainerAdmin as ContainerAdmin
from materials.models import (
    BackflushPolicy,
    Location,
    LotStatusChange,
    MaterialLot,
    MaterialTransaction,
    PickingPolicy,
    Stock,
)
from materials.resources import BackflushPolicyResource, LocationResource, LotResource, PickingPolicyResource


@admin.register(Location)
class LocationAdmin(MasterDataAdmin):
    list_display = ("name", "code", "where", "kind", "line", "is_active")
    list_filter = ("kind", ("site", ScopedFilter), "is_active")
    list_select_related = ("site", "parent", "line")
    search_fields = ("code", "name")
    search_help_text = "Code or name"
    autocomplete_fields = ("site", "parent", "line")
    fieldsets = (
        (None, {"fields": (("code", "name"), ("kind", "is_active"))}),
        ("Where", {"fields": (("site", "parent"), "line")}),
    )
    resource_classes = [LocationResource]

    @display(description="part of", ordering="parent__name")
    def where(self, place: Location) -> SafeString:
        return trail(place.site, place.parent)


@admin.register(PickingPolicy)
class PickingPolicyAdmin(MasterDataAdmin):
    list_display = ("site", "of_product", "rule")
    list_filter = ("rule", ("site", ScopedFilter))
    list_select_related = ("site", "product")
    search_fields = ("site__name", "product__name")
    autocomplete_fields = ("site", "product")
    fieldsets = (
        (
            None,
            {
                "fields": (("site", "product"), "rule"),
                "description": "First expired, first out: whether an operator may take a lot while another one, at the"
                " same place, expires earlier. A policy of a product holds over the one of its site.",
            },
        ),
    )
    resource_classes = [PickingPolicyResource]

    @display(description="product", ordering="product__name")
    def of_product(self, policy: PickingPolicy) -> str | SafeString:
        return link(policy.product) if policy.product else "every product"


@admin.register(BackflushPolicy)
class BackflushPolicyAdmin(MasterDataAdmin):
    list_display = ("site", "of_product", "mode", "location")
    list_filter = ("mode", ("site", ScopedFilter))
    list_select_related = ("site", "product", "location")
    search_fields = ("site__name", "product__name")
    autocomplete_fields = ("site", "product", "location")
    fieldsets = (
        (
            None,
            {
                "fields": (("site", "product"), ("mode", "location")),
                "description": "When the materials of an order are booked by themselves. A policy of the product that is"
                " made holds over the one of its site; without any, they are booked with every report.",
            },
        ),
    )
    resource_classes = [BackflushPolicyResource]

    @display(description="product", ordering="product__name")
    def of_product(self, policy: BackflushPolicy) -> str | SafeString:
        return link(policy.product) if policy.product else "every product"


class StatusChangeInline(RowInline):
    model = LotStatusChange
    fields = ("changed_at", "from_status", "to_status", "reason", "changed_by")
    readonly_fields = fields
    can_delete = False
    show_change_link = False
    verbose_name_plural = "decisions"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(MaterialLot)
class MaterialLotAdmin(MasterDataAdmin):
    list_display = ("number", "of_product", "status", "expiry_date", "supplier_lot", "site", "on_page")
    list_filter = (
        "status",
        ("site", ScopedFilter),
        ("product", ScopedSearchFilter),
        ("expiry_date", RangeDateFilter),
    )
    list_select_related = ("product", "site")
    search_fields = ("number", "supplier_lot", "serial", "batch", "product__code", "product__name")
    search_help_text = "Number, supplier's lot, serial number, batch or product"
    readonly_fields = ("product", "number", "site", "parent", "work_order", "status", "recorded_at", "on_page")
    fieldsets = (
        (None, {"fields": (("product", "number"), ("status", "site"), ("parent", "work_order"), "on_page")}),
        ("Origin", {"fields": (("supplier", "supplier_lot"), ("batch", "serial"), "certificate")}),
        ("Dates", {"fields": (("made_date", "expiry_date", "retest_date"),)}),
        ("Notes", {"fields": ("notes", "recorded_at")}),
    )
    inlines = (StatusChangeInline,)
    resource_classes = [LotResource]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # A lot comes with its first movement.
        return False

    def has_import_permission(self, request: HttpRequest) -> bool:
        return False

    @display(description="product", ordering="product__name")
    def of_product(self, lot: MaterialLot) -> str | SafeString:
        return link(lot.product)

    @display(description="stock, movements, trace")
    def on_page(self, lot: MaterialLot) -> SafeString:
        return format_html('<a class="crumb" href="{}">Open</a>', reverse("screens:lot", args=[lot.pk]))


@admin.register(Stock)
class StockAdmin(ReadOnlyAdmin):
    list_display = ("of_product", "of_lot", "at_location", "there")
    list_filter = (
        ("location__site", ScopedFilter),
        ("location", ScopedFilter),
        ("product", ScopedSearchFilter),
        "lot__status",
    )
    list_select_related = ("product", "lot", "location")
    search_fields = ("product__code", "product__name", "lot__number", "location__code", "location__name")
    search_help_text = "Product, lot or place"

    @display(description="product", ordering="product__name")
    def of_product(self, stock: Stock) -> str | SafeString:
        return link(stock.product)

    @display(description="lot", ordering="lot__number")
    def of_lot(self, stock: Stock) -> str | SafeString:
        return link(stock.lot)

    @display(description="place", ordering="location__name")
    def at_location(self, stock: Stock) -> str | SafeString:
        return link(stock.location)

    @display(description="quantity", ordering="quantity")
    def there(self, stock: Stock) -> str:
        return f"{plain_number(stock.quantity)} {stock.product.unit_id}"


@admin.register(MaterialTransaction)
class MaterialTransactionAdmin(ReadOnlyAdmin):
    list_display = ("occurred_at", "kind", "of_product", "of_lot", "how_much", "from_location", "to_location", "order")
    list_filter = (
        "kind",
        ("from_location", ScopedFilter),
        ("to_location", ScopedFilter),
        ("product", ScopedSearchFilter),
        ("occurred_at", RangeDateTimeFilter),
    )
    list_select_related = ("product", "lot", "to_lot", "from_location", "to_location", "work_order")
    search_fields = ("lot__number", "work_order__order_number", "product__code", "reason")
    search_help_text = "Lot, order, product or reason"
    paginator = InfinitePaginator
    show_full_result_count = False

    @display(description="product", ordering="product__name")
    def of_product(self, fact: MaterialTransaction) -> str | SafeString:
        return link(fact.product)

    @display(description="lot", ordering="lot__number")
    def of_lot(self, fact: MaterialTransaction) -> str | SafeString:
        return link(fact.lot)

    @display(description="quantity", ordering="quantity")
    def how_much(self, fact: MaterialTransaction) -> str:
        return f"{plain_number(fact.quantity)} {fact.unit}"

    @display(description="order", ordering="work_order__order_number")
    def order(self, fact: MaterialTransaction) -> str | SafeString:
        return link(fact.work_order)


@admin.register(LotStatusChange)
class LotStatusChangeAdmin(ReadOnlyAdmin):
    list_display = ("changed_at", "of_lot", "from_status", "to_status", "reason", "changed_by")
    list_filter = ("to_status", ("changed_at", RangeDateTimeFilter))
    list_select_related = ("lot", "changed_by")
    search_fields = ("lot__number", "reason")
    search_help_text = "Lot or reason"

    @display(description="lot", ordering="lot__number")
    def of_lot(self, change: LotStatusChange) -> str | SafeString:
        return link(change.lot)
