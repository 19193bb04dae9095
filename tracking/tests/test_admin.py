"""Stage forms are set up, released and revised in the admin; units are to look at."""

import pytest
from django.urls import reverse

from tests.factories import make_product, make_serial_unit, make_user
from tests.test_admin_plant_setup import empty_inlines, post
from tracking.models import StageForm

pytestmark = pytest.mark.django_db


@pytest.fixture
def engineer(client):
    client.force_login(make_user(is_superuser=True, is_staff=True))
    return client


def test_form_is_made_with_fields_released_and_revised(engineer):
    row = {
        "sequence": "10",
        "code": "seam",
        "label": "Seam",
        "kind": "number",
        "required": "on",
        "per_position": "on",
        "filled_by": "technician",
        "minimum": "1",
        "maximum": "2",
        "choices": "",
        "help": "",
    }
    post(
        engineer,
        "tracking.stageform",
        product=make_product().pk,
        operation_code="WELD",
        version="1",
        name="Welding",
        sequence="10",
        positions="X,Y",
        **empty_inlines("fields") | {"fields-TOTAL_FORMS": "1"},
        **{f"fields-0-{name}": value for name, value in row.items()},
    )
    form = StageForm.objects.get()
    assert (form.positions, form.fields.get().code) == (["X", "Y"], "seam")
    page = reverse("admin:tracking_stageform_changelist")
    for action in ("release_forms", "revise_forms"):
        assert engineer.post(page, {"action": action, "_selected_action": [form.pk]}).status_code == 302
    assert list(StageForm.objects.order_by("version").values_list("version", "status")) == [
        (1, "released"),
        (2, "draft"),
    ]
    # What is released is shown, not edited.
    shown = engineer.get(reverse("admin:tracking_stageform_change", args=[form.pk]))
    assert shown.status_code == 200
    assert 'name="operation_code"' not in shown.content.decode()


def test_units_and_their_facts_are_shown(engineer):
    unit = make_serial_unit()
    for model in ("serialunit", "stageentry", "unitevent", "assembly"):
        assert engineer.get(reverse(f"admin:tracking_{model}_changelist")).status_code == 200
    assert engineer.get(reverse("admin:tracking_serialunit_change", args=[unit.pk])).status_code == 200
