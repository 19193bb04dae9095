"""What can be made, and how fast at best, as an engineer sets it up."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from core.admin import MasterDataAdmin, MasterDataForm, RowInline, ScopedFilter, add_inline, link, trail
from core.custom_fields import models_with_custom_fields
from core.errors import DomainError
from core.exact import plain_number
from core.models import CustomField
from core.uploads import read_document
from enterprise.models import Machine
from products import services
from products.models import (
    BillOfMaterialLine,
    IdealRate,
    MachineRate,
    OperationDocument,
    OperationParameter,
    Product,
    ProductCost,
    ProductRevision,
    ProductUnit,
    Routing,
    RoutingOperation,
    UnitOfMeasure,
)
from products.resources import (
    BillOfMaterialResource,
    IdealRateResource,
    MachineRateResource,
    ProductCostResource,
    ProductResource,
    ProductRevisionResource,
    ProductUnitResource,
    RoutingResource,
    UnitOfMeasureResource,
)

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


@admin.register(UnitOfMeasure)
class UnitOfMeasureAdmin(MasterDataAdmin):
    list_display = ("code", "name", "dimension", "is_worth", "is_active")
    list_filter = ("is_active", "dimension")
    search_fields = ("code", "name")
    search_help_text = "Code or name"
    fieldsets = (
        (None, {"fields": ("code", "name", "is_active")}),
        ("Conversion", {"fields": ("dimension", ("numerator", "denominator"))}),
    )
    resource_classes = [UnitOfMeasureResource]

    @display(description="base units in one")
    def is_worth(self, unit: UnitOfMeasure) -> str:
        return str(unit.factor) if unit.is_universal else "–"


class ProductUnitInline(RowInline):
    model = ProductUnit
    fields = ("quantity", "unit", "base_quantity")
    autocomplete_fields = ("unit",)
    show_change_link = False


class RevisionInline(RowInline):
    model = ProductRevision
    fields = ("code", "name", "status", "valid_from", "valid_until")
    readonly_fields = ("status", "valid_from", "valid_until")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Its own page knows whether it may still be edited.
        return False


@admin.register(Product)
class ProductAdmin(MasterDataAdmin):
    changes_the_past = True
    counted = "ideal_rates"
    list_display = ("name", "code", "unit", "rates", "is_active")
    list_filter = ("is_active", "material_type", ("unit", ScopedFilter))
    ordering = ("code",)
    search_fields = ("code", "name")
    search_help_text = "Code or name"
    fieldsets = (
        (None, {"fields": ("code", "name", "unit", "is_active")}),
        (
            "As a material",
            {"fields": (("material_type", "gtin"), ("lot_controlled", "shelf_life_days"), "stock_policy")},
        ),
        (
            "While it is made",
            {"fields": (("micro_stop_below", "slow_cycle_above"), ("planned_scrap", "balance_tolerance"))},
        ),
        ("How much of an order is enough", {"fields": (("over_tolerance", "under_tolerance"),)}),
    )
    inlines = (RateOfProductInline,)
    history_of = ("units",)
    resource_classes = [ProductResource]

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        # Units and revisions are written in the product's own unit, so that comes first.
        more = [ProductUnitInline, RevisionInline] if obj is not None else []
        return [*super().get_inlines(request, obj), *more]

    @display(description="ideal rates", ordering="child_count")
    def rates(self, product: Any) -> int:
        return int(product.child_count)


@admin.register(ProductUnit)
class ProductUnitAdmin(MasterDataAdmin):
    list_display = ("__str__", "of_product")
    list_select_related = ("product", "unit")
    search_fields = ("product__code", "product__name", "unit__code")
    search_help_text = "Product or unit"
    autocomplete_fields = ("product", "unit")
    fields = ("product", ("quantity", "unit", "base_quantity"))
    resource_classes = [ProductUnitResource]

    @display(description="product", ordering="product__name")
    def of_product(self, unit: ProductUnit) -> str | SafeString:
        return link(unit.product)


class Frozen:
    """Let what belongs to a revision be edited as long as that is a draft."""

    def revision_of(self, obj: Any) -> ProductRevision | None:
        """Return the revision that a row belongs to."""
        return None if obj is None else services.revision_of(obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open(obj) and bool(super().has_change_permission(request, obj))  # type: ignore[misc]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        arguments = (request, obj) if isinstance(self, RowInline) else (request,)
        return self._is_open(obj) and bool(super().has_add_permission(*arguments))  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open(obj) and bool(super().has_delete_permission(request, obj))  # type: ignore[misc]

    def _is_open(self, obj: Any) -> bool:
        revision = self.revision_of(obj)
        return revision is None or revision.is_draft


class BillInline(Frozen, RowInline):
    model = BillOfMaterialLine
    fields = ("position", "component", "kind", "quantity", "unit", "scrap_factor", "operation_code", "is_phantom")
    autocomplete_fields = ("component", "unit")


class RoutingInline(Frozen, RowInline):
    model = Routing
    fields = ("code", "name", "is_default")


@admin.action(description="Release from now on")
def release_now(model_admin: Any, request: HttpRequest, queryset: Any) -> None:
    """Release the chosen drafts."""
    for revision in queryset:
        services.release_revision(revision=revision, valid_from=timezone.now())
        messages.success(request, f"{revision} is released.")


@admin.action(description="Make obsolete from now on")
def make_obsolete(model_admin: Any, request: HttpRequest, queryset: Any) -> None:
    """Take the chosen revisions back."""
    for revision in queryset:
        services.obsolete_revision(revision=revision, at=timezone.now())
        messages.success(request, f"{revision} is obsolete.")


@admin.action(description="Copy to a new draft")
def copy_to_draft(model_admin: Any, request: HttpRequest, queryset: Any) -> None:
    """Make a draft of each of the chosen revisions, to be renamed and edited."""
    for revision in queryset:
        code = services.free_revision_code(revision)
        services.copy_revision(revision=revision, code=code)
        messages.success(request, f"{revision} was copied to revision {code}.")


@admin.register(ProductRevision)
class ProductRevisionAdmin(MasterDataAdmin):
    list_display = ("code", "of_product", "name", "status", "valid_from", "valid_until")
    list_filter = ("status", ("product", ScopedFilter))
    list_select_related = ("product",)
    search_fields = ("code", "name", "product__code", "product__name")
    search_help_text = "Revision or product"
    autocomplete_fields = ("product",)
    fieldsets = (
        (None, {"fields": (("product", "code"), "name", "base_quantity")}),
        (
            "Valid",
            {
                "fields": ("status", ("valid_from", "valid_until")),
                "description": "Release it with the action of the list; from then on it stays as it is.",
            },
        ),
    )
    readonly_fields = ("status", "valid_from")
    inlines = (BillInline, RoutingInline)
    history_of = ("bill_lines", "routings")
    actions = (release_now, make_obsolete, copy_to_draft)
    resource_classes = [ProductRevisionResource]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None or obj.is_draft:
            return self.readonly_fields
        return (*self.readonly_fields, "product", "code", "name", "base_quantity")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        if not self.has_change_permission(request):
            for action in (release_now, make_obsolete, copy_to_draft):
                actions.pop(action.__name__, None)
        return actions

    @display(description="product", ordering="product__name")
    def of_product(self, revision: ProductRevision) -> str | SafeString:
        return link(revision.product)


@admin.register(BillOfMaterialLine)
class BillOfMaterialAdmin(Frozen, MasterDataAdmin):
    list_display = ("position", "of_revision", "part", "kind", "amount", "operation_code")
    list_filter = ("kind", "revision__status", ("revision__product", ScopedFilter), ("component", ScopedFilter))
    list_select_related = ("revision__product", "component", "unit")
    search_fields = ("component__code", "component__name", "revision__product__code", "revision__product__name")
    search_help_text = "Product or component"
    autocomplete_fields = ("revision", "component", "unit")
    fieldsets = (
        (None, {"fields": (("revision", "position"), ("component", "kind"), ("quantity", "unit", "scrap_factor"))}),
        ("Where it is taken", {"fields": ("operation_code", "is_phantom")}),
    )
    resource_classes = [BillOfMaterialResource]

    @display(description="revision", ordering="revision__product__name")
    def of_revision(self, line: BillOfMaterialLine) -> str | SafeString:
        return link(line.revision)

    @display(description="component", ordering="component__name")
    def part(self, line: BillOfMaterialLine) -> str | SafeString:
        return link(line.component)

    @display(description="quantity", ordering="quantity")
    def amount(self, line: BillOfMaterialLine) -> str:
        return f"{plain_number(line.quantity)} {line.unit_id or line.component.unit_id}"


class OperationInline(Frozen, RowInline):
    model = RoutingOperation
    fields = ("sequence", "code", "name", "line", "machine", "machine_class", "setup_time", "run_time_per_unit")
    autocomplete_fields = ("line", "machine", "machine_class")


@admin.register(Routing)
class RoutingAdmin(Frozen, MasterDataAdmin):
    list_display = ("__str__", "code", "is_default")
    list_filter = ("revision__status", ("revision__product", ScopedFilter))
    list_select_related = ("revision__product",)
    search_fields = ("code", "name", "revision__code", "revision__product__code", "revision__product__name")
    search_help_text = "Routing, revision or product"
    autocomplete_fields = ("revision",)
    fields = ("revision", ("code", "name"), "is_default")
    inlines = (OperationInline,)
    history_of = ("operations",)


class ParameterInline(Frozen, RowInline):
    model = OperationParameter
    fields = ("code", "name", "target", "minimum", "maximum", "unit")
    autocomplete_fields = ("unit",)
    show_change_link = False


class DocumentForm(forms.ModelForm):
    """A document, with the file to take."""

    file = forms.FileField(
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".jpg,.jpeg,.png,.webp,.pdf"}),
        help_text="JPEG, PNG, WebP or PDF, at most 8 MB.",
    )

    class Meta:
        model = OperationDocument
        fields = ("position", "caption")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        upload = cleaned.get("file")
        if upload is None and self.instance.pk is None:
            self.add_error("file", "Choose a file.")
        if upload is not None:
            try:
                kept = read_document(upload.read())
            except DomainError as refusal:
                self.add_error("file", refusal.message)
            else:
                self.instance.content, self.instance.content_type = kept.content, kept.content_type
                self.instance.size = len(kept.content)
        return cleaned


class DocumentInline(Frozen, RowInline):
    model = OperationDocument
    form = DocumentForm
    fields = ("position", "caption", "file", "shown")
    readonly_fields = ("shown",)
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("content")

    @display(description="document")
    def shown(self, document: OperationDocument) -> str | SafeString:
        if document._state.adding:
            return "–"
        url = reverse("operationdocument-content", args=[document.pk])
        return format_html('<a href="{}">{} ({} kB)</a>', url, document.content_type, -(-document.size // 1024))


@admin.register(RoutingOperation)
class RoutingOperationAdmin(Frozen, MasterDataAdmin):
    list_display = ("sequence", "code", "name", "of_routing", "where", "setup_time", "run_time_per_unit")
    list_filter = (
        "routing__revision__status",
        ("routing__revision__product", ScopedFilter),
        ("line", ScopedFilter),
        ("machine", ScopedFilter),
        ("machine_class", ScopedFilter),
    )
    list_select_related = ("routing__revision__product", "line", "machine", "machine_class")
    search_fields = ("code", "name", "routing__revision__product__code", "routing__revision__product__name")
    search_help_text = "Operation or product"
    autocomplete_fields = ("routing", "line", "machine", "machine_class")
    fieldsets = (
        (None, {"fields": (("routing", "sequence"), ("code", "name"), ("line", "machine", "machine_class"))}),
        (
            "Times and people",
            {"fields": (("setup_time", "run_time_per_unit", "teardown_time"), ("crew_size", "labour_hours"))},
        ),
        ("How", {"fields": ("instructions", "safety_notes", "inspection_required")}),
        ("Reporting", {"fields": (("counts_for_output", "is_milestone", "overlap_allowed"), "counting_source")}),
    )
    inlines = (ParameterInline, DocumentInline)
    history_of = ("parameters",)
    resource_classes = [RoutingResource]

    @display(description="routing", ordering="routing")
    def of_routing(self, operation: RoutingOperation) -> str | SafeString:
        return link(operation.routing)

    @display(description="where")
    def where(self, operation: RoutingOperation) -> str | SafeString:
        return link(operation.work_centre)


class CustomFieldForm(MasterDataForm):
    """A custom field; it belongs to one of the kinds that can have them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "model" in self.fields:
            kinds = [(m._meta.label_lower, str(m._meta.verbose_name).capitalize()) for m in models_with_custom_fields()]
            self.fields["model"] = forms.ChoiceField(
                label="Belongs to", choices=kinds, widget=UnfoldAdminSelectWidget(choices=kinds)
            )


@admin.register(CustomField)
class CustomFieldAdmin(MasterDataAdmin):
    form = CustomFieldForm
    list_display = ("label", "code", "model", "type", "required", "is_active")
    list_filter = ("is_active", "model", "type")
    search_fields = ("code", "label")
    search_help_text = "Code or label"
    fieldsets = (
        (None, {"fields": ("model", ("code", "label"), ("type", "choices"), "is_active")}),
        ("On forms", {"fields": ("required", "help", "position")}),
    )


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
        return f"{plain_number(rate.value)} {rate.get_unit_display()}"

    @display(description="product", ordering="product__name")
    def for_product(self, rate: IdealRate) -> str | SafeString:
        return link(rate.product)

    @display(description="machine", ordering="machine__name")
    def on_machine(self, rate: IdealRate) -> SafeString:
        return trail(rate.machine.line, rate.machine)


_DATED = {
    "fields": (("valid_from", "valid_until"),),
    "description": "A new cost is a new row from its day on; the past keeps the one it had.",
}


@admin.register(ProductCost)
class ProductCostAdmin(MasterDataAdmin):
    list_display = ("product", "site", "cost", "valid_from", "valid_until")
    list_filter = (("site", ScopedFilter),)
    list_select_related = ("product", "site")
    search_fields = ("product__code", "product__name")
    search_help_text = "Product"
    autocomplete_fields = ("product", "site")
    fieldsets = ((None, {"fields": (("product", "site"), "cost")}), ("Valid", _DATED))
    resource_classes = [ProductCostResource]


@admin.register(MachineRate)
class MachineRateAdmin(MasterDataAdmin):
    list_display = ("__str__", "overhead_per_hour", "labour_per_hour", "valid_from", "valid_until")
    list_filter = (("line", ScopedFilter), ("machine__line", ScopedFilter))
    list_select_related = ("line", "machine")
    search_fields = ("line__name", "machine__name")
    search_help_text = "Line or machine"
    autocomplete_fields = ("line", "machine")
    fieldsets = (
        (
            None,
            {
                "fields": (("line", "machine"), ("overhead_per_hour", "labour_per_hour")),
                "description": "A line's rate stands for the whole line; machines' are added up where it has none.",
            },
        ),
        ("Valid", _DATED),
    )
    resource_classes = [MachineRateResource]
