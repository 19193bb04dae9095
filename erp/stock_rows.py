"""Stock as the ERP counts it: what is different is booked as a movement."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from rest_framework import serializers

from accounts.models import User
from core.errors import Invalid
from core.serializers import Plain, ReferenceField
from materials.ledger import lock_lots, lock_stock
from materials.lots import NewLot
from materials.models import Location, MaterialLot
from materials.services import adjust, receive
from products.models import Product

LARGEST = Decimal(10) ** 12


class StockRow(Plain):
    """How much of a product (and lot) there is at a place, in the product's unit."""

    product: Any = ReferenceField(queryset=Product.objects.all())
    location = ReferenceField(queryset=Location.objects.all())
    lot = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    quantity = serializers.DecimalField(max_digits=18, decimal_places=6, min_value=Decimal(0))
    reason = serializers.CharField(max_length=200, required=False, default="Stock as the ERP has it")


@transaction.atomic
def count_stock(
    *, product: Product, location: Location, quantity: Decimal, lot: str, reason: str, actor: User, now: datetime
) -> bool:
    """Let there be so much at a place, by an adjustment of the difference, or a receipt of a new lot;
    say whether one was needed.

    Raises Invalid for a lot that a product does not have, and what the ledger refuses.
    """
    if quantity >= LARGEST:
        raise Invalid("That is more than can be stored.", field="quantity")
    found = MaterialLot.objects.filter(product=product, number=lot, site=location.site_id).first() if lot else None
    said: dict[str, Any] = {"actor": actor, "occurred_at": now, "recorded_at": now, "reason": reason}
    if lot and found is None:
        if not quantity:
            return False
        receive(product=product, quantity=quantity, to_location=location, lot=NewLot(number=lot), **said)
        return True
    if found is not None:
        lock_lots([found.pk])
    key = (product.pk, found.pk if found else 0, location.pk)
    change = quantity - lock_stock([key])[key]
    if not change:
        return False
    adjust(product=product, quantity=change, location=location, lot=found, **said)
    return True
