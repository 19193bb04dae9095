"""What can be made, and how fast at best, as an engineer sets it up."""

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.decorators import display

from core.admin import MasterDataAdmin, RowInline, ScopedFilter, add_inline, link, trail
from enterprise.models import Machine
from products.models import IdealRate, Product
from products.resources import IdealRateResource, ProductResource

RATE = ("value", "unit", "valid_from", "valid_until")


class RateOfProductInline(RowInline):
    model = IdealRate
    fields = ("machine", *RATE)
    autocomplete_fields = ("machine",)


class RateOfMachineInline(RowInline):
    model = IdealRate
    fields = ("product", *RATE)
    autocomplete_fields = ("product",)
    tab = True


add_inline(Machine, RateOfMachineInline)


@admin.register(Product)
class ProductAdmin(MasterDataAdmin):
    changes_the_past = True
    counted = "ideal_rates"
    list_display = ("name", "code", "unit", "rates", "is_active")
    list_filter = ("is_active", "material_type", "unit")
    ordering = ("code",)
    search_fields = ("code", "name")
    search_help_text = "Code or name"
    fieldsets = (
        (None, {"fields": ("code", "name", "unit", "is_active")}),
        (
            "As a material",
            {"fields": (("material_type", "gtin"), ("lot_controlled", "shelf_life_days"), "stock_policy")},
        ),
        ("While it is made", {"fields": (("micro_stop_below", "slow_cycle_above"), "planned_scrap")}),
    )
    inlines = (RateOfProductInline,)
    resource_classes = [ProductResource]

    @display(description="ideal rates", ordering="child_count")
    def rates(self, product: Any) -> int:
        return int(product.child_count)


@admin.register(IdealRate)
class IdealRateAdmin(MasterDataAdmin):
    list_display = ("rate", "for_product", "on_machine", "valid_from", "valid_until")
    list_filter = (("machine__line__area__site", ScopedFilter), ("machine__line", ScopedFilter), "unit")
    list_select_related = ("product", "machine__line__area__site")
    search_fields = ("product__code", "product__name", "machine__code", "machine__name", "machine__line__name")
    search_help_text = "Product, machine or line"
    autocomplete_fields = ("product", "machine")
    fieldsets = (
        (None, {"fields": (("product", "machine"), ("value", "unit"))}),
        (
            "Valid",
            {
                "fields": (("valid_from", "valid_until"),),
                "description": "A new rate is a new row from its day on; the past keeps the rate it had.",
            },
        ),
    )
    resource_classes = [IdealRateResource]

    @display(description="ideal rate", ordering="value")
    def rate(self, rate: IdealRate) -> str:
        return f"{rate.value.normalize():f} {rate.get_unit_display()}"

    @display(description="product", ordering="product__name")
    def for_product(self, rate: IdealRate) -> str | SafeString:
        return link(rate.product)

    @display(description="machine", ordering="machine__name")
    def on_machine(self, rate: IdealRate) -> SafeString:
        return trail(rate.machine.line, rate.machine)
