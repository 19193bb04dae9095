"""Locations, lots and stock, as spreadsheets."""

from core.resources import MasterDataResource
from materials.models import BackflushPolicy, ContainerPolicy, Location, MaterialLot, PickingPolicy


class LocationResource(MasterDataResource):
    """Locations by code."""

    examples = {"code": "WH1-A3", "name": "Shelf A3", "site": "KRK", "parent": "WH1", "kind": "storage"}

    class Meta(MasterDataResource.Meta):
        model = Location
        fields = ("code", "name", "site", "parent", "kind", "line", "is_active")
        import_id_fields = ("code",)


class PickingPolicyResource(MasterDataResource):
    """Picking policies by site and product."""

    examples = {"site": "KRK", "product": "SUGAR", "rule": "enforce"}

    class Meta(MasterDataResource.Meta):
        model = PickingPolicy
        fields = ("site", "product", "rule")
        import_id_fields = ("site", "product")


class BackflushPolicyResource(MasterDataResource):
    """Back-flush policies by site and product."""

    examples = {"site": "KRK", "product": "COLA-05", "mode": "milestone", "location": "WH-1"}

    class Meta(MasterDataResource.Meta):
        model = BackflushPolicy
        fields = ("site", "product", "mode", "location")
        import_id_fields = ("site", "product")


class ContainerPolicyResource(MasterDataResource):
    """Container policies by site."""

    examples = {"site": "KRK", "gs1_company_prefix": "5901234"}

    class Meta(MasterDataResource.Meta):
        model = ContainerPolicy
        fields = ("site", "gs1_company_prefix", "extension_digit")
        import_id_fields = ("site",)


class LotResource(MasterDataResource):
    """Lots by product and number, for export."""

    class Meta(MasterDataResource.Meta):
        model = MaterialLot
        fields = (
            *("product", "number", "site", "status", "batch", "serial", "supplier", "supplier_lot"),
            *("made_date", "expiry_date", "retest_date", "certificate", "work_order"),
        )
        import_id_fields = ("product", "number")
