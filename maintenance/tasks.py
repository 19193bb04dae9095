"""What the worker does about maintenance: orders for plans that came due."""

from django.db import close_old_connections
from django.utils import timezone
from procrastinate.contrib.django import app

from maintenance.services import order_due_plans


@app.periodic(cron="*/15 * * * *")
@app.task(queueing_lock="order_due_maintenance", pass_context=False)
def order_due_maintenance(timestamp: int) -> int:
    """Every quarter of an hour: make an order for each plan that is due and has none."""
    close_old_connections()
    try:
        return len(order_due_plans(now=timezone.now()))
    finally:
        close_old_connections()
