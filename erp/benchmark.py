"""Measure the processor time that a row of an import costs this process, one by one and together.

Runs in a process of its own on a scratch database (`manage.py bench_import`).
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

Row = dict[str, Any]


def _customer(n: int) -> Row:
    return {"external_id": f"{n}", "name": f"Customer {n}"}


def _product(n: int) -> Row:
    return {"code": f"{n}", "name": f"Product {n}", "unit": "pcs", "material_type": "raw", "shelf_life_days": 90}


def _order(n: int) -> Row:
    return {"external_id": f"{n}", "line": "bench", "product": f"{n}", "target_quantity": "500", "customer": f"{n}"}


_ROWS: tuple[tuple[str, Callable[[int], Row], Row], ...] = (
    ("customers", _customer, {"is_active": False}),
    ("products", _product, {"shelf_life_days": 30}),
    ("orders", _order, {"priority": 1}),
)


def main(rows: int) -> None:
    """Print milliseconds of processor time per row: new, unchanged, changed."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import transaction
    from django.http import HttpRequest
    from django.utils import timezone

    from accounts.models import User
    from enterprise.models import Area, Enterprise, Line, Site
    from erp import importing
    from erp.senders import Sender

    call_command("migrate", verbosity=0)
    site = Site.objects.create(code="bench", name="Bench", enterprise=Enterprise.objects.create(code="b", name="B"))
    Line.objects.create(code="bench", name="Bench", area=Area.objects.create(code="b", name="B", site=site))
    request = HttpRequest()
    request.user = User.objects.create(username="bench", is_superuser=True)
    by = Sender(request, timezone.now())
    kinds = dict(importing.KINDS)
    print(f"{'ms per row':<24} {'new':>8} {'unchanged':>10} {'changed':>8}", flush=True)
    for way, taken in (
        ("one by one", {name: replace(kind, things=None) for name, kind in kinds.items()}),
        ("together", kinds),
    ):
        importing.KINDS.update(taken)
        with transaction.atomic():
            for kind, make, change in _ROWS:
                new = [make(n) for n in range(rows)]
                spent = []
                for sent in (new, new, [{**row, **change} for row in new]):
                    started = time.process_time()
                    outcome = importing.take({kind: sent}, by=by)
                    spent.append((time.process_time() - started) * 1000 / rows)
                    if outcome.refused:
                        raise RuntimeError(f"{outcome.refused} {kind} were refused: {outcome.faults[0]}")
                print(f"{kind + ', ' + way:<24} {spent[0]:>8.2f} {spent[1]:>10.2f} {spent[2]:>8.2f}", flush=True)
            transaction.set_rollback(True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
