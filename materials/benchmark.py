"""Measure what following lots costs, next to a look-up by primary key in the same run, in tables of growing size.

Runs in a process of its own on a scratch database (`manage.py bench_trace`). Lots, orders, movements, stock and links
are generated in SQL: trees in which each lot went into ten (forward) or was made of ten (backward), of so many links
each.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

ANSWERS = (10, 100, 1_000, 10_000)
_FAN = 10
_FILLER = 100


def main(address: str, sizes: list[int]) -> None:
    """Print the table for each number of links, the smaller first."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    shop = Shop()
    for size in sorted(sizes):
        started = time.perf_counter()
        shop.grow(size)
        _say(f"\n{shop.links:,} links among {shop.lots:,} lots (generated in {time.perf_counter() - started:,.0f} s)")
        _measure(shop)


def _say(line: str) -> None:
    print(line, flush=True)


class Shop:
    """One site, one product, and trees of lots; the traced one of a tree is its first lot."""

    def __init__(self) -> None:
        from accounts.models import User
        from enterprise.models import Area, Enterprise, Line, Site
        from materials.models import Location
        from products.models import Product

        site = Site.objects.create(code="bench", name="Bench", enterprise=Enterprise.objects.create(code="b", name="B"))
        self.line = Line.objects.create(
            code="bench", name="Bench", area=Area.objects.create(code="b", name="B", site=site)
        )
        self.place = Location.objects.create(code="bench", name="Bench", site=site)
        self.product = Product.objects.create(code="p", name="P", lot_controlled=True, unit_id="kg")
        self.user = User.objects.create(username="bench", is_superuser=True)
        self.site = site
        self.links = self.lots = self._orders = 0
        self.roots: dict[tuple[int, bool], int] = {}

    def grow(self, size: int) -> None:
        """Add trees until there are so many links: those that are traced first, then others that are not."""
        from django.db import connection

        for answer in ANSWERS:
            for forward in (True, False):
                if (answer, forward) not in self.roots and answer * 4 <= size:
                    self.roots[answer, forward] = self.lots + 1
                    self._trees(1, answer, forward=forward)
        self._trees(max(0, size - self.links) // _FILLER, _FILLER, forward=True)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")

    def _trees(self, trees: int, links: int, *, forward: bool) -> None:
        from django.db import connection

        if not trees:
            return
        orders = -(-links // _FAN)
        near, far = "lot0 + (i - 1) / %(fan)s", "lot0 + i"
        input_, output = (near, far) if forward else (far, near)
        values = {
            "trees": trees,
            "links": links,
            "fan": _FAN,
            "orders": orders,
            "lot": self.lots + 1,
            "order": self._orders + 1,
            "line": self.line.pk,
            "site": self.site.pk,
            "product": self.product.pk,
            "place": self.place.pk,
            "user": self.user.pk,
        }
        tree = "(SELECT %(lot)s + t * (%(links)s + 1) AS lot0, %(order)s + t * %(orders)s AS order0 FROM generate_series(0, %(trees)s - 1) t) tree"
        statements = (
            """
            INSERT INTO workorders_customer (code, name, is_active)
            SELECT 'customer-' || i, 'Customer ' || i, true FROM generate_series(0, 49) i ON CONFLICT DO NOTHING
            """,
            f"""
            INSERT INTO workorders_workorder (id, order_number, description, line_id, product_id, target_quantity, status,
                routing_code, customer_id, sales_order, lot_number, parent_kind, held_from, custom)
            SELECT order0 + i, 'O' || (order0 + i), '', %(line)s, %(product)s, 10, 'completed', '',
                (SELECT id FROM workorders_customer WHERE code = 'customer-' || (order0 + i) %% 50), 'S' || (order0 + i) %% 500, '', '', '', '{{}}'
            FROM {tree}, generate_series(0, %(orders)s - 1) i
            """,
            f"""
            INSERT INTO materials_materiallot (id, product_id, number, site_id, status, batch, serial, supplier,
                supplier_lot, certificate, notes, recorded_at, work_order_id)
            SELECT lot0 + i, %(product)s, 'L' || (lot0 + i), %(site)s, 'released', '', '', '', '', '', '', now(),
                CASE WHEN i > 0 THEN order0 + (i - 1) / %(fan)s END
            FROM {tree}, generate_series(0, %(links)s) i
            """,
            f"""
            INSERT INTO materials_materialtransaction (kind, product_id, lot_id, quantity, unit, to_location_id,
                work_order_id, operation_code, reason, occurred_at, recorded_at, performed_by_id, given_unit)
            SELECT 'produce', %(product)s, lot0 + i, 10, 'kg', %(place)s, order0 + greatest(i - 1, 0) / %(fan)s, '', '',
                now(), now(), %(user)s, ''
            FROM {tree}, generate_series(0, %(links)s) i
            """,
            f"""
            INSERT INTO materials_stock (product_id, lot_id, location_id, quantity)
            SELECT %(product)s, lot0 + i, %(place)s, i %% 3 FROM {tree}, generate_series(0, %(links)s) i
            """,
            f"""
            INSERT INTO materials_genealogylink (input_lot_id, output_lot_id, work_order_id, rule, quantity, occurred_at)
            SELECT {input_}, {output}, order0 + (i - 1) / %(fan)s, 'order', 1, now()
            FROM {tree}, generate_series(1, %(links)s) i
            """,
        )
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement, values)
        self.lots += trees * (links + 1)
        self.links += trees * links
        self._orders += trees * orders


def _median_ms(act: Callable[[], Any], seconds: float = 1.5) -> float:
    act()
    spent: list[float] = []
    while (sum(spent) < seconds and len(spent) < 200) or len(spent) < 3:
        started = time.perf_counter()
        act()
        spent.append(time.perf_counter() - started)
    return statistics.median(spent) * 1000


def _measure(shop: Shop) -> None:
    from django.db import connection

    from materials.genealogy import edges
    from materials.models import MaterialLot
    from materials.tracing import recall, recall_csv, trace

    middle = shop.lots // 2

    def look_up() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM materials_materiallot WHERE id = %s", [middle])
            cursor.fetchall()

    lookup = _median_ms(look_up)
    _say(f"  one primary-key look-up: {lookup:.3f} ms")
    titles = ("links", "back, in db", "forward, in db", "back", "forward", "recall", "recall as CSV")
    _say("  " + " ".join(f"{title:>20}" for title in titles))
    for answer in ANSWERS:
        if (answer, True) not in shop.roots:
            continue
        root = MaterialLot.objects.select_related("product", "site").get(pk=shop.roots[answer, True])
        end = MaterialLot.objects.select_related("product", "site").get(pk=shop.roots[answer, False])
        found = recall(root, user=shop.user)
        if len(found.lots) != answer + 1:
            raise RuntimeError(f"{len(found.lots)} lots found, {answer + 1} expected")
        measured = [
            _median_ms(lambda end=end: edges(end.pk, forward=False)),  # type: ignore[misc]
            _median_ms(lambda root=root: edges(root.pk, forward=True)),  # type: ignore[misc]
            _median_ms(lambda end=end: trace(end, forward=False, user=shop.user)),  # type: ignore[misc]
            _median_ms(lambda root=root: trace(root, forward=True, user=shop.user)),  # type: ignore[misc]
            _median_ms(lambda root=root: recall(root, user=shop.user)),  # type: ignore[misc]
            _median_ms(
                lambda root=root: recall_csv(  # type: ignore[misc]
                    found := recall(root, user=shop.user), status_of={row.lot.pk: row.lot.status for row in found.lots}
                )
            ),
        ]
        cells = [f"{answer:>20,}", *(f"{f'{ms:,.2f} ms ×{ms / lookup:,.0f}':>20}" for ms in measured)]
        _say("  " + " ".join(cells))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
