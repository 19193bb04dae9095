"""Supervisors set people up in the admin; a PIN goes in and never comes out."""

import pytest
from django.contrib.auth.hashers import check_password
from django.urls import reverse

from labor.models import Employee
from tests.factories import make_employee, make_site, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    client.force_login(make_user(is_superuser=True, is_staff=True))
    return client


def form(**values):
    inlines = {
        f"{name}-{part}": "0"
        for name in ("certificates", "absences", "terms")
        for part in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")
    }
    return {**inlines, "is_active": "on", **values}


@pytest.mark.parametrize(
    "model",
    ["employee", "crew", "crewassignment", "skill", "skillneed", "laborpolicy", "absence", "attendance", "laborentry"],
)
def test_lists_and_forms_open(admin, model):
    make_employee()
    assert admin.get(reverse(f"admin:labor_{model}_changelist")).status_code == 200
    if model not in ("attendance", "laborentry"):
        assert admin.get(reverse(f"admin:labor_{model}_add")).status_code == 200


def test_pin_is_stored_hashed_kept_when_left_empty_and_never_shown(admin):
    site = make_site()
    values = {"code": "1042", "name": "Ewa", "site": site.pk}
    refused = admin.post(reverse("admin:labor_employee_add"), form(**values, new_pin="1234"))
    assert "first that anybody tries" in refused.content.decode()
    admin.post(reverse("admin:labor_employee_add"), form(**values, new_pin="4711"))
    employee = Employee.objects.get()
    assert check_password("4711", employee.pin)
    page = reverse("admin:labor_employee_change", args=[employee.pk])
    admin.post(page, form(**values, hourly_rate="30"))
    employee.refresh_from_db()
    assert check_password("4711", employee.pin)
    shown = admin.get(page).content.decode()
    assert "4711" not in shown
    assert employee.pin not in shown
