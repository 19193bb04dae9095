"""How much of what lies at a place is packed, so that nobody uses it from under a container."""

from collections.abc import Collection
from decimal import Decimal

from django.db import connection

from materials.models import ContainerContent

Key = tuple[int, int, int]
"""Product, lot (0 = without one) and location, by id."""
SHOWN = 5


def packed_at(keys: Collection[Key]) -> dict[Key, Decimal]:
    """Return how much is packed in containers that stand at the place, by key; keys with nothing packed are left out.

    Who writes holds the stock rows of the keys: whoever packs holds them, too.
    """
    if not keys:
        return {}
    products, lots, locations = (list(column) for column in zip(*sorted(keys), strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.product_id, coalesce(c.lot_id, 0), k.location_id, sum(c.quantity)
            FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS w (product, lot, location)
            JOIN materials_containercontent c ON c.product_id = w.product AND c.lot_id IS NOT DISTINCT FROM w.lot
            JOIN materials_container k ON k.id = c.container_id AND k.location_id = w.location
            GROUP BY 1, 2, 3
            """,
            [products, [lot or None for lot in lots], locations],
        )
        return {(product, lot, location): quantity for product, lot, location, quantity in cursor.fetchall()}


def containers_at(key: Key) -> list[str]:
    """Return the codes of the containers of a key, the first few and "…"."""
    product, lot, location = key
    rows = ContainerContent.objects.filter(product=product, lot=lot or None, container__location=location)
    codes = list(rows.order_by("container__code").values_list("container__code", flat=True)[: SHOWN + 1])
    return [*codes[:SHOWN], "…"] if len(codes) > SHOWN else codes
