"""Every field that docs/field-map.md names exists."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist

PAGE = (Path(settings.BASE_DIR) / "docs" / "field-map.md").read_text()
NAMED = sorted(set(re.findall(r"`([a-z]+\.[A-Z]\w+\.[a-z_]+)`", PAGE)))


def exists(name):
    app, model, field = name.split(".")
    try:
        apps.get_model(app, model)._meta.get_field(field)
    except (LookupError, FieldDoesNotExist):
        return False
    return True


@pytest.mark.parametrize("name", NAMED)
def test_named_field_exists(name):
    assert exists(name)


def test_page_has_the_nine_tables():
    tables = ("work_orders", "work_order_operations", "material_transactions", "labor_transactions")
    assert re.findall(r"^## (\w+)$", PAGE, re.M) == [
        *tables,
        "changeover_events",
        "production_schedule",
        "quality_inspections",
        "defects",
        "electronic_batch_records",
    ]
