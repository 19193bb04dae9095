"""Foreign keys point down the floors, like imports do (those are checked by the import-linter contracts)."""

import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

from scripts import draw_floors


def floors() -> dict[str, int]:
    """Return each app's floor, as the import contract in pyproject.toml draws them."""
    configuration = tomllib.loads((Path(settings.BASE_DIR) / "pyproject.toml").read_text())
    layers = configuration["tool"]["importlinter"]["contracts"][0]["layers"]
    return {app.strip(): height for height, layer in enumerate(reversed(layers)) for app in layer.split("|")}


FLOORS = floors()


def test_every_app_of_ours_stands_on_a_floor():
    ours = {config.label for config in apps.get_app_configs() if Path(config.path).parent == Path(settings.BASE_DIR)}
    assert ours <= set(FLOORS)


def test_the_drawing_shows_the_floors_as_they_are():
    """Drawn anew by `scripts/draw_floors.py`."""
    assert draw_floors.PICTURE.read_text() == draw_floors.drawing()


@pytest.mark.parametrize(
    "model", [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label in FLOORS], ids=str
)
def test_foreign_keys_point_down(model):
    here = model._meta.app_label
    for field in model._meta.get_fields():
        if not (field.many_to_one or field.one_to_one) or field.auto_created:
            continue
        target = field.related_model._meta
        # Who did it is Django's own indirection, open to every floor.
        if target.label == settings.AUTH_USER_MODEL or target.app_label not in FLOORS or target.app_label == here:
            continue
        assert FLOORS[target.app_label] < FLOORS[here], f"{model.__name__}.{field.name} points up to {target.label}"
