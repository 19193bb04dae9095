"""Every field that docs/field-map.md names exists, or is known to be still to come."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist

PAGE = (Path(settings.BASE_DIR) / "docs" / "field-map.md").read_text()
NAMED = sorted(set(re.findall(r"`([a-z]+\.[A-Z]\w+\.[a-z_]+)`", PAGE)))

# Promised by work that goes on beside this page. Take a name out as soon as the field is there.
PENDING = {
    "execution.OperationRun.ended_at",
    "execution.OperationRun.started_at",
    "execution.ProductionReport.rework_quantity",
    "execution.ProductionReport.scrap_quantity",
    "workorders.Changeover.first_good_at",
    "workorders.Changeover.from_product",
    "workorders.Changeover.improvement_idea",
    "workorders.Changeover.inspection_result",
    "workorders.Changeover.kind",
    "workorders.Changeover.produced_quantity",
    "workorders.Changeover.run",
    "workorders.Changeover.scrapped_quantity",
    "workorders.Changeover.supervisor",
    "workorders.Changeover.to_product",
    "workorders.ChangeoverPhase.ended_at",
    "workorders.ChangeoverPhase.started_at",
    "workorders.OrderConfirmation.good_quantity",
    "workorders.OrderConfirmation.rework_quantity",
    "workorders.OrderConfirmation.scrap_quantity",
    "workorders.OrderStatusChange.changed_at",
    "workorders.OrderStatusChange.changed_by",
    "workorders.OrderStatusChange.to_status",
    "workorders.Schedule.operation",
    "workorders.Schedule.planned_quantity",
    "workorders.Schedule.planner",
    "workorders.Schedule.sequence",
    "workorders.Schedule.shift",
    "workorders.Schedule.status",
}


def exists(name):
    app, model, field = name.split(".")
    try:
        apps.get_model(app, model)._meta.get_field(field)
    except (LookupError, FieldDoesNotExist):
        return False
    return True


@pytest.mark.parametrize("name", NAMED)
def test_named_field_exists_or_is_pending(name):
    assert exists(name) != (name in PENDING), "It is still to come" if name in PENDING else "It does not exist"


def test_pending_fields_are_named():
    assert set(NAMED) >= PENDING


def test_page_has_the_seven_tables():
    tables = ("work_orders", "work_order_operations", "material_transactions", "labor_transactions")
    assert re.findall(r"^## (\w+)$", PAGE, re.M) == [
        *tables,
        "changeover_events",
        "production_schedule",
        "electronic_batch_records",
    ]
