"""An engineer sets up a plant from an empty database in the admin alone."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import DeviceKey, Membership, User
from counts.models import CountTag, CountType
from downtime.models import StateReason
from enterprise.models import Area, CalendarException, Enterprise, Line, Machine, Shift, Site
from products.models import IdealRate, Product
from workorders.models import WorkOrder

pytestmark = pytest.mark.django_db


@pytest.fixture
def engineer(client: Client) -> Client:
    person = User.objects.create_superuser("ada", password="correct horse battery staple")
    client.force_login(person)
    return client


def empty_inlines(*prefixes: str) -> dict[str, str]:
    """Return the management forms of inlines that get no rows."""
    return {f"{prefix}-{part}": "0" for prefix in prefixes for part in ("TOTAL_FORMS", "INITIAL_FORMS")}


def post(client: Client, model: str, page: str = "add", /, *args: Any, **data: Any) -> Any:
    """Post a form of the admin and fail with its errors when it does not take it."""
    app, name = model.split(".")
    response = client.post(reverse(f"admin:{app}_{name}_{page}", args=args), data)
    if response.status_code == 200 and "adminform" in (response.context or {}):
        form = response.context["adminform"].form
        sets = [inline.formset for inline in response.context["inline_admin_formsets"]]
        inlines = [(formset.errors, formset.non_form_errors()) for formset in sets]
        raise AssertionError(f"{model} was refused: {form.errors} {inlines}")
    return response


def set_up_plant(client: Client) -> None:
    """Post, in the order of the checklist, everything that a plant needs."""
    post(client, "enterprise.enterprise", code="ACME", name="Acme", is_active="on", **empty_inlines("sites"))
    enterprise = Enterprise.objects.get()
    post(
        client,
        "enterprise.site",
        code="WAW",
        name="Warsaw",
        is_active="on",
        enterprise=enterprise.pk,
        time_zone="Europe/Warsaw",
        locale="pl",
        **empty_inlines("areas"),
    )
    site = Site.objects.get()
    post(
        client,
        "enterprise.area",
        code="HALL",
        name="Hall",
        is_active="on",
        site=site.pk,
        **empty_inlines("lines"),
    )
    post(
        client,
        "enterprise.line",
        code="L1",
        name="Line 1",
        is_active="on",
        area=Area.objects.get().pk,
        oee_mode="constraint",
        buffer_time="300",
    )
    own = Machine.objects.get()
    post(
        client,
        "enterprise.line",
        "change",
        Line.objects.get().pk,
        code="L1",
        name="Line 1",
        is_active="on",
        area=Area.objects.get().pk,
        oee_mode="last",
        buffer_time="300",
        **{"machines-TOTAL_FORMS": "2", "machines-INITIAL_FORMS": "1"},
        **{"machines-0-id": own.pk, "machines-0-line": own.line_id, "machines-0-position": "1"},
        **{"machines-0-code": "FILLER", "machines-0-name": "Filler", "machines-0-is_active": "on"},
        **{"machines-0-is_constraint": "on", "machines-1-line": own.line_id, "machines-1-position": "2"},
        **{"machines-1-code": "PACKER", "machines-1-name": "Packer", "machines-1-is_active": "on"},
    )
    post(
        client,
        "enterprise.shift",
        site=site.pk,
        name="Night",
        kind="regular",
        weekdays=["1", "2", "3", "4", "5"],
        start_time="22:00",
        end_time="06:00",
        **{"breaks-TOTAL_FORMS": "1", "breaks-INITIAL_FORMS": "0"},
        **{"breaks-0-name": "Meal", "breaks-0-start_time": "02:00", "breaks-0-end_time": "02:30"},
    )
    post(client, "enterprise.calendarexception", site=site.pk, date="2026-12-25", kind="holiday", name="Christmas Day")
    post(
        client,
        "products.unitofmeasure",
        code="bottle",
        name="bottle",
        dimension="other",
        numerator="1",
        denominator="1",
        is_active="on",
    )
    post(
        client,
        "products.product",
        code="COLA",
        name="Cola",
        unit="bottle",
        is_active="on",
        material_type="finished",
        stock_policy="refuse_negative",
        **{"ideal_rates-TOTAL_FORMS": "1", "ideal_rates-INITIAL_FORMS": "0"},
        **{"ideal_rates-0-machine": own.pk, "ideal_rates-0-value": "0.15", "ideal_rates-0-unit": "s/pc"},
        **{"ideal_rates-0-valid_from_0": "2026-01-01", "ideal_rates-0-valid_from_1": "00:00:00"},
    )
    post(client, "counts.counttype", code="GOOD", name="Good", role="good", is_active="on")
    post(
        client,
        "enterprise.machine",
        "change",
        own.pk,
        code="FILLER",
        name="Filler",
        is_active="on",
        line=own.line_id,
        position="1",
        stop_detection="states",
        run_after="1",
        **{"is_constraint": "on", "ideal_rates-TOTAL_FORMS": "1", "ideal_rates-INITIAL_FORMS": "1"},
        **{"ideal_rates-0-id": IdealRate.objects.get().pk, "ideal_rates-0-machine": own.pk},
        **{"ideal_rates-0-product": Product.objects.get().pk, "ideal_rates-0-value": "0.15"},
        **{"ideal_rates-0-unit": "s/pc", "ideal_rates-0-valid_from_0": "2026-01-01"},
        **{"ideal_rates-0-valid_from_1": "00:00:00"},
        **{"count_tags-TOTAL_FORMS": "1", "count_tags-INITIAL_FORMS": "0", "count_tags-0-tag_path": "L1/FILLER/good"},
        **{"count_tags-0-count_type": CountType.objects.get().pk, "count_tags-0-mode": "running"},
        **{"count_tags-0-scale": "1", "count_tags-0-modulus": "65536", "count_tags-0-reset_policy": "from_zero"},
        **{"count_tags-0-is_active": "on", "count_tags-0-machine": own.pk},
    )
    post(
        client,
        "downtime.statereason",
        code="RUN",
        name="Running",
        category="running",
        position="0",
        is_active="on",
        **empty_inlines("places"),
    )
    post(
        client,
        "downtime.statereason",
        code="STOP",
        name="Stop",
        category="unplanned",
        position="1",
        is_active="on",
        **empty_inlines("places"),
    )
    post(
        client,
        "downtime.statereason",
        code="JAM",
        name="Jam",
        category="unplanned",
        position="0",
        is_active="on",
        parent=StateReason.objects.get(code="STOP").pk,
        colour="#c0392b",
        roles=["operator"],
        **empty_inlines("places"),
    )
    post(
        client,
        "workorders.workorder",
        order_number="WO-1",
        status="released",
        line=own.line_id,
        product=Product.objects.get().pk,
        target_quantity="1200",
        **empty_inlines("schedules", "runs"),
    )
    post(
        client,
        "accounts.user",
        username="olek",
        usable_password="true",
        password1="a-long-enough-phrase",
        password2="a-long-enough-phrase",
        **{"memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "0"},
        **{"memberships-0-role": "operator", "memberships-0-site": site.pk},
    )


def test_a_plant_is_set_up_from_an_empty_database_by_forms_alone(engineer):
    set_up_plant(engineer)
    made = post(engineer, "accounts.devicekey", name="Filler PLC", machine=Machine.objects.get(code="FILLER").pk)

    key = re.search(r'id="new-key"[^>]* value="([^"]+)"', made.content.decode()).group(1)
    assert DeviceKey.objects.is_valid(key)
    assert DeviceKey.objects.get().machine.code == "FILLER"
    assert "curl -X POST http://testserver/ingest/count" in made.content.decode()
    assert "L1/FILLER/good" in made.content.decode()
    assert sorted(Machine.objects.values_list("code", flat=True)) == ["FILLER", "PACKER"]
    assert Line.objects.get().oee_mode == "last"
    assert Shift.objects.get().weekdays == [1, 2, 3, 4, 5]
    assert Shift.objects.get().breaks.get().name == "Meal"
    assert CalendarException.objects.get().name == "Christmas Day"
    assert CountTag.objects.get().modulus == 65536
    assert StateReason.objects.get(code="JAM").parent.code == "STOP"
    assert WorkOrder.objects.get().product.code == "COLA"
    assert Membership.objects.get().site.code == "WAW"


def test_the_first_page_leads_from_step_to_step_until_all_is_done(engineer):
    empty = engineer.get(reverse("admin:index"))
    assert [step.done for step in empty.context["steps"]] == [False] * len(empty.context["steps"])
    assert empty.context["next_step"].url == reverse("admin:enterprise_enterprise_add")

    set_up_plant(engineer)
    almost = engineer.get(reverse("admin:index"))
    assert almost.context["next_step"].url == reverse("admin:accounts_devicekey_add")

    post(engineer, "accounts.devicekey", name="Filler PLC", line=Line.objects.get().pk)
    done = engineer.get(reverse("admin:index"))
    assert done.context["next_step"] is None
    assert "ada" in done.content.decode()


def test_the_plant_page_reads_as_the_plant(engineer):
    set_up_plant(engineer)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", engineer.get(reverse("admin:plant")).content.decode()))
    order = [
        "Acme",
        "Warsaw",
        "Europe/Warsaw",
        "Hall",
        "Line 1",
        "Filler",
        "constraint",
        "1 tag",
        "Packer",
        "no tags yet",
    ]
    at = text.index("Everything from enterprise to machine")
    for word in order:
        at = text.index(word, at)


def test_a_key_is_shown_once_and_never_again(engineer):
    set_up_plant(engineer)
    made = post(engineer, "accounts.devicekey", name="PLC", line=Line.objects.get().pk)
    key = re.search(r'id="new-key"[^>]* value="([^"]+)"', made.content.decode()).group(1)
    assert "no-store" in made["Cache-Control"]
    stored = DeviceKey.objects.get()
    for page in (
        reverse("admin:accounts_devicekey_changelist"),
        reverse("admin:accounts_devicekey_change", args=[stored.pk]),
        reverse("admin:index"),
    ):
        assert key not in engineer.get(page).content.decode()
    refused = engineer.post(reverse("admin:accounts_devicekey_change", args=[stored.pk]), {"name": "other"})
    assert refused.status_code == 403


def test_a_revoked_key_is_refused(engineer):
    set_up_plant(engineer)
    made = post(engineer, "accounts.devicekey", name="PLC", line=Line.objects.get().pk)
    key = re.search(r'id="new-key"[^>]* value="([^"]+)"', made.content.decode()).group(1)
    engineer.post(
        reverse("admin:accounts_devicekey_changelist"),
        {"action": "revoke", "_selected_action": DeviceKey.objects.get().pk},
    )
    assert DeviceKey.objects.get().revoked
    assert not DeviceKey.objects.is_valid(key)


def test_every_page_of_the_menu_opens(engineer):
    set_up_plant(engineer)
    from screens.admin_menu import GROUPS

    for _, entries in GROUPS:
        for _, _, model in entries:
            app, name = model.split(".")
            assert engineer.get(reverse(f"admin:{app}_{name}_changelist")).status_code == 200, model


def test_the_first_page_costs_the_same_for_a_plant_of_any_size(engineer, django_assert_max_num_queries):
    set_up_plant(engineer)
    engineer.get(reverse("admin:index"))
    with django_assert_max_num_queries(40):
        engineer.get(reverse("admin:index"))
