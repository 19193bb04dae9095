"""Administrators look after the people and keys of their sites, and of no others."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ClientKey, DeviceKey, Membership, Role, User
from tests.factories import make_count_tag, make_machine, make_site, make_user

pytestmark = pytest.mark.django_db

PASSWORD = "a-long-enough-phrase"


def log_in(client: Client, role: str, site: Any) -> User:
    person = make_user(role, site, is_staff=True)
    client.force_login(person)
    return person


def new_person(**changes: Any) -> dict[str, Any]:
    passwords = {"username": "olek", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    return {**passwords, "memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "0", **changes}


def test_a_site_administrator_gives_roles_at_that_site_only(client):
    here, there = make_site(), make_site()
    log_in(client, Role.ADMIN, here)
    url = reverse("admin:accounts_user_add")
    for site in ("", there.pk):
        client.post(url, new_person(**{"memberships-0-role": "admin", "memberships-0-site": site}))
        assert not User.objects.filter(username="olek").exists(), f"with site '{site}'"
    client.post(url, new_person(**{"memberships-0-role": "operator", "memberships-0-site": here.pk}))
    assert Membership.objects.get(user__username="olek").site == here


def test_who_administers_one_site_and_only_looks_at_the_others_gives_no_role_everywhere(client):
    here = make_site()
    person = log_in(client, Role.ADMIN, here)
    person.memberships.create(site=None, role=Role.OPERATOR)
    url = reverse("admin:accounts_user_add")
    page = client.post(url, new_person(**{"memberships-0-role": "admin", "memberships-0-site": ""}))
    assert "this needs a role at every site" in page.content.decode()
    assert not User.objects.filter(username="olek").exists()


def test_a_site_administrator_neither_sees_nor_changes_whoever_is_more(client):
    here, there = make_site(), make_site()
    log_in(client, Role.ADMIN, here)
    theirs = make_user(Role.OPERATOR, there, username="theirs")
    both = make_user(Role.OPERATOR, here, username="both")
    both.memberships.create(site=there, role=Role.ADMIN)
    root = User.objects.create_superuser("root")
    mine = make_user(Role.OPERATOR, here, username="mine")
    page = client.get(reverse("admin:accounts_user_changelist")).content.decode()
    assert "mine" in page
    for person in (theirs, both, root):
        assert client.get(reverse("admin:accounts_user_change", args=[person.pk])).status_code == 302
        assert client.get(reverse("admin:auth_user_password_change", args=[person.pk])).status_code in (403, 404)
    assert client.get(reverse("admin:auth_user_password_change", args=[mine.pk])).status_code == 200


def test_nobody_but_a_superuser_makes_superusers(client):
    log_in(client, Role.ADMIN, None)
    person = make_user(Role.OPERATOR, make_site(), username="olek", password="!")
    data = {"username": "olek", "is_active": "on", "is_superuser": "on"}
    inlines = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    response = client.post(reverse("admin:accounts_user_change", args=[person.pk]), {**data, **inlines})
    assert response.status_code == 302
    assert not User.objects.get(username="olek").is_superuser


def test_the_history_of_a_person_never_holds_the_password(client):
    client.force_login(User.objects.create_superuser("root"))
    client.post(reverse("admin:accounts_user_add"), new_person(**{"memberships-TOTAL_FORMS": "0"}))
    person = User.objects.get(username="olek")
    page = client.get(reverse("admin:accounts_user_history", args=[person.pk])).content.decode()
    assert "argon2" not in page
    assert "Created" in page


def test_an_engineer_makes_device_keys_for_ones_own_machines(client):
    mine, theirs = make_machine(), make_machine()
    log_in(client, Role.ENGINEER, mine.line.area.site)
    url = reverse("admin:accounts_devicekey_add")
    assert "Select a valid choice" in client.post(url, {"name": "PLC", "machine": theirs.pk}).content.decode()
    assert "Choose either a machine or a line." in client.post(url, {"name": "PLC"}).content.decode()
    assert "only time that the key is shown" in client.post(url, {"name": "PLC", "machine": mine.pk}).content.decode()
    assert DeviceKey.objects.get().machine == mine


def test_a_new_keys_example_warns_of_a_running_counter(client):
    tag = make_count_tag(mode="running")
    log_in(client, Role.ENGINEER, tag.machine.line.area.site)
    made = client.post(reverse("admin:accounts_devicekey_add"), {"name": "PLC", "machine": tag.machine.pk})
    assert "write the reading that it really has" in made.content.decode()


def test_a_key_of_another_site_is_neither_seen_nor_revoked(client):
    mine, theirs = make_machine(), make_machine()
    key, _ = DeviceKey.objects.create_key(name="Their PLC", machine=theirs)
    log_in(client, Role.ENGINEER, mine.line.area.site)
    url = reverse("admin:accounts_devicekey_changelist")
    assert "Their PLC" not in client.get(url).content.decode()
    client.post(url, {"action": "revoke", "_selected_action": key.pk})
    assert not DeviceKey.objects.get().revoked


def test_an_operator_has_no_door_to_keys_or_people(client):
    log_in(client, Role.OPERATOR, make_site())
    for name in ("user", "devicekey", "clientkey"):
        assert client.get(reverse(f"admin:accounts_{name}_changelist")).status_code == 403
        assert client.get(reverse(f"admin:accounts_{name}_add")).status_code == 403


def test_a_client_key_acts_as_its_account_and_is_shown_once(client):
    client.force_login(User.objects.create_superuser("root"))
    erp = make_user(Role.ERP, make_site(), username="erp")
    page = client.post(
        reverse("admin:accounts_clientkey_add"), {"name": "ERP", "user": erp.pk, "scopes": ["read"]}
    ).content.decode()
    assert "only time that the key is shown" in page
    assert ClientKey.objects.get().user == erp
