"""The demo plant for tests: making it takes hundreds of saves, so a module makes it once."""

import pytest
from django.db import transaction

from simulator.services import create_plant, keep_orders
from simulator.vistula import VISTULA


@pytest.fixture(scope="module")
def plant(request, django_db_setup, django_db_blocker):
    """Make the demo plant at the module's NOW, with the orders of its WINDOW if it has one; return its site.

    What a test does to it ends with the test.
    """
    now, window = request.module.NOW, getattr(request.module, "WINDOW", None)
    with django_db_blocker.unblock(), transaction.atomic():
        site = create_plant(VISTULA, now=now)
        if window is not None:
            keep_orders(VISTULA, window, now=now)
        yield site
        transaction.set_rollback(True)
